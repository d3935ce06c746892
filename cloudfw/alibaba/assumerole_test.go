package alibaba

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/simulator"
)

const (
	firstRole  = "acs:ram::1000000000000001:role/first"
	secondRole = "acs:ram::1000000000000001:role/second"
	thirdRole  = "acs:ram::1000000000000001:role/third"
)

// trusting is a world in which each role is assumed from the one before it, and only
// the last one may do anything else.
func trusting() simulator.Options {
	o := world()
	o.World.Roles = []simulator.Role{
		{ARN: firstRole, Trusted: []string{simulator.DefaultKey}},
		{ARN: secondRole, Trusted: []string{firstRole}},
		{ARN: thirdRole, Trusted: []string{secondRole}},
	}
	o.Permissions = map[string]simulator.Permissions{simulator.DefaultKey: {Allow: []string{"sts:AssumeRole"}}}
	o.SkipTimestamp = true // the cloud's clock is moved
	return o
}

// openWith opens an account of a cloud with the credentials, without pauses.
func openWith(t *testing.T, o simulator.Options, c CredentialSource) (*rig, error) {
	t.Helper()
	cloud, err := simulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(cloud.Handler())
	t.Cleanup(server.Close)
	options := testOptions(server)
	options.Credentials, options.Pace = c, restless()
	a, err := Open(t.Context(), options)
	if err != nil {
		return nil, err
	}
	t.Cleanup(a.Close)
	return &rig{Account: a, cloud: cloud}, nil
}

func baseKey() CredentialSource {
	return CredentialSource{AccessKeyID: simulator.DefaultKey, AccessKeySecret: simulator.DefaultSecret}
}

func chained() CredentialSource {
	c := baseKey()
	c.Through, c.RoleARN, c.ExternalID, c.RoleSessionName, c.RoleDuration = []string{firstRole, secondRole}, thirdRole, "outside", "on-call", 20*time.Minute
	return c
}

func TestRolesAreAssumedOneFromTheOtherAtTheService(t *testing.T) {
	r, err := openWith(t, trusting(), chained())
	if err != nil {
		t.Fatal(err)
	}
	r.run(t, bookStep(cloudfw.CreateBook, "192.0.2.1/32"))
	r.run(t, bookStep(cloudfw.AppendAddresses, "192.0.2.2/32"))
	id, err := r.Identity(t.Context())
	if err != nil || !strings.HasSuffix(id.ARN, "assumed-role/third/on-call") || id.Kind != "AssumedRoleUser" {
		t.Errorf("identity %+v (%v)", id, err)
	}
	if got, want := r.CredentialsFrom(), "options, role "+firstRole+", role "+secondRole+", role "+thirdRole; got != want {
		t.Errorf("named %q, want %q", got, want)
	}
	var external []string
	for _, c := range r.cloud.Calls() {
		if c.Action == "AssumeRole" {
			external = append(external, c.Params["RoleArn"]+" "+c.Params["ExternalId"]+" "+c.Params["RoleSessionName"]+" "+c.Params["DurationSeconds"])
		}
	}
	want := []string{firstRole + "  on-call 1200", secondRole + "  on-call 1200", thirdRole + " outside on-call 1200"}
	if strings.Join(external, "|") != strings.Join(want, "|") {
		t.Errorf("assumed %q, want %q", external, want)
	}
}

func TestARoleOfTheCLIsProfilesIsAssumedAtTheService(t *testing.T) {
	home := bare(t)
	writeFile(t, filepath.Join(home, ".aliyun/config.json"), `{"current":"top","profiles":[
		{"name":"base","mode":"RamRoleArn","access_key_id":"simulator","access_key_secret":"simulator","ram_role_arn":"`+firstRole+`","ram_session_name":"cli"},
		{"name":"top","mode":"ChainableRamRoleArn","source_profile":"base","ram_role_arn":"`+secondRole+`","ram_session_name":"cli"}]}`)
	r, err := openWith(t, trusting(), CredentialSource{RoleARN: thirdRole})
	if err != nil {
		t.Fatal(err)
	}
	if id, err := r.Identity(t.Context()); err != nil || !strings.HasSuffix(id.ARN, "assumed-role/third/fwsync") {
		t.Errorf("identity %+v (%v)", id, err)
	}
}

func TestARoleThatMayNotBeAssumedSaysWhy(t *testing.T) {
	for what, c := range map[string]struct {
		role, hint string
		kind       cloudfw.Kind
	}{
		"a role that trusts another": {secondRole, "trust policy of " + secondRole + " name the identity of options", cloudfw.Denied},
		"a role that is not there":   {firstRole + "x", "make the role", cloudfw.NotFound},
	} {
		source := baseKey()
		source.RoleARN = c.role
		_, err := openWith(t, trusting(), source)
		if cloudfw.KindOf(err) != c.kind || !strings.Contains(hint(err), c.hint) || !strings.Contains(err.Error(), "AssumeRole") {
			t.Errorf("%s: %v, hint %q", what, err, hint(err))
		}
	}
	o := trusting()
	o.Permissions[simulator.DefaultKey] = simulator.Permissions{Allow: []string{}}
	if _, err := openWith(t, o, chained()); cloudfw.KindOf(err) != cloudfw.Denied || !strings.Contains(hint(err), "sts:AssumeRole") {
		t.Errorf("without the permission: %v, hint %q", err, hint(err))
	}
}

func TestKeysOfARoleAreRenewedBeforeTheyEnd(t *testing.T) {
	r, err := openWith(t, trusting(), chained())
	if err != nil {
		t.Fatal(err)
	}
	look := func(want int) {
		t.Helper()
		if _, err := r.readStrict(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := r.count("AssumeRole"); n != want {
			t.Errorf("%d roles assumed, want %d", n, want)
		}
	}
	look(3)
	r.pace.now = func() time.Time { return time.Now().Add(16 * time.Minute) }
	look(3)
	r.pace.now = func() time.Time { return time.Now().Add(18 * time.Minute) }
	look(6)
}

func TestKeysThatTheServiceTakesForExpiredAreRenewedOnceForAll(t *testing.T) {
	source := baseKey()
	source.RoleARN = firstRole
	r, err := openWith(t, trusting(), source)
	if err != nil {
		t.Fatal(err)
	}
	r.cloud.AdvanceClock(2 * time.Hour)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				if _, err := r.readStrict(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := r.count("AssumeRole"); n != 2 {
		t.Errorf("%d roles assumed, want 2", n)
	}
	r.cloud.AdvanceClock(2 * time.Hour)
	r.execute(t, bookStep(cloudfw.CreateBook, "192.0.2.1/32"))
	if books := r.observe(t).Books; len(books) != 2 { // nothing was done with the old key
		t.Errorf("%d books", len(books))
	}
	if n := r.count("AssumeRole"); n != 3 {
		t.Errorf("%d roles assumed, want 3", n)
	}
}

func TestAChainWhoseKeysHaveAllExpiredIsRenewedFromItsBase(t *testing.T) {
	r, err := openWith(t, trusting(), chained())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		r.cloud.AdvanceClock(2 * time.Hour)
		r.cloud.ResetCalls()
		if _, err := r.readStrict(t.Context()); err != nil {
			t.Fatal(err)
		}
		refused := 0
		for _, c := range r.cloud.Calls() {
			if c.Code == "InvalidSecurityToken.Expired" {
				refused++
			} else if c.Code != "" {
				t.Errorf("%s: %s", c.Action, c.Code)
			}
		}
		if n := r.count("AssumeRole"); refused != 3 || n != 5 {
			t.Errorf("%d calls refused, %d roles assumed", refused, n)
		}
	}
}

func TestAFixedTokenThatHasEndedIsDeniedWithAHint(t *testing.T) {
	cloud, err := simulator.New(trusting())
	if err != nil {
		t.Fatal(err)
	}
	id, secret, token, _, err := cloud.AssumeRole(simulator.DefaultKey, firstRole, "manual", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(cloud.Handler())
	t.Cleanup(server.Close)
	o := testOptions(server)
	o.Credentials, o.Pace = CredentialSource{AccessKeyID: id, AccessKeySecret: secret, SecurityToken: token}, restless()
	a, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	if _, err := a.readStrict(t.Context()); err != nil {
		t.Fatal(err)
	}
	cloud.AdvanceClock(2 * time.Hour)
	_, err = a.readStrict(t.Context())
	if cloudfw.KindOf(err) != cloudfw.Denied || !strings.Contains(hint(err), "there is no newer one") {
		t.Errorf("%v, hint %q", err, hint(err))
	}
	demandNoSecret(t, err.Error()+hint(err), id, secret, token)
}

func TestWhoWaitsForKeysLeavesWithItsContext(t *testing.T) {
	s := &source{name: "slow", issuer: &fixed{}, busy: make(chan struct{}, 1)}
	s.busy <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.key(ctx); cloudfw.KindOf(err) != cloudfw.Canceled {
		t.Errorf("got %v", err)
	}
	if s.renew(ctx, nil) {
		t.Error("renewed while another one asks")
	}
}

func TestTokenServicesAreCalledWhereTheRoleSays(t *testing.T) {
	vendor, own := Options{Region: "cn-hangzhou"}, Options{Region: "cn-hangzhou", Endpoint: "127.0.0.1:1", Insecure: true}
	for _, c := range []struct {
		o    Options
		r    role
		want door
	}{
		{vendor, role{}, door{"HTTPS", "sts.aliyuncs.com", "cn-hangzhou"}},
		{vendor, role{region: "cn-beijing"}, door{"HTTPS", "sts.cn-beijing.aliyuncs.com", "cn-hangzhou"}},
		{vendor, role{region: "cn-beijing", vpc: true}, door{"HTTPS", "sts-vpc.cn-beijing.aliyuncs.com", "cn-hangzhou"}},
		{vendor, role{endpoint: "sts.example.com", region: "cn-beijing"}, door{"HTTPS", "sts.example.com", "cn-hangzhou"}},
		{own, role{region: "cn-beijing"}, door{"HTTP", "127.0.0.1:1", "cn-hangzhou"}},
		{own, role{endpoint: "127.0.0.1:1"}, door{"HTTP", "127.0.0.1:1", "cn-hangzhou"}},
		{own, role{endpoint: "sts.aliyuncs.com"}, door{"HTTPS", "sts.aliyuncs.com", "cn-hangzhou"}},
	} {
		if got := c.r.door(c.o); got != c.want {
			t.Errorf("%+v at %q: %+v, want %+v", c.r, c.o.Endpoint, got, c.want)
		}
	}
}
