package cloudfw

import (
	"errors"
	"fmt"
	"strings"
)

// Kind is what a caller can do about a failure. A Kind is itself an error, so
// errors.Is(err, cloudfw.Throttled) asks for it through any wrapping.
type Kind string

// The kinds.
const (
	NotFound       Kind = "not found"
	Conflict       Kind = "conflict"       // somebody else changed it, or it exists already
	Throttled      Kind = "throttled"      // not executed; try later
	Quota          Kind = "quota exceeded" // not executed; will not help to repeat
	Denied         Kind = "denied"         // credentials or permissions
	Invalid        Kind = "invalid"        // the call itself is wrong: ours to mend
	Unavailable    Kind = "unavailable"    // a read that may be repeated
	UnknownOutcome Kind = "outcome unknown"
	Canceled       Kind = "canceled"
)

// Error makes Kind an error.
func (k Kind) Error() string { return string(k) }

// Error is a failed operation on the account. Its text never holds a secret: no
// URL, signature, key id or token (promise P14).
type Error struct {
	Op        string // the API's name, such as "ModifyAddressBook"
	Subject   string // what it was about, such as a book's name; may be empty
	Kind      Kind
	Code      string // the vendor's error code; may be empty
	Message   string // the vendor's text, redacted; may be empty
	RequestID string
	Advice    string // what to do about it, for people; may be empty
	// Judged says of an Invalid call that the service itself has looked at what it asks
	// for and takes none of that; else it may be a gateway's word, or hard to read.
	Judged bool
}

// Error is one line: operation, subject, kind, code, message and request id.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Subject != "" {
		fmt.Fprintf(&b, " %s", e.Subject)
	}
	fmt.Fprintf(&b, ": %s", e.Kind)
	if e.Code != "" {
		fmt.Fprintf(&b, " (%s)", e.Code)
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", e.Message)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " [request %s]", e.RequestID)
	}
	return b.String()
}

// Hint is what to do about the failure, for people: Advice, else what helps with its
// kind; "" when the error's own text says all there is to say.
func (e *Error) Hint() string {
	if e.Advice != "" {
		return e.Advice
	}
	switch e.Kind {
	case Canceled:
		return "nothing after this point was done; run the command again to go on"
	case UnknownOutcome:
		return "a call may or may not have had its effect; run fwsync reconcile, which looks before it acts"
	case Quota:
		return "the account's quota is reached; fwsync status shows what is used"
	case Denied:
		return "check the credentials and the role's permissions (terraform/ has the least that fwsync needs)"
	case Throttled, Unavailable:
		return "the cloud did not answer properly after several attempts; try again in a minute"
	}
	return ""
}

// Unwrap gives the kind, for errors.Is.
func (e *Error) Unwrap() error { return e.Kind }

// KindOf returns the kind of the first *Error in the chain, or "" without one.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return ""
}
