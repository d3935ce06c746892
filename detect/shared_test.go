package detect_test

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/detect"
)

// TestRulesThatShareArrivalsCountAsIfAlone compares one engine with all rules with
// one engine for each, through successes, acquittals, drains and restarts.
func TestRulesThatShareArrivalsCountAsIfAlone(tb *testing.T) {
	rapid.Check(tb, func(t *rapid.T) {
		rules := drawRules(t)
		// A rule that has counted as far as it goes looks no further by itself, and so
		// knows less of what came after an acquittal.
		far := rapid.Bool().Draw(t, "far")
		for i := range rules {
			rules[i].Signals = []detect.Kind{detect.SMTPAuthFailed}
			if far {
				rules[i].LegitimateThreshold = 500 + i
			}
		}
		// How long anything is remembered depends on the longest window.
		long := detect.Rule{Name: "long", Signals: []detect.Kind{detect.SMTPPregreet}, Threshold: 1, Within: time.Minute}
		all := engine(tb, detect.Limits{}, append(slices.Clone(rules), long)...)
		var alone []*detect.Engine
		for _, r := range rules {
			alone = append(alone, engine(tb, detect.Limits{}, r, long))
		}
		for i, s := range drawSignals(t, 60) {
			if s.Kind != detect.SMTPAuthFailed && !s.Kind.Success() {
				continue
			}
			for _, e := range append(slices.Clone(alone), all) {
				e.ObserveAll([]detect.Signal{s})
			}
			switch rapid.IntRange(0, 20).Draw(t, "then") {
			case 0:
				rule, until := rapid.SampledFrom(rules).Draw(t, "rule").Name, all.LastTime()
				if far {
					until = s.Time.Add(-time.Duration(rapid.IntRange(0, 20).Draw(t, "ago")) * time.Second)
				}
				who := netip.PrefixFrom(s.Addr, 32)
				compareDrains(t, i, all, alone)
				for _, e := range append(slices.Clone(alone), all) {
					e.Acquit(rule, who, until)
				}
			case 1:
				for _, e := range append(slices.Clone(alone), all) {
					restart(t, e)
				}
			case 2:
				compareDrains(t, i, all, alone)
			}
		}
		compareDrains(t, -1, all, alone)
	})
}

func restart(t *rapid.T, e *detect.Engine) {
	state, err := e.MarshalBinary()
	if err == nil {
		err = e.UnmarshalBinary(state)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func compareDrains(t *rapid.T, at int, all *detect.Engine, alone []*detect.Engine) {
	byRule := map[string][]detect.Detection{}
	for _, d := range all.Drain() {
		d.Evidence = nil
		byRule[d.Rule] = append(byRule[d.Rule], d)
	}
	for _, e := range alone {
		var want []detect.Detection
		for _, d := range e.Drain() {
			d.Evidence = nil
			want = append(want, d)
		}
		if len(want) == 0 {
			continue
		}
		if got := byRule[want[0].Rule]; !reflect.DeepEqual(got, want) {
			t.Fatalf("after signal %d, rule %s: together\n%+v\nalone\n%+v", at, want[0].Rule, got, want)
		}
		delete(byRule, want[0].Rule)
	}
	if len(byRule) > 0 {
		t.Fatalf("after signal %d: only together %+v", at, byRule)
	}
}
