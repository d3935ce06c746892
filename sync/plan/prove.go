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
func prove(live cloudfw.Snapshot, steps []cloudfw.Step, c *packets.Compiler) Proof {
	p := Proof{Safe: true, unsafe: map[cloudfw.ListKey]bool{}}
	for _, f := range film(live, steps, c) {
		if len(f.states) > 1 && !p.look(f, steps) {
			p.unsafe[f.key] = true
		}
	}
	return p
}

// look adds one list to the proof, and reports whether all its moments are safe.
func (p *Proof) look(f *footage, steps []cloudfw.Step) bool {
	safe := true
	p.Lists++
	moments := packets.NewMoments(f.states)
	for i := range f.states {
		p.CheckedStates++
		for _, d := range moments.Unsafe(i, 1) {
			p.Safe, safe = false, false
			if len(p.Unsafe) < mostMoments {
				s := steps[f.after[i]-1]
				p.Unsafe = append(p.Unsafe, Moment{f.after[i], string(s.Op) + " " + s.Subject(), f.list, d})
			}
		}
	}
	return safe
}

// footage is one ordered list, or one direction and family of a security group, before
// the first step and after each that reaches it.
type footage struct {
	list   string          // for people
	key    cloudfw.ListKey // of ordered lists
	states []*packets.List
	after  []int // the numbers of the steps, counted from 1; the first is 0
}

func (f *footage) take(after int, state *packets.List) {
	f.states, f.after = append(f.states, state), append(f.after, after)
}

// film replays the steps and takes the states of all that they reach: the account's
// ordered lists first, then its groups.
func film(live cloudfw.Snapshot, steps []cloudfw.Step, c *packets.Compiler) []*footage {
	replay := cloudfw.NewReplay(live)
	var films []*footage
	lists := map[cloudfw.ListKey]*footage{}
	for _, key := range listsOf(live, steps) {
		lists[key] = &footage{list: key.String(), key: key}
		lists[key].take(0, c.FirewallOf(key, replay.Rules(key), replay.Names()))
		films = append(films, lists[key])
	}
	groups := groupsOf(live, steps)
	for _, g := range groups {
		for i := range g.sides {
			g.sides[i].take(0, c.Group(live.Groups[g.at], g.directions[i], g.families[i], g.world(replay)))
			films = append(films, g.sides[i])
		}
	}
	for i, s := range steps {
		replay.Follow(s)
		for key, f := range lists {
			if s.Rule != nil && s.Rule.Key() == key || s.Book != nil && named(replay.Rules(key), s.Book.Name) {
				f.take(i+1, c.FirewallOf(key, replay.Rules(key), replay.Names()))
			}
		}
		for _, g := range groups {
			if s.List != nil && g.edited[s.List.Name] || s.GroupID != "" && s.GroupID == live.Groups[g.at].ID {
				for n, f := range g.sides {
					f.take(i+1, c.Group(replay.Names().Groups[g.at], g.directions[n], g.families[n], g.world(replay)))
				}
			}
		}
	}
	return films
}

// named reports whether one of the rules names the book.
func named(rules []*cloudfw.FirewallRule, book string) bool {
	peer := cloudfw.Peer{Kind: cloudfw.Book, Value: book}
	return slices.ContainsFunc(rules, func(r *cloudfw.FirewallRule) bool { return r.Source == peer || r.Destination == peer })
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
