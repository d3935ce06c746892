package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
)

var now = time.Date(2026, 11, 23, 20, 30, 0, 0, time.UTC)

func smallLimits() cloudfw.Limits {
	l := cloudfw.DefaultLimits()
	l.AddressesPerBook = 4
	l.RulesPerGroup = 14
	l.RulesPerCall = 3
	return l
}

func genIntent(t *rapid.T, owner cloudfw.Owner, label string) cloudfw.Intent {
	side := rapid.Custom(func(t *rapid.T) cloudfw.Side {
		switch rapid.IntRange(0, 2).Draw(t, "side") {
		case 0:
			return cloudfw.Side{Any: true}
		case 1:
			var ps []netip.Prefix
			for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, 7), 1, 3, rapid.ID[int]).Draw(t, "group") {
				ps = append(ps, netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(n)}), 32))
			}
			return cloudfw.Side{Group: rapid.SampledFrom([]string{"office", "partners"}).Draw(t, "name"), Prefixes: cloudfw.SortPrefixes(ps)}
		default:
			n := rapid.IntRange(0, 7).Draw(t, "net")
			return cloudfw.Side{Prefixes: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(n)}), 30).Masked()}}
		}
	})
	intent := cloudfw.Intent{Owner: owner, Targets: []cloudfw.Target{
		{Kind: cloudfw.InternetFirewall},
		{Kind: cloudfw.NATFirewall, Border: gateway},
		{Kind: cloudfw.SecurityGroupTarget, GroupID: "sg-mail", Capacity: rapid.SampledFrom([]int{2, 5, 10}).Draw(t, label+" capacity"),
			Via: rapid.SampledFrom([]cloudfw.Via{cloudfw.ViaRules, cloudfw.ViaPrefixList}).Draw(t, label+" via")},
	}}
	for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, 7), 0, 8, rapid.ID[int]).Draw(t, label+" blocked") {
		b := cloudfw.Block{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(n)}), 32), Score: rapid.IntRange(1, 3).Draw(t, "score")}
		if b.Lapses = rapid.Bool().Draw(t, "lapses"); b.Lapses {
			b.Until = now.Add(time.Duration(rapid.IntRange(1, 400).Draw(t, "minutes")) * time.Minute)
		}
		intent.Blocked = append(intent.Blocked, b)
	}
	intent.Rules = []cloudfw.Rule{{Name: "drop-attackers", Direction: cloudfw.In, From: cloudfw.Side{Blocked: true}, To: cloudfw.Side{Any: true}, Protocol: cloudfw.AnyProtocol, Application: "ANY", Action: cloudfw.Drop}}
	for i := range rapid.IntRange(0, 2).Draw(t, label+" rules out") {
		intent.Rules = append(intent.Rules, cloudfw.Rule{
			Name: fmt.Sprintf("o%d", i), Direction: cloudfw.Out, From: cloudfw.Side{Any: true}, To: side.Draw(t, "to"),
			Protocol: cloudfw.TCP, Application: "ANY", Action: rapid.SampledFrom([]cloudfw.Action{cloudfw.Accept, cloudfw.Drop}).Draw(t, "action"),
		})
		if i == 0 {
			intent.Rules[len(intent.Rules)-1].To, intent.Rules[len(intent.Rules)-1].Action = cloudfw.Side{Blocked: true}, cloudfw.Drop
		}
	}
	for i := range rapid.IntRange(0, 4).Draw(t, label+" rules") {
		intent.Rules = append(intent.Rules, cloudfw.Rule{
			Name: fmt.Sprintf("r%d", i), Direction: cloudfw.In, From: side.Draw(t, "from"), To: cloudfw.Side{Any: true},
			Protocol: cloudfw.TCP, Application: "ANY",
			Ports:  rapid.SampledFrom([][]cloudfw.PortRange{nil, {{First: 25, Last: 25}}, {{First: 22, Last: 22}, {First: 587, Last: 587}}}).Draw(t, "ports"),
			Action: rapid.SampledFrom([]cloudfw.Action{cloudfw.Accept, cloudfw.Drop}).Draw(t, "action"),
		})
	}
	return intent
}

// gateway has a border of its own, whose rules share the books of the internet
// border's.
var gateway = cloudfw.Border{NAT: "ngw-edge"}

// edit does to the live state what another person might: foreign rules anywhere,
// our rules moved, changed or gone.
func edit(t *rapid.T, w *world) {
	for i := range rapid.IntRange(0, 4).Draw(t, "edits") {
		key := rapid.SampledFrom(lists).Draw(t, "list")
		list := w.snap.List(key)
		switch pick := rapid.IntRange(0, 4).Draw(t, "edit"); {
		case pick == 4 && len(w.snap.Books) > 0:
			b := w.book(rapid.SampledFrom(w.snap.Books).Draw(t, "book").ID)
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(rapid.IntRange(0, 7).Draw(t, "address"))}), 32)
			if at := slices.Index(b.Prefixes, p); at >= 0 && len(b.Prefixes) > 1 {
				b.Prefixes = slices.Delete(slices.Clone(b.Prefixes), at, at+1)
			} else if at < 0 && len(b.Prefixes) < 4 {
				b.Prefixes = cloudfw.SortPrefixes(append(slices.Clone(b.Prefixes), p))
			}
		case pick == 0 || len(list) == 0:
			n := rapid.IntRange(0, 7).Draw(t, "foreign")
			w.place(cloudfw.FirewallRule{ID: w.id("foreign"), Order: rapid.IntRange(1, len(list)+1).Draw(t, "at"), Border: key.Border, Direction: key.Direction, Family: key.Family,
				Action: rapid.SampledFrom([]cloudfw.Action{cloudfw.Accept, cloudfw.Drop}).Draw(t, "does"),
				Source: cloudfw.Peer{Kind: cloudfw.Net, Value: fmt.Sprintf("198.51.100.%d/32", n)}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"},
				Protocol: cloudfw.AnyProtocol, Application: "ANY", Description: fmt.Sprintf("by hand %d", i)})
		case pick == 1:
			r := w.take(rapid.SampledFrom(list).Draw(t, "moved").ID, rapid.IntRange(1, len(list)).Draw(t, "to"))
			w.place(r)
		case pick == 2:
			w.take(rapid.SampledFrom(list).Draw(t, "deleted").ID, 0)
		default:
			at := slices.IndexFunc(w.snap.Rules, func(r cloudfw.FirewallRule) bool { return r.ID == list[0].ID })
			w.snap.Rules[at].Action = cloudfw.Accept
		}
	}
}

// Promise P2, and that a plan gets where it should: after every step of a plan each
// packet has its verdict of before the plan or of after it; planning again plans
// nothing; what is foreign is byte for byte what it was, in the order it was.
func TestP2EveryIntermediateStateIsSafeAndThePlanConverges(t *testing.T) {
	owner := cloudfw.Owner("edge")
	space := everyPacket()
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t: t, snap: cloudfw.Snapshot{TakenAt: now, Groups: []cloudfw.SecurityGroup{{ID: "sg-mail", Rules: []cloudfw.GroupRule{{ID: "hand", Direction: cloudfw.In, Action: cloudfw.Accept, Protocol: cloudfw.TCP, Priority: 50, Peer: cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}, Description: "by hand"}}}}}}
		run := func(label string) {
			intent := genIntent(t, owner, label)
			in := Input{Intent: intent, Live: w.snap, Limits: smallLimits(), Now: now}
			p, err := Compute(in)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range p.Proof.Unsafe {
				// A group may have no room for the old rule and the new one.
				if !strings.HasPrefix(m.List, "security group") {
					t.Fatalf("not proven safe: %+v", m)
				}
			}
			final := &world{t: t, snap: clone(w.snap), next: w.next}
			for _, s := range p.Steps {
				final.execute(s)
			}
			before := w.snap
			foreign := foreignOf(owner, before)
			w.snap = clone(before)
			for i, s := range p.Steps {
				w.execute(s)
				for _, pk := range space {
					got := verdict(w.snap, pk)
					if got != verdict(before, pk) && got != verdict(final.snap, pk) {
						t.Fatalf("after step %d (%s %s) packet %v gets %s, neither the old nor the new verdict", i+1, s.Op, s.Subject(), pk, got)
					}
				}
			}
			again, err := Compute(Input{Intent: intent, Live: w.snap, Limits: smallLimits(), Now: now})
			if err != nil {
				t.Fatal(err)
			}
			if again.Changes() {
				t.Fatalf("planning again still plans %d steps, first %s %s", len(again.Steps), again.Steps[0].Op, again.Steps[0].Subject())
			}
			if !slices.Equal(foreign, foreignOf(owner, w.snap)) {
				t.Fatalf("foreign rules were changed or reordered:\n%v\n%v", foreign, foreignOf(owner, w.snap))
			}
			for _, s := range p.Steps {
				if !cloudfw.Done(p.Steps[len(p.Steps)-1], w.snap) {
					t.Fatalf("the last step %s %s does not show as done", s.Op, s.Subject())
				}
			}
		}
		run("first")
		edit(t, w)
		run("second")
	})
}

func clone(s cloudfw.Snapshot) cloudfw.Snapshot {
	s.Books, s.Rules, s.Lists, s.Groups = slices.Clone(s.Books), slices.Clone(s.Rules), slices.Clone(s.Lists), slices.Clone(s.Groups)
	for i := range s.Groups {
		s.Groups[i].Rules = slices.Clone(s.Groups[i].Rules)
	}
	return s
}

func foreignOf(owner cloudfw.Owner, s cloudfw.Snapshot) []cloudfw.FirewallRule {
	var all []cloudfw.FirewallRule
	for _, r := range s.Rules {
		if !owner.Owns("rule", r.Description) {
			r.Order = 0
			all = append(all, r)
		}
	}
	return all
}

func TestAPlanIsTheSameForTheSameInput(t *testing.T) {
	in := Input{Limits: cloudfw.DefaultLimits(), Now: now, Intent: cloudfw.Intent{Owner: "edge", Targets: []cloudfw.Target{{Kind: cloudfw.InternetFirewall}}}}
	for i := range 500 {
		in.Intent.Blocked = append(in.Intent.Blocked, cloudfw.Block{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), 32)})
	}
	first, err := Compute(in)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(in.Intent.Blocked)
	second, err := Compute(in)
	if err != nil {
		t.Fatal(err)
	}
	if first.ID != second.ID || !first.Intact() {
		t.Errorf("plan ids %s and %s differ", first.ID, second.ID)
	}
	first.Steps[0].Reason = "edited by hand"
	if first.Intact() {
		t.Error("an edited plan counts as intact")
	}
}

func TestOneMoreAddressTouchesOneBook(t *testing.T) {
	intent := cloudfw.Intent{Owner: "edge", Targets: []cloudfw.Target{{Kind: cloudfw.InternetFirewall}},
		Rules: []cloudfw.Rule{{Name: "drop", Direction: cloudfw.In, From: cloudfw.Side{Blocked: true}, To: cloudfw.Side{Any: true}, Protocol: cloudfw.AnyProtocol, Application: "ANY", Action: cloudfw.Drop}}}
	for i := range 5000 {
		intent.Blocked = append(intent.Blocked, cloudfw.Block{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}), 32)})
	}
	w := &world{t: t}
	limits := cloudfw.DefaultLimits()
	first, err := Compute(Input{Intent: intent, Live: w.snap, Limits: limits, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range first.Steps {
		w.execute(s)
	}
	if got := len(w.snap.Books); got != 3 {
		t.Fatalf("5000 addresses are in %d books, want 3", got)
	}
	intent.Blocked = append(intent.Blocked, cloudfw.Block{Prefix: prefix(t, "192.0.2.200")})
	next, err := Compute(Input{Intent: intent, Live: w.snap, Limits: limits, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if len(next.Steps) != 1 || next.Steps[0].Op != cloudfw.AppendAddresses || len(next.Steps[0].Prefixes) != 1 {
		t.Errorf("steps = %v, want one append of one address", next.Steps)
	}
}

// A book that a rule of other people names cannot be deleted: it stays, and says why.
func TestABookThatOtherPeopleUseStays(t *testing.T) {
	owner := cloudfw.Owner("edge")
	book := cloudfw.AddressBook{ID: "b", Name: "fwsync-edge-blocked4-1", Family: cloudfw.IPv4, Prefixes: []netip.Prefix{prefix(t, "198.51.100.7")}, References: 1}
	book.Description = cloudfw.Summed("fwsync owner=edge book=blocked4-1", book.Prefixes)
	rule := cloudfw.FirewallRule{
		ID: "r", Order: 1, Direction: cloudfw.In, Family: cloudfw.IPv4, Action: cloudfw.Drop, Protocol: cloudfw.AnyProtocol, Description: "a colleague's",
		Source: cloudfw.Peer{Kind: cloudfw.Book, Value: book.Name}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"},
	}
	live := cloudfw.Snapshot{Books: []cloudfw.AddressBook{book}, Rules: []cloudfw.FirewallRule{rule}}
	if !owner.OwnsBook(live.Books[0]) {
		t.Fatal("the book is not ours: the test says nothing")
	}
	p, err := Compute(Input{Intent: cloudfw.Intent{Owner: owner, Targets: []cloudfw.Target{{Kind: cloudfw.InternetFirewall}}}, Live: live})
	if err != nil || len(p.Steps) != 0 || !slices.ContainsFunc(p.Notes, func(n string) bool { return strings.Contains(n, "1 rules of other people name it: it stays") }) {
		t.Errorf("steps %v, notes %q, %v", p.Steps, p.Notes, err)
	}
}
