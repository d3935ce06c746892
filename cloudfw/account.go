package cloudfw

import "context"

// Reader observes an account. Everything that only looks (plan, status, explain,
// verify) is compiled against Reader and so cannot write (promise P9).
type Reader interface {
	// Observe reads the whole scope, all pages. The result is sorted and complete:
	// on any error there is no snapshot. An unknown group, NAT gateway
	// or ACL group is a NotFound error.
	// Safe for concurrent use; returns promptly with Canceled when ctx ends.
	Observe(ctx context.Context, scope Scope) (Snapshot, error)
}

// Writer changes an account.
type Writer interface {
	// Execute makes the step's one call. Throttled calls are repeated within, as
	// nothing happened; a write whose reply was lost comes back as UnknownOutcome and
	// is never repeated within: observe and ask Done.
	Execute(ctx context.Context, step Step) error
}

// Account is an account that may be changed.
type Account interface {
	Reader
	Writer
}

// Traffic counts the calls that were made, repeats included.
type Traffic struct {
	Reads  int `json:"reads"`
	Writes int `json:"writes"`
}
