package gates

import (
	"fmt"

	"fwsync/cloudfw"
)

// prefixWidth withholds blocks that are wider than anybody means.
func prefixWidth(in Input) Finding {
	f := Finding{
		LookedAt: fmt.Sprintf("blocks wider than /%d (IPv4) or /%d (IPv6)", in.Limits.WidestIPv4, in.Limits.WidestIPv6),
		lead:     "the plan would block prefixes that are too wide: ",
	}
	for _, p := range in.result().entries {
		key, shortest := "ipv4", in.Limits.WidestIPv4
		if cloudfw.FamilyOf(p) == cloudfw.IPv6 {
			key, shortest = "ipv6", in.Limits.WidestIPv6
		}
		if p.Bits() >= shortest {
			f.Passed++
			continue
		}
		flag := fmt.Sprintf("--widest-%s %d", key, max(p.Bits(), 1))
		f.Withheld = append(f.Withheld, Withheld{
			What: p.String(), Why: fmt.Sprintf("wider than /%d", shortest), Flag: flag,
			Hint: fmt.Sprintf("if that is meant, lower limits.widest_%s in fwsync.yaml or pass %s", key, flag),
		})
	}
	return f
}
