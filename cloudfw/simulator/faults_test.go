package simulator

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestErrorFaults(t *testing.T) {
	for _, tt := range []struct {
		kind   FaultKind
		code   string
		status int
	}{
		{FaultThrottle, "Throttling.User", 400},
		{FaultUnavailable, "ServiceUnavailable", 503},
		{FaultInternal, "InternalError", 500},
		{FaultDenied, "Forbidden.RAM", 403},
		{FaultCode, "-200142", 400},
	} {
		t.Run(string(tt.kind), func(t *testing.T) {
			cloud, c := newWorld(t, Options{})
			f := Fault{Action: "AddControlPolicy", Kind: tt.kind, Skip: 1, Count: 2}
			if tt.kind == FaultCode {
				f.Code = tt.code
			}
			cloud.Inject(f)
			c.firewall("DescribeAddressBook")
			for i, want := range []string{"", tt.code, tt.code, ""} {
				a := c.want(want, versionCloudfw, "AddControlPolicy", policyArgs()...)
				if want != "" && a.status != tt.status {
					t.Errorf("call %d: status %d", i, a.status)
				}
			}
			if n := len(cloud.Snapshot().Policies); n != 3 {
				t.Errorf("%d policies, want the failed calls without effect", n)
			}
			cloud.Inject(Fault{Writes: true, Kind: tt.kind, Code: f.Code, AfterEffect: true})
			c.firewall("DescribeAddressBook")
			c.want(tt.code, versionCloudfw, "AddControlPolicy", policyArgs()...)
			if n := len(cloud.Snapshot().Policies); n != 4 {
				t.Errorf("%d policies, want the failed call to have taken effect", n)
			}
			calls := cloud.Calls()
			if last := calls[len(calls)-1]; last.Fault != tt.kind || last.Code != tt.code {
				t.Errorf("logged %+v", last)
			}
		})
	}
}

func TestThrottleFaultCarriesTheRetryHint(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	cloud.Inject(Fault{Kind: FaultThrottle, RetryAfter: 1500 * time.Millisecond})
	if a := c.want("Throttling.User", versionCloudfw, "DescribeAddressBook"); a.header.Get("x-acs-retry-after") != "1500" {
		t.Errorf("got header %q", a.header.Get("x-acs-retry-after"))
	}
}

func TestResetFaults(t *testing.T) {
	for _, tt := range []struct {
		kind     FaultKind
		policies int
	}{{FaultResetBefore, 1}, {FaultResetAfter, 2}} {
		t.Run(string(tt.kind), func(t *testing.T) {
			cloud, c := newWorld(t, Options{})
			cloud.Inject(Fault{Action: "AddControlPolicy", Kind: tt.kind})
			resp, err := c.send(versionCloudfw, "AddControlPolicy", policyArgs()...)
			if err == nil {
				resp.Body.Close()
				t.Fatalf("got status %d, want a broken connection", resp.StatusCode)
			}
			if n := len(cloud.Snapshot().Policies); n != tt.policies {
				t.Errorf("%d policies, want %d", n, tt.policies)
			}
			if calls := cloud.Calls(); len(calls) != 1 || calls[0].Fault != tt.kind || calls[0].Code != "" {
				t.Errorf("logged %+v, want one call: no client may repeat it unseen", calls)
			}
			c.firewall("DescribeAddressBook")
		})
	}
}

func TestHangFaultEndsWithTheClient(t *testing.T) {
	for _, after := range []bool{false, true} {
		cloud, c := newWorld(t, Options{})
		cloud.Inject(Fault{Kind: FaultHang, AfterEffect: after})
		ctx, cancel := context.WithCancel(t.Context())
		hanging := *c
		hanging.t = withContext{t, ctx}
		done := make(chan error, 1)
		go func() {
			resp, err := hanging.send(versionCloudfw, "AddControlPolicy", policyArgs()...)
			if err == nil {
				resp.Body.Close()
			}
			done <- err
		}()
		// The log shows the fault once the call is about to hang.
		for {
			if calls := cloud.Calls(); len(calls) == 1 && calls[0].Fault == FaultHang {
				break
			}
			runtime.Gosched()
		}
		c.firewall("DescribeAddressBook")
		cancel()
		if err := <-done; err == nil {
			t.Error("the hanging call was answered")
		}
		if n := len(cloud.Snapshot().Policies); (n == 2) != after {
			t.Errorf("after effect %v: %d policies", after, n)
		}
	}
}

type withContext struct {
	testing.TB
	ctx context.Context
}

func (w withContext) Context() context.Context { return w.ctx }

func TestHangFaultEndsWithTheServer(t *testing.T) {
	cloud := newCloud(t, Options{SkipSignature: true, SkipTimestamp: true, SkipNonce: true})
	cloud.Inject(Fault{Kind: FaultHang})
	s, err := Listen("127.0.0.1:0", cloud.Handler())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		resp, err := http.Get(s.URL() + "/?Action=DescribeAddressBook&Version=2017-12-07")
		if err == nil {
			resp.Body.Close()
		}
		done <- err
	}()
	for {
		if calls := cloud.Calls(); len(calls) == 1 && calls[0].Fault == FaultHang {
			break
		}
		runtime.Gosched()
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil {
		t.Error("the hanging call was answered")
	}
}

func TestMalformedFault(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	cloud.Inject(Fault{Kind: FaultMalformed})
	resp, err := c.send(versionCloudfw, "AddControlPolicy", policyArgs()...)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 || json.Valid(raw) || !strings.HasPrefix(string(raw), `{"RequestId":`) {
		t.Errorf("got status %d, %q, %v", resp.StatusCode, raw, err)
	}
	if n := len(cloud.Snapshot().Policies); n != 2 {
		t.Errorf("%d policies, want the call to have taken effect", n)
	}
}

func TestStaleFault(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	c.firewall("AddControlPolicy", policyArgs()...)
	cloud.Inject(Fault{Action: "DescribeControlPolicy", Kind: FaultStale, Count: 2})
	for i, want := range []string{"1", "1", "2"} {
		a := c.firewall("DescribeControlPolicy", "Direction", "in", "CurrentPage", "1", "PageSize", "50")
		if a.text("TotalCount") != want {
			t.Errorf("read %d: got %s policies, want %s", i, a.text("TotalCount"), want)
		}
	}
}

func TestInterfereFault(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	cloud.Inject(Fault{Action: "ModifyControlPolicyPosition", Kind: FaultInterfere, Do: func(c *Cloud) {
		if _, err := c.AddControlPolicy(tcpPolicy("in", 1, "a colleague's")); err != nil {
			t.Error(err)
		}
	}})
	c.firewall("AddControlPolicy", policyArgs()...)
	c.firewall("ModifyControlPolicyPosition", "Direction", "in", "OldOrder", "2", "NewOrder", "1")
	var got []string
	for _, p := range cloud.Snapshot().Policies {
		got = append(got, p.Description)
	}
	if text := strings.Join(got, ", "); text != "web console, added by hand, a colleague's, drop one" {
		t.Errorf("the call by position must have moved the wrong policy: %s", text)
	}
}

func TestPageFaults(t *testing.T) {
	for _, tt := range []struct {
		kind             FaultKind
		numbered, tokens int
	}{{FaultEmptyPage, 0, 0}, {FaultShortPage, 2, 5}} {
		t.Run(string(tt.kind), func(t *testing.T) {
			cloud, c := newWorld(t, Options{})
			for i := range 3 {
				if _, err := cloud.AddControlPolicy(tcpPolicy("in", -1, "more")); err != nil {
					t.Fatal(i, err)
				}
			}
			for range 10 {
				c.ecs("CreateSecurityGroup")
			}
			cloud.Inject(Fault{Action: "DescribeControlPolicy", Kind: tt.kind})
			a := c.firewall("DescribeControlPolicy", "Direction", "in", "CurrentPage", "1", "PageSize", "50")
			if len(a.items("Policys")) != tt.numbered || a.text("TotalCount") != "4" {
				t.Errorf("got %d of %s", len(a.items("Policys")), a.text("TotalCount"))
			}
			cloud.Inject(Fault{Action: "DescribeSecurityGroups", Kind: tt.kind})
			seen, token := 0, ""
			for page := 0; page == 0 || token != ""; page++ {
				args := []string{"MaxResults", "10"}
				if token != "" {
					args = append(args, "NextToken", token)
				}
				a := c.ecs("DescribeSecurityGroups", args...)
				n := len(a.items("SecurityGroups", "SecurityGroup"))
				if page == 0 && n != tt.tokens {
					t.Errorf("the first page holds %d groups", n)
				}
				seen += n
				token = a.text("NextToken")
			}
			if seen != 11 {
				t.Errorf("following the tokens gives %d groups of 11", seen)
			}
		})
	}
}

func TestFaultsCanBeClearedAndNamed(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	cloud.Inject(Fault{Kind: FaultInternal, Count: -1})
	for range 3 {
		c.want("InternalError", versionCloudfw, "DescribeAddressBook")
	}
	cloud.ClearFaults()
	c.firewall("DescribeAddressBook")
	for _, kind := range faultKinds {
		if got, err := ParseFaultKind(string(kind)); err != nil || got != kind {
			t.Errorf("%s: got %s, %v", kind, got, err)
		}
	}
	if _, err := ParseFaultKind("flood"); err == nil || !strings.Contains(err.Error(), "reset-after") {
		t.Errorf("got %v", err)
	}
	cloud.Inject(Fault{Kind: "flood"})
	c.want("InternalError", versionCloudfw, "AddControlPolicy", policyArgs()...)
	if n := len(cloud.Snapshot().Policies); n != 1 {
		t.Errorf("%d policies after an unknown fault", n)
	}
}

func TestRateLimitPerAPI(t *testing.T) {
	now := noon
	_, c := newWorld(t, Options{RatePerAPI: 10, Clock: func() time.Time { return now }})
	for range 10 {
		c.firewall("DescribeAddressBook")
	}
	a := c.want("Throttling.User", versionCloudfw, "DescribeAddressBook")
	if got := a.header.Get("x-acs-retry-after"); got != "100" {
		t.Errorf("got retry hint %q", got)
	}
	c.firewall("DescribePolicyAdvancedConfig")
	now = now.Add(100 * time.Millisecond)
	c.firewall("DescribeAddressBook")
	c.want("Throttling.User", versionCloudfw, "DescribeAddressBook")
	now = now.Add(time.Hour)
	c.override = map[string]string{"Timestamp": now.Format("2006-01-02T15:04:05Z")}
	for range 10 {
		c.firewall("DescribeAddressBook")
	}
	c.want("Throttling.User", versionCloudfw, "DescribeAddressBook")
}
