package alibaba

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"fwsync/cloudfw"
)

// caller makes calls: it keeps the pace, signs, repeats what may be repeated, judges
// the answers and counts. Safe for concurrent use.
type caller struct {
	options Options
	session *session
	pace    *Pace
	log     *slog.Logger

	mu    sync.Mutex
	calls map[API]*CallCount
}

func newCaller(o Options) *caller {
	return &caller{options: o, session: newSession(o), pace: o.Pace, log: o.Logger, calls: map[API]*CallCount{}}
}

// keyring holds the key that calls are signed with.
type keyring interface {
	// key returns the present key, renewed when it is about to expire.
	key(ctx context.Context) (*credentials.Credentials, error)
	// renew drops a key that the service no longer takes and reports whether there
	// may be a newer one.
	renew(ctx context.Context, stale *credentials.Credentials) bool
	// String says where the keys come from, without anything secret.
	String() string
}

// errTooSlow ends a call that has used up its time.
var errTooSlow = errors.New("the call has used up its time")

// call makes one remote call. Throttled calls, calls with a key that has just
// expired, requests that certainly never reached the service and, for reads, passing
// trouble are repeated up to MaxAttempts in all and no longer than CallTimeout; a
// write that may have happened comes back as UnknownOutcome at once. Each attempt
// has a request and an answer of its own: requests keep their old signature, answers
// what was read before a failure. The error is always a *cloudfw.Error.
func (c *caller) call(ctx context.Context, to door, keys keyring, api API, subject string, build func() requests.AcsRequest, fresh func() answer) error {
	outer := ctx
	ctx, cancel := context.WithTimeoutCause(ctx, c.options.CallTimeout, errTooSlow)
	defer cancel()
	renewed := false
	var last *cloudfw.Error
	for attempt := 1; ; attempt++ {
		failure, quiet, key := c.attempt(ctx, to, keys, api, subject, build(), fresh())
		if failure == nil {
			c.pace.passed(api.Name)
			return nil
		}
		if failure.Kind == cloudfw.Canceled && outer.Err() == nil {
			return c.gaveUp(cmp.Or(last, failure))
		}
		last = failure
		var delay time.Duration
		switch {
		case failure.Kind == cloudfw.Throttled:
			c.pace.throttled(api.Name, cmp.Or(quiet, c.pace.backoff(attempt)))
		case failure.Kind == cloudfw.Unavailable:
			delay = c.pace.backoff(attempt)
		case expired(failure) && !renewed && key != nil && keys.renew(ctx, key):
			renewed = true
		default:
			return failure
		}
		if attempt >= c.options.MaxAttempts {
			if attempt > 1 {
				failure.Message = fmt.Sprintf("%s (after %d attempts)", failure.Message, attempt)
			}
			return failure
		}
		if delay > 0 && c.pace.sleep(ctx, delay) != nil {
			if outer.Err() != nil {
				return canceled(api, subject, outer.Err())
			}
			return c.gaveUp(last)
		}
	}
}

// gaveUp is the failure of a call whose time is over before its next attempt.
func (c *caller) gaveUp(last *cloudfw.Error) *cloudfw.Error {
	failure := *last
	if failure.Kind == cloudfw.Canceled { // not even a first attempt
		failure.Kind, failure.Message = cloudfw.Unavailable, "no turn to make the call"
	}
	failure.Message = fmt.Sprintf("%s (given up after %s)", failure.Message, c.options.CallTimeout)
	return &failure
}

// expired reports a refusal because the temporary key has ended (reference §1.3):
// the service has done nothing.
func expired(failure *cloudfw.Error) bool { return failure.Code == "InvalidSecurityToken.Expired" }

// attempt makes one HTTP request. Besides the failure it returns the pause that the
// vendor asks for and the key that it was signed with.
func (c *caller) attempt(ctx context.Context, to door, keys keyring, api API, subject string, request requests.AcsRequest, into answer) (*cloudfw.Error, time.Duration, *credentials.Credentials) {
	asked := c.pace.now()
	err := c.pace.wait(ctx, api.Name)
	c.count(api, func(n *CallCount) { n.Waited += max(c.pace.now().Sub(asked), 0) })
	if err != nil {
		return canceled(api, subject, err), 0, nil
	}
	key, err := keys.key(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return canceled(api, subject, ctx.Err()), 0, nil
		}
		refusal := &cloudfw.Error{Op: api.Name, Subject: subject, Kind: cloudfw.KindOf(err), Message: err.Error()}
		if cause, ok := errors.AsType[*cloudfw.Error](err); ok {
			refusal.Advice = cause.Advice
		}
		return refusal, 0, nil
	}
	if api.Write && c.options.Held != nil {
		if err := c.options.Held(ctx); err != nil {
			return &cloudfw.Error{Op: api.Name, Subject: subject, Kind: cloudfw.Denied, Message: "not sent: " + err.Error(), Advice: "see who has the lease; run the command again when it is free"}, 0, nil
		}
	}
	if named, ok := request.(interface{ AppendUserAgent(key, value string) }); ok && api.Write && c.options.Fence != nil {
		if token := c.options.Fence(); token != 0 {
			named.AppendUserAgent("lease", strconv.FormatInt(token, 10))
		}
	}
	began := time.Now()
	out := c.session.send(ctx, to, request, key)
	failure := judge(api, subject, out, into)
	if failure == nil {
		cloudfw.Receive(ctx, string(into.head().RequestID))
	} else {
		cloudfw.Receive(ctx, failure.RequestID)
	}
	c.trace(ctx, api, out, failure, time.Since(began))
	if failure != nil && ctx.Err() != nil && failure.Kind == cloudfw.Unavailable {
		failure = canceled(api, subject, ctx.Err())
	}
	if out.asked {
		c.count(api, func(n *CallCount) {
			n.Count++
			n.Took += time.Since(began)
			if failure == nil {
				n.Outcomes[Passed]++
			} else {
				n.Outcomes[string(failure.Kind)]++
			}
		})
	}
	if failure != nil {
		advise(failure, api, out, keys.String(), began)
	}
	return failure, retryAfter(out.header), key
}

// count notes something of an API.
func (c *caller) count(api API, note func(*CallCount)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.calls[api]
	if n == nil {
		n = &CallCount{API: api.Name, Write: api.Write, Outcomes: map[string]int{}}
		c.calls[api] = n
	}
	note(n)
}

func (c *caller) trace(ctx context.Context, api API, out outcome, failure *cloudfw.Error, took time.Duration) {
	attrs := []slog.Attr{
		slog.String("api", api.Name), slog.Int("status", out.status),
		slog.Int("bytes", len(out.body)), slog.Duration("took", took.Round(time.Millisecond)),
	}
	if failure != nil {
		attrs = append(attrs, slog.String("failure", failure.Error()))
	}
	c.log.LogAttrs(ctx, slog.LevelDebug, "vendor call", attrs...)
}

func canceled(api API, subject string, cause error) *cloudfw.Error {
	return &cloudfw.Error{Op: api.Name, Subject: subject, Kind: cloudfw.Canceled, Message: cause.Error()}
}
