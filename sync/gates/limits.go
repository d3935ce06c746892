package gates

import "fmt"

// Limits bound what one plan may do without a person's word. The zero value
// refuses everything; use DefaultLimits.
type Limits struct {
	NewBlocks      Budget
	RemovedBlocks  Budget
	DeletedRules   Budget
	WidestIPv4     int // shortest prefix length that may be blocked
	WidestIPv6     int
	OperatorCut    bool // true: the operator's connection may be cut
	DropEverything bool // true: a rule may drop all traffic, and blocks may cover an eighth of the internet
	UnsafeMoments  bool // true: moments on the way that are not proven safe are accepted
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

// UpTo is the budget of a person who names a number: just that many pass, whatever
// share of the whole they are.
func UpTo(n int) Budget { return Budget{Count: n, Percent: 100, Floor: n} }

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
