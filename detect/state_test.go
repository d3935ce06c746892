package detect_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/detect"
)

type pairKey struct{ rule, prefix string }

func merge(into map[pairKey]detect.Detection, ds []detect.Detection) {
	for _, d := range ds {
		d.Continued = false
		into[pairKey{d.Rule, d.Prefix.String()}] = d
	}
}

// splitRun observes signals in two runs of two engines, with the state between.
func splitRun(t interface {
	Fatalf(string, ...any)
}, rules []detect.Rule, signals []detect.Signal, at int) map[pairKey]detect.Detection {
	got := map[pairKey]detect.Detection{}
	var state []byte
	for _, part := range [][]detect.Signal{signals[:at], signals[at:]} {
		e, err := detect.New(rules, detect.Limits{})
		if err != nil {
			t.Fatalf("%v", err)
		}
		if state != nil {
			if err := e.UnmarshalBinary(state); err != nil {
				t.Fatalf("%v", err)
			}
			if ds := e.Detections(); len(ds) != 0 {
				t.Fatalf("reported again without news: %+v", ds)
			}
		}
		for _, s := range part {
			e.Observe(s)
		}
		merge(got, e.Detections())
		if state, err = e.MarshalBinary(); err != nil {
			t.Fatalf("%v", err)
		}
	}
	return got
}

func TestTwoRunsDetectWhatOneRunDoesWhereverTheLogIsSplit(t *testing.T) {
	rules := []detect.Rule{brute,
		{Name: "scan", Signals: []detect.Kind{detect.SMTPScan, detect.SMTPPregreet}, Threshold: 3, Within: time.Hour},
	}
	var signals []detect.Signal
	for i := range 160 {
		kind := []detect.Kind{detect.SMTPAuthFailed, detect.SMTPScan, detect.SMTPAuthFailed, detect.SMTPDelivered}[i%4]
		s := sig(kind, fmt.Sprintf("192.0.2.%d", i%11), time.Duration(i*7)*time.Second)
		if i%13 == 0 {
			s.Time = s.Time.Add(-40 * time.Second)
		}
		s.Source, s.Line, s.Offset, s.Raw = "mail.log", int64(i+1), int64(i*80), fmt.Appendf(nil, "line %d", i)
		signals = append(signals, s)
	}
	e := engine(t, detect.Limits{}, rules...)
	for _, s := range signals {
		e.Observe(s)
	}
	want := map[pairKey]detect.Detection{}
	merge(want, e.Detections())
	if len(want) < 8 {
		t.Fatalf("only %d detections to compare", len(want))
	}
	for at := range len(signals) + 1 {
		if got := splitRun(t, rules, signals, at); !reflect.DeepEqual(got, want) {
			t.Fatalf("split before signal %d:\n got %+v\nwant %+v", at, got, want)
		}
	}
}

func TestTwoRunsDetectWhatOneRunDoesWhateverTheLog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules, signals := drawRules(t), drawSignals(t, 60)
		// Longer gaps than the longest window are forgotten on purpose.
		rules = append(rules, detect.Rule{Name: "long", Signals: []detect.Kind{detect.IMAPAuthFailed}, Threshold: 9, Within: 24 * time.Hour})
		e, err := detect.New(rules, detect.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range signals {
			e.Observe(s)
		}
		want := map[pairKey]detect.Detection{}
		merge(want, e.Detections())
		at := rapid.IntRange(0, len(signals)).Draw(t, "split")
		if got := splitRun(t, rules, signals, at); !reflect.DeepEqual(got, want) {
			t.Fatalf("split at %d:\n got %+v\nwant %+v", at, got, want)
		}
	})
}

func TestAWindowThatStraddlesTwoRunsFiresAndSaysContinuedAfterwards(t *testing.T) {
	e := engine(t, detect.Limits{}, brute)
	run := func(from, to int) []detect.Detection {
		state, err := e.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		e = engine(t, detect.Limits{}, brute)
		if err := e.UnmarshalBinary(state); err != nil {
			t.Fatal(err)
		}
		for i := from; i < to; i++ {
			e.Observe(sig(detect.SMTPAuthFailed, "192.0.2.1", time.Duration(i)*time.Second))
		}
		return e.Drain()
	}
	if ds := run(0, 4); len(ds) != 0 {
		t.Fatalf("four failures: %+v", ds)
	}
	if ds := run(4, 5); len(ds) != 1 || ds[0].Continued || ds[0].Count != 5 {
		t.Fatalf("the fifth: %+v", ds)
	}
	if ds := run(5, 5); len(ds) != 0 {
		t.Fatalf("a run without news: %+v", ds)
	}
	if ds := run(5, 6); len(ds) != 1 || !ds[0].Continued || ds[0].Count != 6 {
		t.Fatalf("the sixth: %+v", ds)
	}
}

func TestAClockThatJumpedBackBeforeTheSplitIsStillKnownAfterIt(t *testing.T) {
	rule := brute
	rule.Threshold, rule.Within = 4, 30*time.Second
	var signals []detect.Signal
	for _, at := range []int{100, 101, 40, 41, 42} {
		signals = append(signals, sig(detect.SMTPAuthFailed, "192.0.2.1", time.Duration(at)*time.Second))
	}
	for at := range signals {
		if got := splitRun(t, []detect.Rule{rule}, signals, at); len(got) != 0 {
			t.Errorf("split before signal %d: no 30 seconds hold four signals, but %+v", at, got)
		}
	}
}

func TestTheStateForgetsWhatNoWindowNeeds(t *testing.T) {
	e := engine(t, detect.Limits{}, brute)
	for i := range 5 {
		e.Observe(sig(detect.SMTPAuthFailed, "192.0.2.1", time.Duration(i)*time.Second))
	}
	e.Observe(sig(detect.SMTPDelivered, "192.0.2.2", 0))
	e.Observe(sig(detect.SMTPAuthFailed, "192.0.2.3", 11*time.Minute))
	state, err := e.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	next := engine(t, detect.Limits{}, brute)
	if err := next.UnmarshalBinary(state); err != nil {
		t.Fatal(err)
	}
	if st := next.Stats(); st.Tracked != 2 {
		t.Errorf("%d tracked, want the success and the last failure", st.Tracked)
	}
	if !next.LastTime().Equal(start.Add(11 * time.Minute)) {
		t.Errorf("last time %v", next.LastTime())
	}
}

func TestAChangedRuleStartsAfresh(t *testing.T) {
	e := engine(t, detect.Limits{}, brute)
	for i := range 4 {
		e.Observe(sig(detect.SMTPAuthFailed, "192.0.2.1", time.Duration(i)*time.Second))
	}
	e.Observe(sig(detect.SMTPDelivered, "192.0.2.2", 0))
	state, _ := e.MarshalBinary()
	changed := brute
	changed.Threshold = 6
	next := engine(t, detect.Limits{}, changed)
	if err := next.UnmarshalBinary(state); err != nil {
		t.Fatal(err)
	}
	if st := next.Stats(); st.Tracked != 1 {
		t.Errorf("%d tracked, want the success mark only", st.Tracked)
	}
}

func TestADamagedStateIsAnErrorAndLeavesTheEngineEmpty(t *testing.T) {
	e := engine(t, detect.Limits{}, brute)
	for i := range 8 {
		e.Observe(sig(detect.SMTPAuthFailed, "192.0.2.1", time.Duration(i)*time.Second))
	}
	state, _ := e.MarshalBinary()
	for i := range state {
		broken := append([]byte(nil), state...)
		broken[i] ^= 0x41
		if err := e.UnmarshalBinary(broken); err == nil || !strings.HasPrefix(err.Error(), "reading detection state: ") {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		if e.Stats().Tracked != 0 {
			t.Fatalf("byte %d changed: something is tracked", i)
		}
		if err := e.UnmarshalBinary(state[:i]); err == nil {
			t.Fatalf("cut at byte %d: no error", i)
		}
	}
}
