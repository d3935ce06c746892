package alibaba

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
)

// role is a role to assume (reference §1.8).
type role struct {
	arn, session, external, policy string
	duration                       time.Duration
	endpoint, region               string
	vpc                            bool
}

var roleARN = regexp.MustCompile(`^acs:ram::[0-9A-Za-z-]+:role/[^\s:]+$`)

// Bounds of a role's session (reference §1.8); how long it may be at the most is
// the role's own setting.
const (
	defaultSession  = time.Hour
	shortestSession = 15 * time.Minute
	longestSession  = 12 * time.Hour
)

// on assumes the role with the keys of another issuer, which is named for people.
func (r role) on(base issuer, name string, calls *caller) (issuer, error) {
	if !roleARN.MatchString(r.arn) {
		return nil, fmt.Errorf("role %q is not an ARN such as acs:ram::1234567890123456:role/fwsync", r.arn)
	}
	if r.duration == 0 {
		r.duration = defaultSession
	}
	if r.duration < shortestSession || r.duration > longestSession {
		return nil, fmt.Errorf("role %s: a session of %s is not between 15 minutes and 12 hours", r.arn, r.duration)
	}
	if r.session == "" {
		r.session = "fwsync"
	}
	return &roleKeys{role: r, base: base, name: name, calls: calls}, nil
}

// door is the token service that issues the role's keys.
func (r role) door(o Options) door {
	to := o.door(tokenProduct)
	switch {
	case r.endpoint != "" && r.endpoint != o.Endpoint:
		to.scheme, to.host = "HTTPS", r.endpoint // plain http is for Options.Endpoint alone
	case o.Endpoint != "":
	case r.region != "" && r.vpc:
		to.host = "sts-vpc." + r.region + ".aliyuncs.com"
	case r.region != "":
		to.host = "sts." + r.region + ".aliyuncs.com"
	}
	return to
}

// roleKeys are the keys of an assumed role. The SDK's own provider speaks https only
// and knows neither contexts nor a pace, so the call is made here like any other.
type roleKeys struct {
	role    role
	base    issuer
	name    string // of base, for people
	calls   *caller
	present *credentials.Credentials
	expires time.Time
}

// assumedAnswer is the answer of AssumeRole.
type assumedAnswer struct {
	envelope
	Credentials struct{ AccessKeyId, AccessKeySecret, SecurityToken, Expiration text }
}

func (a *assumedAnswer) check() error {
	if c := a.Credentials; c.AccessKeyId == "" || c.AccessKeySecret == "" || c.SecurityToken == "" {
		return errors.New("no usable Credentials")
	}
	if _, err := time.Parse(time.RFC3339, string(a.Credentials.Expiration)); err != nil {
		return errors.New("no Expiration")
	}
	return nil
}

func (k *roleKeys) forget() bool {
	k.present = nil
	return true
}

func (k *roleKeys) issue(ctx context.Context) (*credentials.Credentials, error) {
	now := k.calls.pace.now()
	if k.present != nil && k.expires.Sub(now) > earlyRenewal {
		return k.present, nil
	}
	query := fields{"RoleArn": k.role.arn, "RoleSessionName": k.role.session, "DurationSeconds": strconv.Itoa(int(k.role.duration / time.Second))}
	if k.role.external != "" {
		query["ExternalId"] = k.role.external
	}
	if k.role.policy != "" {
		query["Policy"] = k.role.policy
	}
	var got *assumedAnswer
	err := k.calls.call(ctx, k.role.door(k.calls.options), baseKeys{k.base, k.name}, assumeRole, k.role.arn,
		func() requests.AcsRequest { return newRequest(assumeRole, query, nil) },
		func() answer { got = new(assumedAnswer); return got })
	if err != nil {
		return nil, err
	}
	k.expires, err = time.Parse(time.RFC3339, string(got.Credentials.Expiration))
	if err != nil {
		return nil, errNoCredentials
	}
	k.present = &credentials.Credentials{
		AccessKeyId: string(got.Credentials.AccessKeyId), AccessKeySecret: string(got.Credentials.AccessKeySecret),
		SecurityToken: string(got.Credentials.SecurityToken), ProviderName: "ram_role_arn",
	}
	return k.present, nil
}

// baseKeys are the keys with which a role is assumed.
type baseKeys struct {
	issuer issuer
	name   string
}

func (k baseKeys) key(ctx context.Context) (*credentials.Credentials, error) {
	return k.issuer.issue(ctx)
}

func (k baseKeys) renew(context.Context, *credentials.Credentials) bool { return k.issuer.forget() }

// String names the source of the keys.
func (k baseKeys) String() string { return k.name }
