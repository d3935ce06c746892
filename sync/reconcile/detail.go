package reconcile

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/sync/plan"
)

// PlanDetail is what the ledger keeps of an applied plan beside its journal: what it was
// for and each step with what it found, so that what was done can be shown in full when
// the cloud has long moved on.
type PlanDetail struct {
	Kind       plan.Kind `json:"kind"`
	Command    string    `json:"command,omitempty"` // that applied it
	PolicyHash string    `json:"policy_hash"`
	Steps      []Change  `json:"steps,omitempty"`
}

// Change is a step and the object that it changes as it was right before. What only adds
// or takes addresses says which; the addresses of a book or list that is but edited so
// are left out of Before.
type Change struct {
	Step   cloudfw.Step `json:"step"`
	Before *Was         `json:"before,omitempty"` // nil: there was nothing
}

// Was is one object; a step of a security group may find several rules.
type Was struct {
	Book       *cloudfw.AddressBook  `json:"book,omitempty"`
	Rule       *cloudfw.FirewallRule `json:"rule,omitempty"`
	List       *cloudfw.PrefixList   `json:"list,omitempty"`
	GroupRules []cloudfw.GroupRule   `json:"group_rules,omitempty"`
}

// detailOf is the detail of a plan that was made from the live state.
func detailOf(p plan.Plan, command string, live cloudfw.Snapshot) json.RawMessage {
	d := PlanDetail{Kind: p.Kind, Command: command, PolicyHash: p.PolicyHash, Steps: make([]Change, len(p.Steps))}
	replay := cloudfw.NewReplay(live)
	for i, s := range p.Steps {
		d.Steps[i] = Change{s, was(replay, s)}
		replay.Follow(s)
	}
	text, err := json.Marshal(d)
	if err != nil {
		panic("reconcile: a plan is plain data and always marshals: " + err.Error())
	}
	return text
}

// was is what a step finds, or nil.
func was(r *cloudfw.Replay, s cloudfw.Step) *Was {
	if !s.Complete() {
		return nil
	}
	names := r.Names()
	switch s.Op {
	case cloudfw.AppendAddresses, cloudfw.RemoveAddresses, cloudfw.MarkBook, cloudfw.DeleteBook:
		if b, there := names.Book(s.Book.Name); there {
			if s.Op != cloudfw.DeleteBook {
				b.Prefixes = nil
			}
			return &Was{Book: &b}
		}
	case cloudfw.MoveRule, cloudfw.EditRule, cloudfw.DeleteRule:
		rules := r.Rules(s.Rule.Key())
		if at := slices.IndexFunc(rules, func(o *cloudfw.FirewallRule) bool { return o.ID == s.Rule.ID }); at >= 0 {
			rule := *rules[at]
			rule.Order = at + 1
			return &Was{Rule: &rule}
		}
	case cloudfw.EditList, cloudfw.MarkList, cloudfw.DeleteList:
		if at := slices.IndexFunc(names.Lists, func(l cloudfw.PrefixList) bool { return l.Name == s.List.Name }); at >= 0 {
			l := names.Lists[at]
			if s.Op != cloudfw.DeleteList {
				l.Prefixes = nil
			}
			return &Was{List: &l}
		}
	case cloudfw.EditGroupRule, cloudfw.RevokeRules:
		g, _ := names.Group(s.GroupID)
		var found []cloudfw.GroupRule
		for _, rule := range g.Rules {
			if slices.ContainsFunc(s.GroupRules, func(o cloudfw.GroupRule) bool { return o.ID != "" && o.ID == rule.ID }) {
				found = append(found, rule)
			}
		}
		if found != nil {
			return &Was{GroupRules: found}
		}
	}
	return nil
}

// DetailOf reads what the ledger keeps of a plan; an older fwsync kept none.
func DetailOf(p ledger.AppliedPlan) (PlanDetail, error) {
	var d PlanDetail
	if p.Detail == nil {
		return d, nil
	}
	if err := json.Unmarshal(p.Detail, &d); err != nil {
		return d, fmt.Errorf("reading what is kept of %s: %w", p.ID, err)
	}
	return d, nil
}

// Names reports whether the step puts in or takes out a part of a prefix, or something
// around it.
func (c Change) Names(p netip.Prefix) bool {
	s := c.Step
	sets, rules := [][]netip.Prefix{s.Prefixes, s.Removed}, s.GroupRules
	if s.Book != nil && s.Op == cloudfw.CreateBook {
		sets = append(sets, s.Book.Prefixes)
	}
	if s.List != nil && s.Op == cloudfw.CreateList {
		sets = append(sets, s.List.Prefixes)
	}
	if was := c.Before; was != nil {
		if was.Book != nil {
			sets = append(sets, was.Book.Prefixes)
		}
		if was.List != nil {
			sets = append(sets, was.List.Prefixes)
		}
		rules = append(slices.Clone(rules), was.GroupRules...)
	}
	for _, set := range sets {
		if slices.ContainsFunc(set, p.Overlaps) {
			return true
		}
	}
	return slices.ContainsFunc(rules, func(r cloudfw.GroupRule) bool {
		peer, err := cloudfw.ParsePrefix(r.Peer.Value)
		return err == nil && r.Peer.Kind == cloudfw.Net && peer.Bits() > 0 && p.Overlaps(peer)
	})
}
