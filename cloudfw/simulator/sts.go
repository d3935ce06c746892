package simulator

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// keptLoans bounds the temporary keys remembered; the oldest fall out.
const keptLoans = 4096

// loan is the temporary key that AssumeRole issued.
type loan struct {
	key, secret, token string
	role               string // ARN
	name               string // RoleSessionName
	expires            time.Time
}

// loans are the temporary keys of a Cloud. They live in memory only.
type loans struct {
	mu    sync.Mutex
	byKey map[string]*loan
	order []string
}

// temporaryKey returns what belongs to an access key id that AssumeRole issued,
// expired or not; ok is false for any other id.
func (c *Cloud) temporaryKey(id string) (secret, token string, expires time.Time, ok bool) {
	s := c.loan(id)
	if s == nil {
		return "", "", time.Time{}, false
	}
	return s.secret, s.token, s.expires, true
}

// loan returns what is behind a temporary access key id, or nil.
func (c *Cloud) loan(id string) *loan {
	c.loans.mu.Lock()
	defer c.loans.mu.Unlock()
	return c.loans.byKey[id]
}

// AssumeRole issues a temporary key for a role in the state. caller is the access
// key id that asks, permanent or temporary; it is not checked to exist. The
// lifetime is 15 minutes to 1 hour. The key is kept in memory only and ends at
// expires, a whole second. Refusals are *APIError: EntityNotExist.Role,
// NoPermission where the role does not trust the caller, and
// InvalidParameter.DurationSeconds.
func (c *Cloud) AssumeRole(caller, arn, name string, lifetime time.Duration) (id, secret, token string, expires time.Time, err error) {
	state, err := c.view(false)
	if err != nil {
		return "", "", "", time.Time{}, err
	}
	i := slices.IndexFunc(state.Roles, func(r Role) bool { return r.ARN == arn })
	if i < 0 {
		return "", "", "", time.Time{}, refuse(http.StatusNotFound, "EntityNotExist.Role", "The role not exists: %s.", arn)
	}
	if role := state.Roles[i]; !c.trusts(role, caller, state.AccountID) {
		return "", "", "", time.Time{}, refuse(http.StatusForbidden, "NoPermission",
			"You are not authorized to do this action. The role %s does not trust the caller.", arn)
	}
	if lifetime < 15*time.Minute || lifetime > time.Hour {
		return "", "", "", time.Time{}, bad("InvalidParameter.DurationSeconds", "The Min/Max value of DurationSeconds is 15min/1hr.")
	}
	// Random, not counted: the known secret of one run would open the next.
	s := &loan{
		key: "STS." + rand.Text(), secret: rand.Text(), token: rand.Text() + rand.Text(), role: arn, name: name,
		expires: c.opt.Clock().UTC().Truncate(time.Second).Add(lifetime),
	}
	c.loans.keep(s)
	return s.key, s.secret, s.token, s.expires, nil
}

func (s *loans) keep(n *loan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byKey == nil {
		s.byKey = map[string]*loan{}
	}
	s.byKey[n.key] = n
	s.order = append(s.order, n.key)
	if len(s.order) > keptLoans {
		delete(s.byKey, s.order[0])
		s.order = slices.Delete(s.order, 0, 1)
	}
}

// trusts tells whether a caller may assume a role.
func (c *Cloud) trusts(r Role, caller, account string) bool {
	if r.Trusted == nil {
		return true
	}
	if s := c.loan(caller); s != nil {
		return slices.Contains(r.Trusted, s.role)
	}
	return slices.Contains(r.Trusted, caller) || slices.Contains(r.Trusted, "acs:ram::"+account+":root")
}

// parts cuts acs:ram::<account>:role/<name>.
func (r Role) parts() (account, name string, ok bool) {
	rest, found := strings.CutPrefix(r.ARN, "acs:ram::")
	account, name, cut := strings.Cut(rest, ":role/")
	return account, name, found && cut && account != "" && name != "" && !strings.ContainsAny(name, " :")
}

// assumedARN is the identity of who uses the key.
func (s *loan) assumedARN() string {
	account, role, _ := Role{ARN: s.role}.parts()
	return fmt.Sprintf("acs:sts::%s:assumed-role/%s/%s", account, role, s.name)
}
