package plan

import (
	"slices"
	"strings"

	"fwsync/cloudfw"
	"fwsync/cloudfw/packets"
)

// finish completes a plan whose steps change descriptions only. No verdict changes;
// the proof looks all the same.
func (p *Plan) finish(in Input, steps []cloudfw.Step) {
	p.Steps = steps
	if steps == nil {
		p.Steps = []cloudfw.Step{}
	}
	p.Proof = prove(in.Live, p.Steps, packets.NewCompiler())
	p.Calls = count(p.Steps, len(p.Steps))
	p.Capacity = []Use{}
}

// chosen reports whether Only names one of an object's names, or names nothing. The
// beginning that all names of ours have may be left out.
func (in Input) chosen(names ...string) bool {
	if len(in.Only) == 0 {
		return true
	}
	return slices.ContainsFunc(names, func(name string) bool {
		return name != "" && slices.ContainsFunc(in.Only, func(only string) bool { return only == name || in.Intent.Owner.BookName(only) == name })
	})
}

// Reaches reports whether a step of the plan is about the object of that id or name.
func (p Plan) Reaches(name string) bool {
	is := func(names ...string) bool {
		return slices.Contains(names, name) || slices.Contains(names, p.Owner.BookName(name))
	}
	return slices.ContainsFunc(p.Steps, func(s cloudfw.Step) bool {
		switch {
		case s.Book != nil:
			return is(s.Book.ID, s.Book.Name)
		case s.List != nil:
			return is(s.List.ID, s.List.Name)
		case s.Rule != nil:
			return is(s.Rule.ID)
		}
		return slices.ContainsFunc(s.GroupRules, func(r cloudfw.GroupRule) bool { return is(r.ID) })
	})
}

// The steps that write another description onto a live object.

func markBook(b cloudfw.AddressBook, description, reason string) cloudfw.Step {
	b.Prefixes, b.Entries, b.References, b.Description = nil, nil, 0, description
	return cloudfw.Step{Op: cloudfw.MarkBook, Target: string(cloudfw.InternetFirewall), Book: &b, Reason: reason}
}

func markList(l cloudfw.PrefixList, description, reason string) cloudfw.Step {
	l.Prefixes, l.Description = nil, description
	return cloudfw.Step{Op: cloudfw.MarkList, Target: string(cloudfw.SecurityGroupTarget), List: &l, Reason: reason}
}

func markRule(r cloudfw.FirewallRule, description, reason string) cloudfw.Step {
	r.Description = description
	return cloudfw.Step{Op: cloudfw.EditRule, Target: r.Border.Firewall(), Rule: &r, Reason: reason}
}

func markGroupRule(group string, r cloudfw.GroupRule, description, reason string) cloudfw.Step {
	r.Description = description
	target := cloudfw.Target{Kind: cloudfw.SecurityGroupTarget, GroupID: group}
	return cloudfw.Step{Op: cloudfw.EditGroupRule, Target: target.Name(), GroupID: group, GroupRules: []cloudfw.GroupRule{r}, Reason: reason}
}

// anothers reports whether a description is the mark of another owner: what bears it
// is never taken over, its owner has to release it.
func anothers(owner cloudfw.Owner, description string) bool {
	m, ok := cloudfw.ParseMarker(description)
	return ok && m.Owner != owner
}

// purposeOf is what a name in our style is for; false for other names.
func purposeOf(owner cloudfw.Owner, name string) (string, bool) {
	purpose, ok := strings.CutPrefix(name, owner.BookName(""))
	if !ok {
		return "", false
	}
	_, ok = cloudfw.ParseMarker(cloudfw.Marker{Owner: owner, Kind: "book", Name: purpose}.String())
	return purpose, ok
}
