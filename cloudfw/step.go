package cloudfw

import (
	"fmt"
	"net/netip"
)

// Op is what a step does.
type Op string

// The operations. Each is exactly one API call.
const (
	CreateBook      Op = "create book"
	AppendAddresses Op = "append addresses"
	RemoveAddresses Op = "remove addresses"
	MarkBook        Op = "mark book"
	DeleteBook      Op = "delete book"
	InsertRule      Op = "insert rule"
	MoveRule        Op = "move rule"
	EditRule        Op = "edit rule"
	DeleteRule      Op = "delete rule"
	CreateList      Op = "create prefix list"
	EditList        Op = "edit prefix list"
	MarkList        Op = "mark prefix list"
	DeleteList      Op = "delete prefix list"
	AuthoriseRules  Op = "authorise rules"
	RevokeRules     Op = "revoke rules"
	EditGroupRule   Op = "edit group rule"
)

// Removes reports whether the operation only takes something away.
func (o Op) Removes() bool {
	switch o {
	case RemoveAddresses, DeleteBook, DeleteRule, DeleteList, RevokeRules:
		return true
	}
	return false
}

// Step is one API call as data. Which fields are set depends on Op:
//
//	Op                                 set
//	create book                        Book (Prefixes = what it starts with)
//	append / remove addresses          Book (ID, Name, Description) and Prefixes
//	mark book                          Book (ID, Name, Description as it shall be); its content stays
//	delete book                        Book (ID, Name)
//	insert rule                        Rule (Order = where it goes)
//	move rule                          Rule (ID; Order = where it goes), From
//	edit rule                          Rule (ID; all else as it shall be; the list and Order as they are)
//	delete rule                        Rule (ID and its list)
//	create prefix list                 List (Prefixes = what it starts with)
//	edit prefix list                   List (ID, Name), Prefixes = added, Removed
//	mark prefix list                   List (ID, Name, Description as it shall be); its content stays
//	delete prefix list                 List (ID, Name)
//	authorise / revoke rules           GroupID, GroupRules (at most 100, of one direction)
//	edit group rule                    GroupID, GroupRules (one, with ID; the kind of its peer as it is)
//
// A peer of kind List in GroupRules may name a list made earlier in the same plan
// by its name instead of its id; Execute resolves it.
type Step struct {
	Op         Op             `json:"op"`
	Target     string         `json:"target"`
	Reason     string         `json:"reason"`
	Book       *AddressBook   `json:"book,omitempty"`
	Rule       *FirewallRule  `json:"rule,omitempty"`
	From       int            `json:"from,omitempty"`
	List       *PrefixList    `json:"list,omitempty"`
	Prefixes   []netip.Prefix `json:"prefixes,omitempty"`
	Removed    []netip.Prefix `json:"removed,omitempty"`
	GroupID    string         `json:"group_id,omitempty"`
	GroupRules []GroupRule    `json:"group_rules,omitempty"`
}

// Complete reports whether the step has what its operation needs to be told and
// judged.
func (s Step) Complete() bool {
	switch s.Op {
	case CreateBook, AppendAddresses, RemoveAddresses, MarkBook, DeleteBook:
		return s.Book != nil
	case InsertRule, MoveRule, EditRule, DeleteRule:
		return s.Rule != nil
	case CreateList, EditList, MarkList, DeleteList:
		return s.List != nil
	}
	return true
}

// Subject is what the step changes, for people.
func (s Step) Subject() string {
	if !s.Complete() {
		return ""
	}
	switch s.Op {
	case CreateBook:
		return fmt.Sprintf("%s with %d addresses", s.Book.Name, len(s.Book.Prefixes))
	case AppendAddresses:
		return fmt.Sprintf("%s +%d", s.Book.Name, len(s.Prefixes))
	case RemoveAddresses:
		return fmt.Sprintf("%s -%d", s.Book.Name, len(s.Prefixes))
	case MarkBook, DeleteBook:
		return s.Book.Name
	case InsertRule, EditRule:
		return fmt.Sprintf("#%d %s", s.Rule.Order, s.Rule)
	case MoveRule:
		return fmt.Sprintf("#%d to #%d %s", s.From, s.Rule.Order, s.Rule)
	case DeleteRule:
		return fmt.Sprintf("#%d %s", s.Rule.Order, s.Rule)
	case CreateList:
		return fmt.Sprintf("%s with %d of %d entries", s.List.Name, len(s.List.Prefixes), s.List.MaxEntries)
	case EditList:
		return fmt.Sprintf("%s +%d -%d", s.List.Name, len(s.Prefixes), len(s.Removed))
	case MarkList, DeleteList:
		return s.List.Name
	case AuthoriseRules, RevokeRules, EditGroupRule:
		return fmt.Sprintf("%d in %s", len(s.GroupRules), s.GroupID)
	}
	return ""
}
