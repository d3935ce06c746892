package decide

import (
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/ledger"
)

// Whatever is decided, also from logs that were read late, and taken back after a time: a
// rollback to it brings back what was in force then and has not ended, each until its own
// end, and nothing else; a second one changes nothing.
func TestARollbackBringsBackWhatWasInForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l ledgerOf
		now := feedNow
		minutes := func(most int, label string) time.Duration {
			return time.Duration(rapid.IntRange(1, most).Draw(t, label)) * time.Minute
		}
		play := func(events int) {
			for range events {
				now = now.Add(minutes(50, "minutes"))
				p := netip.MustParsePrefix(fmt.Sprintf("198.51.100.%d/32", rapid.IntRange(1, 4).Draw(t, "address")))
				switch rapid.IntRange(0, 4).Draw(t, "event") {
				case 0, 1:
					d := ledger.Decision{
						Verdict: rapid.SampledFrom([]ledger.Verdict{ledger.Block, ledger.Allow}).Draw(t, "verdict"), Prefix: p, Start: now,
						Author: rapid.SampledFrom([]string{"anna", "carl"}).Draw(t, "author"), End: now.Add(minutes(400, "length")),
					}
					if rapid.Bool().Draw(t, "from a log") {
						d.Author, d.Rule, d.Verdict = Author, "sasl", ledger.Block
						d.Start, d.MadeAt = now.Add(-minutes(90, "late")), now
					}
					if rapid.IntRange(0, 9).Draw(t, "forever") == 0 {
						d.End = time.Time{}
					}
					l.take([]ledger.Decision{d})
				case 4:
					l.take(Rollback(l, now.Add(-minutes(200, "back")), now, "bert").Changes)
				default:
					for i := range l {
						if l[i].Prefix == p && l[i].ActiveAt(now) {
							l[i].RevokedAt, l[i].RevokedBy = now, "bert"
						}
					}
				}
			}
		}
		// The latest end of each likeness is what counts.
		inForce := func(all []ledger.Decision, at, ending time.Time) map[likeness]time.Time {
			ends := map[likeness]time.Time{}
			for _, d := range all {
				if d.ActiveAt(at) && forever(d.End).After(ending) {
					ends[alike(d)] = later(ends[alike(d)], forever(d.End))
				}
			}
			return ends
		}
		play(rapid.IntRange(0, 8).Draw(t, "before"))
		to := now
		then := append(ledgerOf(nil), l...)
		play(rapid.IntRange(0, 8).Draw(t, "after"))
		now = now.Add(time.Minute)
		want := inForce(then, to, now)
		r := Rollback(l, to, now, "dora")
		over := 0
		for _, d := range then {
			if d.ActiveAt(to) && !forever(d.End).After(now) {
				over++
			}
		}
		if r.Ended != over {
			t.Fatalf("%d have ended, it says %d", over, r.Ended)
		}
		l.take(r.Changes)
		if got := inForce(l, now, now); !reflect.DeepEqual(got, want) {
			t.Fatalf("in force is\n%v, want\n%v", got, want)
		}
		now = now.Add(time.Second)
		for _, d := range Rollback(l, to, now, "dora").Changes {
			if forever(d.End).After(now) {
				t.Fatalf("a second rollback changes %+v", d)
			}
		}
	})
}

// A log that is read late tells of what happened before a time, but nobody knew then.
func TestARollbackTakesBackWhatWasReadLate(t *testing.T) {
	d := ledger.Decision{ID: 1, Verdict: ledger.Block, Prefix: netip.MustParsePrefix("198.51.100.7/32"), Author: Author, Rule: "sasl", Start: feedNow.Add(-time.Hour), MadeAt: feedNow, End: feedNow.Add(time.Hour)}
	if r := Rollback([]ledger.Decision{d}, feedNow.Add(-time.Minute), feedNow.Add(time.Minute), "anna"); len(r.Changes) != 1 || r.Changes[0].RevokedBy != "anna" {
		t.Errorf("%+v", r)
	}
	if r := Rollback([]ledger.Decision{d}, feedNow, feedNow.Add(time.Minute), "anna"); len(r.Changes) != 0 {
		t.Errorf("right after it was made: %+v", r)
	}
}

// What is made again does not tell of every rollback that there was.
func TestWhatIsMadeAgainSaysSoOnce(t *testing.T) {
	d := ledger.Decision{ID: 1, Verdict: ledger.Block, Prefix: netip.MustParsePrefix("198.51.100.7/32"), Author: "anna", Reason: "scans", Start: feedNow}
	d.RevokedAt, d.RevokedBy = feedNow.Add(time.Hour), "bert"
	for n := range 3 {
		r := Rollback([]ledger.Decision{d}, feedNow.Add(time.Minute), feedNow.Add(2*time.Hour), "carl")
		if len(r.Changes) != 1 || r.Changes[0].Reason != "scans (again by carl: rollback to "+stamp(feedNow.Add(time.Minute))+")" || !r.Changes[0].Start.Equal(feedNow) {
			t.Fatalf("%d: %+v", n, r)
		}
		d.Reason = r.Changes[0].Reason
	}
}
