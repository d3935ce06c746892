package storetest

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"fwsync/ledger"

	"pgregory.net/rapid"
)

// twin is the ledger as a few lines over a slice: what Store promises, without SQL.
type twin struct {
	decisions []ledger.Decision // index = id - 1
	positions map[string]json.RawMessage
	windows   []byte
}

func (w *twin) put(d ledger.Decision) ledger.Decision {
	d, err := d.Normal()
	if err != nil {
		panic(err) // the generator makes none that is bad
	}
	if d.ID == 0 {
		d.ID = int64(len(w.decisions) + 1)
		w.decisions = append(w.decisions, d)
		return d
	}
	old := w.decisions[d.ID-1]
	if old.Start.Before(d.Start) {
		d.Start = old.Start
	}
	if old.End.IsZero() || !d.End.IsZero() && old.End.After(d.End) {
		d.End = old.End
	}
	d.Attempt, d.Score, d.Count = max(d.Attempt, old.Attempt), max(d.Score, old.Score), max(d.Count, old.Count)
	if d.FirstSeen.IsZero() || !old.FirstSeen.IsZero() && old.FirstSeen.Before(d.FirstSeen) {
		d.FirstSeen = old.FirstSeen
	}
	if old.LastSeen.After(d.LastSeen) {
		d.LastSeen = old.LastSeen
	}
	d.MadeAt, d.Lapses = old.MadeAt, old.Lapses && d.Lapses
	if !old.RevokedAt.IsZero() {
		d.RevokedAt, d.RevokedBy, d.RevokeReason = old.RevokedAt, old.RevokedBy, old.RevokeReason
	}
	w.decisions[d.ID-1] = d
	return d
}

// joined are the decisions with the ids of those that they are already.
func (w *twin) joined(given []ledger.Decision) []ledger.Decision {
	for i, d := range given {
		d, err := d.Normal()
		if err != nil {
			panic(err)
		}
		best := -1
		for at, old := range w.decisions {
			over := !old.End.IsZero() && d.Start.After(old.End) || !d.End.IsZero() && old.Start.After(d.End)
			if d.ID != 0 || !old.RevokedAt.IsZero() || over || d.Prefix != old.Prefix || d.Verdict != old.Verdict || d.Author != old.Author || d.Rule != old.Rule {
				continue
			}
			if best < 0 || old.End.IsZero() || !w.decisions[best].End.IsZero() && !old.End.Before(w.decisions[best].End) {
				best = at
			}
		}
		if best < 0 {
			continue
		}
		old := w.decisions[best]
		if d.ID = old.ID; old.Counters != nil && old.Score >= d.Score {
			d.Counters = old.Counters
		}
		own := d.Evidence
		d.Evidence = slices.Clone(old.Evidence)
		for _, e := range own {
			if !slices.Contains(d.Evidence, e) {
				d.Evidence = append(d.Evidence, e)
			}
		}
		given[i] = d
	}
	return given
}

func (w *twin) revoke(r ledger.Revocation) []ledger.Decision {
	r.By, r.Reason = ledger.CleanText(r.By), ledger.CleanText(r.Reason)
	var revoked []ledger.Decision
	for i, d := range w.decisions {
		if d.Verdict == r.Verdict && slices.Contains(r.Prefixes, d.Prefix) && d.ActiveAt(r.At) {
			d.RevokedAt, d.RevokedBy, d.RevokeReason = r.At, r.By, r.Reason
			w.decisions[i] = d
			revoked = append(revoked, d)
		}
	}
	return sorted(revoked)
}

func (w *twin) list(endsAfter time.Time) []ledger.Decision {
	var found []ledger.Decision
	for _, d := range w.decisions {
		if endsAfter.IsZero() || d.RevokedAt.IsZero() && (d.End.IsZero() || d.End.After(endsAfter)) {
			found = append(found, d)
		}
	}
	return sorted(found)
}

func sorted(decisions []ledger.Decision) []ledger.Decision {
	slices.SortStableFunc(decisions, func(a, b ledger.Decision) int { return a.Start.Compare(b.Start) })
	return decisions
}

// The pools are small so that the steps meet each other.
var (
	somePrefix = rapid.SampledFrom([]netip.Prefix{
		netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.0/24"),
		netip.MustParsePrefix("198.51.100.7/32"), netip.MustParsePrefix("2001:db8::/64"),
	})
	someName    = rapid.OneOf(rapid.Just("fwsync"), rapid.String())
	someVerdict = rapid.SampledFrom([]ledger.Verdict{ledger.Block, ledger.Allow})
	someTime    = rapid.Map(rapid.IntRange(0, 20), func(ms int) time.Time {
		return Noon.Add(time.Duration(ms) * time.Millisecond)
	})
	someTimeOrNone = rapid.Map(rapid.IntRange(0, 25), func(ms int) time.Time {
		if ms > 20 {
			return time.Time{}
		}
		return Noon.Add(time.Duration(ms) * time.Millisecond)
	})
	someEvidence = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ledger.Evidence {
		return ledger.Evidence{
			Source: rapid.String().Draw(t, "source"), File: rapid.String().Draw(t, "file"), Offset: rapid.Int64().Draw(t, "offset"), Line: rapid.Int64().Draw(t, "line"),
			Hash: rapid.String().Draw(t, "hash"), Text: rapid.String().Draw(t, "text"),
		}
	}), 0, 3)
	someDecision = rapid.Custom(func(t *rapid.T) ledger.Decision {
		d := ledger.Decision{
			Verdict: someVerdict.Draw(t, "verdict"), Prefix: somePrefix.Draw(t, "prefix"),
			Start: someTimeOrNone.Draw(t, "start"), End: someTimeOrNone.Draw(t, "end"),
			Reason: rapid.String().Draw(t, "reason"), Author: someName.Draw(t, "author"),
			Rule: someName.Draw(t, "rule"), Attempt: rapid.Int().Draw(t, "attempt"),
			Score: rapid.Int().Draw(t, "score"), Count: rapid.Int().Draw(t, "count"),
			FirstSeen: someTimeOrNone.Draw(t, "first seen"), LastSeen: someTimeOrNone.Draw(t, "last seen"), MadeAt: someTimeOrNone.Draw(t, "made"),
			Lapses: rapid.Bool().Draw(t, "lapses"),
		}
		if rapid.Bool().Draw(t, "counted") {
			d.Counters = &ledger.Counters{Threshold: rapid.Int().Draw(t, "threshold"), Account: rapid.String().Draw(t, "account"), CrossedAt: someTimeOrNone.Draw(t, "crossed")}
		}
		if evidence := someEvidence.Draw(t, "evidence"); len(evidence) > 0 {
			d.Evidence = evidence
		}
		return d
	})
)

func behavesLikeItsTwin(t *testing.T, fresh func(testing.TB) Opener) {
	checks := 0
	rapid.Check(t, func(rt *rapid.T) {
		if checks++; (testing.Short() || underRace) && checks > 20 {
			return // each makes ledgers of its own
		}
		ctx := t.Context()
		open := fresh(t)
		store := open(t, "a")
		defer func() { store.Close() }()
		w := &twin{positions: map[string]json.RawMessage{}}
		rt.Repeat(map[string]func(*rapid.T){
			"add": func(rt *rapid.T) {
				in := rapid.SliceOfN(someDecision, 0, 3).Draw(rt, "decisions")
				got, err := store.Add(ctx, in)
				var want []ledger.Decision
				for _, d := range in {
					want = append(want, w.put(d))
				}
				check(rt, "Add", got, want, err)
			},
			"take in": func(rt *rapid.T) {
				in := ledger.Intake{
					Decisions: rapid.SliceOfN(someDecision, 1, 4).Draw(rt, "decisions"),
					Positions: rapid.MapOf(rapid.SampledFrom([]string{"a", "b", ""}), rapid.SampledFrom([]json.RawMessage{
						json.RawMessage(`1`), json.RawMessage(` {"offset" : 2}`), json.RawMessage(`null`),
					})).Draw(rt, "positions"),
				}
				if rapid.Bool().Draw(rt, "with windows") {
					in.Windows = rapid.SliceOf(rapid.Byte()).Draw(rt, "windows")
				}
				for i := range in.Decisions {
					if len(w.decisions) > 0 && rapid.Bool().Draw(rt, "replace") {
						in.Decisions[i].ID = int64(rapid.IntRange(1, len(w.decisions)).Draw(rt, "id"))
					}
				}
				in.Join = rapid.Bool().Draw(rt, "join")
				given := slices.Clone(in.Decisions)
				if in.Join {
					given = w.joined(given)
				}
				got, err := store.TakeIn(ctx, in)
				var want []ledger.Decision
				for _, d := range given {
					want = append(want, w.put(d))
				}
				for source, position := range in.Positions {
					w.positions[source] = position
				}
				if in.Windows != nil {
					w.windows = in.Windows
				}
				check(rt, "TakeIn", got, want, err)
				positions, err := store.Positions(ctx)
				check(rt, "Positions", positions, w.positions, err)
				windows, err := store.Windows(ctx)
				check(rt, "Windows", string(windows), string(w.windows), err)
			},
			"revoke": func(rt *rapid.T) {
				r := ledger.Revocation{
					Prefixes: rapid.SliceOfN(somePrefix, 0, 3).Draw(rt, "prefixes"), Verdict: someVerdict.Draw(rt, "verdict"),
					At: someTime.Draw(rt, "at"), By: rapid.String().Draw(rt, "by"), Reason: rapid.String().Draw(rt, "reason"),
				}
				got, err := store.Revoke(ctx, r)
				check(rt, "Revoke", got, w.revoke(r), err)
			},
			"reopen": func(rt *rapid.T) {
				if err := store.Close(); err != nil {
					rt.Fatal(err)
				}
				store = open(t, "a")
			},
			"": func(rt *rapid.T) {
				after := Noon.Add(time.Duration(rapid.IntRange(-1, 22_000).Draw(rt, "µs")) * time.Microsecond)
				got, err := store.Decisions(ctx, after)
				check(rt, "Decisions", got, w.list(after), err)
				got, err = store.Decisions(ctx, time.Time{})
				check(rt, "all Decisions", got, w.list(time.Time{}), err)
			},
		})
	})
}

func check(t *rapid.T, what string, got, want any, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s\n%+v, want\n%+v", what, got, want)
	}
}
