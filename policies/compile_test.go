package policies

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
	"fwsync/ledger"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func block(id int64, prefix string, score int, end time.Time, reason string) ledger.Decision {
	return ledger.Decision{ID: id, Verdict: ledger.Block, Prefix: netip.MustParsePrefix(prefix), Start: now.Add(-time.Hour), End: end, Score: score, Reason: reason}
}

func allow(id int64, prefix, reason string) ledger.Decision {
	d := block(id, prefix, 0, time.Time{}, reason)
	d.Verdict, d.Author = ledger.Allow, "alice"
	return d
}

// compile compiles decisions with a policy whose allowlist holds the prefixes.
func compile(t testing.TB, allowlist []string, decisions ...ledger.Decision) Compiled {
	t.Helper()
	p := parseOne(t, target+"allowlist: ['"+strings.Join(append(allowlist, "255.255.255.255"), "', '")+"']")
	c, err := p.Compile(decisions, "test", now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func blocked(c Compiled) []string {
	var out []string
	for _, b := range c.Intent.Blocked {
		out = append(out, b.Prefix.String())
	}
	return out
}

func TestBlocksOfOnePrefixBecomeOne(t *testing.T) {
	later, forever := now.Add(time.Hour), time.Time{}
	c := compile(t, nil,
		block(3, "198.51.100.1/32", 5, now.Add(time.Minute), "milder"),
		block(1, "198.51.100.1/32", 9, now.Add(time.Second), "worst"),
		block(2, "198.51.100.1/32", 1, later, "mildest"),
		block(7, "198.51.100.2/32", 9, later, "other"),
		block(8, "198.51.100.2/32", 9, forever, "same score"),
		block(9, "198.51.100.0/24", 2, later, "wider"),
		block(10, "2001:db8::/64", 9, later, "six"),
	)
	want := []cloudfw.Block{
		{Prefix: netip.MustParsePrefix("198.51.100.1/32"), Until: later, Score: 9, Reason: "worst", Decisions: []int64{1, 2, 3}},
		{Prefix: netip.MustParsePrefix("198.51.100.2/32"), Until: forever, Score: 9, Reason: "other", Decisions: []int64{7, 8}},
		{Prefix: netip.MustParsePrefix("2001:db8::/64"), Until: later, Score: 9, Reason: "six", Decisions: []int64{10}},
		{Prefix: netip.MustParsePrefix("198.51.100.0/24"), Until: later, Score: 2, Reason: "wider", Decisions: []int64{9}},
	}
	if !reflect.DeepEqual(c.Intent.Blocked, want) {
		t.Errorf("got  %+v\nwant %+v", c.Intent.Blocked, want)
	}
	if c.Intent.Owner != "test" || len(c.Intent.Targets) != 1 || c.Withheld != nil {
		t.Errorf("got %+v", c)
	}
}

// A block lapses at the firewall when a decision that does holds as long as any other of
// its prefix, and an exemption within it changes nothing about that.
func TestABlockLapsesWithTheLongestDecision(t *testing.T) {
	lapsing := func(id int64, minutes int) ledger.Decision {
		d := block(id, "198.51.100.0/30", 1, now.Add(time.Duration(minutes)*time.Minute), "")
		d.Lapses = true
		return d
	}
	forever := lapsing(9, 0)
	forever.End = time.Time{}
	for name, c := range map[string]struct {
		decisions []ledger.Decision
		want      bool
	}{
		"alone":                    {[]ledger.Decision{lapsing(1, 60)}, true},
		"the longest":              {[]ledger.Decision{lapsing(1, 60), block(2, "198.51.100.0/30", 9, now.Add(time.Minute), "")}, true},
		"as long as another":       {[]ledger.Decision{block(1, "198.51.100.0/30", 9, now.Add(time.Hour), ""), lapsing(2, 60)}, true},
		"another one holds longer": {[]ledger.Decision{lapsing(1, 60), block(2, "198.51.100.0/30", 1, now.Add(2*time.Hour), "")}, false},
		"another one holds always": {[]ledger.Decision{lapsing(1, 60), block(2, "198.51.100.0/30", 1, time.Time{}, "")}, false},
		"two, both lapse":          {[]ledger.Decision{lapsing(1, 60), lapsing(2, 90)}, true},
		"without an end":           {[]ledger.Decision{forever}, false},
	} {
		for _, allowlist := range [][]string{nil, {"198.51.100.1"}} {
			for _, b := range compile(t, allowlist, c.decisions...).Intent.Blocked {
				if b.Lapses != c.want {
					t.Errorf("%s, allowed %v: %+v", name, allowlist, b)
				}
			}
		}
	}
}

func TestOnlyActiveDecisionsCount(t *testing.T) {
	future := block(1, "198.51.100.1/32", 1, time.Time{}, "")
	future.Start = now.Add(time.Nanosecond)
	revoked := block(2, "198.51.100.2/32", 1, time.Time{}, "")
	revoked.RevokedAt = now
	lapsed := allow(4, "198.51.100.0/24", "holiday")
	lapsed.End = now
	c := compile(t, nil, future, revoked, block(3, "198.51.100.3/32", 1, now, ""), lapsed,
		block(5, "198.51.100.5/32", 1, now.Add(time.Nanosecond), ""))
	if got := blocked(c); !slices.Equal(got, []string{"198.51.100.5/32"}) {
		t.Errorf("blocked %v", got)
	}
	if len(c.Intent.Allowed) != 1 {
		t.Errorf("allowed %v", c.Intent.Allowed)
	}
}

func TestExemptionsAreCutOut(t *testing.T) {
	for name, c := range map[string]struct {
		allowlist []string
		decisions []ledger.Decision
		blocked   []string
		withheld  []string
	}{
		"an exemption inside a block splits it": {
			[]string{"198.51.100.64/26"},
			[]ledger.Decision{block(1, "198.51.100.0/24", 1, time.Time{}, "")},
			[]string{"198.51.100.0/26", "198.51.100.128/25"},
			[]string{"198.51.100.64/26 of 198.51.100.0/24: allowlist [1]"},
		},
		"a block inside an exemption vanishes": {
			[]string{"198.51.100.0/24"},
			[]ledger.Decision{block(1, "198.51.100.7/32", 1, time.Time{}, "")},
			nil,
			[]string{"198.51.100.7/32 of 198.51.100.7/32: allowlist [1]"},
		},
		"a block that is the exemption vanishes": {
			[]string{"198.51.100.7"},
			[]ledger.Decision{block(2, "198.51.100.7/32", 1, time.Time{}, ""), block(1, "198.51.100.7/32", 1, time.Time{}, "")},
			nil,
			[]string{"198.51.100.7/32 of 198.51.100.7/32: allowlist [1 2]"},
		},
		"people's exemptions count like the allowlist": {
			nil,
			[]ledger.Decision{block(1, "198.51.100.0/31", 1, time.Time{}, ""), allow(2, "198.51.100.1/32", "partner")},
			[]string{"198.51.100.0/32"},
			[]string{"198.51.100.1/32 of 198.51.100.0/31: allowed by alice: partner [1]"},
		},
		"an exemption within another counts once": {
			[]string{"198.51.100.0/25", "198.51.100.1"},
			[]ledger.Decision{block(1, "198.51.100.0/24", 1, time.Time{}, "")},
			[]string{"198.51.100.128/25"},
			[]string{"198.51.100.0/25 of 198.51.100.0/24: allowlist [1]"},
		},
		"a piece that is blocked already joins": {
			[]string{"198.51.100.0/25"},
			[]ledger.Decision{block(1, "198.51.100.0/24", 1, now.Add(time.Hour), "wide"), block(2, "198.51.100.128/25", 3, now.Add(time.Minute), "half")},
			[]string{"198.51.100.128/25"},
			[]string{"198.51.100.0/25 of 198.51.100.0/24: allowlist [1]"},
		},
		"both ends of a block": {
			[]string{"198.51.100.0/32", "198.51.100.255/32"},
			[]ledger.Decision{block(1, "198.51.100.0/29", 1, time.Time{}, ""), block(2, "198.51.100.254/31", 1, time.Time{}, "")},
			[]string{"198.51.100.1/32", "198.51.100.2/31", "198.51.100.4/30", "198.51.100.254/32"},
			[]string{"198.51.100.0/32 of 198.51.100.0/29: allowlist [1]", "198.51.100.255/32 of 198.51.100.254/31: allowlist [2]"},
		},
		"the other family is untouched": {
			[]string{"2001:db8::/32"},
			[]ledger.Decision{block(1, "0.0.0.0/0", 1, time.Time{}, ""), block(2, "2001:db8::1/128", 1, time.Time{}, "")},
			nil, // 0.0.0.0/0 is checked below
			[]string{"255.255.255.255/32 of 0.0.0.0/0: allowlist [1]", "2001:db8::1/128 of 2001:db8::1/128: allowlist [2]"},
		},
		"an IPv4-mapped prefix of the ledger is an IPv4 prefix": {
			[]string{"198.51.100.1"},
			[]ledger.Decision{block(1, "::ffff:198.51.100.0/127", 1, time.Time{}, "")},
			[]string{"198.51.100.0/32"},
			[]string{"198.51.100.1/32 of 198.51.100.0/31: allowlist [1]"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			compiled := compile(t, c.allowlist, c.decisions...)
			if got := blocked(compiled); !slices.Equal(got, c.blocked) && c.blocked != nil {
				t.Errorf("blocked %v, want %v", got, c.blocked)
			} else if c.blocked == nil && len(got) != 0 && len(got) != 32 {
				t.Errorf("blocked %v", got)
			}
			var withheld []string
			for _, w := range compiled.Withheld {
				withheld = append(withheld, fmt.Sprintf("%s of %s: %s %v", w.Prefix, w.Block, w.Reason, w.Decisions))
			}
			if !slices.Equal(withheld, c.withheld) {
				t.Errorf("withheld %q, want %q", withheld, c.withheld)
			}
		})
	}
}

func TestAPieceThatJoinsKeepsTheWorst(t *testing.T) {
	c := compile(t, []string{"198.51.100.0/25"},
		block(1, "198.51.100.0/24", 1, now.Add(time.Hour), "wide"), block(2, "198.51.100.128/25", 3, now.Add(time.Minute), "half"))
	want := []cloudfw.Block{{Prefix: netip.MustParsePrefix("198.51.100.128/25"), Until: now.Add(time.Hour), Score: 3, Reason: "half", Decisions: []int64{1, 2}}}
	if !reflect.DeepEqual(c.Intent.Blocked, want) {
		t.Errorf("got %+v, want %+v", c.Intent.Blocked, want)
	}
}

func TestCompileRefusesWhatIsInvalid(t *testing.T) {
	p := parseOne(t, target)
	bad := block(12, "198.51.100.1/32", 1, time.Time{}, "")
	for want, try := range map[string]struct {
		owner  cloudfw.Owner
		change func(*ledger.Decision)
	}{
		`owner "Not OK" must be 1 to 32 of a-z, 0-9 and inner dashes`:       {"Not OK", func(*ledger.Decision) {}},
		`compiling decision 12: prefix invalid Prefix is not valid`:         {"test", func(d *ledger.Decision) { d.Prefix = netip.Prefix{} }},
		`compiling decision 12: verdict "maybe" is neither block nor allow`: {"test", func(d *ledger.Decision) { d.Verdict = "maybe" }},
	} {
		d := bad
		try.change(&d)
		if _, err := p.Compile([]ledger.Decision{d}, try.owner, now); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// drawPrefix draws prefixes that meet each other often.
func drawPrefix(t *rapid.T, label string) netip.Prefix {
	bits := rapid.IntRange(24, 32).Draw(t, label+" bits")
	last := rapid.Byte().Draw(t, label)
	if rapid.Bool().Draw(t, label+" is IPv6") {
		return netip.PrefixFrom(netip.AddrFrom16([16]byte{0: 0x20, 1: 1, 15: last}), bits+96).Masked()
	}
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, last}), bits).Masked()
}

func drawDecisions(t *rapid.T) []ledger.Decision {
	var decisions []ledger.Decision
	for id := range rapid.IntRange(0, 30).Draw(t, "decisions") {
		d := ledger.Decision{
			ID: int64(id + 1), Verdict: ledger.Block, Prefix: drawPrefix(t, "prefix"), Start: now,
			Score: rapid.IntRange(0, 3).Draw(t, "score"), Reason: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "reason"),
		}
		if rapid.IntRange(0, 4).Draw(t, "kind") == 0 {
			d.Verdict, d.Author = ledger.Allow, "alice"
		}
		if rapid.Bool().Draw(t, "ends") {
			d.End = now.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "end")) * time.Hour)
		}
		decisions = append(decisions, d)
	}
	return decisions
}

// TestNothingExemptIsBlockedAndNothingElseIsLost compares every address with what
// the decisions say about it one by one.
func TestNothingExemptIsBlockedAndNothingElseIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &Policy{}
		for range rapid.IntRange(0, 5).Draw(t, "allowlist") {
			p.Allowlist = append(p.Allowlist, cloudfw.Exempt{Prefix: drawPrefix(t, "exempt"), Reason: "allowlist"})
		}
		decisions := drawDecisions(t)
		c, err := p.Compile(decisions, "test", now)
		if err != nil {
			t.Fatal(err)
		}
		for last := range 256 {
			for _, a := range []netip.Addr{
				netip.AddrFrom4([4]byte{198, 51, 100, byte(last)}), netip.AddrFrom16([16]byte{0: 0x20, 1: 1, 15: byte(last)}),
			} {
				exempt, score := false, -1
				for _, e := range p.Allowlist {
					exempt = exempt || e.Prefix.Contains(a)
				}
				for _, d := range decisions {
					if d.ActiveAt(now) && d.Prefix.Contains(a) {
						exempt = exempt || d.Verdict == ledger.Allow
						if d.Verdict == ledger.Block {
							score = max(score, d.Score)
						}
					}
				}
				got, withheld := -1, false
				for _, b := range c.Intent.Blocked {
					if b.Prefix.Contains(a) {
						got = max(got, b.Score)
					}
				}
				for _, w := range c.Withheld {
					withheld = withheld || w.Prefix.Contains(a)
				}
				switch {
				case exempt && got >= 0:
					t.Fatalf("%s is exempt and blocked", a)
				case !exempt && got != score:
					t.Fatalf("%s is blocked with score %d, want %d", a, got, score)
				case withheld != (exempt && score >= 0):
					t.Fatalf("%s: withheld %v, exempt %v, score %d", a, withheld, exempt, score)
				}
			}
		}
		seen := map[netip.Prefix]bool{}
		for i, b := range c.Intent.Blocked {
			if seen[b.Prefix] || b.Prefix != b.Prefix.Masked() || len(b.Decisions) == 0 || !slices.IsSorted(b.Decisions) {
				t.Fatalf("block %+v", b)
			}
			seen[b.Prefix] = true
			if i > 0 && b.Score > c.Intent.Blocked[i-1].Score {
				t.Fatalf("block %d scores higher than the one before", i)
			}
		}
	})
}

func TestTheOrderOfDecisionsMeansNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &Policy{Allowlist: []cloudfw.Exempt{{Prefix: drawPrefix(t, "exempt"), Reason: "allowlist"}}}
		decisions := drawDecisions(t)
		one, err := p.Compile(decisions, "test", now)
		if err != nil {
			t.Fatal(err)
		}
		other, err := p.Compile(rapid.Permutation(decisions).Draw(t, "other order"), "test", now)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(one, other) {
			t.Fatalf("got  %+v\nthen %+v", one, other)
		}
	})
}

// manyDecisions are n blocks of distinct addresses, every tenth twice, and exempt
// allow decisions; hostile ones lie all within one wide block.
func manyDecisions(n, exempt int, hostile bool) []ledger.Decision {
	random := rand.New(rand.NewPCG(1, 2))
	decisions := make([]ledger.Decision, 0, n+exempt+1)
	address := func(i int) netip.Prefix {
		if i%10 == 9 {
			i--
		}
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{45, byte(i >> 16), byte(i >> 8), byte(i)}), 32)
	}
	for i := range n {
		decisions = append(decisions, ledger.Decision{
			ID: int64(i + 1), Verdict: ledger.Block, Prefix: address(i), Start: now.Add(-time.Hour),
			End: now.Add(time.Duration(random.IntN(100)+1) * time.Minute), Score: random.IntN(1000), Reason: "sasl-bruteforce",
		})
	}
	for i := range exempt {
		p := netip.PrefixFrom(address(i*8).Addr(), 32)
		if !hostile {
			p = netip.PrefixFrom(netip.AddrFrom4([4]byte{45, 0, byte(i), 0}), 28)
		}
		decisions = append(decisions, ledger.Decision{ID: int64(n + i + 1), Verdict: ledger.Allow, Prefix: p, Start: now.Add(-time.Hour)})
	}
	if hostile {
		decisions = append(decisions, ledger.Decision{ID: 1 << 40, Verdict: ledger.Block, Prefix: netip.MustParsePrefix("45.0.0.0/8"), Start: now.Add(-time.Hour)})
	}
	random.Shuffle(len(decisions), func(i, j int) { decisions[i], decisions[j] = decisions[j], decisions[i] })
	return decisions
}

func BenchmarkCompile(b *testing.B) {
	for name, decisions := range map[string][]ledger.Decision{
		"50000 blocks, 50 exempt":                           manyDecisions(50_000, 50, false),
		"50000 blocks, 5000 exempt, all within one block":   manyDecisions(50_000, 5_000, true),
		"200000 blocks, 20000 exempt, all within one block": manyDecisions(200_000, 20_000, true),
	} {
		b.Run(name, func(b *testing.B) {
			p := &Policy{}
			for b.Loop() {
				if _, err := p.Compile(decisions, "test", now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The bound is far above what it takes (see the benchmark) and far below what a
// quadratic way would.
func TestFiftyThousandDecisionsCompileAtOnce(t *testing.T) {
	for _, hostile := range []bool{false, true} {
		decisions := manyDecisions(50_000, 5_000, hostile)
		c, err := (&Policy{}).Compile(decisions, "test", now)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Intent.Blocked) < 30_000 || len(c.Withheld) < 2_500 {
			t.Errorf("%d blocked, %d withheld", len(c.Intent.Blocked), len(c.Withheld))
		}
	}
}
