package detect_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/detect"
)

// naive keeps everything and counts by looking at all of it.
type naive struct {
	rules []detect.Rule
	pairs map[naiveKey]*naivePair
	ok    map[netip.Addr]time.Time
}

type naiveKey struct {
	rule string
	addr netip.Addr
}

type naivePair struct {
	arrivals       []time.Time
	crossed        time.Time
	found, held    bool
	count, largest int
}

func (n *naive) observe(s detect.Signal) {
	if s.Kind.Success() {
		if s.Time.After(n.ok[s.Addr]) {
			n.ok[s.Addr] = s.Time
		}
		return
	}
	for _, r := range n.rules {
		if !slices.Contains(r.Signals, s.Kind) {
			continue
		}
		legitimate := r.LegitimateThreshold
		if legitimate == 0 {
			legitimate = 4 * r.Threshold
		}
		key := naiveKey{r.Name, s.Addr}
		if n.pairs[key] == nil {
			n.pairs[key] = &naivePair{}
		}
		p := n.pairs[key]
		now := 0
		for range s.Times() {
			p.count++
			p.arrivals = append(p.arrivals, s.Time)
			recent := p.arrivals[max(0, len(p.arrivals)-legitimate):]
			now = max(now, n.window(recent, s.Time, r.Within))
		}
		p.largest = max(p.largest, now)
		last, known := n.ok[s.Addr]
		held := known && s.Time.Sub(last) <= detect.SuccessMemory && now < legitimate
		switch {
		case now < r.Threshold || p.found && !p.held || p.found && held:
		default:
			p.found, p.held, p.crossed = true, held, s.Time
		}
	}
}

// window tries every stretch of Within that contains t and begins at an arrival.
func (n *naive) window(arrivals []time.Time, t time.Time, within time.Duration) (most int) {
	for _, from := range arrivals {
		if from.After(t) || t.Sub(from) > within {
			continue
		}
		inside := 0
		for _, x := range arrivals {
			if !x.Before(from) && x.Sub(from) <= within {
				inside++
			}
		}
		most = max(most, inside)
	}
	return most
}

func drawRules(t *rapid.T) []detect.Rule {
	var rules []detect.Rule
	for i := range rapid.IntRange(1, 3).Draw(t, "rules") {
		r := detect.Rule{
			Name:      string(rune('a' + i)),
			Signals:   rapid.SliceOfNDistinct(rapid.SampledFrom([]detect.Kind{detect.SMTPAuthFailed, detect.SMTPRelayDenied, detect.SMTPScan}), 1, 3, rapid.ID).Draw(t, "signals"),
			Threshold: rapid.IntRange(1, 6).Draw(t, "threshold"),
			Within:    time.Duration(rapid.IntRange(1, 30).Draw(t, "within")) * time.Second,
		}
		if rapid.Bool().Draw(t, "second") {
			r.LegitimateThreshold = r.Threshold + rapid.IntRange(0, 9).Draw(t, "more")
		}
		rules = append(rules, r)
	}
	return rules
}

// drawClock returns a clock that goes on, jumps back by up to so many milliseconds now
// and then, or is of two hosts of which one is always late.
func drawClock(t *rapid.T, back int) func(*rapid.T) time.Time {
	now, from, late := start, 0, 0
	switch rapid.IntRange(0, 3).Draw(t, "clock") {
	case 0:
		from = -back
	case 1:
		late = rapid.SampledFrom([]int{1, 900, 4_000, 15_000, 40_000}).Draw(t, "late")
	}
	return func(t *rapid.T) time.Time {
		now = now.Add(time.Duration(rapid.IntRange(from, 9_000).Draw(t, "ms")) * time.Millisecond)
		if late > 0 && rapid.Bool().Draw(t, "of the late host") {
			return now.Add(-time.Duration(late) * time.Millisecond)
		}
		return now
	}
}

func drawSignals(t *rapid.T, most int) []detect.Signal {
	clock := drawClock(t, 20_000)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) detect.Signal {
		return detect.Signal{
			Kind:  rapid.SampledFrom([]detect.Kind{detect.SMTPAuthFailed, detect.SMTPAuthFailed, detect.SMTPRelayDenied, detect.SMTPScan, detect.SMTPDelivered}).Draw(t, "kind"),
			Addr:  netip.AddrFrom4([4]byte{192, 0, 2, byte(rapid.IntRange(1, 4).Draw(t, "addr"))}),
			Count: rapid.SampledFrom([]int{0, 0, 0, 1, 3}).Draw(t, "count"),
			Time:  clock(t),
			Raw:   []byte("x"),
		}
	}), 0, most).Draw(t, "log")
}

func TestTheEngineAgreesWithItsNaiveTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := drawRules(t)
		e, err := detect.New(rules, detect.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		twin := &naive{rules: rules, pairs: map[naiveKey]*naivePair{}, ok: map[netip.Addr]time.Time{}}
		for _, s := range drawSignals(t, 120) {
			e.Observe(s)
			twin.observe(s)
		}
		got := map[naiveKey]detect.Detection{}
		for _, d := range e.Detections() {
			got[naiveKey{d.Rule, d.Prefix.Addr()}] = d
		}
		for key, p := range twin.pairs {
			d, found := got[key]
			delete(got, key)
			if found != p.found {
				t.Fatalf("%v: detected %v, twin %v", key, found, p.found)
			}
			if found && (d.Count != p.count || d.Peak != p.largest || d.Withheld != p.held || !d.CrossedAt.Equal(p.crossed)) {
				t.Fatalf("%v:\nengine %+v\ntwin   %+v", key, d, p)
			}
		}
		if len(got) > 0 {
			t.Fatalf("only the engine found %v", got)
		}
	})
}
