package condense

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
)

func prefixes(t testing.TB, text string) []netip.Prefix {
	t.Helper()
	var ps []netip.Prefix
	for field := range strings.FieldsSeq(text) {
		p, err := netip.ParsePrefix(field)
		if err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
	return ps
}

func TestAggregateTable(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"duplicates", "192.0.2.1/32 192.0.2.1/32", "192.0.2.1/32"},
		{"halves", "192.0.2.0/32 192.0.2.1/32", "192.0.2.0/31"},
		{"neighbours that are no halves", "192.0.2.1/32 192.0.2.2/32", "192.0.2.1/32 192.0.2.2/32"},
		{"halves of halves", "192.0.2.3/32 192.0.2.1/32 192.0.2.2/32 192.0.2.0/32", "192.0.2.0/30"},
		{"nested", "192.0.2.0/24 192.0.2.128/25 192.0.2.7/32", "192.0.2.0/24"},
		{"nested at its first address", "192.0.2.0/32 192.0.2.0/24", "192.0.2.0/24"},
		{"a merge swallows what comes", "192.0.2.0/25 192.0.2.128/25 192.0.2.200/32", "192.0.2.0/24"},
		{"everything in two halves", "0.0.0.0/1 128.0.0.0/1", "0.0.0.0/0"},
		{"everything", "0.0.0.0/0 203.0.113.9/32", "0.0.0.0/0"},
		{"everything, both families", "::/0 0.0.0.0/0 2001:db8::/32", "0.0.0.0/0 ::/0"},
		{"IPv6 halves across the middle", "2001:db8::/64 2001:db8:0:1::/64", "2001:db8::/63"},
		{"IPv6 halves of hosts", "2001:db8::1/128 2001:db8::/128", "2001:db8::/127"},
		{"IPv6 in two halves", "8000::/1 ::/1", "::/0"},
		{"IPv4-mapped", "::ffff:192.0.2.0/128 192.0.2.1/32", "192.0.2.0/31"},
		{"all that is IPv4-mapped", "::ffff:0:0/96 ::/128", "0.0.0.0/0 ::/128"},
		{"wider than IPv4-mapped", "::fffe:0:0/95", "::fffe:0:0/95"},
		{"host bits", "192.0.2.9/24", "192.0.2.0/24"},
		{"the last address", "255.255.255.255/32 255.255.255.254/32", "255.255.255.254/31"},
	} {
		got := Aggregate(prefixes(t, c.in))
		if want := prefixes(t, c.want); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", c.name, got, want)
		}
	}
	if got := Aggregate([]netip.Prefix{{}}); len(got) != 0 {
		t.Errorf("an invalid prefix became %v", got)
	}
}

// small draws a prefix within 198.51.100.0/26 or 2001:db8::/122: 64 addresses each.
func small(six bool) *rapid.Generator[netip.Prefix] {
	return rapid.Custom(func(t *rapid.T) netip.Prefix {
		n, length := byte(rapid.IntRange(0, 63).Draw(t, "n")), rapid.SampledFrom([]int{26, 27, 28, 29, 30, 31, 32, 32, 32}).Draw(t, "length")
		return narrow(six, n, length)
	})
}

// narrow is the n-th address of the small space with its family's form of an IPv4 length.
func narrow(six bool, n byte, length int) netip.Prefix {
	if six {
		base := netip.MustParseAddr("2001:db8::").As16()
		base[15] = n
		return netip.PrefixFrom(netip.AddrFrom16(base), length+96).Masked()
	}
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, n}), length).Masked()
}

// naive is the twin: it marks each of the 64 addresses and reads the widest marked
// blocks off from the left.
func naive(six bool, ps []netip.Prefix) []netip.Prefix {
	var marked [64]bool
	for n := range 64 {
		marked[n] = slices.ContainsFunc(ps, func(p netip.Prefix) bool { return p.Contains(narrow(six, byte(n), 32).Addr()) })
	}
	var all []netip.Prefix
	for n := 0; n < 64; {
		size := 0
		for s := 64; s >= 1 && size == 0; s /= 2 {
			if n%s == 0 && !slices.Contains(marked[n:n+s], false) {
				size = s
			}
		}
		if size == 0 {
			n++
			continue
		}
		length := 32
		for s := size; s > 1; s /= 2 {
			length--
		}
		all = append(all, narrow(six, byte(n), length))
		n += size
	}
	return all
}

func TestAggregateIsTheNaiveTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		four := rapid.SliceOfN(small(false), 0, 60).Draw(t, "four")
		six := rapid.SliceOfN(small(true), 0, 60).Draw(t, "six")
		want := slices.Concat(naive(false, four), naive(true, six))
		given := rapid.Permutation(slices.Concat(four, six)).Draw(t, "given")
		before := slices.Clone(given)
		got := Aggregate(given)
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		if !slices.Equal(given, before) {
			t.Fatal("the input was changed")
		}
		if again := Aggregate(got); !slices.Equal(again, got) {
			t.Fatalf("again: %v, not %v", again, got)
		}
	})
}

// Large inputs go the way of the radix sort, so they are held against the sweep
// over a comparison sort.
func TestAggregateOfManyIsThatOfTheOtherWay(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, span := range []uint32{1 << 13, 1 << 20, 1<<32 - 1} {
		var ps []netip.Prefix
		var keys []key
		for range 20_000 {
			n := random.Uint32N(span)
			length := 32 - min(random.IntN(12), random.IntN(12), random.IntN(12))
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), length)
			k, _, _ := keyOf(p)
			ps, keys = append(ps, p), append(keys, k)
		}
		slices.SortFunc(keys, key.compare)
		var want []netip.Prefix
		for _, k := range sweep(keys) {
			want = append(want, k.prefix(cloudfw.IPv4))
		}
		if got := Aggregate(ps); !slices.Equal(got, want) {
			t.Errorf("span %d: %d prefixes, want %d", span, len(got), len(want))
		}
	}
}

func BenchmarkAggregate(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	ps := make([]netip.Prefix, 1_000_000)
	for i := range ps {
		n := random.Uint32()
		ps[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), 32)
	}
	b.ReportAllocs()
	for b.Loop() {
		Aggregate(ps)
	}
}
