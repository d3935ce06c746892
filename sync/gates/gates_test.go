package gates

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
	"fwsync/sync/plan"
)

var now = time.Date(2026, 11, 23, 20, 30, 0, 0, time.UTC)

func intentOf(blocked ...netip.Prefix) cloudfw.Intent {
	intent := cloudfw.Intent{
		Owner:   "edge",
		Targets: []cloudfw.Target{{Kind: cloudfw.InternetFirewall}},
		Rules: []cloudfw.Rule{
			{Name: "drop-attackers", Direction: cloudfw.In, From: cloudfw.Side{Blocked: true}, To: cloudfw.Side{Any: true}, Protocol: cloudfw.AnyProtocol, Application: "ANY", Action: cloudfw.Drop},
		},
	}
	for _, p := range blocked {
		intent.Blocked = append(intent.Blocked, cloudfw.Block{Prefix: p})
	}
	return intent
}

func check(t testing.TB, in Input) []Refusal {
	t.Helper()
	p, err := plan.Compute(plan.Input{Intent: in.Intent, Live: in.Live, Limits: cloudfw.DefaultLimits(), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	in.Plan = p
	if in.Limits == (Limits{}) {
		in.Limits = DefaultLimits()
	}
	return Check(in)
}

func expect(t *testing.T, got []Refusal, gate, text string) {
	t.Helper()
	for _, r := range got {
		if r.Gate == gate && strings.Contains(r.Message, text) {
			if r.Hint == "" {
				t.Errorf("the refusal %q has no hint", r.Message)
			}
			return
		}
	}
	t.Errorf("refusals = %v, want one of gate %s with %q", got, gate, text)
}

func prefixes(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		p, err := cloudfw.ParsePrefix(text)
		if err != nil {
			panic(err)
		}
		all = append(all, p)
	}
	return all
}

// Promise P3: whatever got into the intent, no plan that blocks a protected address
// passes, both families, inside a wider block or around a narrower one.
func TestP3NeverBlockHoldsOnTheFinalPlan(t *testing.T) {
	for _, c := range []struct{ name, blocked, reason string }{
		{"loopback", "127.0.0.1", "loopback"},
		{"private", "10.2.3.0/24", "private"},
		{"shared", "100.64.1.1", "shared"},
		{"multicast", "224.0.0.5", "multicast"},
		{"reserved", "240.0.0.1", "reserved"},
		{"link-local IPv6", "fe80::1", "link-local"},
		{"unique local IPv6", "fd12::/64", "private"},
		{"our own address", "192.0.2.25", "our own address"},
		{"a prefix around our own address", "192.0.2.0/24", "our own address 192.0.2.25"},
		{"the allowlist", "203.0.113.5", "group office"},
		{"the operator", "198.51.100.200", "operator"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := Input{
				Intent:   intentOf(prefixes(c.blocked)...),
				Live:     cloudfw.Snapshot{Assets: []cloudfw.Asset{{Address: netip.MustParseAddr("192.0.2.25")}}},
				Operator: Operator{Addresses: []netip.Addr{netip.MustParseAddr("198.51.100.200")}},
			}
			in.Intent.Allowed = []cloudfw.Exempt{{Prefix: prefixes("203.0.113.0/28")[0], Reason: "group office"}}
			expect(t, check(t, in), "never-block", c.reason)
		})
	}
	t.Run("an ordinary address passes", func(t *testing.T) {
		if got := check(t, Input{Intent: intentOf(prefixes("198.51.100.7", "2001:db8:bad::1")...)}); len(got) > 0 {
			t.Errorf("refusals = %v", got)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "addr"))), rapid.IntRange(16, 32).Draw(t, "bits")).Masked()
		pl, err := plan.Compute(plan.Input{Intent: intentOf(p), Limits: cloudfw.DefaultLimits(), Now: now})
		if err != nil {
			t.Fatal(err)
		}
		refused := len(Check(Input{Plan: pl, Intent: intentOf(p), Limits: DefaultLimits()})) > 0
		if _, reserved := cloudfw.Reserved(p); reserved != refused {
			t.Fatalf("%s: reserved %v, refused %v", p, reserved, refused)
		}
	})
}

func TestP3TooWidePrefixesAreRefused(t *testing.T) {
	for _, wide := range []string{"0.0.0.0/0", "128.0.0.0/1", "8.0.0.0/8", "2001::/16", "::/0"} {
		expect(t, check(t, Input{Intent: intentOf(prefixes(wide)...)}), "prefix-width", wide)
	}
	limits := DefaultLimits()
	limits.WidestIPv4 = 8
	if got := check(t, Input{Intent: intentOf(prefixes("8.0.0.0/8")...), Limits: limits}); len(got) > 0 {
		t.Errorf("with the override: %v", got)
	}
}

// Promise P13: a sudden flood of new blocks, removals that no decision explains, and
// mass deletions are refused with the numbers and the flag; the flag lets them pass.
func TestP13BlastRadiusIsLimited(t *testing.T) {
	many := func(n int) []netip.Prefix {
		var all []netip.Prefix
		for i := range n {
			all = append(all, netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 1, byte(i >> 8), byte(i)}), 32))
		}
		return all
	}
	holding := func(n int) cloudfw.Snapshot {
		b := cloudfw.AddressBook{ID: "b1", Family: cloudfw.IPv4, Name: cloudfw.Owner("edge").BookName("blocked4-1"), Prefixes: many(n),
			Description: cloudfw.Marker{Owner: "edge", Kind: "book", Name: "blocked4-1"}.String()}
		return cloudfw.Snapshot{Books: []cloudfw.AddressBook{b}}
	}
	t.Run("a first run may block a large attack", func(t *testing.T) {
		if got := check(t, Input{Intent: intentOf(many(427)...)}); len(got) > 0 {
			t.Errorf("refusals = %v", got)
		}
	})
	t.Run("more new blocks than the limit", func(t *testing.T) {
		in := Input{Intent: intentOf(many(1001)...)}
		got := check(t, in)
		expect(t, got, "blast-radius", "1001")
		if !strings.Contains(got[0].Hint, "--max-new-blocks 1001") {
			t.Errorf("hint = %q", got[0].Hint)
		}
		in.Limits = DefaultLimits()
		in.Limits.NewBlocks = in.Limits.NewBlocks.Widened(1001)
		if got := check(t, in); len(got) > 0 {
			t.Errorf("with the flag: %v", got)
		}
	})
	t.Run("a tenfold jump over what is there", func(t *testing.T) {
		expect(t, check(t, Input{Intent: intentOf(many(550)...), Live: holding(50)}), "blast-radius", "300 %")
	})
	t.Run("removals that no decision explains", func(t *testing.T) {
		expect(t, check(t, Input{Intent: intentOf(), Live: holding(100)}), "blast-radius", "stop blocking 100")
	})
	t.Run("removals of decisions that ended", func(t *testing.T) {
		ended := map[netip.Prefix]bool{}
		for _, p := range many(100) {
			ended[p] = true
		}
		if got := check(t, Input{Intent: intentOf(), Live: holding(100), Ended: ended}); len(got) > 0 {
			t.Errorf("refusals = %v", got)
		}
	})
}

func TestANameThatSomebodyElseHasIsRefused(t *testing.T) {
	foreign := cloudfw.AddressBook{ID: "b1", Family: cloudfw.IPv4, Name: cloudfw.Owner("edge").BookName("blocked4-1"), Description: "made by hand"}
	expect(t, check(t, Input{Intent: intentOf(prefixes("198.51.100.7")...), Live: cloudfw.Snapshot{Books: []cloudfw.AddressBook{foreign}}}), "ownership", "made by hand")
}

func TestTheOperatorsConnectionIsNotCut(t *testing.T) {
	in := Input{Intent: intentOf(), Operator: Operator{Client: netip.MustParseAddr("198.51.100.200"), Server: netip.MustParseAddr("192.0.2.25"), Port: 22}}
	server := cloudfw.Side{Prefixes: prefixes("192.0.2.25/32")}
	rest := cloudfw.Rule{Name: "rest", Direction: cloudfw.In, From: cloudfw.Side{Any: true}, To: server, Protocol: cloudfw.AnyProtocol, Application: "ANY", Action: cloudfw.Drop, Declared: "smtp.yaml:9"}
	in.Intent.Rules = append(in.Intent.Rules, rest)
	expect(t, check(t, in), "operator", `"rest" (smtp.yaml:9)`)

	admin := cloudfw.Rule{Name: "admin", Direction: cloudfw.In, From: cloudfw.Side{Any: true}, To: server, Protocol: cloudfw.TCP, Ports: []cloudfw.PortRange{{First: 22, Last: 22}}, Application: "ANY", Action: cloudfw.Accept}
	in.Intent.Rules = []cloudfw.Rule{in.Intent.Rules[0], admin, rest}
	if got := check(t, in); len(got) > 0 {
		t.Errorf("with an accept above: %v", got)
	}
}

func TestWhatDoesNotFitIsRefusedBeforeTheFirstStep(t *testing.T) {
	in := Input{Intent: intentOf(prefixes("198.51.100.7")...)}
	p, err := plan.Compute(plan.Input{Intent: in.Intent, Limits: cloudfw.DefaultLimits(), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	p.Capacity = append(p.Capacity, plan.Use{What: "policy quota (spread units)", Before: 10, After: 21, Limit: 20})
	in.Plan, in.Limits = p, DefaultLimits()
	expect(t, Check(in), "capacity", "21 of 20")
}

func ExampleBudget() {
	b := Budget{Count: 1000, Percent: 300, Floor: 100}
	why, over := b.over(1200, 5000)
	fmt.Println(over, why)
	// Output: true the limit is 1000
}
