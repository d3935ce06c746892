package cloudfw

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
)

// Replay follows steps on a copy of an account without making a call: what a plan
// comes to, moment by moment. Steps go to places as the vendor's do (reference §2.1);
// a step that lacks what it changes does nothing. Prefixes are replaced, never edited,
// so that an unchanged set keeps its identity. Not safe for concurrent use.
type Replay struct {
	names Snapshot // all but the rules of the ordered lists
	rules map[ListKey][]*FirewallRule
	steps int
}

// Made begins the ids of what a replay makes; the number of the step follows.
const Made = "step "

// NewReplay begins with a sorted snapshot, which stays as it is.
func NewReplay(live Snapshot) *Replay {
	r := &Replay{names: live, rules: map[ListKey][]*FirewallRule{}}
	r.names.Rules = nil
	r.names.Books, r.names.Lists, r.names.Groups = slices.Clone(live.Books), slices.Clone(live.Lists), slices.Clone(live.Groups)
	for i := range live.Rules {
		key := live.Rules[i].Key()
		r.rules[key] = append(r.rules[key], &live.Rules[i])
	}
	return r
}

// After is the account once all steps are made, sorted.
func After(live Snapshot, steps []Step) Snapshot {
	r := NewReplay(live)
	for _, s := range steps {
		r.Follow(s)
	}
	return r.Snapshot()
}

// Names is what the names in rules stand for at the moment, and the groups with their
// rules: the account without the rules of its ordered lists. It holds until the next step.
func (r *Replay) Names() Snapshot { return r.names }

// Rules are those of one ordered list at the moment, in their order; the Order that
// each bears may be another. A rule that a step does not touch stays the same pointer.
// The slice holds until the next step and, like what it points to, must not be changed.
func (r *Replay) Rules(key ListKey) []*FirewallRule { return r.rules[key] }

// Snapshot is a copy of the account at the moment, sorted.
func (r *Replay) Snapshot() Snapshot {
	s := r.names
	s.Books, s.Lists, s.Groups = slices.Clone(s.Books), slices.Clone(s.Lists), slices.Clone(s.Groups)
	for _, list := range r.rules {
		for at, rule := range list {
			placed := *rule
			placed.Order = at + 1
			s.Rules = append(s.Rules, placed)
		}
	}
	s.Sort()
	return s
}

// Follow makes the step.
func (r *Replay) Follow(s Step) {
	r.steps++
	if !s.Complete() {
		return
	}
	switch s.Op {
	case CreateBook, AppendAddresses, RemoveAddresses, MarkBook, DeleteBook:
		r.book(s)
	case InsertRule, MoveRule, EditRule, DeleteRule:
		r.rule(s)
	case CreateList, EditList, MarkList, DeleteList:
		r.list(s)
	case AuthoriseRules, RevokeRules, EditGroupRule:
		r.group(s)
	}
}

func (r *Replay) made() string { return fmt.Sprintf("%s%d", Made, r.steps) }

func (r *Replay) book(s Step) {
	books := r.names.Books
	at := slices.IndexFunc(books, func(b AddressBook) bool { return b.Name == s.Book.Name })
	switch {
	case s.Op == CreateBook:
		made := *s.Book
		made.ID = cmp.Or(made.ID, r.made())
		r.names.Books = append(books, made)
	case at < 0:
	case s.Op == DeleteBook:
		r.names.Books = slices.Delete(books, at, at+1)
	case s.Op == MarkBook:
		books[at].Description = s.Book.Description
	case s.Op == AppendAddresses:
		books[at].Prefixes, books[at].Description = edited(books[at].Prefixes, s.Prefixes, nil), s.Book.Description
	default:
		books[at].Prefixes, books[at].Description = edited(books[at].Prefixes, nil, s.Prefixes), s.Book.Description
	}
}

func (r *Replay) rule(s Step) {
	key := s.Rule.Key()
	list := r.rules[key]
	at := slices.IndexFunc(list, func(o *FirewallRule) bool { return o.ID != "" && o.ID == s.Rule.ID })
	rule := *s.Rule
	switch {
	case s.Op == InsertRule:
		rule.ID = cmp.Or(rule.ID, r.made())
		list = slices.Insert(list, min(max(rule.Order-1, 0), len(list)), &rule)
	case at < 0:
	case s.Op == EditRule:
		rule.Order = list[at].Order
		list[at] = &rule
	default:
		moved := list[at]
		list = slices.Delete(list, at, at+1)
		if s.Op == MoveRule {
			list = slices.Insert(list, min(max(rule.Order-1, 0), len(list)), moved)
		}
	}
	r.rules[key] = list
}

func (r *Replay) list(s Step) {
	lists := r.names.Lists
	at := slices.IndexFunc(lists, func(l PrefixList) bool { return l.Name == s.List.Name })
	switch {
	case s.Op == CreateList:
		made := *s.List
		made.ID = cmp.Or(made.ID, r.made())
		r.names.Lists = append(lists, made)
	case at < 0:
	case s.Op == MarkList:
		lists[at].Description = s.List.Description
	case s.Op == EditList:
		lists[at].Prefixes, lists[at].Description = edited(lists[at].Prefixes, s.Prefixes, s.Removed), s.List.Description
	default:
		r.names.Lists = slices.Delete(lists, at, at+1)
	}
}

func (r *Replay) group(s Step) {
	at := slices.IndexFunc(r.names.Groups, func(g SecurityGroup) bool { return g.ID == s.GroupID })
	if at < 0 {
		return
	}
	rules := slices.Clone(r.names.Groups[at].Rules)
	if s.Op != AuthoriseRules {
		rules = slices.DeleteFunc(rules, func(o GroupRule) bool {
			return o.ID != "" && slices.ContainsFunc(s.GroupRules, func(gone GroupRule) bool { return gone.ID == o.ID })
		})
	}
	if s.Op != RevokeRules {
		for i, rule := range s.GroupRules {
			if rule.ID == "" {
				rule.ID = fmt.Sprintf("%s.%d", r.made(), i+1)
			}
			rules = append(rules, rule)
		}
	}
	r.names.Groups[at].Rules = rules
}

// edited is a new sorted set with more prefixes and without others, all sorted.
func edited(have, more, less []netip.Prefix) []netip.Prefix {
	out := make([]netip.Prefix, 0, len(have)+len(more))
	for _, p := range have {
		if contains(less, p) {
			continue
		}
		for len(more) > 0 && ComparePrefixes(more[0], p) < 0 {
			out, more = append(out, more[0]), more[1:]
		}
		if len(more) > 0 && more[0] == p {
			more = more[1:]
		}
		out = append(out, p)
	}
	return append(out, more...)
}
