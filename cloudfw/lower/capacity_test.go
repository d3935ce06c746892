package lower

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
)

// borderIntent blocks at the internet firewall, which drops what comes in.
func borderIntent(blocked []cloudfw.Block) cloudfw.Intent {
	return cloudfw.Intent{
		Owner: "edge", Blocked: blocked, Targets: []cloudfw.Target{{Kind: cloudfw.InternetFirewall}},
		Rules: []cloudfw.Rule{{Name: "drop", Direction: cloudfw.In, From: cloudfw.Side{Blocked: true}, To: cloudfw.Side{Any: true}, Protocol: cloudfw.AnyProtocol, Application: "ANY", Action: cloudfw.Drop}},
	}
}

func lowered(t testing.TB, intent cloudfw.Intent, live cloudfw.Snapshot, limits cloudfw.Limits) Wanted {
	t.Helper()
	w, err := Lower(intent, live, limits, nil)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func held(w Wanted) (all []netip.Prefix) {
	for _, b := range w.Books {
		all = append(all, b.Prefixes...)
	}
	return cloudfw.SortPrefixes(all)
}

// Promise P4 at the firewalls: the quota less its reserve decides, lossless
// aggregation comes first, then the declared collateral, then eviction by score, and
// what each did is listed.
func TestP4AFullPolicyQuotaCondensesThenEvictsAndListsBoth(t *testing.T) {
	limits := cloudfw.DefaultLimits()
	limits.SpreadUnits = 20 // 18 without the reserve
	rising := func(i int) int { return i }
	for _, c := range []struct {
		name                                string
		blocked                             []cloudfw.Block // two apart: a /30 holds two of them and two innocents
		collateral                          cloudfw.Collateral
		held, condensed, innocents, shelved int
	}{
		{"there is room", blocks(18, rising), cloudfw.Collateral{}, 18, 0, 0, 0},
		{"one too many", blocks(19, rising), cloudfw.Collateral{}, 18, 0, 0, 1},
		{"one too many, and a pair costs more than is allowed", blocks(19, rising), cloudfw.Collateral{Innocents: 1}, 18, 0, 0, 1},
		{"one too many, and a pair may be covered", blocks(19, rising), cloudfw.Collateral{Innocents: 2}, 18, 1, 2, 0},
		{"one too many, and no covering prefix may be so wide", blocks(19, rising), cloudfw.Collateral{Innocents: 2, WidestIPv4: 31}, 18, 0, 0, 1},
		{"a pair aggregates", append(blocks(18, rising), cloudfw.Block{Prefix: netip.MustParsePrefix("198.18.0.1/32")}), cloudfw.Collateral{Innocents: 9}, 18, 1, 0, 0},
	} {
		intent := borderIntent(c.blocked)
		intent.Collateral = c.collateral
		w := lowered(t, intent, cloudfw.Snapshot{}, limits)
		innocents := 0
		for _, m := range w.Condensed {
			innocents += int(m.Innocents)
		}
		if len(held(w)) != c.held || len(w.Condensed) != c.condensed || innocents != c.innocents || len(w.Shelved) != c.shelved {
			t.Errorf("%s: %d held, %v condensed, %d shelved; want %d, %d, %d", c.name, len(held(w)), w.Condensed, len(w.Shelved), c.held, c.condensed, c.shelved)
		}
		for _, s := range w.Shelved {
			if s.Block.Score != 0 || s.Target != "internet-firewall" || s.Reason == "" {
				t.Errorf("%s: shelved %+v, want the lowest score", c.name, s)
			}
		}
	}
}

func TestWhatARuleCostsCountsForEveryAddress(t *testing.T) {
	limits := cloudfw.DefaultLimits()
	limits.SpreadUnits, limits.Reserve = 100, 0
	intent := borderIntent(blocks(60, func(i int) int { return i }))
	intent.Rules[0].Protocol, intent.Rules[0].Application = cloudfw.TCP, "HTTP,SMTP"
	intent.Rules[0].Ports = []cloudfw.PortRange{{First: 25, Last: 25}, {First: 80, Last: 80}}
	live := cloudfw.Snapshot{Rules: []cloudfw.FirewallRule{{ID: "hand", Cost: 20, Description: "by hand"}}}
	if got := len(held(lowered(t, intent, live, limits))); got != 20 {
		t.Errorf("%d addresses at 4 units each in 80 units, want 20", got)
	}
}

// One family takes what the other leaves, and a fifth is IPv6's if it needs it.
func TestTheFamiliesShareTheQuota(t *testing.T) {
	limits := cloudfw.DefaultLimits()
	limits.SpreadUnits, limits.Reserve = 50, 0
	for _, c := range []struct{ four, six, held4, held6 int }{
		{50, 0, 50, 0}, {45, 5, 45, 5}, {60, 5, 45, 5}, {60, 60, 40, 10}, {10, 60, 10, 40},
	} {
		all := blocks(c.four, func(int) int { return 1 })
		for i := range c.six {
			all = append(all, cloudfw.Block{Prefix: netip.MustParsePrefix(fmt.Sprintf("2001:db8:0:%x::/64", 2*i)), Score: 1})
		}
		four, six := 0, 0
		for _, p := range held(lowered(t, borderIntent(all), cloudfw.Snapshot{}, limits)) {
			if p.Addr().Is4() {
				four++
			} else {
				six++
			}
		}
		if four != c.held4 || six != c.held6 {
			t.Errorf("%d and %d: %d and %d held, want %d and %d", c.four, c.six, four, six, c.held4, c.held6)
		}
	}
}

func TestBooksThatRunOutShelveTheRest(t *testing.T) {
	limits := cloudfw.DefaultLimits()
	limits.AddressesPerBook, limits.BooksPerAccount, limits.Reserve = 10, 4, 0
	live := cloudfw.Snapshot{Books: []cloudfw.AddressBook{{Name: "by hand", Family: cloudfw.IPv4, Description: "by hand"}}}
	for _, perBook := range []int{10, 0} {
		limits.AddressesPerBook = perBook
		w := lowered(t, borderIntent(blocks(100, func(i int) int { return i })), live, limits)
		if got, want := len(held(w)), 3*perBook; got != want || len(w.Books)*perBook != want || len(w.Shelved) != 100-want {
			t.Errorf("%d a book: %d held in %d books, %d shelved; want %d held", perBook, got, len(w.Books), len(w.Shelved), want)
		}
	}
}

// Whatever is blocked, live and allowed: each block is held or shelved, what is held
// beyond the blocks is listed, no protected address is covered, and lowering against
// what was lowered changes nothing.
func TestP4EveryBlockIsHeldOrListed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := cloudfw.DefaultLimits()
		limits.AddressesPerBook = rapid.IntRange(1, 6).Draw(t, "per book")
		limits.BooksPerAccount = rapid.IntRange(1, 5).Draw(t, "books")
		limits.SpreadUnits = rapid.SampledFrom([]int{0, 10, 20}).Draw(t, "units")
		guarded := netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(rapid.IntRange(0, 63).Draw(t, "own"))}), 32)
		draw := func() cloudfw.Intent {
			var all []cloudfw.Block
			for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, 63), 0, 40, rapid.ID[int]).Draw(t, "blocked") {
				if p := netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(n)}), 32); p != guarded {
					all = append(all, cloudfw.Block{Prefix: p, Score: rapid.IntRange(1, 3).Draw(t, "score")})
				}
			}
			intent := borderIntent(all)
			intent.Allowed = []cloudfw.Exempt{{Prefix: guarded}}
			intent.Collateral.Innocents = rapid.SampledFrom([]int{0, 0, 5, 50}).Draw(t, "innocents")
			return intent
		}
		check := func(intent cloudfw.Intent, live cloudfw.Snapshot) cloudfw.Snapshot {
			w, err := Lower(intent, live, limits, nil)
			if err != nil {
				t.Fatal(err)
			}
			all := held(w)
			holds := func(p netip.Prefix) bool {
				return slices.ContainsFunc(all, func(q netip.Prefix) bool { return cloudfw.Covers(q, p) })
			}
			if holds(guarded) {
				t.Fatalf("%v holds the protected %s", all, guarded)
			}
			shelved := map[netip.Prefix]bool{}
			for _, s := range w.Shelved {
				shelved[s.Block.Prefix] = true
			}
			innocents := 64
			for n := range 64 {
				if !holds(netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(n)}), 32)) {
					innocents--
				}
			}
			for _, b := range intent.Blocked {
				if holds(b.Prefix) == shelved[b.Prefix] {
					t.Fatalf("%s: held and shelved are both %t", b.Prefix, shelved[b.Prefix])
				}
				if holds(b.Prefix) {
					innocents--
				}
			}
			listed := 0
			for _, m := range w.Condensed {
				listed += int(m.Innocents)
			}
			if innocents != listed || listed > intent.Collateral.Innocents {
				t.Fatalf("%d innocents, %d listed, %d allowed", innocents, listed, intent.Collateral.Innocents)
			}
			for i := range w.Books {
				w.Books[i].ID = fmt.Sprint("book-", i)
				if len(w.Books[i].Prefixes) > limits.AddressesPerBook {
					t.Fatalf("%d in a book of %d", len(w.Books[i].Prefixes), limits.AddressesPerBook)
				}
			}
			return cloudfw.Snapshot{Books: w.Books}
		}
		live := check(draw(), cloudfw.Snapshot{})
		last := draw()
		for range 20 { // what waits for room gets it when the leavers are gone
			live = check(last, live)
		}
		again := check(last, live)
		if fmt.Sprint(again) != fmt.Sprint(live) {
			t.Fatalf("never comes to rest:\n%v\n%v", live, again)
		}
	})
}

func TestOneMoreAddressInATightQuotaTouchesOneBook(t *testing.T) {
	limits := cloudfw.DefaultLimits()
	limits.AddressesPerBook, limits.SpreadUnits, limits.Reserve = 50, 200, 0
	var all []cloudfw.Block
	for i := range 300 { // pairs: 150 places after aggregation
		all = append(all, cloudfw.Block{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18, byte(i / 2), byte(i % 2)}), 32), Score: 1})
	}
	first := lowered(t, borderIntent(all), cloudfw.Snapshot{}, limits)
	if len(held(first)) != 150 || len(first.Condensed) != 150 {
		t.Fatalf("%d held, %d condensed, want 150", len(held(first)), len(first.Condensed))
	}
	all = append(all, cloudfw.Block{Prefix: netip.MustParsePrefix("203.0.113.9/32"), Score: 1})
	next := lowered(t, borderIntent(all), cloudfw.Snapshot{Books: first.Books}, limits)
	touched := 0
	for _, b := range next.Books {
		before, _ := cloudfw.Snapshot{Books: first.Books}.Book(b.Name)
		if !slices.Equal(before.Prefixes, b.Prefixes) {
			touched++
		}
	}
	if touched != 1 || len(held(next)) != 151 {
		t.Errorf("%d books touched, %d held; want 1 and 151", touched, len(held(next)))
	}
}

func BenchmarkLower(b *testing.B) {
	all := make([]cloudfw.Block, 100_000, 100_001)
	for i := range all {
		n := uint32(i) * 2654435761 >> 7 // scattered over 2^25 addresses
		all[i] = cloudfw.Block{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(64 + n>>24), byte(n >> 16), byte(n >> 8), byte(n)}), 32), Score: i % 1000}
	}
	for _, c := range []struct {
		name       string
		quota      int
		collateral int
	}{{"room", 0, 0}, {"aggregate", 111_111, 0}, {"evict", 50_000, 0}, {"cover", 110_000, 65536}} {
		b.Run(c.name, func(b *testing.B) {
			limits := cloudfw.DefaultLimits()
			limits.SpreadUnits = c.quota
			intent := borderIntent(all)
			if c.name == "aggregate" { // one too many, and one pair
				low := all[0].Prefix.Addr()
				if low.As4()[3]%2 == 1 {
					low = low.Prev()
				} else {
					low = low.Next()
				}
				intent.Blocked = append(intent.Blocked, cloudfw.Block{Prefix: cloudfw.HostPrefix(low)})
			}
			intent.Collateral.Innocents = c.collateral
			live := cloudfw.Snapshot{Books: lowered(b, intent, cloudfw.Snapshot{}, limits).Books}
			b.ReportAllocs()
			for b.Loop() {
				lowered(b, intent, live, limits)
			}
		})
	}
}
