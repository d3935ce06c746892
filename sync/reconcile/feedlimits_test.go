package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/feeds"
	"fwsync/ledger"
)

type scripted struct {
	list feeds.List
	err  error
}

func (s *scripted) Place() string { return "" }

func (s *scripted) Read(context.Context, json.RawMessage) (feeds.List, error) { return s.list, s.err }

// Whatever a list becomes from one reading to the next, no reading frees more than shrink
// allows or blocks more than grow does, and a sick one does neither (promise P7).
func TestNoReadingChangesMoreThanItMay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := &scripted{}
		r := reading{Feed: Feed{Feed: feeds.Feed{Name: "list", From: from, Min: rapid.IntRange(-1, 5).Draw(t, "min"), Max: 300}.Defaulted()}}
		now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
		var known []ledger.Decision
		active := func() (n int) {
			for _, d := range known {
				if d.ActiveAt(now) {
					n++
				}
			}
			return n
		}
		for range rapid.IntRange(1, 10).Draw(t, "readings") {
			now = now.Add(time.Duration(rapid.IntRange(1, 10).Draw(t, "hours")) * time.Hour)
			from.err = nil
			if rapid.IntRange(0, 4).Draw(t, "fails") == 0 {
				from.err = errors.New("down")
			}
			from.list = feeds.List{Delta: rapid.IntRange(0, 2).Draw(t, "delta") == 0 && len(known) > 0, Bad: rapid.IntRange(0, 20).Draw(t, "bad")}
			start := rapid.IntRange(0, 400).Draw(t, "start")
			for i := range rapid.IntRange(0, 400).Draw(t, "length") {
				p := netip.PrefixFrom(netip.AddrFrom4([4]byte{20, 1, byte((start + i) >> 8), byte(start + i)}), 32)
				from.list.Entries = append(from.list.Entries, feeds.Entry{Prefix: p})
			}
			if from.list.Delta {
				for _, d := range known[:rapid.IntRange(0, len(known)).Draw(t, "gone")] {
					from.list.Gone = append(from.list.Gone, d.Prefix)
				}
			}
			had, first := active(), r.before.Good.IsZero()
			r.get(t.Context(), false, known, now)
			came, went := 0, 0
			for _, d := range r.decisions(known, now) {
				if d.ID == 0 {
					d.ID = int64(len(known) + 1)
					known = append(known, d)
					came++
					continue
				}
				if !d.RevokedAt.IsZero() {
					went++
				}
				known[d.ID-1] = d
			}
			if went > max(10, had/2) || !first && came > max(20, max(had, r.before.Count)) || active() > 300 {
				t.Fatalf("of %d blocks %d came and %d went", had, came, went)
			}
			if r.result.Sick != "" && came+went > 0 {
				t.Fatalf("it is sick (%s), and %d came and %d went", r.result.Sick, came, went)
			}
			if r.result.Sick == "" && active() != r.result.State.Count {
				t.Fatalf("%d are blocked, the list has %d", active(), r.result.State.Count)
			}
			r.before = r.result.State
		}
	})
}
