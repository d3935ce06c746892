package alibaba

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"fwsync/cloudfw"
)

// Account is one account of the vendor. It implements cloudfw.Account and is safe
// for concurrent use.
type Account struct {
	options Options
	source  *source
	session *session
	pace    *pace
	log     *slog.Logger
	names   names

	mu    sync.Mutex
	calls map[API]int
}

var _ cloudfw.Account = (*Account)(nil)

// Open checks the options, chooses the credentials and asks for them once, which
// may call the vendor's token service. Wrong options are Invalid errors, missing or
// refused credentials Denied ones. No call is made on the account itself.
func Open(ctx context.Context, o Options) (*Account, error) {
	o, err := o.complete()
	if err != nil {
		return nil, &cloudfw.Error{Op: "opening the account", Kind: cloudfw.Invalid, Message: err.Error()}
	}
	source, err := chooseSource(o.Credentials)
	if err != nil {
		return nil, err
	}
	if _, err := source.key(ctx); err != nil {
		return nil, err
	}
	return &Account{
		options: o, source: source, session: newSession(o), pace: newPace(o.QPS),
		log: o.Logger, calls: map[API]int{},
	}, nil
}

// Close drops idle connections. The account stays usable.
func (a *Account) Close() { a.session.transport.CloseIdleConnections() }

// CredentialsFrom names the source of the credentials, such as "env" or
// "cli-profile prod, role fwsync", without anything secret.
func (a *Account) CredentialsFrom() string { return a.source.name }

// Traffic counts the requests made so far, repeats included.
func (a *Account) Traffic() cloudfw.Traffic {
	a.mu.Lock()
	defer a.mu.Unlock()
	var t cloudfw.Traffic
	for api, n := range a.calls {
		if api.Write {
			t.Writes += n
		} else {
			t.Reads += n
		}
	}
	return t
}

// CallCount is how often one API was called, repeats included.
type CallCount struct {
	API   string `json:"api"`
	Count int    `json:"count"`
	Write bool   `json:"write,omitempty"`
}

// Calls lists the requests made so far by API, in alphabetical order.
func (a *Account) Calls() []CallCount {
	a.mu.Lock()
	defer a.mu.Unlock()
	counts := make([]CallCount, 0, len(a.calls))
	for api, n := range a.calls {
		counts = append(counts, CallCount{api.Name, n, api.Write})
	}
	slices.SortFunc(counts, func(x, y CallCount) int { return cmp.Compare(x.API, y.API) })
	return counts
}

// ask makes one remote call and returns its answer; see Account.call.
func ask[T any, A interface {
	*T
	answer
}](ctx context.Context, a *Account, api API, subject string, build func() requests.AcsRequest) (T, error) {
	var got A
	err := a.call(ctx, api, subject, build, func() answer { got = new(T); return got })
	if err != nil {
		var none T
		return none, err
	}
	return *got, nil
}

// call makes one remote call. Throttled
// calls, requests that certainly never reached the service and, for reads, passing
// trouble are repeated up to MaxAttempts in all; a write that may have happened
// comes back as UnknownOutcome at once. Each attempt has a request and an answer of
// its own: requests keep their old signature, answers what was read before a
// failure. The error is always a *cloudfw.Error.
func (a *Account) call(ctx context.Context, api API, subject string, build func() requests.AcsRequest, fresh func() answer) error {
	for attempt := 1; ; attempt++ {
		failure, header := a.attempt(ctx, api, subject, build(), fresh())
		if failure == nil {
			a.pace.passed(api.Name)
			return nil
		}
		var delay time.Duration
		switch failure.Kind {
		case cloudfw.Throttled:
			quiet := header
			if quiet == 0 {
				quiet = a.pace.backoff(attempt)
			}
			a.pace.throttled(api.Name, quiet)
		case cloudfw.Unavailable:
			delay = a.pace.backoff(attempt)
		default:
			return failure
		}
		if attempt >= a.options.MaxAttempts {
			if attempt > 1 {
				failure.Message = fmt.Sprintf("%s (after %d attempts)", failure.Message, attempt)
			}
			return failure
		}
		if delay > 0 {
			if err := a.pace.sleep(ctx, delay); err != nil {
				return canceled(api, subject, err)
			}
		}
	}
}

// attempt makes one HTTP request. Besides the failure it returns the pause that the
// vendor asks for.
func (a *Account) attempt(ctx context.Context, api API, subject string, request requests.AcsRequest, into answer) (*cloudfw.Error, time.Duration) {
	if err := a.pace.wait(ctx, api.Name); err != nil {
		return canceled(api, subject, err), 0
	}
	key, err := a.source.key(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return canceled(api, subject, ctx.Err()), 0
		}
		return &cloudfw.Error{Op: api.Name, Subject: subject, Kind: cloudfw.KindOf(err), Message: err.Error()}, 0
	}
	began := time.Now()
	out := a.session.send(ctx, api, request, key)
	if out.asked {
		a.mu.Lock()
		a.calls[api]++
		a.mu.Unlock()
	}
	failure := judge(api, subject, out, into)
	a.trace(ctx, api, out, failure, time.Since(began))
	if failure != nil && ctx.Err() != nil && failure.Kind == cloudfw.Unavailable {
		failure = canceled(api, subject, ctx.Err())
	}
	return failure, retryAfter(out.header)
}

func (a *Account) trace(ctx context.Context, api API, out outcome, failure *cloudfw.Error, took time.Duration) {
	attrs := []slog.Attr{
		slog.String("api", api.Name), slog.Int("status", out.status),
		slog.Int("bytes", len(out.body)), slog.Duration("took", took.Round(time.Millisecond)),
	}
	if failure != nil {
		attrs = append(attrs, slog.String("failure", failure.Error()))
	}
	a.log.LogAttrs(ctx, slog.LevelDebug, "vendor call", attrs...)
}

func canceled(api API, subject string, cause error) *cloudfw.Error {
	return &cloudfw.Error{Op: api.Name, Subject: subject, Kind: cloudfw.Canceled, Message: cause.Error()}
}
