package storetest

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fwsync/ledger"
)

func historyInPages(t *testing.T, fresh func(testing.TB) Opener) {
	s := fresh(t)(t, "a")
	var plans []ledger.AppliedPlan
	for i := range 7 {
		p := ledger.AppliedPlan{ID: fmt.Sprintf("p%d", i), Cloud: "home", StartedAt: Noon.Add(time.Duration(i) * time.Hour), Author: "anna", Steps: i}
		if i%2 == 0 {
			p.Detail = json.RawMessage(`{"before": [1, 2]}`)
		}
		plans = append(plans, p)
		if first, err := s.UsePlan(t.Context(), p); err != nil || !first {
			t.Fatal(first, err)
		}
		for _, outcome := range []string{ledger.Started, ledger.Finished} {
			e := Entry(p.ID, 1, outcome)
			e.At = p.StartedAt
			if err := s.Record(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
	}
	slices.Reverse(plans)
	var got []ledger.AppliedPlan
	for page := (ledger.Past{Limit: 3}); ; page.Before = got[len(got)-1].Seq {
		next, err := s.PastPlans(t.Context(), page)
		if err != nil || len(next) > 3 {
			t.Fatal(next, err)
		}
		if len(next) == 0 {
			break
		}
		got = append(got, next...)
	}
	for i := range got {
		if i > 0 && got[i].Seq >= got[i-1].Seq {
			t.Errorf("plan %s has the number %d after %d", got[i].ID, got[i].Seq, got[i-1].Seq)
		}
	}
	for i := range got {
		got[i].Seq = 0
	}
	if !reflect.DeepEqual(got, plans) {
		t.Errorf("plans\n%+v, want\n%+v", got, plans)
	}
	one, err := s.PastPlans(t.Context(), ledger.Past{PlanID: "p4"})
	if err != nil || len(one) != 1 || one[0].Steps != 4 {
		t.Errorf("by its id: %+v, error %v", one, err)
	}
	if begun, err := s.PastPlans(t.Context(), ledger.Past{PlanID: "p"}); err != nil || len(begun) != 7 {
		t.Errorf("by how its id begins: %+v, error %v", begun, err)
	}
	if none, err := s.PastPlans(t.Context(), ledger.Past{PlanID: "4"}); err != nil || len(none) != 0 {
		t.Errorf("by how its id ends: %+v, error %v", none, err)
	}
	var oldest []string
	for page := (ledger.Past{Limit: 3, Oldest: true}); ; {
		next, err := s.PastPlans(t.Context(), page)
		if err != nil {
			t.Fatal(err)
		}
		if len(next) == 0 {
			break
		}
		for _, p := range next {
			oldest = append(oldest, p.ID)
		}
		page.After = next[len(next)-1].Seq
	}
	if !slices.Equal(oldest, []string{"p0", "p1", "p2", "p3", "p4", "p5", "p6"}) {
		t.Errorf("oldest first: %v", oldest)
	}
	day, err := s.PastPlans(t.Context(), ledger.Past{Since: Noon.Add(time.Hour), Until: Noon.Add(3 * time.Hour)})
	if err != nil || len(day) != 2 || day[0].ID != "p2" || day[1].ID != "p1" {
		t.Errorf("by time: %+v, error %v", day, err)
	}
	entries, err := s.PastEntries(t.Context(), ledger.Past{PlanID: "p4"})
	if err != nil || len(entries) != 2 || entries[0].Outcome != ledger.Finished || entries[1].Outcome != ledger.Started || entries[0].RequestID != "R-p4" {
		t.Errorf("a plan's entries: %+v, error %v", entries, err)
	}
	rest, err := s.PastEntries(t.Context(), ledger.Past{Before: entries[1].Seq, Since: Noon.Add(3 * time.Hour)})
	if err != nil || len(rest) != 2 || rest[0].PlanID != "p3" {
		t.Errorf("the page before: %+v, error %v", rest, err)
	}
	for _, bad := range []ledger.Past{{Limit: -1}, {Since: Noon, Until: Noon}, {Prefix: netip.PrefixFrom(netip.MustParseAddr("10.0.0.1"), 8)}, {Oldest: true, Before: 3}, {After: 3}, {Revoked: true, Before: 3}, {Revoked: true, Oldest: true}} {
		_, err1 := s.PastPlans(t.Context(), bad)
		_, err2 := s.PastEntries(t.Context(), bad)
		_, err3 := s.PastDecisions(t.Context(), bad)
		if err1 == nil || err2 == nil || err3 == nil {
			t.Errorf("%+v was answered: %v, %v, %v", bad, err1, err2, err3)
		}
	}
	if _, err := s.UsePlan(t.Context(), ledger.AppliedPlan{ID: "bad", Detail: json.RawMessage(`{`)}); err == nil {
		t.Error("a detail that is no JSON was accepted")
	}
}

func pastByTimeAndPrefix(t *testing.T, fresh func(testing.TB) Opener) {
	s := fresh(t)(t, "a")
	var decisions []ledger.Decision
	for i, text := range []string{"10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3/32", "10.1.3.0/24", "2001:db8::/32", "2001:db8:1::/48", "0.0.0.0/0"} {
		d := Block("192.0.2.1")
		d.Prefix = netip.MustParsePrefix(text)
		d.Start, d.End = Noon.Add(time.Duration(i)*time.Hour), Noon.Add(time.Duration(i+1)*time.Hour)
		decisions = append(decisions, d)
	}
	decisions[4].End = time.Time{}
	added, err := s.Add(t.Context(), decisions)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Revoke(t.Context(), ledger.Revocation{Prefixes: []netip.Prefix{decisions[4].Prefix}, Verdict: ledger.Block, At: Noon.Add(5 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	// These are over when they are taken back: of no account to what was in force.
	late := func(d ledger.Decision, at time.Time) {
		t.Helper()
		d.RevokedAt = at
		if _, err := s.TakeIn(t.Context(), ledger.Intake{Decisions: []ledger.Decision{d}}); err != nil {
			t.Fatal(err)
		}
	}
	late(added[2], Noon.Add(9*time.Hour))
	late(added[5], Noon.Add(7*time.Hour))
	hour := func(h float64) time.Time { return Noon.Add(time.Duration(h * float64(time.Hour))) }
	for _, tc := range []struct {
		past ledger.Past
		want string
	}{
		{ledger.Past{}, "0.0.0.0/0 2001:db8:1::/48 2001:db8::/32 10.1.3.0/24 10.1.2.3/32 10.1.2.0/24 10.1.0.0/16 10.0.0.0/8"},
		{ledger.Past{Limit: 2}, "0.0.0.0/0 2001:db8:1::/48"},
		{ledger.Past{Limit: 2, Before: added[6].ID}, "2001:db8::/32 10.1.3.0/24"},
		{ledger.Past{Prefix: netip.MustParsePrefix("10.1.2.0/24")}, "0.0.0.0/0 10.1.2.3/32 10.1.2.0/24 10.1.0.0/16 10.0.0.0/8"},
		{ledger.Past{Prefix: netip.MustParsePrefix("10.1.2.3/32")}, "0.0.0.0/0 10.1.2.3/32 10.1.2.0/24 10.1.0.0/16 10.0.0.0/8"},
		{ledger.Past{Prefix: netip.MustParsePrefix("10.0.0.0/7")}, "0.0.0.0/0 10.1.3.0/24 10.1.2.3/32 10.1.2.0/24 10.1.0.0/16 10.0.0.0/8"},
		{ledger.Past{Prefix: netip.MustParsePrefix("2001:db8:1:2::/64")}, "2001:db8:1::/48 2001:db8::/32"},
		{ledger.Past{Prefix: netip.MustParsePrefix("192.0.2.1/32")}, "0.0.0.0/0"},
		{ledger.Past{Prefix: netip.MustParsePrefix("::/0")}, "2001:db8:1::/48 2001:db8::/32"},
		{ledger.Past{Since: hour(1), Until: hour(2)}, "10.1.0.0/16"},
		{ledger.Past{Since: hour(0.5), Until: hour(1.5)}, "10.1.0.0/16 10.0.0.0/8"},
		{ledger.Past{Since: hour(4.5), Until: hour(4.6)}, "10.1.3.0/24"}, // before it was revoked
		{ledger.Past{Since: hour(5)}, "0.0.0.0/0 2001:db8:1::/48 2001:db8::/32"},
		{ledger.Past{Since: hour(100)}, ""},
		{ledger.Past{Oldest: true, Limit: 2}, "10.0.0.0/8 10.1.0.0/16"},
		{ledger.Past{Oldest: true, Limit: 2, After: added[1].ID}, "10.1.2.0/24 10.1.2.3/32"},
		{ledger.Past{Revoked: true}, "10.1.2.0/24 2001:db8::/32 10.1.3.0/24"}, // the last one first
		{ledger.Past{Revoked: true, Limit: 1}, "10.1.2.0/24"},
		{ledger.Past{Revoked: true, Since: hour(5), Until: hour(6)}, "10.1.3.0/24"},
		{ledger.Past{Revoked: true, Prefix: netip.MustParsePrefix("2001:db8::/32")}, "2001:db8::/32"},
	} {
		got, err := s.PastDecisions(t.Context(), tc.past)
		var texts []string
		for _, d := range got {
			texts = append(texts, d.Prefix.String())
		}
		if text := strings.Join(texts, " "); err != nil || text != tc.want {
			t.Errorf("%+v\ngot  %s (error %v)\nwant %s", tc.past, text, err, tc.want)
		}
	}
}

func compactionForgets(t *testing.T, fresh func(testing.TB) Opener) {
	s := fresh(t)(t, "a")
	keep := Noon.AddDate(0, 0, 30)
	old, oldRevoked, endless, lasting, recent, recentRevoked := Block("192.0.2.1"), Block("192.0.2.2"), Block("192.0.2.3"), Block("192.0.2.4"), Block("192.0.2.5"), Block("192.0.2.6")
	oldRevoked.End, oldRevoked.RevokedAt = time.Time{}, Noon.Add(time.Minute)
	endless.End = time.Time{}
	lasting.End = keep.AddDate(1, 0, 0)
	recent.End = keep
	recentRevoked.End, recentRevoked.RevokedAt = time.Time{}, keep
	added, err := s.Add(t.Context(), []ledger.Decision{old, oldRevoked, endless, lasting, recent, recentRevoked})
	if err != nil {
		t.Fatal(err)
	}
	plan := func(id, cloud string, at time.Time, outcomes ...string) {
		t.Helper()
		if _, err := s.UsePlan(t.Context(), ledger.AppliedPlan{ID: id, Cloud: cloud, StartedAt: at}); err != nil {
			t.Fatal(err)
		}
		for _, outcome := range outcomes {
			e := Entry(id, 1, outcome)
			e.At = at
			if err := s.Record(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
	}
	plan("old", "one", Noon, ledger.Started, ledger.Finished)
	plan("crashed", "one", Noon, ledger.Started)
	plan("last of two", "two", Noon, ledger.Started, ledger.Finished)
	plan("recent", "one", keep, ledger.Started, ledger.Finished)
	for _, bad := range []time.Time{{}, time.Now().Add(time.Hour)} {
		if _, err := s.Compact(t.Context(), bad); err == nil {
			t.Errorf("compacted what is before %s", bad)
		}
	}

	done, err := s.Compact(t.Context(), keep)
	if want := (ledger.Compacted{Decisions: 2, Plans: 1, Entries: 2}); err != nil || done != want {
		t.Errorf("compacted %+v (error %v), want %+v", done, err, want)
	}
	left, err := s.Decisions(t.Context(), time.Time{})
	if err != nil || !reflect.DeepEqual(left, added[2:]) {
		t.Errorf("left (error %v)\n%+v, want\n%+v", err, left, added[2:])
	}
	plans, err := s.PastPlans(t.Context(), ledger.Past{})
	var ids []string
	for _, p := range plans {
		ids = append(ids, p.ID)
	}
	if err != nil || !slices.Equal(ids, []string{"recent", "last of two", "crashed"}) {
		t.Errorf("plans %v, error %v", ids, err)
	}
	entries, err := s.PastEntries(t.Context(), ledger.Past{})
	if err != nil || len(entries) != 5 {
		t.Errorf("entries %+v, error %v", entries, err)
	}
	if open, err := s.Unfinished(t.Context()); err != nil || len(open) != 1 || open[0].PlanID != "crashed" {
		t.Errorf("unfinished %+v, error %v", open, err)
	}
	if done, err := s.Compact(t.Context(), keep); err != nil || done != (ledger.Compacted{}) {
		t.Errorf("a second time: %+v, error %v", done, err)
	}
}

func compactionInParts(t *testing.T, fresh func(testing.TB) Opener) {
	s := fresh(t)(t, "a")
	const many = 2*ledger.CompactPart + 1
	if _, err := s.Add(t.Context(), Many(many)); err != nil {
		t.Fatal(err)
	}
	done, err := s.Compact(t.Context(), Noon.AddDate(0, 0, 1))
	if err != nil || done.Decisions != many {
		t.Errorf("compacted %+v (error %v), want %d decisions", done, err, many)
	}
}
