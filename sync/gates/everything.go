package gates

import (
	"fmt"

	"fwsync/cloudfw"
	"fwsync/sync/plan"
)

// blockedShare is the part of a family's public space that all blocks together may
// cover: 2^29 IPv4 addresses, and as large a part of 2000::/3. Whoever means more
// declares a rule.
const (
	mostAddresses = uint64(1) << 29
	mostNetworks  = uint64(1) << 58
)

// dropEverything withholds what would cut the account off: a new rule that drops all
// traffic of a list, however its two sides are written, and blocks that together
// cover an eighth of the internet.
func dropEverything(in Input) Finding {
	out := in.result()
	f := Finding{lead: "the plan would drop nearly everything: "}
	const flag = "--allow-drop-everything"
	withhold := func(what, why, hint string) {
		if !in.Limits.DropEverything {
			f.Withheld = append(f.Withheld, Withheld{what, why, hint + ", or pass " + flag, flag})
		}
	}
	whole := func(peer cloudfw.Peer, family cloudfw.Family) bool {
		prefixes, known := out.after.Addresses(peer)
		return known && len(everything(family).minus(union(prefixes))) == 0
	}
	looked := 0
	for _, s := range in.Plan.Steps {
		if s.Op != cloudfw.InsertRule && s.Op != cloudfw.EditRule || s.Rule == nil || in.Plan.Kind == plan.Release {
			continue
		}
		looked++
		r := s.Rule
		all := r.Action == cloudfw.Drop && !r.Disabled && r.Protocol == cloudfw.AnyProtocol && r.PortBook == "" && r.Ports.AllPorts() &&
			(r.Application == "ANY" || r.Application == "")
		if all && whole(r.Source, r.Family) && whole(r.Destination, r.Family) {
			withhold(r.String(), "it drops all "+string(r.Family)+" traffic that no rule above accepts", "name what the rule protects")
		} else {
			f.Passed++
		}
	}
	covered := out.covered
	f.LookedAt = fmt.Sprintf("%s and blocks that cover %s", count(looked, "new rule"), covered)
	if addresses, networks := covered.sizes(); (addresses > mostAddresses || networks > mostNetworks) && len(covered.minus(out.heldSet)) > 0 {
		withhold("the blocks", "together they cover "+covered.String()+", more than an eighth of the internet", "block less, or declare a rule for it")
	}
	return f
}
