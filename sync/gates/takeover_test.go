package gates

import (
	"strings"
	"testing"

	"fwsync/cloudfw"
	"fwsync/sync/plan"
)

// strange is an account with one object of each kind, described as told.
func strange(book, list, rule string) cloudfw.Snapshot {
	const owner = cloudfw.Owner("edge")
	return cloudfw.Snapshot{
		Books: []cloudfw.AddressBook{{ID: "b1", Name: owner.BookName("blocked4-1"), Family: cloudfw.IPv4, Description: book, Prefixes: prefixes("198.51.100.1")}},
		Lists: []cloudfw.PrefixList{{ID: "l1", Name: owner.BookName("blocked4-sg-1-10"), Family: cloudfw.IPv4, MaxEntries: 10, Description: list, Prefixes: prefixes("198.51.100.1")}},
		Rules: []cloudfw.FirewallRule{{ID: "r1", Order: 1, Direction: cloudfw.In, Family: cloudfw.IPv4, Action: cloudfw.Drop, Protocol: cloudfw.AnyProtocol,
			Source: cloudfw.Peer{Kind: cloudfw.Net, Value: "198.51.100.1/32"}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}, Description: rule}},
		Groups: []cloudfw.SecurityGroup{{ID: "sg-1", Rules: []cloudfw.GroupRule{{ID: "g1", Direction: cloudfw.In, Action: cloudfw.Drop, Protocol: cloudfw.AnyProtocol, Priority: 1,
			Peer: cloudfw.Peer{Kind: cloudfw.Net, Value: "198.51.100.1/32"}, Description: rule}}}},
	}
}

// marks are the steps that describe each object of it anew.
func marks(live cloudfw.Snapshot, book, list, rule string) []cloudfw.Step {
	b, l, r, g := live.Books[0], live.Lists[0], live.Rules[0], live.Groups[0].Rules[0]
	b.Prefixes, l.Prefixes = nil, nil
	b.Description, l.Description, r.Description, g.Description = book, list, rule, rule
	return []cloudfw.Step{
		{Op: cloudfw.MarkBook, Book: &b}, {Op: cloudfw.MarkList, List: &l}, {Op: cloudfw.EditRule, Rule: &r},
		{Op: cloudfw.EditGroupRule, GroupID: "sg-1", GroupRules: []cloudfw.GroupRule{g}},
	}
}

const (
	bookMark = "fwsync owner=edge book=blocked4-1"
	listMark = "fwsync owner=edge list=blocked4-sg-1-10"
	ruleMark = "fwsync owner=edge rule=x"
)

// Promise P1: a forged takeover that does more than write our marker, or take it away,
// is withheld, whatever its steps say of the objects.
func TestP1ATakeoverMayChangeTheMarkOnly(t *testing.T) {
	foreign, own := strange("by hand", "by hand", "by hand"), strange(bookMark, listMark, ruleMark)
	for name, c := range map[string]struct {
		kind   plan.Kind
		live   cloudfw.Snapshot
		steps  []cloudfw.Step
		passed int
		why    string
	}{
		"adopting":                           {plan.Adopt, foreign, marks(foreign, bookMark, listMark, ruleMark), 4, ""},
		"releasing":                          {plan.Release, own, marks(own, "was ours", "was ours", "was ours"), 4, ""},
		"the same in a reconcile":            {plan.Reconcile, foreign, marks(foreign, bookMark, listMark, ruleMark), 0, ""},
		"releasing in a reconcile":           {plan.Reconcile, own, marks(own, "was ours", "was ours", "was ours"), 0, ""},
		"adopting what is ours":              {plan.Adopt, own, marks(own, bookMark, listMark, ruleMark), 0, "it is ours already"},
		"adopting with another text":         {plan.Adopt, foreign, marks(foreign, "x", "x", "x"), 0, "it would not bear our marker"},
		"adopting for another owner":         {plan.Adopt, foreign, marks(foreign, strings.Replace(bookMark, "edge", "other", 1), strings.Replace(listMark, "edge", "other", 1), "fwsync owner=other rule=x"), 0, "it would not bear our marker"},
		"adopting with the marker of a book": {plan.Adopt, foreign, marks(foreign, listMark, bookMark, bookMark), 0, "it would not bear our marker"},
		"adopting another owner's":           {plan.Adopt, strange("fwsync owner=other book=x", "fwsync owner=other list=x", "fwsync owner=other rule=x"), marks(foreign, bookMark, listMark, ruleMark), 0, "it bears the mark of owner other"},
		"releasing what is not ours":         {plan.Release, foreign, marks(foreign, "x", "x", "x"), 0, "it is not ours"},
		"releasing to another owner":         {plan.Release, own, marks(own, "fwsync owner=other book=x", "fwsync owner=other list=x", "fwsync owner=other rule=x"), 0, "it would bear a mark"},
		"a mark of another content":          {plan.Adopt, foreign, marks(foreign, bookMark+" sum=00000000", listMark+" sum=00000000", ruleMark)[:2], 0, "the mark is of another content"},
	} {
		f := ownership(Input{Plan: plan.Plan{Owner: "edge", Kind: c.kind, Steps: c.steps}, Live: c.live})
		if f.Passed != c.passed || len(f.Withheld) != len(c.steps)-c.passed {
			t.Errorf("%s: %+v", name, f)
		}
		for _, w := range f.Withheld {
			if !strings.Contains(w.Why, c.why) || w.Hint == "" {
				t.Errorf("%s: %+v, want %q", name, w, c.why)
			}
		}
	}

	for _, kind := range []plan.Kind{plan.Adopt, plan.Release} {
		live, texts := foreign, []string{bookMark, listMark, ruleMark}
		if kind == plan.Release {
			live, texts = own, []string{"was ours", "was ours", "was ours"}
		}
		for name, forge := range map[string]func(book, list, rule, grouped *cloudfw.Step){
			"more": func(b, l, _, _ *cloudfw.Step) {
				b.Prefixes = prefixes("203.0.113.1")
				l.Removed = prefixes("198.51.100.1")
			},
			"content": func(b, l, _, _ *cloudfw.Step) {
				b.Book.Prefixes, l.List.Prefixes = prefixes("203.0.113.1"), prefixes("203.0.113.1")
			},
			"names":            func(b, l, _, _ *cloudfw.Step) { b.Book.Name, l.List.Name = "fwsync-edge-x", "fwsync-edge-x" },
			"families":         func(b, l, _, _ *cloudfw.Step) { b.Book.Family, l.List.Family = cloudfw.IPv6, cloudfw.IPv6 },
			"type and size":    func(b, l, _, _ *cloudfw.Step) { b.Book.Type, l.List.MaxEntries = cloudfw.PortRanges, 20 },
			"other operations": func(b, l, _, _ *cloudfw.Step) { b.Op, l.Op = cloudfw.DeleteBook, cloudfw.DeleteList },
			"no such sets":     func(b, l, _, _ *cloudfw.Step) { b.Book.ID, l.List.ID = "b2", "l2" },
			"actions":          func(_, _, r, g *cloudfw.Step) { r.Rule.Action, g.GroupRules[0].Action = cloudfw.Accept, cloudfw.Accept },
			"peers": func(_, _, r, g *cloudfw.Step) {
				r.Rule.Source.Value, g.GroupRules[0].Peer.Value = "198.51.100.0/24", "198.51.100.0/24"
			},
			"places":         func(_, _, r, g *cloudfw.Step) { r.Rule.Order, g.GroupRules[0].Priority = 2, 2 },
			"state and list": func(_, _, r, g *cloudfw.Step) { r.Rule.Disabled, g.GroupID = true, "sg-2" },
			"no such rules":  func(_, _, r, g *cloudfw.Step) { r.Rule.ID, g.GroupRules[0].ID = "r2", "g2" },
			"moves":          func(_, _, r, g *cloudfw.Step) { r.Op, g.Op = cloudfw.MoveRule, cloudfw.RevokeRules },
			"makes":          func(_, _, r, g *cloudfw.Step) { r.Op, g.Op = cloudfw.InsertRule, cloudfw.AuthoriseRules },
			"two at once":    func(_, _, r, g *cloudfw.Step) { r.From, g.GroupRules = 3, append(g.GroupRules, g.GroupRules[0]) },
			"nothing":        func(_, _, r, g *cloudfw.Step) { r.Rule, g.GroupRules = nil, nil },
		} {
			steps := marks(live, texts[0], texts[1], texts[2])
			forge(&steps[0], &steps[1], &steps[2], &steps[3])
			f := ownership(Input{Plan: plan.Plan{Owner: "edge", Kind: kind, Steps: steps}, Live: live})
			if f.Passed != 2 || len(f.Withheld) != 2 {
				t.Errorf("%s with forged %s: %+v", kind, name, f)
			}
		}
	}
}

// What becomes ours is looked at like what is newly blocked; what is given up is not
// unblocked.
func TestATakeoverIsLookedAtAsWhatItComesTo(t *testing.T) {
	run := func(kind plan.Kind, live cloudfw.Snapshot, steps []cloudfw.Step, in Input) []Refusal {
		in.Plan = plan.Plan{Owner: "edge", Kind: kind, Steps: steps, Proof: plan.Proof{Safe: true}}
		in.Live, in.Limits = live, DefaultLimits()
		return Check(in)
	}
	allowed := Input{Intent: cloudfw.Intent{Owner: "edge", Allowed: []cloudfw.Exempt{{Prefix: prefixes("198.51.100.1")[0], Reason: "allowlist"}}}}
	foreign, own := strange("by hand", "by hand", "by hand"), strange(bookMark, listMark, ruleMark)
	all := marks(foreign, bookMark, listMark, ruleMark)
	if got := run(plan.Adopt, foreign, all, Input{}); len(got) > 0 {
		t.Errorf("an adopt of what harms nobody: %v", got)
	}
	for i, step := range []cloudfw.Step{all[0], all[1], all[3]} { // a rule that names a network was declared
		if got := run(plan.Adopt, foreign, []cloudfw.Step{step}, allowed); len(got) != 1 || got[0].Gate != "never-block" {
			t.Errorf("adopting protected addresses, %d: %v", i, got)
		}
	}
	if got := run(plan.Release, own, marks(own, "x", "x", "x"), allowed); len(got) > 0 {
		t.Errorf("a release of protected addresses: %v", got)
	}

	foreign.Books[0].Prefixes, own.Books[0].Prefixes = many(1001), many(1001)
	own.Rules[0].Source = cloudfw.Peer{Kind: cloudfw.Book, Value: own.Books[0].Name}
	expect(t, run(plan.Adopt, foreign, marks(foreign, bookMark, listMark, ruleMark)[:1], Input{}), "blast-radius", "take over blocks of 1001 addresses: the limit is 1000")
	if got := run(plan.Release, own, marks(own, "x", "x", "x"), Input{}); len(got) > 0 {
		t.Errorf("a release of many blocks: %v", got)
	}
	own.Rules[0].Source, foreign.Rules[0].Source = cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}, cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}
	if got := run(plan.Release, own, marks(own, "x", "x", "x"), Input{}); len(got) > 0 {
		t.Errorf("a release of a rule that drops everything: %v", got)
	}
	expect(t, run(plan.Adopt, foreign, marks(foreign, bookMark, listMark, ruleMark), Input{}), "drop-everything", "it drops all ipv4 traffic")
	own.Rules[0].Source = cloudfw.Peer{Kind: cloudfw.Book, Value: own.Books[0].Name}
	foreign.Books[0].Prefixes = prefixes("198.0.0.0/8")
	expect(t, run(plan.Adopt, foreign, marks(foreign, bookMark, listMark, ruleMark), Input{}), "prefix-width", "wider than /16")

	// A set that our rules still name, or would name, has to go or come with them.
	expect(t, run(plan.Release, own, marks(own, "x", "x", "x")[:1], Input{}), "ownership", "our rules name it and it is not ours")
	foreign.Rules[0].Source = cloudfw.Peer{Kind: cloudfw.Book, Value: foreign.Books[0].Name}
	expect(t, run(plan.Adopt, foreign, marks(foreign, bookMark, listMark, ruleMark)[2:3], Input{}), "ownership", "our rules name it and it is not ours")
}
