package simulator

import (
	"regexp"
	"sync"
	"time"
)

var roleSessionName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9.@_-]{2,64}$`) })

// assumeRole is STS AssumeRole. The shapes and codes of STS are assumed from
// general knowledge of the service; the lifetimes are in reference §1.8.
func assumeRole(c *call) (any, error) {
	p := c.params
	arn, name := p.required("RoleArn"), p.required("RoleSessionName")
	seconds := p.number("DurationSeconds", 3600, 0, 1<<31)
	// The key may do what its role may; a narrowing policy has no effect.
	p.ignore("Policy", "ExternalId", "SourceIdentity")
	if err := p.done(); err != nil {
		return nil, err
	}
	if _, _, ok := (Role{ARN: arn}).parts(); !ok {
		return nil, bad("InvalidParameter.RoleArn", "The parameter RoleArn is wrongly formed.")
	}
	if !roleSessionName().MatchString(name) {
		return nil, bad("InvalidParameter.RoleSessionName", "The parameter RoleSessionName is wrongly formed.")
	}
	id, secret, token, expires, err := c.cloud.AssumeRole(c.key, arn, name, time.Duration(seconds)*time.Second)
	if err != nil {
		return nil, err
	}
	type credentials struct{ AccessKeyId, AccessKeySecret, SecurityToken, Expiration string }
	type user struct{ Arn, AssumedRoleId string }
	s := &loan{role: arn, name: name}
	return struct {
		Credentials     credentials
		AssumedRoleUser user
	}{
		credentials{id, secret, token, expires.Format("2006-01-02T15:04:05Z")},
		user{s.assumedARN(), s.principal()},
	}, nil
}

// principal is a role id, made up from the role's name, and the RoleSessionName.
func (s *loan) principal() string {
	_, role, _ := Role{ARN: s.role}.parts()
	return "role-" + role + ":" + s.name
}

func getCallerIdentity(c *call) (any, error) {
	state, err := c.read()
	if err != nil {
		return nil, err
	}
	type identity struct{ IdentityType, AccountId, PrincipalId, UserId, Arn, RoleId string }
	id := state.AccountID
	if s := c.cloud.loan(c.key); s != nil {
		_, role, _ := Role{ARN: s.role}.parts()
		return identity{"AssumedRoleUser", id, s.principal(), "", s.assumedARN(), "role-" + role}, nil
	}
	return identity{"Account", id, id, id, "acs:ram::" + id + ":root", ""}, nil
}
