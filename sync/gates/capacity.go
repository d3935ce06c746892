package gates

import "fmt"

// capacity withholds what cannot fit (promise P4): better no step than half of them.
// There is no flag: the vendor would refuse.
func capacity(in Input) Finding {
	f := Finding{LookedAt: count(len(in.Plan.Capacity), "limit"), lead: "the plan does not fit: "}
	for _, u := range in.Plan.Capacity {
		if u.Limit > 0 && u.Peak > u.Limit && u.Peak > u.Before {
			why := fmt.Sprintf("%d of %d", u.After, u.Limit)
			if u.After <= u.Limit {
				why = fmt.Sprintf("%d of %d on the way, in whatever order", u.Peak, u.Limit)
			}
			f.Withheld = append(f.Withheld, Withheld{What: u.What, Why: why,
				Hint: "buy quota and raise limits.spread_units, block fewer or wider prefixes, or free what is listed as not ours"})
			continue
		}
		f.Passed++
	}
	return f
}
