package gates

import "time"

// expiry withholds a plan whose time is over: what was true when it was reviewed may
// not be true now (promise P8).
func expiry(in Input) Finding {
	end := in.Plan.ExpiresAt
	f := Finding{LookedAt: "the plan's end at " + end.Format(time.RFC3339), Passed: 1}
	if in.At.IsZero() || !in.At.After(end) {
		return f
	}
	f.Passed = 0
	f.Withheld = []Withheld{{What: "the plan", Why: "it expired at " + end.Format(time.RFC3339), Hint: "make a new one: fwsync plan --out FILE"}}
	return f
}
