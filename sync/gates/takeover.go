package gates

import (
	"fmt"

	"fwsync/cloudfw"
	"fwsync/sync/plan"
)

// takeover is what a step of an adopt or a release may do: write our marker onto what
// nobody of us owns, or take our marker away, and change nothing else. It compares
// with the live objects; what the step says of them is no proof.
type takeover struct {
	owner   cloudfw.Owner
	release bool
	books   map[string]cloudfw.AddressBook
	lists   map[string]cloudfw.PrefixList
	rules   map[string]cloudfw.FirewallRule
	groups  map[string]cloudfw.GroupRule // by group and id
}

func newTakeover(in Input) *takeover {
	t := &takeover{
		owner: in.Plan.Owner, release: in.Plan.Kind == plan.Release,
		books: map[string]cloudfw.AddressBook{}, lists: map[string]cloudfw.PrefixList{},
		rules: map[string]cloudfw.FirewallRule{}, groups: map[string]cloudfw.GroupRule{},
	}
	for _, b := range in.Live.Books {
		t.books[b.ID] = b
	}
	for _, l := range in.Live.Lists {
		t.lists[l.ID] = l
	}
	for _, r := range in.Live.Rules {
		t.rules[r.ID] = r
	}
	for _, g := range in.Live.Groups {
		for _, r := range g.Rules {
			t.groups[g.ID+" "+r.ID] = r
		}
	}
	return t
}

// stranger says why the step must not be made, or nothing.
func (t *takeover) stranger(s cloudfw.Step) string {
	const gone, more = "there is no such object", "it would change more than the description"
	switch {
	case !s.Complete():
		return "the step does not say what it changes"
	case len(s.Prefixes)+len(s.Removed) > 0 || s.From != 0:
		return more
	}
	switch s.Op {
	case cloudfw.MarkBook:
		was, there := t.books[s.Book.ID]
		is := was
		is.Description = s.Book.Description
		switch {
		case !there:
			return gone
		case was.Name != s.Book.Name || was.Type != s.Book.Type || was.Family != s.Book.Family || len(s.Book.Prefixes)+len(s.Book.Entries) > 0:
			return more
		case !t.release && cloudfw.Edited(is.Description, was.Prefixes):
			return "the mark is of another content"
		}
		return t.changes(was.Description, is.Description, t.owner.OwnsBook(was), t.owner.OwnsBook(is))
	case cloudfw.MarkList:
		was, there := t.lists[s.List.ID]
		is := was
		is.Description = s.List.Description
		switch {
		case !there:
			return gone
		case was.Name != s.List.Name || was.Family != s.List.Family || was.MaxEntries != s.List.MaxEntries || len(s.List.Prefixes) > 0:
			return more
		case !t.release && cloudfw.Edited(is.Description, was.Prefixes):
			return "the mark is of another content"
		}
		return t.changes(was.Description, is.Description, t.owner.OwnsList(was), t.owner.OwnsList(is))
	case cloudfw.EditRule:
		was, there := t.rules[s.Rule.ID]
		is := *s.Rule
		is.Description = was.Description
		if !there {
			return gone
		}
		if !is.Same(was) || is.Order != was.Order {
			return more
		}
		return t.changes(was.Description, s.Rule.Description, t.owner.Owns("rule", was.Description), t.owner.Owns("rule", s.Rule.Description))
	case cloudfw.EditGroupRule:
		if len(s.GroupRules) != 1 {
			return "the step does not say what it changes"
		}
		is := s.GroupRules[0]
		was, there := t.groups[s.GroupID+" "+is.ID]
		if !there {
			return gone
		}
		if !is.Alike(was) {
			return more
		}
		return t.changes(was.Description, is.Description, t.owner.Owns("rule", was.Description), t.owner.Owns("rule", is.Description))
	}
	return fmt.Sprintf("a plan of the kind %s changes descriptions and nothing else", t.kind())
}

func (t *takeover) kind() plan.Kind {
	if t.release {
		return plan.Release
	}
	return plan.Adopt
}

// changes judges the two descriptions of one object, and whether each makes it ours.
func (t *takeover) changes(was, is string, wasOurs, isOurs bool) string {
	old, oldMarked := cloudfw.ParseMarker(was)
	_, newMarked := cloudfw.ParseMarker(is)
	switch {
	case t.release && !wasOurs:
		return "it is not ours"
	case t.release && newMarked:
		return "it would bear a mark"
	case t.release:
		return ""
	case oldMarked && old.Owner != t.owner:
		return fmt.Sprintf("it bears the mark of owner %s", old.Owner)
	case wasOurs:
		return "it is ours already"
	case !isOurs:
		return "it would not bear our marker"
	}
	return ""
}
