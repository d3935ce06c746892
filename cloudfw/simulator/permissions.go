package simulator

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Permissions are what an access key may do, as RAM action names such as
// yundun-cloudfirewall:DescribeControlPolicy (reference §6). A name may end in or
// hold "*": "ecs:*", "ecs:Describe*", "*". Case does not matter. A denial wins.
type Permissions struct {
	Allow []string `json:"allow,omitzero"` // nil allows everything that is not denied
	Deny  []string `json:"deny,omitempty"`
}

// AnyKey is the name under which Options.Permissions holds what applies to the
// keys that it does not name. A temporary key has the permissions under its own id,
// else those under the ARN of its role, else these.
const AnyKey = "*"

// denial is the AccessDeniedDetail of an error body, an object (reference §1.3).
// The fields besides AuthAction are assumed.
type denial struct {
	AuthAction               string
	AuthPrincipalDisplayName string
	AuthPrincipalOwnerId     string
	AuthPrincipalType        string
	NoPermissionType         string
	PolicyType               string
}

// SetPermissions replaces what the access keys may do; nil allows everything to
// all. An action name without a product, such as DescribeControlPolicy, is refused.
func (c *Cloud) SetPermissions(byKey map[string]Permissions) error {
	if err := checkPermissions(byKey); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.around.permissions = clonePermissions(byKey)
	return nil
}

// Permissions returns what the access keys may do.
func (c *Cloud) Permissions() map[string]Permissions {
	c.mu.Lock()
	defer c.mu.Unlock()
	return clonePermissions(c.around.permissions)
}

func clonePermissions(byKey map[string]Permissions) map[string]Permissions {
	out := maps.Clone(byKey)
	for key, p := range out {
		out[key] = Permissions{slices.Clone(p.Allow), slices.Clone(p.Deny)}
	}
	return out
}

func checkPermissions(byKey map[string]Permissions) error {
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		for _, name := range slices.Concat(byKey[key].Allow, byKey[key].Deny) {
			product, act, found := strings.Cut(name, ":")
			if name != "*" && (!found || product == "" || act == "") {
				return fmt.Errorf("permissions of key %q: %q is not an action, want PRODUCT:ACTION as in ecs:DescribeSecurityGroups, or *", key, name)
			}
		}
	}
	return nil
}

// ramProducts are the RAM names of the products served (reference §6).
var ramProducts = map[string]string{versionCloudfw: "yundun-cloudfirewall", versionECS: "ecs", versionSTS: "sts"}

// permit refuses what the caller's permissions do not cover. GetCallerIdentity
// needs none.
func (c *Cloud) permit(key, version, action string) error {
	role := ""
	if s := c.loan(key); s != nil {
		role = s.role
	}
	c.mu.Lock()
	p, named := c.around.permissions[key]
	if !named && role != "" {
		p, named = c.around.permissions[role]
	}
	if !named {
		p = c.around.permissions[AnyKey]
	}
	owner := c.state.AccountID
	c.mu.Unlock()
	name := ramProducts[version] + ":" + action
	explicit := covered(p.Deny, name)
	if !explicit && (p.Allow == nil || covered(p.Allow, name)) || action == "GetCallerIdentity" {
		return nil
	}
	e := &APIError{
		Status: http.StatusForbidden, Code: "NoPermission", Message: "You are not authorized to perform this operation. Action: " + name,
		denied: &denial{AuthAction: name, AuthPrincipalDisplayName: key, AuthPrincipalOwnerId: owner, AuthPrincipalType: "SubUser",
			NoPermissionType: "ImplicitDeny", PolicyType: "AccountLevelIdentityBasedPolicy"},
	}
	if explicit {
		e.denied.NoPermissionType = "ExplicitDeny"
	}
	if version == versionECS {
		e.Code, e.Message = "Forbidden.RAM", "User not authorized to operate on the specified resource, or this API doesn't support RAM."
	}
	return e
}

func covered(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		return fits(strings.ToLower(pattern), strings.ToLower(name))
	})
}

// fits matches name against a pattern in which * stands for any text.
func fits(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		_, rest, found := strings.Cut(name, part)
		if !found {
			return false
		}
		name = rest
	}
	return strings.HasSuffix(name, last)
}

// purchased refuses Cloud Firewall to an account without it. Code and text are
// assumed; the text must not hold the words at which the Terraform provider turns
// to the vendor's real endpoint (reference §0.12).
func (c *Cloud) purchased(version string) error {
	if c.opt.NoFirewall && version == versionCloudfw {
		return bad("ErrorFirewallNotPurchased", "Cloud Firewall is not activated for this account.")
	}
	return nil
}
