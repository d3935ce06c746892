package alibaba

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"fwsync/cloudfw"
)

// Account is one account of the vendor. It implements cloudfw.Account and is safe
// for concurrent use.
type Account struct {
	*caller
	source *source
	names  names
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
	a := &Account{caller: newCaller(o)}
	if a.source, err = chooseSource(o.Credentials, a.caller); err != nil {
		return nil, err
	}
	if _, err := a.source.key(ctx); err != nil {
		return nil, err
	}
	return a, nil
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
			t.Writes += n.Count
		} else {
			t.Reads += n.Count
		}
	}
	return t
}

// Passed is the outcome of a call that did what it was for; others are kinds of errors.
const Passed = "done"

// CallCount is what the requests to one API came to, repeats included.
type CallCount struct {
	API      string
	Write    bool
	Count    int
	Outcomes map[string]int // how many of them, by Passed or the error's kind
	Took     time.Duration  // from sending them to their answers
	Waited   time.Duration  // before that for the vendor's limit of calls, by the pace's clock
}

// Calls lists the requests made so far by API, in alphabetical order.
func (a *Account) Calls() []CallCount {
	a.mu.Lock()
	defer a.mu.Unlock()
	counts := make([]CallCount, 0, len(a.calls))
	for _, n := range a.calls {
		if n.Count == 0 {
			continue // it waited, and was never made
		}
		kept := *n
		kept.Outcomes = maps.Clone(n.Outcomes)
		counts = append(counts, kept)
	}
	slices.SortFunc(counts, func(x, y CallCount) int { return cmp.Compare(x.API, y.API) })
	return counts
}

// ask makes one remote call and returns its answer; see caller.call.
func ask[T any, A interface {
	*T
	answer
}](ctx context.Context, a *Account, api API, subject string, build func() requests.AcsRequest) (T, error) {
	var got A
	err := a.call(ctx, a.options.door(api.Product), a.source, api, subject, build, func() answer { got = new(T); return got })
	if err != nil {
		var none T
		return none, err
	}
	return *got, nil
}
