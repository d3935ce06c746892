package plan

import (
	"fmt"
	"slices"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
)

// adopt writes our marker onto what is, but for its description, what we want and do
// not have: books and lists by their names, rules by their content. What a book holds
// is the next reconcile's business.
func (p *Plan) adopt(in Input) error {
	owner := in.Intent.Owner
	ours, wanted, err := assumed(in)
	if err != nil {
		return err
	}
	var steps []cloudfw.Step
	reason := func(description, id string) string {
		return fmt.Sprintf("as wanted but for its description %q (id %s)", description, id)
	}
	for i, b := range in.Live.Books {
		if text := ours.Books[i].Description; text != b.Description {
			steps = append(steps, markBook(b, text, reason(b.Description, b.ID)))
		}
	}
	for i, l := range in.Live.Lists {
		if text := ours.Lists[i].Description; text != l.Description {
			steps = append(steps, markList(l, text, reason(l.Description, l.ID)))
		}
	}
	for _, key := range wanted.Keys(in.Live) {
		live, want := in.Live.List(key), wanted.Rules[key]
		found, missing := twins(in, live, want)
		for _, f := range found {
			steps = append(steps, markRule(live[f.live], want[f.wanted].Description, reason(live[f.live].Description, live[f.live].ID)))
		}
		for _, w := range missing {
			p.Notes = append(p.Notes, nearRules(owner, live, want[w])...)
		}
	}
	for i, g := range in.Live.Groups {
		for n, r := range g.Rules {
			if text := ours.Groups[i].Rules[n].Description; text != r.Description {
				steps = append(steps, markGroupRule(g.ID, r, text, reason(r.Description, r.ID)))
			}
		}
	}
	p.finish(in, steps)
	p.Notes = append(p.Notes, nearSets(in, ours, wanted)...)
	if n := len(p.Notes); n > mostNear {
		p.Notes = append(p.Notes[:mostNear], fmt.Sprintf("and %d more that nearly fit", n-mostNear))
	}
	p.Untouched = untouched(owner, cloudfw.After(in.Live, p.Steps))
	return nil
}

// assumed is the live state in which the sets and the group rules that we want bear
// our marker, and what is wanted then. What lowering wants depends on what is ours, so
// it is asked with everything that may be taken over, then without what it did not
// want, until it wants all that is left. The order is the live state's.
func assumed(in Input) (cloudfw.Snapshot, lower.Wanted, error) {
	owner, ours := in.Intent.Owner, in.Live
	ours.Books, ours.Lists, ours.Groups = slices.Clone(ours.Books), slices.Clone(ours.Lists), slices.Clone(ours.Groups)
	for i := range ours.Books {
		b := &ours.Books[i]
		purpose, named := purposeOf(owner, b.Name)
		if named && !owner.OwnsBook(*b) && !anothers(owner, b.Description) && b.Type == cloudfw.Addresses && in.chosen(b.ID, b.Name) {
			b.Description = cloudfw.Summed(cloudfw.Marker{Owner: owner, Kind: "book", Name: purpose}.String(), b.Prefixes)
		}
	}
	for i := range ours.Lists {
		l := &ours.Lists[i]
		purpose, named := purposeOf(owner, l.Name)
		if named && !owner.OwnsList(*l) && !anothers(owner, l.Description) && in.chosen(l.ID, l.Name) {
			l.Description = cloudfw.Summed(cloudfw.Marker{Owner: owner, Kind: "list", Name: purpose}.String(), l.Prefixes)
		}
	}
	for i := range ours.Groups {
		g := &ours.Groups[i]
		g.Rules = slices.Clone(g.Rules)
		for n, r := range g.Rules {
			// Only what might be a block of ours: others count as what they are.
			drop := r.Direction == cloudfw.In && r.Action == cloudfw.Drop && r.Protocol == cloudfw.AnyProtocol && r.Ports.AllPorts() && r.Priority == 1
			if drop && !owner.Owns("rule", r.Description) && !anothers(owner, r.Description) && in.chosen(r.ID) {
				g.Rules[n].Description = cloudfw.Marker{Owner: owner, Kind: "rule", Name: "blocked-" + g.ID}.String()
			}
		}
	}
	for {
		wanted, err := lower.Lower(in.Intent, ours, in.Limits, nil)
		if err != nil || !disown(ours, in.Live, wanted) {
			return ours, wanted, err
		}
	}
}

// disown gives what is not wanted its live description back and reports whether there
// was any.
func disown(ours, live cloudfw.Snapshot, wanted lower.Wanted) bool {
	some := false
	restore := func(text *string, was string, keep bool) {
		if *text != was && !keep {
			*text, some = was, true
		}
	}
	for i, b := range live.Books {
		restore(&ours.Books[i].Description, b.Description, slices.ContainsFunc(wanted.Books, func(w cloudfw.AddressBook) bool {
			return w.Name == b.Name && w.Family == b.Family
		}))
	}
	for i, l := range live.Lists {
		restore(&ours.Lists[i].Description, l.Description, slices.ContainsFunc(wanted.Lists, func(w cloudfw.PrefixList) bool {
			return w.Name == l.Name && w.Family == l.Family && w.MaxEntries == l.MaxEntries
		}))
	}
	for i, g := range live.Groups {
		var rules []cloudfw.GroupRule
		for _, want := range wanted.Groups {
			if want.Target.GroupID == g.ID {
				rules = want.Rules
			}
		}
		for n, r := range g.Rules {
			restore(&ours.Groups[i].Rules[n].Description, r.Description, slices.ContainsFunc(rules, func(w cloudfw.GroupRule) bool {
				return withListID(w, live).Alike(r)
			}))
		}
	}
	return some
}

// twin is a live rule of other people and the wanted rule that it would be, by index.
type twin struct{ live, wanted int }

// twins finds for each wanted rule of one list that is not live the first rule of
// other people that is the same but for its description. missing is what has none.
func twins(in Input, live, wanted []cloudfw.FirewallRule) (found []twin, missing []int) {
	owner, free := in.Intent.Owner, map[cloudfw.FirewallRule][]int{}
	content := func(r cloudfw.FirewallRule) cloudfw.FirewallRule {
		r.Description = ""
		return r.Canonical()
	}
	for at, r := range live {
		if !owner.Owns("rule", r.Description) && !anothers(owner, r.Description) && in.chosen(r.ID) {
			free[content(r)] = append(free[content(r)], at)
		}
	}
	for i, at := range match(live, wanted) {
		if at >= 0 {
			continue
		}
		form := content(wanted[i])
		if len(free[form]) == 0 {
			missing = append(missing, i)
			continue
		}
		found = append(found, twin{free[form][0], i})
		free[form] = free[form][1:]
	}
	return found, missing
}
