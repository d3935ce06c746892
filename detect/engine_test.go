package detect_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"fwsync/detect"
)

var start = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

var brute = detect.Rule{Name: "brute", Signals: []detect.Kind{detect.SMTPAuthFailed}, Threshold: 5, Within: 10 * time.Minute}

func engine(t testing.TB, limits detect.Limits, rules ...detect.Rule) *detect.Engine {
	t.Helper()
	e, err := detect.New(rules, limits)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func sig(kind detect.Kind, addr string, at time.Duration) detect.Signal {
	return detect.Signal{Kind: kind, Addr: netip.MustParseAddr(addr), Time: start.Add(at)}
}

func TestTheWindowIsClosedAndSlides(t *testing.T) {
	s := time.Second
	for _, c := range []struct {
		name     string
		at       []time.Duration
		detected bool
		peak     int
	}{
		{"five in one second cross", []time.Duration{0, 0, 0, 0, 0}, true, 5},
		{"four do not", []time.Duration{0, 0, 0, 0}, false, 0},
		{"the fifth exactly at the window's end crosses", []time.Duration{0, 1 * s, 2 * s, 3 * s, 600 * s}, true, 5},
		{"a microsecond later does not", []time.Duration{0, 1 * s, 2 * s, 3 * s, 600*s + 1000}, false, 0},
		{"old failures fall out of the window", []time.Duration{0, 1 * s, 2 * s, 3 * s, 601 * s, 602 * s, 603 * s, 604 * s}, false, 0},
		{"a later burst crosses", []time.Duration{0, 1 * s, 2 * s, 3 * s, 700 * s, 701 * s, 702 * s, 703 * s, 704 * s}, true, 5},
		{"the clock jumps back inside the window", []time.Duration{100 * s, 101 * s, 40 * s, 41 * s, 42 * s}, true, 5},
		{"the clock jumps back by hours and the burst comes after", []time.Duration{9000 * s, 9001 * s, 0, 1 * s, 2 * s, 3 * s, 4 * s}, true, 5},
		{"two bursts that a jump puts far apart do not add up", []time.Duration{9000 * s, 9001 * s, 9002 * s, 0, 1 * s}, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := engine(t, detect.Limits{}, brute)
			for _, at := range c.at {
				e.Observe(sig(detect.SMTPAuthFailed, "192.0.2.1", at))
			}
			ds := e.Detections()
			if (len(ds) == 1) != c.detected {
				t.Fatalf("detections: %+v", ds)
			}
			if c.detected && (ds[0].Peak != c.peak || ds[0].Count != len(c.at)) {
				t.Errorf("peak %d count %d, want %d and %d", ds[0].Peak, ds[0].Count, c.peak, len(c.at))
			}
		})
	}
}

func TestAStormCountsWhatComesInAFullWindow(t *testing.T) {
	storm := detect.Rule{Name: "storm", Signals: brute.Signals, Of: detect.OfSite, Threshold: 3, Within: 5 * time.Second}
	for _, c := range []struct {
		name  string
		at    []int // milliseconds
		count int
	}{
		{"the fourth in the window", []int{0, 0, 0, 5000}, 4},
		{"one that comes alone", []int{0, 0, 0, 5001}, 3},
		{"one that the clock jumped back to", []int{0, 0, 0, 5001, 5000}, 3},
		{"one between two that are too far apart", []int{0, 0, 0, 7000, 0, 3000}, 3},
	} {
		e := engine(t, detect.Limits{}, storm)
		for i, ms := range c.at {
			e.Observe(sig(detect.SMTPAuthFailed, addr(i).String(), time.Duration(ms)*time.Millisecond))
		}
		if ds := e.Detections(); len(ds) != 1 || ds[0].Count != c.count {
			t.Errorf("%s: %+v, want a count of %d", c.name, ds, c.count)
		}
	}
}

func TestALegitimateAddressHasTheSecondThreshold(t *testing.T) {
	fails := func(n int, at time.Duration) (out []detect.Signal) {
		for i := range n {
			out = append(out, sig(detect.SMTPAuthFailed, "192.0.2.1", at+time.Duration(i)*time.Second))
		}
		return out
	}
	ok := func(at time.Duration) []detect.Signal {
		return []detect.Signal{sig(detect.SMTPAuthOK, "192.0.2.1", at)}
	}
	other := []detect.Signal{sig(detect.SMTPAuthOK, "192.0.2.2", 0)}
	for _, c := range []struct {
		name     string
		rule     int
		signals  [][]detect.Signal
		found    int
		withheld bool
		legit    bool
	}{
		{"five failures of a stranger are detected", 0, [][]detect.Signal{other, fails(5, time.Minute)}, 1, false, false},
		{"four failures after a success are nothing", 0, [][]detect.Signal{ok(0), fails(4, time.Minute)}, 0, false, false},
		{"five failures after a success are withheld", 0, [][]detect.Signal{ok(0), fails(5, time.Minute)}, 1, true, true},
		{"nineteen too", 0, [][]detect.Signal{ok(0), fails(19, time.Minute)}, 1, true, true},
		{"twenty, four times the threshold, are detected", 0, [][]detect.Signal{ok(0), fails(20, time.Minute)}, 1, false, true},
		{"the second threshold can be set", 7, [][]detect.Signal{ok(0), fails(7, time.Minute)}, 1, false, true},
		{"… and is not crossed below", 7, [][]detect.Signal{ok(0), fails(6, time.Minute)}, 1, true, true},
		{"a success between failures speaks for the address", 0, [][]detect.Signal{fails(4, 0), ok(5 * time.Second), fails(4, 10*time.Second)}, 1, true, true},
		{"a guessed password does not undo a detection", 0, [][]detect.Signal{fails(5, 0), ok(10 * time.Second), fails(3, time.Minute)}, 1, false, false},
		{"a success 24 hours ago still counts", 0, [][]detect.Signal{ok(0), fails(5, 24*time.Hour-4*time.Second)}, 1, true, true},
		{"an older one does not", 0, [][]detect.Signal{ok(0), fails(5, 24*time.Hour+time.Second)}, 1, false, false},
		{"withheld first, detected when the success has aged", 0, [][]detect.Signal{ok(0), fails(5, time.Minute), fails(5, 25*time.Hour)}, 1, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			rule := brute
			rule.LegitimateThreshold = c.rule
			e := engine(t, detect.Limits{}, rule)
			for _, ss := range c.signals {
				for _, s := range ss {
					e.Observe(s)
				}
			}
			ds := e.Detections()
			if len(ds) != c.found {
				t.Fatalf("detections: %+v", ds)
			}
			if c.found == 1 && (ds[0].Withheld != c.withheld || ds[0].Legitimate != c.legit) {
				t.Errorf("withheld %v, legitimate %v by %v", ds[0].Withheld, ds[0].Legitimate, ds[0].LegitimateBy)
			}
		})
	}
}

func TestARepeatedLineCountsAsOftenAsItSays(t *testing.T) {
	e := engine(t, detect.Limits{}, brute)
	s := sig(detect.SMTPAuthFailed, "192.0.2.1", 0)
	s.Count = 4
	e.Observe(s)
	if ds := e.Detections(); len(ds) != 0 {
		t.Fatalf("four failures in one line: %+v", ds)
	}
	s.Count = 1 << 40
	e.Observe(s)
	if ds := e.Detections(); len(ds) != 1 || ds[0].Peak != 20 || ds[0].Count < 1<<20 {
		t.Fatalf("detections: %+v", ds)
	}
}

func TestDrainReportsNewsOnceAndContinuedOnesAgain(t *testing.T) {
	e := engine(t, detect.Limits{}, brute)
	for i := range 5 {
		e.Observe(sig(detect.SMTPAuthFailed, "192.0.2.1", time.Duration(i)*time.Second))
	}
	if ds := e.Drain(); len(ds) != 1 || ds[0].Continued || ds[0].Count != 5 {
		t.Fatalf("first drain: %+v", ds)
	}
	if ds := e.Drain(); len(ds) != 0 {
		t.Fatalf("nothing happened, but: %+v", ds)
	}
	e.Observe(sig(detect.SMTPAuthFailed, "192.0.2.1", time.Minute))
	ds := e.Drain()
	if len(ds) != 1 || !ds[0].Continued || ds[0].Count != 6 || !ds[0].LastSeen.Equal(start.Add(time.Minute)) || !ds[0].CrossedAt.Equal(start.Add(4*time.Second)) {
		t.Fatalf("second drain: %+v", ds)
	}
}

func TestDetectionsComeInOrderOfCrossingThenAddress(t *testing.T) {
	e := engine(t, detect.Limits{}, brute)
	for i := range 5 {
		for _, a := range []string{"2001:db8::1", "192.0.2.9", "192.0.2.10"} {
			e.Observe(sig(detect.SMTPAuthFailed, a, time.Duration(i)*time.Second))
		}
	}
	var got []string
	for _, d := range e.Detections() {
		got = append(got, d.Prefix.String())
	}
	if want := []string{"192.0.2.9/32", "192.0.2.10/32", "2001:db8::1/128"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWhoTookPartAtAnAccountIsShownWithAnOwnLine(t *testing.T) {
	e, err := detect.New([]detect.Rule{
		{Name: "guessing", Signals: []detect.Kind{detect.SMTPAuthFailed}, Threshold: 5, Within: time.Hour},
		{Name: "distributed", Signals: []detect.Kind{detect.SMTPAuthFailed}, Of: detect.OfAccount, Count: detect.Addresses, Threshold: 6, Within: time.Hour},
	}, detect.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		addr := netip.AddrFrom4([4]byte{198, 51, 100, byte(i)})
		for _, account := range []string{"sales", "info"} {
			e.Observe(detect.Signal{Kind: detect.SMTPAuthFailed, Addr: addr, Account: []byte(account), Time: start.Add(time.Duration(i) * time.Minute), Raw: fmt.Appendf(nil, "[%s] tries %s", addr, account)})
		}
	}
	found := e.Detections()
	if len(found) != 8 {
		t.Fatalf("%d detections, want each address once", len(found))
	}
	for _, d := range found {
		if own := fmt.Sprintf("[%s] tries %s", d.Prefix.Addr(), d.Account); !slices.ContainsFunc(d.Evidence, func(v detect.Evidence) bool { return v.Text == own }) || len(d.Evidence) > 3 {
			t.Errorf("%s at %s is shown with %+v", d.Prefix, d.Account, d.Evidence)
		}
	}
}

func TestEvidenceIsTheFirstTwoLinesAndTheCrossing(t *testing.T) {
	e := engine(t, detect.Limits{}, brute)
	for i := range 9 {
		s := sig(detect.SMTPAuthFailed, "192.0.2.1", time.Duration(i)*time.Second)
		s.Source, s.Line, s.Offset = "mail.log", int64(i+1), int64(100*i)
		s.Raw = fmt.Appendf(nil, "line %d \x1b[31mred\u202e\xff%s", i+1, strings.Repeat("é", 400))
		e.Observe(s)
		clear(s.Raw) // the reader's buffer is used again
	}
	ev := e.Detections()[0].Evidence
	if len(ev) != 3 || ev[0].Line != 1 || ev[1].Line != 2 || ev[2].Line != 5 || ev[2].Offset != 400 || ev[2].Source != "mail.log" {
		t.Fatalf("evidence: %+v", ev)
	}
	for _, x := range ev {
		if len(x.Text) > detect.MaxEvidenceText || len(x.Text) < 290 || !strings.HasPrefix(x.Text, fmt.Sprintf("line %d ?[31mred??é", x.Line)) {
			t.Errorf("text %q", x.Text)
		}
		if len(x.Hash) != 16 {
			t.Errorf("hash %q", x.Hash)
		}
	}
}

func TestBadRulesAreRefusedByName(t *testing.T) {
	good := func(change func(*detect.Rule)) []detect.Rule {
		r := brute
		change(&r)
		return []detect.Rule{r}
	}
	for _, c := range []struct {
		want  string
		rules []detect.Rule
	}{
		{"name is empty", good(func(r *detect.Rule) { r.Name = "" })},
		{"signals are empty", good(func(r *detect.Rule) { r.Signals = nil })},
		{"not a known kind", good(func(r *detect.Rule) { r.Signals = []detect.Kind{99} })},
		{"smtp.delivered speaks for an address", good(func(r *detect.Rule) { r.Signals = []detect.Kind{detect.SMTPDelivered} })},
		{"threshold 0", good(func(r *detect.Rule) { r.Threshold = 0 })},
		{"threshold 5000", good(func(r *detect.Rule) { r.Threshold = 5000 })},
		{"within 1ms", good(func(r *detect.Rule) { r.Within = time.Millisecond })},
		{"legitimate threshold 4", good(func(r *detect.Rule) { r.LegitimateThreshold = 4 })},
		{"two rules have this name", []detect.Rule{brute, brute}},
	} {
		t.Run(c.want, func(t *testing.T) {
			_, err := detect.New(c.rules, detect.Limits{})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), `detection "`) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestInvalidSignalsAreCountedAndIgnored(t *testing.T) {
	rule := brute
	rule.Threshold = 1
	e := engine(t, detect.Limits{}, rule)
	e.Observe(detect.Signal{Kind: detect.SMTPAuthFailed, Time: start})
	e.Observe(detect.Signal{Addr: netip.MustParseAddr("192.0.2.1"), Time: start})
	e.Observe(detect.Signal{Kind: detect.SMTPAuthFailed, Addr: netip.MustParseAddr("192.0.2.1")})
	e.Observe(sig(detect.SMTPAuthFailed, "fe80::1%eth0", 0))
	if got := e.Stats(); got.Invalid != 4 || len(e.Detections()) != 0 {
		t.Errorf("stats %+v", got)
	}
}

func addr(i int) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(i)+1<<24)
	return netip.AddrFrom4(b)
}

func TestAFullEngineForgetsTheLongestIdleAndStillDetects(t *testing.T) {
	e := engine(t, detect.Limits{MaxSources: 1000}, brute)
	at := start
	for i := range 50_000 {
		at = at.Add(time.Millisecond)
		e.Observe(detect.Signal{Kind: detect.SMTPAuthFailed, Addr: addr(i), Time: at})
		if i%100 == 0 {
			e.Observe(detect.Signal{Kind: detect.SMTPAuthFailed, Addr: netip.MustParseAddr("192.0.2.1"), Time: at})
		}
	}
	st := e.Stats()
	if st.Tracked > 1000 || st.Sketched < 48_000 || st.Untracked != 0 || st.Expired != 0 {
		t.Errorf("stats %+v", st)
	}
	if ds := e.Detections(); len(ds) != 1 || ds[0].Prefix.Addr().String() != "192.0.2.1" || ds[0].Count != 500 {
		t.Errorf("detections %+v", ds)
	}
}

func TestEvictionSparesWhoWasSeenLately(t *testing.T) {
	e := engine(t, detect.Limits{MaxSources: 1000}, brute)
	for i := range 1000 {
		// Addresses in another order than time, so that neither age nor place stands for idleness.
		for range 4 {
			e.Observe(detect.Signal{Kind: detect.SMTPAuthFailed, Addr: addr(i), Time: start.Add(time.Duration(i*7%1000) * 100 * time.Millisecond)})
		}
	}
	late := start.Add(100 * time.Second)
	e.Observe(detect.Signal{Kind: detect.SMTPAuthFailed, Addr: addr(5000), Time: late, Count: 3})
	if st := e.Stats(); st.Evicted < 60 || st.Evicted > 150 {
		t.Fatalf("evicted %d, want about an eighth", st.Evicted)
	}
	for i := range 1000 {
		if i*7%1000 >= 200 {
			e.Observe(detect.Signal{Kind: detect.SMTPAuthFailed, Addr: addr(i), Time: late})
		}
	}
	if ds := e.Detections(); len(ds) != 800 {
		t.Errorf("%d of the 800 latest are detected", len(ds))
	}
}

func TestWhatNoWindowNeedsIsDroppedBeforeAnythingElse(t *testing.T) {
	e := engine(t, detect.Limits{MaxSources: 1000}, brute)
	for i := range 900 {
		e.Observe(detect.Signal{Kind: detect.SMTPAuthFailed, Addr: addr(i), Time: start})
	}
	for i := range 900 {
		e.Observe(detect.Signal{Kind: detect.SMTPAuthFailed, Addr: addr(1000 + i), Time: start.Add(time.Hour)})
	}
	if st := e.Stats(); st.Expired != 900 || st.Evicted != 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestUnreportedDetectionsAreNeverEvicted(t *testing.T) {
	rule := brute
	rule.Threshold = 1
	e := engine(t, detect.Limits{MaxSources: 1000}, rule)
	for i := range 100_000 {
		e.Observe(detect.Signal{Kind: detect.SMTPAuthFailed, Addr: addr(i), Time: start})
	}
	if ds := e.Drain(); len(ds) != 1000 || e.Stats().Untracked != 99_000 {
		t.Fatalf("%d detections, stats %+v", len(ds), e.Stats())
	}
	for i := range 2000 {
		e.Observe(detect.Signal{Kind: detect.SMTPAuthFailed, Addr: addr(i + 200_000), Time: start})
	}
	if ds := e.Drain(); len(ds) == 0 || ds[0].Continued {
		t.Errorf("after the drain there is room again, got %d", len(ds))
	}
}

func TestAMillionSourcesFitIntoTheMemoryLimit(t *testing.T) {
	if testing.Short() || underRace {
		t.Skip("takes a second")
	}
	e := engine(t, detect.Limits{}, brute)
	for round := range 5 {
		for i := range 1_200_000 {
			e.Observe(detect.Signal{Kind: detect.SMTPAuthFailed, Addr: addr(i), Time: start.Add(time.Duration(round) * time.Second)})
		}
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	if st := e.Stats(); st.Tracked > 1_000_000 || st.Evicted == 0 {
		t.Errorf("stats %+v", st)
	}
	if m.HeapAlloc > 220<<20 {
		t.Errorf("%d MiB on the heap", m.HeapAlloc>>20)
	}
	t.Logf("%d MiB on the heap for %d pairs", m.HeapAlloc>>20, e.Stats().Tracked)
	runtime.KeepAlive(e)
}

func TestObservingAllocatesNothing(t *testing.T) {
	e := engine(t, detect.Limits{}, brute)
	s := sig(detect.SMTPAuthFailed, "192.0.2.1", 0)
	ok := sig(detect.SMTPDelivered, "192.0.2.2", 0)
	for range 30 {
		e.Observe(s)
		e.Observe(ok)
	}
	if n := testing.AllocsPerRun(1000, func() { e.Observe(s); e.Observe(ok) }); n != 0 {
		t.Errorf("%v allocations per signal", n)
	}
}

func TestEveryKindHasOneNameThatParsesBack(t *testing.T) {
	for _, k := range detect.Kinds() {
		if got, err := detect.ParseKind(k.String()); err != nil || got != k {
			t.Errorf("%d: %q parses to %d, %v", k, k, got, err)
		}
		var back map[detect.Kind]int
		if b, err := json.Marshal(map[detect.Kind]int{k: 1}); err != nil || json.Unmarshal(b, &back) != nil || back[k] != 1 {
			t.Errorf("%s as a JSON key: %s, %v", k, b, err)
		}
	}
	if _, err := detect.ParseKind(""); err == nil {
		t.Error("no name is no kind")
	}
	if _, err := detect.ParseKind("smtp.auth"); err == nil || !strings.Contains(err.Error(), "smtp.auth_failed") {
		t.Errorf("the error lists what is known: %v", err)
	}
}

func TestAnAccountUsedFarApartIsReported(t *testing.T) {
	apart := detect.Rule{Name: "apart", Signals: []detect.Kind{detect.IMAPAuthOK}, Of: detect.OfAccount, Count: detect.Networks, Threshold: 2, Within: 10 * time.Minute}
	login := func(e *detect.Engine, account, addr string, at time.Duration) {
		s := sig(detect.IMAPAuthOK, addr, at)
		s.Account = []byte(account)
		e.Observe(s)
	}
	for _, c := range []struct {
		name, first, second string
		apart               time.Duration
		found               bool
	}{
		{"two networks", "192.0.2.1", "198.51.100.1", 9 * time.Minute, true},
		{"one network", "192.0.2.1", "192.0.77.1", 9 * time.Minute, false},
		{"too long after", "192.0.2.1", "198.51.100.1", 11 * time.Minute, false},
		{"two networks of IPv6", "2001:db8::1", "2001:db9::1", time.Minute, true},
		{"two countries", "203.0.113.1", "198.51.100.1", 9 * time.Minute, true},
		{"two countries, too long after", "203.0.113.1", "198.51.100.1", 11 * time.Minute, false},
		{"two networks of one country", "203.0.113.1", "203.1.113.1", time.Minute, false},
		{"a country, and an address without one", "203.0.113.1", "192.0.2.1", time.Minute, false},
		{"two networks, which have no country", "192.0.2.1", "2001:db8::1", time.Minute, false},
		{"two countries of IPv6", "203.0.113.1", "2001:db9::1", time.Minute, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			apart := apart
			if strings.Contains(c.name, "countr") {
				apart.Count = detect.Countries
			}
			e := engine(t, detect.Limits{}, apart)
			e.Locate(func(a netip.Addr) string {
				for prefix, code := range map[string]string{"203.0.0.0/8": "AQ", "198.0.0.0/8": "DE", "2001:db9::/32": "CN"} {
					if netip.MustParsePrefix(prefix).Masked().Contains(a) {
						return code
					}
				}
				return ""
			})
			login(e, "Alice", c.first, 0)
			login(e, "bob", c.second, time.Second)
			login(e, "alice", c.second, c.apart)
			ds := e.Detections()
			if len(ds) > 0 != c.found {
				t.Fatalf("detections %+v", ds)
			}
			if c.found && (ds[0].Prefix.Addr().String() != c.second || ds[0].Account != "alice" || ds[0].Withheld || len(ds[0].Evidence) == 0) {
				t.Errorf("detection %+v", ds[0])
			}
		})
	}
}

func TestTheScoreIsLoweredByWhatSpeaksForASource(t *testing.T) {
	weighty := brute
	weighty.Weight = 2
	e := engine(t, detect.Limits{}, weighty)
	e.Know([]netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")})
	for _, a := range []string{"192.0.2.1", "192.0.2.2", "198.51.100.1", "198.51.100.2"} {
		if strings.HasSuffix(a, "2") {
			e.Observe(sig(detect.SMTPAuthOK, a, 0))
		}
		for i := range 24 {
			e.Observe(sig(detect.SMTPAuthFailed, a, time.Duration(i)*time.Second))
		}
	}
	got := map[string]detect.Score{}
	for _, d := range e.Detections() {
		got[d.Prefix.Addr().String()] = d.Score
	}
	for a, want := range map[string]detect.Score{
		"192.0.2.1":    {Total: 48, Count: 24, Weight: 2},
		"192.0.2.2":    {Total: 12, Count: 24, Weight: 2, Success: true},
		"198.51.100.1": {Total: 12, Count: 24, Weight: 2, Known: true},
		"198.51.100.2": {Total: 3, Count: 24, Weight: 2, Success: true, Known: true},
	} {
		if got[a] != want {
			t.Errorf("%s: %+v, want %+v", a, got[a], want)
		}
	}
}

func TestAnAttackerWhoWalksThroughItsSlash64IsFound(t *testing.T) {
	e := engine(t, detect.Limits{}, brute)
	for i := range 5 {
		e.Observe(sig(detect.SMTPAuthFailed, fmt.Sprintf("2001:db8::%x", i+1), time.Duration(i)*time.Second))
	}
	// One address alone is found by itself, and so are two.
	for i := range 12 {
		e.Observe(sig(detect.SMTPAuthFailed, fmt.Sprintf("2001:db8:0:1::%x", i%2), time.Duration(i)*time.Second))
	}
	var got []string
	for _, d := range e.Detections() {
		got = append(got, d.Prefix.String())
	}
	if want := []string{"2001:db8::/64", "2001:db8:0:1::/128", "2001:db8:0:1::1/128"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
