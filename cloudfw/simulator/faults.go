package simulator

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// FaultKind names a way in which a call goes wrong.
type FaultKind string

// The kinds of faults. Stale is for reads and the kinds of pages are for
// listings; other actions run normally and use up the fault.
const (
	FaultThrottle    FaultKind = "throttle"     // HTTP 400 Throttling.User, with x-acs-retry-after if RetryAfter is set
	FaultUnavailable FaultKind = "unavailable"  // HTTP 503 ServiceUnavailable
	FaultInternal    FaultKind = "internal"     // HTTP 500 InternalError
	FaultDenied      FaultKind = "denied"       // HTTP 403 Forbidden.RAM
	FaultCode        FaultKind = "code"         // HTTP 400 with Fault.Code, e.g. -200142 (reference §2.6)
	FaultWrongTypes  FaultKind = "wrong-types"  // HTTP 400 whose Code is a number and Message an object, at which the SDK panics (reference §0.4)
	FaultOKError     FaultKind = "ok-error"     // HTTP 200 with an error body, which the SDK takes for success (reference §0.5)
	FaultHang        FaultKind = "hang"         // no reply until the client goes away
	FaultResetBefore FaultKind = "reset-before" // connection reset, no effect
	FaultResetAfter  FaultKind = "reset-after"  // the call takes effect, then the connection is reset without a reply
	FaultMalformed   FaultKind = "malformed"    // the call takes effect, the reply is cut off in the middle
	FaultInterfere   FaultKind = "interfere"    // Fault.Do runs first: a colleague edits just before the call
	FaultEditor      FaultKind = "editor"       // a colleague makes one edit of his own just before the call, see Fault.Spare
	FaultLimit       FaultKind = "limit"        // Fault.Limits come into force just before the call, and stay
	FaultClockSkew   FaultKind = "clock-skew"   // the call is judged by a clock that is Fault.Skew ahead: beyond 15 minutes InvalidTimeStamp.Expired
	FaultStale       FaultKind = "stale"        // a read answers the state before the last write
	FaultEmptyPage   FaultKind = "empty-page"   // a listing answers no items, with its usual count or token
	FaultShortPage   FaultKind = "short-page"   // a listing answers half of the items, with its usual count or a token for the rest
	FaultRepeatPage  FaultKind = "repeat-page"  // a listing answers the first page again, or a token for the page just read: a chain without end
)

var faultKinds = []FaultKind{
	FaultThrottle, FaultUnavailable, FaultInternal, FaultDenied, FaultCode, FaultWrongTypes, FaultOKError, FaultHang,
	FaultResetBefore, FaultResetAfter, FaultMalformed, FaultInterfere, FaultEditor, FaultLimit, FaultClockSkew,
	FaultStale, FaultEmptyPage, FaultShortPage, FaultRepeatPage,
}

// ParseFaultKind reads a kind by its name, e.g. "reset-after".
func ParseFaultKind(name string) (FaultKind, error) {
	if kind := FaultKind(name); slices.Contains(faultKinds, kind) {
		return kind, nil
	}
	names := make([]string, len(faultKinds))
	for i, k := range faultKinds {
		names[i] = string(k)
	}
	return "", fmt.Errorf("unknown fault %q, want one of %s", name, strings.Join(names, ", "))
}

// Fault breaks calls that pass authentication. Faults are tried in the order of
// injection; a call meets the first that fits it.
type Fault struct {
	Action string    // API name; empty means every action
	Writes bool      // only mutating actions
	Kind   FaultKind // an unknown kind answers like FaultInternal
	Skip   int       // let this many fitting calls pass first
	// Count breaks this many calls; 0 means one, or no end when Probability is set;
	// negative means all from then on.
	Count int
	// Probability between 0 and 1 breaks each fitting call with that chance, by the
	// generator of Options.Seed. 0, 1 and anything outside break every one.
	Probability float64
	// AfterEffect lets the call take effect before throttle, unavailable, internal,
	// denied, code, wrong-types, ok-error or hang strike.
	AfterEffect bool
	RetryAfter  time.Duration // for throttle
	Code        string        // overrides the error code
	Skew        time.Duration // for clock-skew, negative for a clock that is behind
	Limits      Limits        // for limit; a zero field leaves that limit alone
	// Spare keeps the editor's hands off objects whose description begins with it.
	// Empty leaves him only what he made himself.
	Spare string
	Do    func(*Cloud) // for interfere
}

// Inject queues a fault.
func (c *Cloud) Inject(f Fault) {
	if f.Count == 0 {
		f.Count = 1
		if f.rolls() {
			f.Count = -1
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = append(c.faults, &f)
}

// Faults returns the faults that can still strike, in the order in which they are
// tried, with what is left of their Skip and Count.
func (c *Cloud) Faults() []Fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]Fault, len(c.faults))
	for i, f := range c.faults {
		out[i] = *f
	}
	return out
}

// ClearFaults removes all faults that have not struck yet.
func (c *Cloud) ClearFaults() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = nil
}

func (f *Fault) rolls() bool { return f.Probability > 0 && f.Probability < 1 }

// strike returns the fault that a call meets, the zero Fault if none.
func (c *Cloud) strike(action string, write bool) Fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, f := range c.faults {
		if f.Action != "" && f.Action != action || f.Writes && !write {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.rolls() && c.around.dice.Float64() >= f.Probability {
			continue
		}
		if f.Count > 0 {
			f.Count--
		}
		if f.Count == 0 {
			c.faults = slices.Delete(c.faults, i, i+1)
		}
		return *f
	}
	return Fault{}
}
