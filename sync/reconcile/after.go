package reconcile

import (
	"fmt"
	"net/netip"
	"slices"

	"fwsync/cloudfw"
)

// after is the account as it will be once all steps are made: a copy of the snapshot
// that shares nothing that changes. What does not exist yet gets an id that says so.
func after(live cloudfw.Snapshot, steps []cloudfw.Step) cloudfw.Snapshot {
	a := &account{Snapshot: live}
	a.Books, a.Rules, a.Lists, a.Groups = slices.Clone(live.Books), slices.Clone(live.Rules), slices.Clone(live.Lists), slices.Clone(live.Groups)
	for i, s := range steps {
		a.id = fmt.Sprintf("%s%d", planned, i+1)
		a.follow(s)
	}
	a.Sort()
	return a.Snapshot
}

// planned begins the ids of what a plan has yet to make.
const planned = "step "

type account struct {
	cloudfw.Snapshot
	id string // of what the step makes
}

func (a *account) follow(s cloudfw.Step) {
	switch s.Op {
	case cloudfw.CreateBook:
		b := *s.Book
		b.ID = a.id
		a.Books = append(a.Books, b)
	case cloudfw.AppendAddresses, cloudfw.RemoveAddresses:
		for i := range a.Books {
			if b := &a.Books[i]; b.Name == s.Book.Name && s.Op == cloudfw.AppendAddresses {
				b.Prefixes = changed(b.Prefixes, s.Prefixes, nil)
			} else if b.Name == s.Book.Name {
				b.Prefixes = changed(b.Prefixes, nil, s.Prefixes)
			}
		}
	case cloudfw.DeleteBook:
		a.Books = slices.DeleteFunc(a.Books, func(b cloudfw.AddressBook) bool { return b.Name == s.Book.Name })
	case cloudfw.InsertRule:
		r := *s.Rule
		r.ID = a.id
		a.place(r)
	case cloudfw.MoveRule:
		if r, ok := a.take(s.Rule.ID); ok {
			r.Order = s.Rule.Order
			a.place(r)
		}
	case cloudfw.EditRule:
		for i, r := range a.Rules {
			if r.ID == s.Rule.ID {
				a.Rules[i] = *s.Rule
				a.Rules[i].Order = r.Order
			}
		}
	case cloudfw.DeleteRule:
		a.take(s.Rule.ID)
	case cloudfw.CreateList:
		l := *s.List
		l.ID = a.id
		a.Lists = append(a.Lists, l)
	case cloudfw.EditList:
		for i := range a.Lists {
			if l := &a.Lists[i]; l.Name == s.List.Name {
				l.Prefixes = changed(l.Prefixes, s.Prefixes, s.Removed)
			}
		}
	case cloudfw.DeleteList:
		a.Lists = slices.DeleteFunc(a.Lists, func(l cloudfw.PrefixList) bool { return l.Name == s.List.Name })
	case cloudfw.AuthoriseRules, cloudfw.RevokeRules, cloudfw.EditGroupRule:
		a.group(s)
	}
}

// changed is a new slice with more prefixes and without others.
func changed(have, more, less []netip.Prefix) []netip.Prefix {
	kept := slices.DeleteFunc(slices.Clone(have), func(p netip.Prefix) bool { return slices.Contains(less, p) })
	return cloudfw.SortPrefixes(append(kept, more...))
}

// place inserts a rule at its order and moves the rest of the list down.
func (a *account) place(r cloudfw.FirewallRule) {
	for i := range a.Rules {
		if o := &a.Rules[i]; o.Key() == r.Key() && o.Order >= r.Order {
			o.Order++
		}
	}
	a.Rules = append(a.Rules, r)
}

// take removes a rule and closes the gap.
func (a *account) take(id string) (cloudfw.FirewallRule, bool) {
	at := slices.IndexFunc(a.Rules, func(r cloudfw.FirewallRule) bool { return id != "" && r.ID == id })
	if at < 0 {
		return cloudfw.FirewallRule{}, false
	}
	gone := a.Rules[at]
	a.Rules = slices.Delete(a.Rules, at, at+1)
	for i := range a.Rules {
		if o := &a.Rules[i]; o.Key() == gone.Key() && o.Order > gone.Order {
			o.Order--
		}
	}
	return gone, true
}

func (a *account) group(s cloudfw.Step) {
	at := slices.IndexFunc(a.Groups, func(g cloudfw.SecurityGroup) bool { return g.ID == s.GroupID })
	if at < 0 {
		return
	}
	rules := slices.Clone(a.Groups[at].Rules)
	if s.Op != cloudfw.AuthoriseRules {
		rules = slices.DeleteFunc(rules, func(r cloudfw.GroupRule) bool {
			return slices.ContainsFunc(s.GroupRules, func(gone cloudfw.GroupRule) bool { return gone.ID == r.ID })
		})
	}
	if s.Op != cloudfw.RevokeRules {
		for i, r := range s.GroupRules {
			if r.ID == "" {
				r.ID = fmt.Sprintf("%s.%d", a.id, i+1)
			}
			rules = append(rules, r)
		}
	}
	a.Groups[at].Rules = rules
}
