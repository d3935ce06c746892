package gates

import (
	"fmt"
	"net/netip"
	"strings"
)

// sourceHealth is the last guard of promise P7: while a source is sick, no block goes
// whose decision still holds.
//
// A source that is silent takes no block back by construction: removals follow from
// the ledger alone, and a decision ends when its time is over or a person revokes it,
// never because a source no longer names the address. What is left is a source that
// says too much: its newcomers may push others out where there is no room for all.
// Those are withheld. What is protected meanwhile goes in any case.
func sourceHealth(in Input) Finding {
	out := in.result()
	f := Finding{
		LookedAt: fmt.Sprintf("%s, sick sources: %d", count(len(out.before), "block"), len(in.Sick)),
		lead:     "a sick source would push blocks out whose decisions hold: ",
	}
	var lost spans
	if len(in.Sick) > 0 {
		var active []netip.Prefix
		for p, over := range in.Ended {
			if !over {
				active = append(active, p)
			}
		}
		lost = out.removed.both(union(active)).minus(union(protectedBy(in).prefixes()))
	}
	for _, p := range out.before {
		if !lost.meets(p) {
			f.Passed++
			continue
		}
		f.Withheld = append(f.Withheld, Withheld{What: p.String(), Why: strings.Join(in.Sick, ", ") + " cannot be believed",
			Hint: "mend the source, or take it out of sources in fwsync.yaml until it is mended"})
	}
	return f
}
