package verify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
)

// Lookalike is a live object that looks like ours and is not, or not as we made it.
// It is there for people: nothing is done because of it (promise P1).
type Lookalike struct {
	Kind  string `json:"kind"`  // "rule", "book", "list" or "group rule"
	Where string `json:"where"` // the list of rules or the group; empty for books and lists
	ID    string `json:"id"`
	Name  string `json:"name"` // a rule's description
	Why   string `json:"why"`
}

// String is the lookalike in one line.
func (l Lookalike) String() string {
	where := l.Where
	if where != "" {
		where = " in " + where
	}
	return fmt.Sprintf("%s %s%s (%q): %s", l.Kind, l.ID, where, l.Name, l.Why)
}

// Lookalikes lists what the owner's objects may be mistaken for: marks that are
// nearly ours, names in our style with somebody else's mark, two objects with one
// mark, and our mark on something that is not what it was made as. What belongs
// whole to another owner is none. wanted is the lowering against the same live
// state. The order is fixed.
func Lookalikes(owner cloudfw.Owner, wanted lower.Wanted, live cloudfw.Snapshot) []Lookalike {
	s := &sighting{owner: owner}
	s.rules(wanted, live)
	s.books(wanted, live)
	s.lists(live)
	s.groups(live)
	slices.SortStableFunc(s.all, func(a, b Lookalike) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Where, b.Where))
	})
	return s.all
}

type sighting struct {
	owner cloudfw.Owner
	all   []Lookalike
}

func (s *sighting) add(l Lookalike, why string, args ...any) {
	l.Why = fmt.Sprintf(why, args...)
	s.all = append(s.all, l)
}

// mark judges the description by itself. It is empty for a mark of ours of the kind,
// and for what is nothing like one.
func (s *sighting) mark(kind, description string) string {
	m, ok := cloudfw.ParseMarker(description)
	switch {
	case ok && m.Owner == s.owner && m.Kind != kind:
		return fmt.Sprintf("the mark is of a %s, this is a %s", m.Kind, kind)
	case ok:
		return ""
	case strings.Contains(description, fmt.Sprintf("fwsync owner=%s ", s.owner)):
		return "the description is nearly our mark, but not to the last byte; if it is wanted, fwsync adopt takes it over"
	}
	return ""
}

func (s *sighting) rules(wanted lower.Wanted, live cloudfw.Snapshot) {
	for _, key := range live.Keys() {
		declared := map[string]cloudfw.FirewallRule{}
		for _, r := range wanted.Rules[key] {
			declared[r.Description] = r
		}
		first := map[string]int{}
		for _, r := range live.List(key) {
			l := Lookalike{Kind: "rule", Where: key.String(), ID: r.ID, Name: r.Description}
			if why := s.mark("rule", r.Description); why != "" {
				s.add(l, "%s", why)
			}
			if !s.owner.Owns("rule", r.Description) {
				continue
			}
			if order, again := first[r.Description]; again {
				s.add(l, "it bears the same mark as rule #%d", order)
				continue
			}
			first[r.Description] = r.Order
			if want, ok := declared[r.Description]; ok && !want.Same(r) {
				s.add(l, "its content was edited: %s; it was made as: %s", described(r), described(want))
			}
		}
	}
}

// described is a rule with what its one line leaves out.
func described(r cloudfw.FirewallRule) string {
	if r.Disabled {
		return r.String() + ", disabled"
	}
	return r.String()
}

func (s *sighting) books(wanted lower.Wanted, live cloudfw.Snapshot) {
	names := map[string]bool{}
	for _, b := range live.Books {
		names[b.Name] = true
	}
	for _, b := range live.Books {
		l := Lookalike{Kind: "book", ID: b.ID, Name: b.Name}
		s.named(l, "book", b.Description, s.owner.OwnsBook(b), names)
		edited := s.owner.OwnsBook(b) && cloudfw.Edited(b.Description, b.Prefixes)
		// A group's book is never edited; lowering makes another one beside one that was.
		for _, want := range wanted.Books {
			if s.owner.OwnsBook(b) && strings.HasPrefix(want.Name, b.Name+"-") && strings.HasPrefix(b.Name, s.owner.BookName("group-")) && !slices.Equal(want.Prefixes, b.Prefixes) {
				s.add(l, "its addresses were edited; %s is to take its place", want.Name)
				edited = false
			}
		}
		if edited {
			s.add(l, "its addresses were edited since fwsync wrote them")
		}
	}
}

func (s *sighting) lists(live cloudfw.Snapshot) {
	names := map[string]bool{}
	for _, list := range live.Lists {
		names[list.Name] = true
	}
	for _, list := range live.Lists {
		l := Lookalike{Kind: "list", ID: list.ID, Name: list.Name}
		s.named(l, "list", list.Description, s.owner.OwnsList(list), names)
		if s.owner.OwnsList(list) && cloudfw.Edited(list.Description, list.Prefixes) {
			s.add(l, "its addresses were edited since fwsync wrote them")
		}
	}
}

// named judges an object that has a name beside its mark. names are those of all
// objects of the kind.
func (s *sighting) named(l Lookalike, kind, description string, owned bool, names map[string]bool) {
	m, marked := cloudfw.ParseMarker(description)
	ours := marked && m.Owner == s.owner && m.Kind == kind
	// "fwsync-edge-" begins the names of an owner edge-2 as well.
	anothers := marked && m.Owner != s.owner && m.Kind == kind && m.Owner.BookName(m.Name) == l.Name
	switch why := s.mark(kind, description); {
	case owned || anothers:
	case why != "":
		s.add(l, "%s", why)
	case ours && names[s.owner.BookName(m.Name)]:
		s.add(l, "it bears the same mark as %s", s.owner.BookName(m.Name))
	case ours:
		s.add(l, "it was renamed: the mark belongs to %s", s.owner.BookName(m.Name))
	case strings.HasPrefix(l.Name, s.owner.BookName("")) && marked:
		s.add(l, "the name is in our style, the mark is of owner %s", m.Owner)
	case strings.HasPrefix(l.Name, s.owner.BookName("")):
		s.add(l, "the name is in our style, without our mark; if it is wanted, fwsync adopt takes it over")
	}
}

func (s *sighting) groups(live cloudfw.Snapshot) {
	for _, g := range live.Groups {
		for _, r := range g.Rules {
			l := Lookalike{Kind: "group rule", Where: g.ID, ID: r.ID, Name: r.Description}
			if why := s.mark("rule", r.Description); why != "" {
				s.add(l, "%s", why)
				continue
			}
			// Rules of one group share a mark; what each must be shows in what we make.
			if s.owner.Owns("rule", r.Description) && (r.Action != cloudfw.Drop || r.Direction != cloudfw.In || r.Priority != 1 || r.Protocol != cloudfw.AnyProtocol || !r.Ports.AllPorts()) {
				s.add(l, "its content was edited: it is no drop of everything at priority 1")
			}
		}
	}
}
