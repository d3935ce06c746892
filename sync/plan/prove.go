package plan

import (
	"slices"

	"fwsync/cloudfw"
	"fwsync/cloudfw/packets"
)

// Proof is what the packet engine says of the plan's moments: the states before the
// first step, between the steps and after the last (promise P2).
type Proof struct {
	Safe          bool     `json:"safe"`           // every moment gives each packet its verdict of before or after
	CheckedStates int      `json:"checked_states"` // moments looked at, over all lists
	Lists         int      `json:"lists"`          // ordered lists, and directions of security groups, that the steps reach
	Unsafe        []Moment `json:"unsafe,omitempty"`

	unsafe map[cloudfw.ListKey]bool
}

// Moment is one that is not safe.
type Moment struct {
	Step    int                `json:"step"` // after this one, counted from 1
	Subject string             `json:"subject"`
	List    string             `json:"list"`
	Packets packets.Difference `json:"packets"` // verdicts before the plan, at the moment, and after the plan
}

// mostMoments bounds the unsafe moments that are listed.
const mostMoments = 5

// prove replays the steps on the live state and looks at every moment of every list
// that they reach.
func prove(live cloudfw.Snapshot, steps []cloudfw.Step) Proof {
	p := Proof{Safe: true}
	c := packets.NewCompiler()
	for _, key := range listsOf(live, steps) {
		states, numbers := listScene(live, key).moments(steps, func(sc *scene) *packets.List {
			return c.Firewall(key, sc.rules, sc.world)
		})
		if !p.look(key.String(), steps, states, numbers) {
			if p.unsafe == nil {
				p.unsafe = map[cloudfw.ListKey]bool{}
			}
			p.unsafe[key] = true
		}
	}
	reached := groupsOf(live, steps)
	for _, g := range live.Groups {
		if !reached[g.ID] {
			continue
		}
		for _, direction := range []cloudfw.Direction{cloudfw.In, cloudfw.Out} {
			for _, family := range cloudfw.Families {
				states, numbers := groupScene(live, g).moments(steps, func(sc *scene) *packets.List {
					now, _ := sc.world.Group(g.ID)
					return packets.Group(now, direction, family, sc.world)
				})
				p.look("security group "+g.ID+" "+string(direction)+" "+string(family), steps, states, numbers)
			}
		}
	}
	return p
}

// look adds one list to the proof, and reports whether all its moments are safe.
func (p *Proof) look(list string, steps []cloudfw.Step, states []*packets.List, numbers []int) bool {
	if len(states) == 1 {
		return true
	}
	safe := true
	p.Lists++
	moments := packets.NewMoments(states)
	for i := range states {
		p.CheckedStates++
		for _, d := range moments.Unsafe(i, 1) {
			p.Safe, safe = false, false
			if len(p.Unsafe) < mostMoments {
				s := steps[numbers[i]-1]
				p.Unsafe = append(p.Unsafe, Moment{numbers[i], string(s.Op) + " " + s.Subject(), list, d})
			}
		}
	}
	return safe
}

// groupsOf are the security groups that steps reach: through their own rules, or
// through a prefix list that these name.
func groupsOf(live cloudfw.Snapshot, steps []cloudfw.Step) map[string]bool {
	reached, lists := map[string]bool{}, map[string]bool{}
	for _, s := range steps {
		if s.List != nil {
			lists[s.List.ID] = true
		}
		if s.GroupID != "" {
			reached[s.GroupID] = true
		}
	}
	for _, g := range live.Groups {
		if slices.ContainsFunc(g.Rules, func(r cloudfw.GroupRule) bool { return r.Peer.Kind == cloudfw.List && lists[r.Peer.Value] }) {
			reached[g.ID] = true
		}
	}
	return reached
}

// listsOf are the ordered lists of the live state and of the steps.
func listsOf(live cloudfw.Snapshot, steps []cloudfw.Step) []cloudfw.ListKey {
	keys := live.Keys()
	for _, s := range steps {
		if s.Rule != nil && !slices.Contains(keys, s.Rule.Key()) {
			keys = append(keys, s.Rule.Key())
		}
	}
	return keys
}
