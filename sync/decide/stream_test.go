package decide

import (
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
	"fwsync/detect"
	"fwsync/ledger"
	"fwsync/policies"
)

// world is a ledger with nothing around it: what passes and people do to it.
type world struct {
	now    time.Time
	ledger []ledger.Decision
	rules  []policies.Detection
	allow  []cloudfw.Exempt
}

var (
	streamPrefixes = []netip.Prefix{
		netip.MustParsePrefix("198.51.100.7/32"), netip.MustParsePrefix("198.51.100.8/32"),
		netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("198.51.0.0/16"),
		netip.MustParsePrefix("2001:db8:bad::1/128"), netip.MustParsePrefix("2001:db8:bad::/64"),
	}
	streamRules = []string{"a", "b", "c"}
)

func drawRule(t *rapid.T, name string) policies.Detection {
	d := policies.Detection{Name: name}
	if rapid.IntRange(0, 9).Draw(t, "reports") > 0 {
		first := time.Duration(rapid.IntRange(1, 5).Draw(t, "for")) * time.Hour
		p := policies.Penalty{For: first, Forget: time.Duration(rapid.IntRange(1, 10).Draw(t, "forget")) * 24 * time.Hour, CoolDown: time.Duration(rapid.IntRange(1, 120).Draw(t, "cool")) * time.Minute}
		if rapid.Bool().Draw(t, "escalates") {
			p.Escalate = []time.Duration{first, first + 10*time.Hour, first + 100*time.Hour}
		}
		d.Block = &p
	}
	return d
}

func (w *world) find(t *rapid.T) Found {
	seen := w.now.Add(time.Duration(rapid.IntRange(-600, 2).Draw(t, "seen")) * time.Minute)
	crossed := seen.Add(-time.Duration(rapid.IntRange(0, 600).Draw(t, "crossed")) * time.Minute)
	n := rapid.IntRange(1, 50).Draw(t, "count")
	f := Found{Source: "mail", Detection: detect.Detection{
		Rule: rapid.SampledFrom(streamRules).Draw(t, "rule"), Prefix: rapid.SampledFrom(streamPrefixes).Draw(t, "prefix"),
		Count: n, Score: detect.Score{Total: n}, FirstSeen: crossed, CrossedAt: crossed, LastSeen: seen,
	}}
	f.Withheld = rapid.IntRange(0, 19).Draw(t, "success") == 0
	return f
}

// pass stores what Decide says, as a run does.
func (w *world) pass(found []Found) Result {
	r := Decide(Input{Found: found, Rules: w.rules, Known: w.ledger, Exempt: w.exempt(), Now: w.now})
	for _, d := range r.Decisions {
		if d.ID != 0 {
			if old := w.ledger[d.ID-1]; !old.RevokedAt.IsZero() {
				panic("a decision that was taken back is prolonged")
			}
			w.ledger[d.ID-1] = d
			continue
		}
		w.add(d)
	}
	return r
}

func (w *world) add(d ledger.Decision) {
	d.ID = int64(len(w.ledger) + 1)
	w.ledger = append(w.ledger, d)
}

func (w *world) exempt() []cloudfw.Exempt {
	all := slices.Clone(w.allow)
	for _, d := range w.ledger {
		if d.Verdict == ledger.Allow && d.ActiveAt(w.now) {
			all = append(all, cloudfw.Exempt{Prefix: d.Prefix, Reason: "allowed"})
		}
	}
	return all
}

func (w *world) copy() *world {
	c := *w
	c.ledger = slices.Clone(w.ledger)
	return &c
}

// distinct keeps one detection of each prefix and rule, as the engine reports them.
func distinct(found []Found) []Found {
	seen := map[key]bool{}
	return slices.DeleteFunc(found, func(f Found) bool {
		k := key{f.Prefix, f.Rule}
		again := seen[k]
		seen[k] = true
		return again
	})
}

// What must hold over any stream of signals, people and changes of policy.
func TestDecisionsOverRandomStreams(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{now: now}
		for _, name := range streamRules {
			w.rules = append(w.rules, drawRule(t, name))
		}
		t.Repeat(map[string]func(*rapid.T){
			"time passes": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 5000).Draw(t, "minutes")) * time.Minute)
			},
			"a person decides": func(t *rapid.T) {
				d := ledger.Decision{
					Verdict: rapid.SampledFrom([]ledger.Verdict{ledger.Block, ledger.Block, ledger.Allow}).Draw(t, "verdict"),
					Prefix:  rapid.SampledFrom(streamPrefixes).Draw(t, "prefix"), Author: "alice", Start: w.now, Attempt: 1,
				}
				if m := rapid.IntRange(0, 600).Draw(t, "for"); m > 0 {
					d.End = w.now.Add(time.Duration(m) * time.Minute)
				}
				w.add(d)
			},
			"a person unblocks": func(t *rapid.T) {
				p := rapid.SampledFrom(streamPrefixes).Draw(t, "prefix")
				for i, d := range w.ledger {
					if d.Prefix == p && d.Verdict == ledger.Block && d.ActiveAt(w.now) {
						w.ledger[i].RevokedAt, w.ledger[i].RevokedBy = w.now, "alice"
					}
				}
			},
			"the policy changes": func(t *rapid.T) {
				i := rapid.IntRange(0, len(w.rules)).Draw(t, "rule")
				if i < len(w.rules) {
					w.rules = slices.Clone(w.rules)
					w.rules[i] = drawRule(t, w.rules[i].Name)
				}
				before := slices.Clone(w.ledger)
				lapsed := Reconsider(w.ledger, w.rules, w.now)
				for _, l := range lapsed {
					was := before[l.Decision.ID-1]
					if !Automatic(was) || !was.ActiveAt(w.now) || !Ended(l.Decision).Before(Ended(was)) || Ended(l.Decision).Before(w.now) {
						t.Fatalf("%+v became %+v", was, l)
					}
					w.ledger[l.Decision.ID-1] = l.Decision
				}
				if again := Reconsider(w.ledger, w.rules, w.now); len(again) > 0 {
					t.Fatalf("reconsidered once more: %+v", again)
				}
			},
			"a pass finds": func(t *rapid.T) {
				found := distinct(rapid.SliceOfN(rapid.Custom(w.find), 1, 6).Draw(t, "found"))
				before := w.copy()
				shuffled := w.copy()
				result := w.pass(found)
				checkPass(t, before, w, found, result)

				// The order of the detections and of the ledger means nothing.
				again := shuffled.pass(rapid.Permutation(found).Draw(t, "order"))
				if want, got := byKey(result.Decisions), byKey(again.Decisions); !reflect.DeepEqual(want, got) {
					t.Fatalf("in another order: %+v, want %+v", got, want)
				}
				turned := slices.Clone(before.ledger)
				slices.Reverse(turned)
				other := Decide(Input{Found: found, Rules: w.rules, Known: turned, Exempt: before.exempt(), Now: w.now})
				if !reflect.DeepEqual(result, other) {
					t.Fatalf("with the ledger in another order: %+v, want %+v", other, result)
				}
				// The same once more changes nothing.
				once := slices.Clone(w.ledger)
				w.pass(found)
				if !reflect.DeepEqual(once, w.ledger) {
					t.Fatalf("the same again: %+v, was %+v", w.ledger, once)
				}
			},
		})
	})
}

func byKey(decisions []ledger.Decision) map[key]ledger.Decision {
	all := map[key]ledger.Decision{}
	for _, d := range decisions {
		d.Evidence = nil
		all[key{d.Prefix, d.Rule}] = d
	}
	return all
}

func checkPass(t *rapid.T, before, after *world, found []Found, result Result) {
	if len(result.Decisions)+len(result.Withheld) != len(found) {
		t.Fatalf("of %d detections %d are decided and %d withheld", len(found), len(result.Decisions), len(result.Withheld))
	}
	for _, w := range result.Withheld {
		if w.Reason == "" {
			t.Fatalf("withheld without a reason: %+v", w)
		}
	}
	// What people decided is as it was, and nothing that was there ends earlier.
	for i, was := range before.ledger {
		is := after.ledger[i]
		if !Automatic(was) && !reflect.DeepEqual(was, is) {
			t.Fatalf("a person's decision %+v became %+v", was, is)
		}
		if forever(Ended(is)).Before(forever(Ended(was))) {
			t.Fatalf("%+v ends earlier: %+v", was, is)
		}
		if is.Attempt != was.Attempt || !is.Start.Equal(was.Start) {
			t.Fatalf("%+v became %+v", was, is)
		}
	}
	exempt := before.exempt()
	for _, d := range result.Decisions {
		if !Automatic(d) || !d.ActiveAt(after.now) {
			t.Fatalf("decided %+v at %s", d, after.now)
		}
		for _, e := range exempt {
			if cloudfw.Covers(e.Prefix, d.Prefix) {
				t.Fatalf("%+v although %s is allowed", d, e.Prefix)
			}
		}
		rule := after.rules[slices.IndexFunc(after.rules, func(r policies.Detection) bool { return r.Name == d.Rule })]
		last := ledger.Decision{}
		for _, p := range before.ledger {
			if p.Verdict != ledger.Block {
				continue
			}
			if !Automatic(p) && p.ActiveAt(after.now) && cloudfw.Covers(p.Prefix, d.Prefix) {
				t.Fatalf("%+v although %+v is a person's", d, p)
			}
			if byPerson(p) && p.Prefix.Overlaps(d.Prefix) && after.now.Before(p.RevokedAt.Add(rule.Block.CoolsDown())) {
				t.Fatalf("%+v although %+v cools down", d, p)
			}
			if Automatic(p) && p.Prefix == d.Prefix && p.Rule == d.Rule && p.ID > last.ID {
				last = p
			}
		}
		if d.ID == 0 && last.ID != 0 {
			if d.Start.Before(Ended(last)) {
				t.Fatalf("%+v began before %+v was over", d, last)
			}
			lost := last.Attempt + 1 - d.Attempt
			if byPerson(last) {
				lost--
			}
			if quiet := d.Start.Sub(Ended(last)); quiet < rule.Block.Forgets() && lost != 0 {
				t.Fatalf("%+v after %+v: %d attempts are forgotten after %s", d, last, lost, quiet)
			}
			if d.Attempt < 1 || d.Attempt > last.Attempt+1 {
				t.Fatalf("%+v after %+v", d, last)
			}
		}
	}
	// What is compiled holds: an allow wins whatever the lengths of the prefixes.
	policy := policies.Policy{Allowlist: before.allow}
	compiled, err := policy.Compile(after.ledger, "test", after.now)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range compiled.Intent.Blocked {
		for _, e := range exempt {
			if b.Prefix.Overlaps(e.Prefix) {
				t.Fatalf("%s is blocked, %s is allowed", b.Prefix, e.Prefix)
			}
		}
	}
}

// The properties above would hold of a Decide that decides nothing.
func TestRandomStreamsDecideSomething(t *testing.T) {
	outcomes := map[string]int{}
	for seed := range 300 {
		w := &world{now: now}
		rapid.Custom(func(t *rapid.T) int {
			for _, name := range streamRules {
				w.rules = append(w.rules, drawRule(t, name))
			}
			r := w.pass([]Found{w.find(t)})
			w.now = w.now.Add(time.Hour)
			r2 := w.pass([]Found{w.find(t)})
			for _, d := range slices.Concat(r.Decisions, r2.Decisions) {
				outcomes[fmt.Sprint("decided, prolonged ", d.ID != 0)]++
			}
			outcomes["withheld"] += len(r.Withheld) + len(r2.Withheld)
			return 0
		}).Example(seed)
	}
	if len(outcomes) != 3 || outcomes["decided, prolonged false"] < 50 {
		t.Errorf("outcomes: %v", slices.Collect(maps.Keys(outcomes)))
	}
}
