package condense

import (
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// shape is one way to choose disjoint prefixes of a space of 16 addresses.
type shape struct {
	addresses uint16
	prefixes  uint32 // set of the 31 prefixes, numbered as a heap: 1 is the whole
}

// shapes are all 458,330 of them.
var shapes = func() []shape {
	var under func(n int) []shape
	under = func(n int) []shape {
		alone := shape{span(n), 1 << n}
		if n >= 16 {
			return []shape{{}, alone}
		}
		all := []shape{alone}
		right := under(2*n + 1)
		for _, l := range under(2 * n) {
			for _, r := range right {
				all = append(all, shape{l.addresses | r.addresses, l.prefixes | r.prefixes})
			}
		}
		return all
	}
	return under(1)
}()

// span is the addresses of the prefix with that number.
func span(n int) uint16 {
	depth := bits.Len(uint(n)) - 1
	size := 16 >> depth
	return uint16((1<<size - 1) << ((n - 1<<depth) * size))
}

// problem is a random cover of the 16 addresses of 198.51.100.0/28.
type problem struct {
	blocked, protected uint16
	places             int
	budget             Budget
}

var genProblem = rapid.Custom(func(t *rapid.T) problem {
	p := problem{blocked: rapid.Uint16Range(1, 0xffff).Draw(t, "blocked"), places: rapid.IntRange(0, 8).Draw(t, "places")}
	if rapid.Bool().Draw(t, "shielded") {
		p.protected = 1 << rapid.IntRange(0, 15).Draw(t, "protected") &^ p.blocked
	}
	p.budget = Budget{Innocents: rapid.Uint64Range(0, 12).Draw(t, "innocents"), WidestIPv4: rapid.IntRange(28, 31).Draw(t, "widest")}
	return p
})

func addresses(mask uint16) []netip.Prefix {
	var ps []netip.Prefix
	for n := range 16 {
		if mask&(1<<n) != 0 {
			ps = append(ps, narrow(false, byte(n), 32))
		}
	}
	return ps
}

// optimum looks at every shape: the fewest innocents in the allowed places, else
// the fewest places in the budget.
func (p problem) optimum() (places int, innocents uint64) {
	var barred uint32
	for n := 1; n < 32; n++ {
		s := span(n)
		if s&^p.blocked != 0 && (s&p.protected != 0 || 28+bits.Len(uint(n))-1 < p.budget.WidestIPv4) {
			barred |= 1 << n
		}
	}
	places, innocents = 99, 99
	fits := false
	for _, s := range shapes {
		if s.prefixes&barred != 0 || p.blocked&^s.addresses != 0 {
			continue
		}
		count, cost := bits.OnesCount32(s.prefixes), uint64(bits.OnesCount16(s.addresses&^p.blocked))
		switch {
		case cost > p.budget.Innocents:
		case count <= p.places:
			if !fits || cost < innocents {
				places, innocents, fits = count, cost, true
			}
		case !fits && (count < places || count == places && cost < innocents):
			places, innocents = count, cost
		}
	}
	return places, innocents
}

// sound holds what is true of every covering, whatever way it was found.
func (p problem) sound(t *rapid.T, c Covering) {
	var mask uint16
	for _, q := range c.Prefixes {
		for n := range 16 {
			if q.Contains(narrow(false, byte(n), 32).Addr()) {
				if mask&(1<<n) != 0 {
					t.Fatalf("%v overlap", c.Prefixes)
				}
				mask |= 1 << n
			}
		}
	}
	switch {
	case p.blocked&^mask != 0:
		t.Fatalf("%v does not hold all of %016b", c.Prefixes, p.blocked)
	case mask&p.protected != 0:
		t.Fatalf("%v holds a protected address", c.Prefixes)
	case uint64(bits.OnesCount16(mask&^p.blocked)) != c.Innocents || c.Innocents > p.budget.Innocents:
		t.Fatalf("%v: %d innocents counted, %d there, %d allowed", c.Prefixes, c.Innocents, bits.OnesCount16(mask&^p.blocked), p.budget.Innocents)
	case !slices.IsSortedFunc(c.Prefixes, netip.Prefix.Compare):
		t.Fatalf("%v is not sorted", c.Prefixes)
	}
	total := uint64(0)
	for _, m := range c.Merges {
		total += m.Innocents
		if m.Prefix.Bits() < p.budget.WidestIPv4 || m.Members < 2 || !slices.Contains(c.Prefixes, m.Prefix) {
			t.Fatalf("merge %+v is too wide, empty or not in %v", m, c.Prefixes)
		}
	}
	if total != c.Innocents {
		t.Fatalf("the merges cost %d, the covering %d", total, c.Innocents)
	}
}

func TestCoverIsTheBestOfAllCovers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := genProblem.Draw(t, "problem")
		given := Aggregate(addresses(p.blocked))
		got := Cover(given, p.places, p.budget, addresses(p.protected))
		p.sound(t, got)
		places, innocents := p.optimum()
		if len(given) <= p.places {
			places, innocents = len(given), 0 // nothing to do
		}
		if got.Innocents != innocents || len(got.Prefixes) > max(p.places, places) {
			t.Fatalf("%v with %d innocents, the best is %d prefixes with %d", got.Prefixes, got.Innocents, places, innocents)
		}
	})
}

// By weakest link, without the exact method or with hardly any of it, a covering is
// sound and saves at least half of the places that the budget can save; the log says
// how often it misses the best, and by how much.
func TestTheWeakestLinkIsCloseToTheBest(t *testing.T) {
	cases, short, dear, extra, lost := 0, 0, 0, uint64(0), 0
	rapid.Check(t, func(t *rapid.T) {
		p := genProblem.Draw(t, "problem")
		p.protected = 0
		given := Aggregate(addresses(p.blocked))
		if len(given) <= p.places {
			return
		}
		got := cover(given, p.places, p.budget, nil, rapid.SampledFrom([]int{0, 8}).Draw(t, "work"))
		p.sound(t, got)
		places, innocents := p.optimum()
		cases++
		saved, savable := len(given)-max(len(got.Prefixes), p.places), len(given)-max(places, p.places)
		if 2*saved < savable {
			t.Fatalf("%d places saved of %d that can be", saved, savable)
		}
		switch {
		case saved < savable:
			short++
			lost += savable - saved
		case len(got.Prefixes) <= p.places && got.Innocents > innocents:
			dear++
			extra += got.Innocents - innocents
		}
	})
	t.Logf("of %d: %d save fewer places (%d in all), %d have more innocents (%d in all)", cases, short, lost, dear, extra)
}

func TestCoverTable(t *testing.T) {
	loose := Budget{Innocents: 1000, WidestIPv4: 24, WidestIPv6: 48}
	for _, c := range []struct {
		name, given string
		places      int
		budget      Budget
		protected   string
		want        string
		innocents   uint64
	}{
		{"there is room", "192.0.2.1/32 192.0.2.3/32", 2, loose, "", "192.0.2.1/32 192.0.2.3/32", 0},
		{"no budget", "192.0.2.1/32 192.0.2.3/32", 1, Budget{}, "", "192.0.2.1/32 192.0.2.3/32", 0},
		{"the cheaper pair", "192.0.2.1/32 192.0.2.3/32 198.51.100.0/32 198.51.100.8/32", 3, loose, "", "192.0.2.0/30 198.51.100.0/32 198.51.100.8/32", 2},
		{"the cheaper pair is protected", "192.0.2.1/32 192.0.2.3/32 198.51.100.0/32 198.51.100.8/32", 3, loose, "192.0.2.2/32", "192.0.2.1/32 192.0.2.3/32 198.51.100.0/28", 14},
		{"protected from above", "192.0.2.1/32 192.0.2.3/32", 1, loose, "192.0.0.0/16", "192.0.2.1/32 192.0.2.3/32", 0},
		{"too wide", "192.0.2.1/32 192.0.3.1/32", 1, loose, "", "192.0.2.1/32 192.0.3.1/32", 0},
		{"reserved", "10.0.0.1/32 10.0.0.3/32", 1, loose, "", "10.0.0.1/32 10.0.0.3/32", 0},
		{"two hosts of one IPv6 network", "2001:db8::1/128 2001:db8::8/128", 1, loose, "", "2001:db8::/124", 1},
		{"two IPv6 networks", "2001:db8::/64 2001:db8:0:3::/64", 1, loose, "", "2001:db8::/62", 2},
		{"two IPv6 hosts far apart", "2001:db8::1/128 2001:db8:0:3::1/128", 1, loose, "", "2001:db8::/62", 4},
		{"IPv6 too wide by default", "2001:db8::1/128 2001:db8:0:3::1/128", 1, Budget{Innocents: 1000}, "", "2001:db8::1/128 2001:db8:0:3::1/128", 0},
		{"the ends of IPv6", "::2/128 8000::/128", 1, Budget{Innocents: 1 << 63, WidestIPv6: 1}, "", "::2/128 8000::/128", 0},
	} {
		got := Cover(prefixes(t, c.given), c.places, c.budget, prefixes(t, c.protected))
		if !slices.Equal(got.Prefixes, prefixes(t, c.want)) || got.Innocents != c.innocents {
			t.Errorf("%s: %v with %d innocents, want %s with %d", c.name, got.Prefixes, got.Innocents, c.want, c.innocents)
		}
	}
}

func BenchmarkCover(b *testing.B) {
	for _, c := range []struct {
		name  string
		dense int // addresses among which the 100,000 lie
		need  int
	}{{"sparse", 1 << 22, 100}, {"sparse", 1 << 22, 20_000}, {"dense", 1 << 19, 20_000}, {"dense", 1 << 19, 80_000}} {
		b.Run(c.name+"-"+strconv.Itoa(c.need), func(b *testing.B) {
			random := rand.New(rand.NewPCG(1, 2))
			var ps []netip.Prefix
			for range 100_000 {
				n := 1<<30 + random.Uint32N(uint32(c.dense))
				ps = append(ps, netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), 32))
			}
			given := Aggregate(ps)
			b.ReportAllocs()
			var got Covering
			for b.Loop() {
				got = Cover(given, len(given)-c.need, Budget{Innocents: 1 << 22}, nil)
			}
			b.ReportMetric(float64(len(given)-len(got.Prefixes)), "saved")
			b.ReportMetric(float64(got.Innocents), "innocents")
		})
	}
}
