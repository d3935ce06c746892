package plan

import (
	"fmt"
	"slices"

	"fwsync/cloudfw"
)

// sweep brings one ordered list into shape: the wanted rules on top, in their
// order, everything foreign below in the order it had.
//
//	live      wanted   steps
//	F A       A        move A up to 1                    (F stays, now below)
//	B A       A B      move A up to 1
//	A X B     A B      move B up to 2, delete X          (X ours and not wanted)
//	A         A B      insert B at 2
//
// Each step leaves every packet with its old or its new verdict: a packet that the
// rules placed so far match has its new one; any other packet still meets the old
// rules in their old order. Leftovers are not matched by packets that a wanted rule
// decides; deleted from the bottom up they keep the old verdict until the last one
// goes.
func sweep(owner cloudfw.Owner, target string, live, wanted []cloudfw.FirewallRule, world cloudfw.Snapshot) ([]cloudfw.Step, []string) {
	var steps []cloudfw.Step
	list := slices.Clone(live)
	for i, want := range wanted {
		at := slices.IndexFunc(list[min(i, len(list)):], func(r cloudfw.FirewallRule) bool { return r.Same(want) })
		switch {
		case at == 0:
		case at > 0:
			from := i + at
			moved := list[from]
			steps = append(steps, cloudfw.Step{Op: cloudfw.MoveRule, Target: target, Rule: placed(moved, i+1), From: from + 1, Reason: "must stand above " + describe(owner, list[i])})
			list = slices.Insert(slices.Delete(list, from, from+1), i, moved)
		default:
			steps = append(steps, cloudfw.Step{Op: cloudfw.InsertRule, Target: target, Rule: placed(want, i+1), Reason: reasonFor(owner, live, want)})
			list = slices.Insert(list, i, want)
		}
	}
	for i := len(list) - 1; i >= len(wanted); i-- {
		if owner.Owns("rule", list[i].Description) {
			steps = append(steps, cloudfw.Step{Op: cloudfw.DeleteRule, Target: target, Rule: placed(list[i], i+1), Reason: "ours and not wanted"})
			list = slices.Delete(list, i, i+1)
		}
	}
	return steps, precedence(owner, list, len(wanted), live, world)
}

func placed(r cloudfw.FirewallRule, order int) *cloudfw.FirewallRule {
	r.Order = order
	return &r
}

func describe(owner cloudfw.Owner, r cloudfw.FirewallRule) string {
	if owner.Owns("rule", r.Description) {
		return "our " + r.String()
	}
	return fmt.Sprintf("%s (%q, not ours)", r.String(), r.Description)
}

// reasonFor tells a rule that was edited behind our back from one that is missing.
func reasonFor(owner cloudfw.Owner, live []cloudfw.FirewallRule, want cloudfw.FirewallRule) string {
	for _, r := range live {
		if r.Description == want.Description && owner.Owns("rule", r.Description) {
			return "the live rule of that marker was changed: " + r.String()
		}
	}
	return "the rule does not exist"
}
