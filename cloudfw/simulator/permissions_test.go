package simulator

import (
	"encoding/json"
	"net/http"
	"reflect"
	"testing"
)

func TestPermissions(t *testing.T) {
	for _, tt := range []struct {
		name   string
		may    map[string]Permissions
		policy string // code of AddControlPolicy
		groups string // code of DescribeSecurityGroups
	}{
		{"nobody has said anything", nil, "", ""},
		{"somebody else's", map[string]Permissions{"other": {Deny: []string{"*"}}}, "", ""},
		{"one denied", map[string]Permissions{DefaultKey: {Deny: []string{"yundun-cloudfirewall:AddControlPolicy"}}}, "NoPermission", ""},
		{"in another case", map[string]Permissions{DefaultKey: {Deny: []string{"YUNDUN-cloudfirewall:addcontrolpolicy"}}}, "NoPermission", ""},
		{"a product denied to anybody", map[string]Permissions{AnyKey: {Deny: []string{"ecs:*"}}}, "", "Forbidden.RAM"},
		{"one allowed", map[string]Permissions{DefaultKey: {Allow: []string{"ecs:Describe*Groups"}}}, "NoPermission", ""},
		{"all allowed, one denied", map[string]Permissions{DefaultKey: {Allow: []string{"*"}, Deny: []string{"ecs:*Security*"}}}, "", "Forbidden.RAM"},
		{"nothing allowed", map[string]Permissions{DefaultKey: {Allow: []string{}}}, "NoPermission", "Forbidden.RAM"},
		{"a key's own before anybody's", map[string]Permissions{DefaultKey: {}, AnyKey: {Deny: []string{"*"}}}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cloud, c := newWorld(t, Options{Permissions: tt.may})
			a := c.want(tt.policy, versionCloudfw, "AddControlPolicy", policyArgs()...)
			if tt.policy != "" {
				detail, _ := a.body["AccessDeniedDetail"].(map[string]any)
				if a.status != http.StatusForbidden || detail["AuthAction"] != "yundun-cloudfirewall:AddControlPolicy" || detail["AuthPrincipalDisplayName"] != DefaultKey {
					t.Errorf("got %d %s", a.status, a.raw)
				}
			}
			if n := len(cloud.Snapshot().Policies); (n == 1) != (tt.policy != "") {
				t.Errorf("%d policies", n)
			}
			c.want(tt.groups, versionECS, "DescribeSecurityGroups")
			// Everybody may ask who he is.
			c.want("", versionSTS, "GetCallerIdentity")
		})
	}
}

func TestTemporaryKeysHaveThePermissionsOfTheirRole(t *testing.T) {
	const role = "acs:ram::1000000000000001:role/reader"
	world := DefaultWorld()
	world.Roles = []Role{{ARN: role}}
	cloud := newCloud(t, Options{World: &world, Permissions: map[string]Permissions{role: {Allow: []string{"yundun-cloudfirewall:Describe*"}}}})
	c := serve(t, cloud)
	s := assume(c, role)
	s.firewall("DescribeAddressBook")
	s.want("NoPermission", versionCloudfw, "AddControlPolicy", policyArgs()...)
	c.firewall("AddControlPolicy", policyArgs()...)
}

// assume returns a client with a temporary key.
func assume(c *client, role string) *client {
	c.t.Helper()
	a := c.want("", versionSTS, "AssumeRole", "RoleArn", role, "RoleSessionName", "test")
	credentials, _ := a.body["Credentials"].(map[string]any)
	text := func(name string) string { s, _ := credentials[name].(string); return s }
	s := *c
	s.id, s.secret, s.override = text("AccessKeyId"), text("AccessKeySecret"), map[string]string{"SecurityToken": text("SecurityToken")}
	return &s
}

func TestPermissionsNeedAProduct(t *testing.T) {
	for _, name := range []string{"AddControlPolicy", "", "ecs:", ":Describe", "ecs"} {
		if _, err := New(Options{Permissions: map[string]Permissions{"k": {Deny: []string{name}}}}); err == nil {
			t.Errorf("%q was taken", name)
		}
		if err := newCloud(t, Options{}).SetPermissions(map[string]Permissions{"k": {Allow: []string{name}}}); err == nil {
			t.Errorf("%q was taken at run time", name)
		}
	}
}

// Nothing allowed must not come out of the admin endpoint as everything allowed.
func TestPermissionsSurviveJSON(t *testing.T) {
	for _, p := range []Permissions{{}, {Allow: []string{}}, {Allow: []string{"*"}, Deny: []string{"ecs:*"}}} {
		raw, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var again Permissions
		if err := json.Unmarshal(raw, &again); err != nil || !reflect.DeepEqual(p, again) {
			t.Errorf("%+v is written as %s and read as %+v, %v", p, raw, again, err)
		}
	}
}

func TestPatterns(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "", true}, {"*", "a:b", true}, {"a:b", "a:b", true}, {"a:b", "a:bc", false}, {"a:*", "a:", true}, {"a:*", "ab:c", false},
		{"a:*c", "a:bc", true}, {"a:*c", "a:cb", false}, {"a*a", "a", false}, {"a*a", "aa", true}, {"*b*", "abc", true}, {"*b*b*", "abc", false},
		{"a**c", "abc", true},
	} {
		if got := fits(tt.pattern, tt.name); got != tt.want {
			t.Errorf("%q on %q: got %v", tt.pattern, tt.name, got)
		}
	}
}

func TestAnAccountWithoutCloudFirewall(t *testing.T) {
	cloud, c := newWorld(t, Options{NoFirewall: true})
	for at := range actions {
		if at.version == versionCloudfw {
			// The client itself fails on the text that diverts Terraform.
			if a := c.want("ErrorFirewallNotPurchased", versionCloudfw, at.action); a.status != http.StatusBadRequest {
				t.Errorf("%s: status %d", at.action, a.status)
			}
		}
	}
	c.ecs("DescribeSecurityGroups")
	if n := len(cloud.Snapshot().Policies); n != 1 {
		t.Errorf("%d policies", n)
	}
}
