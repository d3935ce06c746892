package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// FaultKind names a way in which a call goes wrong.
type FaultKind string

// The kinds of faults. The last three are for listings; other actions run
// normally and use up the fault.
const (
	FaultThrottle    FaultKind = "throttle"     // HTTP 400 Throttling.User, with x-acs-retry-after if RetryAfter is set
	FaultUnavailable FaultKind = "unavailable"  // HTTP 503 ServiceUnavailable
	FaultInternal    FaultKind = "internal"     // HTTP 500 InternalError
	FaultDenied      FaultKind = "denied"       // HTTP 403 Forbidden.RAM
	FaultCode        FaultKind = "code"         // HTTP 400 with Fault.Code, e.g. -200142 (reference §2.6)
	FaultHang        FaultKind = "hang"         // no reply until the client goes away
	FaultResetBefore FaultKind = "reset-before" // connection reset, no effect
	FaultResetAfter  FaultKind = "reset-after"  // the call takes effect, then the connection is reset without a reply
	FaultMalformed   FaultKind = "malformed"    // the call takes effect, the reply is cut off in the middle
	FaultInterfere   FaultKind = "interfere"    // Fault.Do runs first: a colleague edits just before the call
	FaultStale       FaultKind = "stale"        // a read answers the state before the last write
	FaultEmptyPage   FaultKind = "empty-page"   // a listing answers no items, with its usual count or token
	FaultShortPage   FaultKind = "short-page"   // a listing answers half of the items, with its usual count or a token for the rest
)

var faultKinds = []FaultKind{
	FaultThrottle, FaultUnavailable, FaultInternal, FaultDenied, FaultCode, FaultHang, FaultResetBefore,
	FaultResetAfter, FaultMalformed, FaultInterfere, FaultStale, FaultEmptyPage, FaultShortPage,
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
	Count  int       // break this many calls; 0 means one, negative means all from then on
	// AfterEffect lets the call take effect before throttle, unavailable, internal,
	// denied, code or hang strike.
	AfterEffect bool
	RetryAfter  time.Duration // for throttle
	Code        string        // overrides the error code
	Do          func(*Cloud)  // for interfere
}

// Inject queues a fault.
func (c *Cloud) Inject(f Fault) {
	if f.Count == 0 {
		f.Count = 1
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = append(c.faults, &f)
}

// ClearFaults removes all faults that have not struck yet.
func (c *Cloud) ClearFaults() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = nil
}

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

// runs tells whether the call takes effect.
func (f Fault) runs() bool {
	switch f.Kind {
	case FaultResetBefore:
		return false
	case "", FaultResetAfter, FaultMalformed, FaultInterfere, FaultStale, FaultEmptyPage, FaultShortPage:
		return true
	}
	return f.AfterEffect
}

// replaces tells whether the fault answers an error of its own.
func (f Fault) replaces() bool {
	switch f.Kind {
	case "", FaultHang, FaultResetBefore, FaultResetAfter, FaultMalformed, FaultInterfere, FaultStale, FaultEmptyPage, FaultShortPage:
		return false
	}
	return true
}

// failure is the error that the fault answers instead of the call's own result.
func (f Fault) failure() error {
	e := &APIError{Status: http.StatusInternalServerError, Code: "InternalError", Message: "The request processing has failed due to some unknown error."}
	switch f.Kind {
	case FaultThrottle:
		*e = APIError{Status: http.StatusBadRequest, Code: "Throttling.User", Message: "Request was denied due to user flow control.", RetryAfter: f.RetryAfter}
	case FaultUnavailable:
		*e = APIError{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable", Message: "The request has failed due to a temporary failure of the server."}
	case FaultDenied:
		*e = APIError{Status: http.StatusForbidden, Code: "Forbidden.RAM", Message: "User not authorized to operate on the specified resource, or this API doesn't support RAM."}
	case FaultCode:
		e.Status, e.Message = http.StatusBadRequest, "The request was refused."
	}
	if f.Code != "" {
		e.Code = f.Code
	}
	return e
}
