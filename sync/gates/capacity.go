package gates

import "fmt"

// capacity withholds what cannot fit (promise P4): better no step than half of them.
// There is no flag: the vendor would refuse.
func capacity(in Input) Finding {
	f := Finding{LookedAt: count(len(in.Plan.Capacity), "limit"), lead: "the plan does not fit: "}
	for _, u := range in.Plan.Capacity {
		if u.Limit > 0 && u.After > u.Limit && u.After > u.Before {
			f.Withheld = append(f.Withheld, Withheld{What: u.What, Why: fmt.Sprintf("%d of %d", u.After, u.Limit),
				Hint: "buy quota and raise limits.spread_units, block fewer or wider prefixes, or free what is listed as not ours"})
			continue
		}
		f.Passed++
	}
	return f
}
