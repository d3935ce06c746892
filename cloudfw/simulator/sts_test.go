package simulator

import (
	"strings"
	"testing"
	"time"
)

const testRole = "acs:ram::1000000000000001:role/writer"

func cloudWithRoles(t testing.TB, o Options, roles ...Role) (*Cloud, *client) {
	t.Helper()
	world := DefaultWorld()
	world.Roles = roles
	o.World = &world
	c := newCloud(t, o)
	return c, serve(t, c)
}

func (c client) sts(code, action string, pairs ...string) wireAnswer {
	c.t.Helper()
	return c.want(code, versionSTS, action, pairs...)
}

func TestAssumedRoleMayCall(t *testing.T) {
	_, c := cloudWithRoles(t, Options{}, Role{ARN: testRole})
	a := c.sts("", "AssumeRole", "RoleArn", testRole, "RoleSessionName", "fwsync", "DurationSeconds", "900")
	given, _ := a.body["Credentials"].(map[string]any)
	text := func(name string) string { s, _ := given[name].(string); return s }
	if text("Expiration") != "2026-11-23T12:15:00Z" || !strings.HasPrefix(text("AccessKeyId"), "STS.") {
		t.Errorf("got %s", a.raw)
	}
	user, _ := a.body["AssumedRoleUser"].(map[string]any)
	if user["Arn"] != "acs:sts::1000000000000001:assumed-role/writer/fwsync" {
		t.Errorf("user: %v", user)
	}
	assumed := *c
	assumed.id, assumed.secret = text("AccessKeyId"), text("AccessKeySecret")
	assumed.override = map[string]string{"SecurityToken": text("SecurityToken")}
	who := assumed.sts("", "GetCallerIdentity")
	if who.body["IdentityType"] != "AssumedRoleUser" || who.body["Arn"] != user["Arn"] || who.body["PrincipalId"] != user["AssumedRoleId"] {
		t.Errorf("identity: %s", who.raw)
	}
	assumed.firewall("AddControlPolicy", policyArgs()...)
	assumed.secret += "x"
	assumed.sts("SignatureDoesNotMatch", "GetCallerIdentity")
}

func TestTemporaryKey(t *testing.T) {
	now := noon.Add(999 * time.Millisecond)
	cloud, _ := cloudWithRoles(t, Options{Clock: func() time.Time { return now }}, Role{ARN: testRole})
	id, secret, token, expires, err := cloud.AssumeRole(DefaultKey, testRole, "one", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	gotSecret, gotToken, gotExpires, ok := cloud.temporaryKey(id)
	if !ok || gotSecret != secret || gotToken != token || !gotExpires.Equal(expires) || !expires.Equal(noon.Add(time.Hour)) {
		t.Errorf("got %q %q %v %v", gotSecret, gotToken, gotExpires, ok)
	}
	now = noon.Add(2 * time.Hour)
	if _, _, gotExpires, ok := cloud.temporaryKey(id); !ok || !gotExpires.Before(now) {
		t.Errorf("an expired key must still be known as such: %v %v", gotExpires, ok)
	}
	if _, _, _, ok := cloud.temporaryKey(DefaultKey); ok {
		t.Error("a permanent key is taken for a temporary one")
	}
	for range keptLoans {
		if _, _, _, _, err := cloud.AssumeRole(DefaultKey, testRole, "many", time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, _, ok := cloud.temporaryKey(id); ok || len(cloud.loans.byKey) != keptLoans {
		t.Errorf("%d temporary keys are kept", len(cloud.loans.byKey))
	}
}

func TestRoleTrust(t *testing.T) {
	const (
		byKey  = "acs:ram::1000000000000001:role/by-key"
		byRoot = "acs:ram::1000000000000001:role/by-root"
		byRole = "acs:ram::1000000000000001:role/by-role"
		nobody = "acs:ram::1000000000000001:role/nobody"
	)
	cloud, c := cloudWithRoles(t, Options{},
		Role{ARN: testRole}, Role{ARN: byKey, Trusted: []string{DefaultKey}}, Role{ARN: nobody, Trusted: []string{}},
		Role{ARN: byRoot, Trusted: []string{"acs:ram::1000000000000001:root"}}, Role{ARN: byRole, Trusted: []string{testRole}})
	id, _, _, _, err := cloud.AssumeRole(DefaultKey, testRole, "chain", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ caller, role, want string }{
		{DefaultKey, byKey, ""}, {DefaultKey, byRoot, ""}, {DefaultKey, byRole, "NoPermission"}, {DefaultKey, nobody, "NoPermission"},
		{id, byKey, "NoPermission"}, {id, byRoot, "NoPermission"}, {id, byRole, ""}, {id, testRole, ""},
		{"another", byKey, "NoPermission"}, {DefaultKey, testRole + "s", "EntityNotExist.Role"},
	} {
		if _, _, _, _, err := cloud.AssumeRole(tt.caller, tt.role, "x1", time.Hour); code(err) != tt.want {
			t.Errorf("%s assumes %s: got %v, want %q", tt.caller, tt.role, err, tt.want)
		}
	}
	if a := c.sts("NoPermission", "AssumeRole", "RoleArn", nobody, "RoleSessionName", "xx"); a.status != 403 {
		t.Errorf("got status %d", a.status)
	}
	if a := c.sts("EntityNotExist.Role", "AssumeRole", "RoleArn", testRole+"s", "RoleSessionName", "xx"); a.status != 404 {
		t.Errorf("got status %d", a.status)
	}
	// Nobody stays nobody through the state file's form.
	s := cloud.Snapshot()
	if text := asJSON(t, s); !strings.Contains(text, `"trusted":[]`) {
		t.Errorf("the empty list is lost: %s", text)
	}
}

func TestAssumeRoleRefusals(t *testing.T) {
	_, c := cloudWithRoles(t, Options{}, Role{ARN: testRole})
	for _, tt := range []struct {
		code string
		args []string
	}{
		{"MissingRoleArn", []string{"RoleArn", ""}},
		{"MissingRoleSessionName", []string{"RoleSessionName", ""}},
		{"InvalidParameter.RoleArn", []string{"RoleArn", "writer"}},
		{"InvalidParameter.RoleSessionName", []string{"RoleSessionName", "a b"}},
		{"InvalidParameter.DurationSeconds", []string{"DurationSeconds", "899"}},
		{"InvalidParameter.DurationSeconds", []string{"DurationSeconds", "3601"}},
		{"InvalidDurationSeconds", []string{"DurationSeconds", "long"}},
	} {
		c.sts(tt.code, "AssumeRole", with([]string{"RoleArn", testRole, "RoleSessionName", "fwsync"}, tt.args)...)
	}
}

func TestTemporaryKeyNeedsItsTokenAndItsTime(t *testing.T) {
	now := noon
	cloud, c := cloudWithRoles(t, Options{Clock: func() time.Time { return now }, SkipTimestamp: true}, Role{ARN: testRole})
	id, secret, token, _, err := cloud.AssumeRole(DefaultKey, testRole, "fwsync", 15*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	_, _, foreign, _, err := cloud.AssumeRole(DefaultKey, testRole, "fwsync", 15*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	c.id, c.secret = id, secret
	for _, tt := range []struct {
		name, token, code string
		after             time.Duration
	}{
		{"its own token", token, "", 0},
		{"another key's token", foreign, "InvalidSecurityToken.MismatchWithAccessKey", 0},
		{"no token", "", "MissingSecurityToken", 0},
		{"its last second", token, "", 15*time.Minute - time.Second},
		{"too late", token, "InvalidSecurityToken.Expired", 15*time.Minute + time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now = noon.Add(tt.after)
			c.override = map[string]string{"SecurityToken": tt.token}
			c.sts(tt.code, "GetCallerIdentity")
		})
	}
}
