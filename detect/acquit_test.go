package detect_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/detect"
)

var (
	slow    = detect.Rule{Name: "slow", Signals: []detect.Kind{detect.SMTPAuthFailed}, Threshold: 30, Within: 7 * 24 * time.Hour, Acts: true}
	network = detect.Rule{Name: "network", Signals: []detect.Kind{detect.SMTPAuthFailed}, Of: detect.OfNetwork, Threshold: 9, Members: 3, Within: time.Hour}
	shared  = detect.Rule{Name: "shared", Signals: []detect.Kind{detect.SMTPAuthFailed}, Of: detect.OfAccount, Count: detect.Addresses, Threshold: 3, Within: time.Hour}
)

func again(t *testing.T, e *detect.Engine, signals int, from string, at time.Duration) []detect.Detection {
	t.Helper()
	for i := range signals {
		e.Observe(sig(detect.SMTPAuthFailed, from, at+time.Duration(i)*time.Second))
	}
	return e.Drain()
}

// A long window keeps an address known for days. Once its block is over, one more
// failure is not an attack: the threshold counts anew.
func TestWhoIsAcquittedIsDetectedByNewSignalsOnly(t *testing.T) {
	e := engine(t, detect.Limits{}, brute, slow)
	if ds := again(t, e, 20, "192.0.2.1", 0); len(ds) != 1 {
		t.Fatalf("detections: %+v", ds)
	}
	if ds := again(t, e, 1, "192.0.2.1", 2*time.Hour); len(ds) != 1 || !ds[0].Continued {
		t.Fatalf("without an acquittal one failure goes on: %+v", ds)
	}
	e.Acquit("brute", netip.MustParsePrefix("192.0.2.1/32"), start.Add(3*time.Hour))
	if ds := again(t, e, 4, "192.0.2.1", 4*time.Hour); len(ds) != 0 {
		t.Fatalf("four new failures: %+v", ds)
	}
	ds := again(t, e, 1, "192.0.2.1", 4*time.Hour+time.Minute)
	if len(ds) != 1 || ds[0].Continued || ds[0].Count != 5 || !ds[0].CrossedAt.Equal(start.Add(4*time.Hour+time.Minute)) {
		t.Fatalf("five new failures: %+v", ds)
	}
	// The other rule goes on counting: 25 in the seven days, and five make thirty.
	if ds := again(t, e, 4, "192.0.2.1", 5*time.Hour); len(ds) != 2 || ds[1].Rule != "slow" || ds[1].Count != 30 {
		t.Fatalf("the slow rule: %+v", ds)
	}
}

func TestAnAcquittalIsOfOneSourceOneRuleAndOneTime(t *testing.T) {
	for _, c := range []struct {
		rule, prefix string
		until        time.Duration
		detected     bool // by one more signal
	}{
		{"brute", "192.0.2.1/32", time.Hour, false},
		{"", "192.0.2.1/32", time.Hour, false},
		{"other", "192.0.2.1/32", time.Hour, true},
		{"brute", "192.0.2.2/32", time.Hour, true},
		{"brute", "192.0.2.0/24", time.Hour, true},
		{"brute", "192.0.2.1/32", time.Second, true}, // it crossed after that
	} {
		e := engine(t, detect.Limits{}, brute)
		again(t, e, 5, "192.0.2.1", 0)
		e.Acquit(c.rule, netip.MustParsePrefix(c.prefix), start.Add(c.until))
		if ds := again(t, e, 1, "192.0.2.1", 5*time.Minute); (len(ds) == 1) != c.detected {
			t.Errorf("%+v: %+v", c, ds)
		}
	}
}

func TestNetworksAndMembersAreAcquittedToo(t *testing.T) {
	for _, c := range []struct {
		rule   detect.Rule
		prefix string
		after  int // so many more signals are no detection
	}{
		{network, "192.0.2.0/24", 8},
		{shared, "192.0.2.1/32", 0},
	} {
		e := engine(t, detect.Limits{}, c.rule)
		attack := func(n int, at time.Duration) {
			for i := range n {
				s := sig(detect.SMTPAuthFailed, fmt.Sprintf("192.0.2.%d", i%3+1), at+time.Duration(i)*time.Second)
				s.Account = []byte("bob")
				e.Observe(s)
			}
		}
		attack(9, 0)
		if len(e.Drain()) == 0 {
			t.Fatalf("%s: no detection", c.rule.Name)
		}
		e.Acquit(c.rule.Name, netip.MustParsePrefix(c.prefix), start.Add(time.Minute))
		attack(c.after, 2*time.Minute)
		for _, d := range e.Drain() {
			t.Errorf("%s: detected again: %+v", c.rule.Name, d)
		}
		attack(9, 10*time.Minute)
		found := false
		for _, d := range e.Drain() {
			if d.Prefix == netip.MustParsePrefix(c.prefix) {
				found = true
				if d.Continued || d.CrossedAt.Before(start.Add(10*time.Minute)) {
					t.Errorf("%s: %+v, want a new detection", c.rule.Name, d)
				}
			}
		}
		if !found {
			t.Errorf("%s: nine new signals are no detection", c.rule.Name)
		}
	}
}

// An acquittal at a time when nothing had been counted later is as if the signals up to
// it had never been, for the source and the rule.
func TestAnAcquittalLeavesWhatIsNew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := func(label string, most int) []time.Duration {
			var all []time.Duration
			for _, s := range rapid.SliceOfN(rapid.IntRange(0, 1200), 0, most).Draw(t, label) {
				all = append(all, time.Duration(s)*time.Second)
			}
			return all
		}
		old, fresh := at("old", 40), at("fresh", 40)
		split := rapid.Bool().Draw(t, "restarted")
		e, _ := detect.New([]detect.Rule{brute, slow}, detect.Limits{Seed: 1})
		want, _ := detect.New([]detect.Rule{brute, slow}, detect.Limits{Seed: 1})
		for _, s := range old {
			e.Observe(sig(detect.SMTPAuthFailed, "192.0.2.1", s))
		}
		crossed := len(e.Drain()) > 0
		acquittal := 1300 * time.Second
		e.Acquit("", netip.MustParsePrefix("192.0.2.1/32"), start.Add(acquittal))
		if split {
			state, err := e.MarshalBinary()
			if err == nil {
				e, _ = detect.New([]detect.Rule{brute, slow}, detect.Limits{Seed: 1})
				err = e.UnmarshalBinary(state)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, s := range fresh {
			for _, e := range []*detect.Engine{e, want} {
				e.Observe(sig(detect.SMTPAuthFailed, "192.0.2.1", time.Hour+s))
			}
		}
		for _, w := range want.Drain() {
			if w.Rule != "brute" || !crossed {
				continue
			}
			found := false
			for _, d := range e.Drain() {
				if d.Rule == w.Rule {
					found = true
					if d.Count != w.Count || d.Peak != w.Peak || !d.CrossedAt.Equal(w.CrossedAt) || !d.FirstSeen.Equal(w.FirstSeen) || d.Continued {
						t.Fatalf("%+v, want %+v", d, w)
					}
				}
			}
			if !found {
				t.Fatalf("not detected, want %+v", w)
			}
		}
	})
}

func TestStandingsSayHowFarItIs(t *testing.T) {
	e := engine(t, detect.Limits{}, brute, slow, network)
	for i := range 3 {
		e.Observe(sig(detect.SMTPAuthFailed, "192.0.2.1", time.Duration(i)*6*time.Minute))
	}
	e.Observe(sig(detect.SMTPAuthFailed, "192.0.2.2", 13*time.Minute))
	check := func(at time.Duration, rule, prefix string, in, threshold, members int, crossed bool) {
		t.Helper()
		for _, s := range e.Standings(netip.MustParseAddr("192.0.2.1"), start.Add(at)) {
			if s.Rule != rule {
				continue
			}
			if s.Prefix.String() != prefix || s.InWindow != in || s.Threshold != threshold || s.InMembers != members || s.CrossedAt.IsZero() == crossed {
				t.Errorf("%s: %+v", rule, s)
			}
			return
		}
		t.Errorf("no standing by %s", rule)
	}
	check(14*time.Minute, "brute", "192.0.2.1/32", 2, 5, 0, false)
	check(time.Hour, "brute", "192.0.2.1/32", 0, 5, 0, false)
	check(14*time.Minute, "slow", "192.0.2.1/32", 3, 30, 0, false)
	check(14*time.Minute, "network", "192.0.2.0/24", 4, 9, 2, false)
	e.Observe(sig(detect.SMTPAuthOK, "192.0.2.1", 15*time.Minute))
	check(16*time.Minute, "brute", "192.0.2.1/32", 2, 20, 0, false)
	for i := range 20 {
		e.Observe(sig(detect.SMTPAuthFailed, "192.0.2.1", 17*time.Minute+time.Duration(i)*time.Second))
	}
	check(18*time.Minute, "brute", "192.0.2.1/32", 20, 20, 0, true)
	if got := e.Standings(netip.MustParseAddr("203.0.113.1"), start); len(got) != 0 {
		t.Errorf("of a stranger: %+v", got)
	}
}

func TestWhatAnAcquittedRuleForgotIsNotForgottenByOthersAfterARestart(t *testing.T) {
	// Both rules look into one list of arrivals. The one that keeps it was acquitted.
	near := detect.Rule{Name: "near", Signals: []detect.Kind{detect.SMTPAuthFailed}, Threshold: 1, LegitimateThreshold: 500, Within: time.Hour}
	far := detect.Rule{Name: "far", Signals: []detect.Kind{detect.SMTPAuthFailed}, Threshold: 1, LegitimateThreshold: 501, Within: time.Hour}
	e := engine(t, detect.Limits{}, near, far)
	who := netip.MustParseAddr("192.0.2.1")
	fail := func() {
		e.Observe(detect.Signal{Kind: detect.SMTPAuthFailed, Addr: who, Time: start})
	}
	fail()
	e.Drain()
	e.Acquit("far", netip.PrefixFrom(who, 32), start)
	fail()
	state, err := e.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if err := e.UnmarshalBinary(state); err != nil {
		t.Fatal(err)
	}
	fail()
	for _, d := range e.Detections() {
		if want := map[string]int{"near": 3, "far": 2}[d.Rule]; d.Peak != want {
			t.Errorf("%s has a peak of %d, want %d", d.Rule, d.Peak, want)
		}
	}
}
