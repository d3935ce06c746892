// Package gates refuses plans. It looks at the finished plan, after lowering and
// sharding, and says for each thing it will not let pass what it is, by how much,
// and which flag or policy line overrides it. It is pure and changes nothing.
package gates

import (
	"fmt"
	"net/netip"
	"strings"

	"fwsync/cloudfw"
	"fwsync/sync/plan"
)

// Input is the plan and the world it was made for.
type Input struct {
	Plan   plan.Plan
	Live   cloudfw.Snapshot
	Intent cloudfw.Intent
	Limits Limits
	// Operator is the person's own path into the account, if known: an address that
	// is never blocked and a connection that declared rules must not cut.
	Operator Operator
	// Ended says of prefixes that are no longer to be blocked why that is: their
	// decisions ended or were revoked. Other removals count against the budget.
	Ended map[netip.Prefix]bool
}

// Limits bound what one plan may do without a person's word. The zero value
// refuses everything; use DefaultLimits.
type Limits struct {
	NewBlocks     Budget
	RemovedBlocks Budget
	DeletedRules  Budget
	WidestIPv4    int // shortest prefix length that may be blocked
	WidestIPv6    int
	OperatorCut   bool // true: the operator's connection may be cut
}

// Budget bounds a number absolutely and as a share of what is there. A number of
// at most Floor is always fine; Percent is not asked when nothing is there.
type Budget struct{ Count, Percent, Floor int }

// DefaultLimits let a first run block a large attack and later runs follow it, and
// stop the sudden and the inexplicable.
func DefaultLimits() Limits {
	return Limits{
		NewBlocks:     Budget{Count: 1000, Percent: 300, Floor: 100},
		RemovedBlocks: Budget{Count: 500, Percent: 30, Floor: 20},
		DeletedRules:  Budget{Count: 50, Percent: 50, Floor: 10},
		WidestIPv4:    16,
		WidestIPv6:    32,
	}
}

// Operator is where the person who runs fwsync comes from.
type Operator struct {
	Addresses []netip.Addr
	// Connection is the session that the command was started from, if any: client,
	// server and the server's port, TCP.
	Client, Server netip.Addr
	Port           uint16
}

// Refusal is one reason why the plan may not be applied.
type Refusal struct {
	Gate    string `json:"gate"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

// Check returns every refusal; none means that the plan may be applied.
func Check(in Input) []Refusal {
	var all []Refusal
	all = append(all, ownership(in)...)
	blocked := blockedBy(in.Plan)
	all = append(all, protected(in, blocked)...)
	all = append(all, width(in, blocked)...)
	all = append(all, operatorCut(in)...)
	all = append(all, radius(in)...)
	return append(all, capacity(in)...)
}

// blockedBy collects every prefix that the steps would block. Books of declared
// groups name destinations and friends and block nobody by themselves.
func blockedBy(p plan.Plan) []netip.Prefix {
	var all []netip.Prefix
	for _, s := range p.Steps {
		switch s.Op {
		case cloudfw.CreateBook:
			if !strings.HasPrefix(s.Book.Name, p.Owner.BookName("group-")) {
				all = append(all, s.Book.Prefixes...)
			}
		case cloudfw.CreateList:
			all = append(all, s.List.Prefixes...)
		case cloudfw.AppendAddresses, cloudfw.EditList:
			all = append(all, s.Prefixes...)
		case cloudfw.AuthoriseRules:
			for _, r := range s.GroupRules {
				if q, err := cloudfw.ParsePrefix(r.Peer.Value); err == nil && r.Peer.Kind == cloudfw.Net && r.Action == cloudfw.Drop {
					all = append(all, q)
				}
			}
		}
	}
	return cloudfw.SortPrefixes(all)
}

// over reports by which measure n exceeds the budget, given what is there.
func (b Budget) over(n, present int) (string, bool) {
	switch {
	case n <= b.Floor:
		return "", false
	case n > b.Count:
		return fmt.Sprintf("the limit is %d", b.Count), true
	case present > 0 && n*100 > present*b.Percent:
		return fmt.Sprintf("that is %d %% of the %d there are; the limit is %d %%", n*100/present, present, b.Percent), true
	}
	return "", false
}
