package gates

import (
	"fwsync/cloudfw"
)

// Most is the largest number that does not exceed the budget, given what is there.
func (b Budget) Most(present int) int {
	most := b.Count
	if present > 0 {
		most = min(most, present*b.Percent/100)
	}
	return max(most, b.Floor)
}

// Part leaves out of blocks those that may wait and that are more than one plan may newly
// block beside the others. What is blocked already never waits, and the first in the order
// of the blocks come first. owner and live are the plan's. Blocks that may not wait and are
// too many by themselves all stay: the gate refuses them.
func Part(owner cloudfw.Owner, live cloudfw.Snapshot, blocks []cloudfw.Block, mayWait func(cloudfw.Block) bool, b Budget) (part, wait []cloudfw.Block) {
	held := holding(owner, live)
	holds := union(held)
	room := b.Most(len(held))
	for _, block := range blocks {
		if !mayWait(block) && !holds.holds(block.Prefix) {
			room--
		}
	}
	part = make([]cloudfw.Block, 0, len(blocks))
	for _, block := range blocks {
		if mayWait(block) && !holds.holds(block.Prefix) {
			if room <= 0 {
				wait = append(wait, block)
				continue
			}
			room--
		}
		part = append(part, block)
	}
	return part, wait
}
