package notify

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestWhatLastsIsToldOnceNowAndThenAndWhenItIsOver(t *testing.T) {
	sick := Facts{Sick: []Fact{{"mail", "source mail: it is empty"}}}
	told := Told{}
	for _, c := range []struct {
		after time.Duration
		facts Facts
		want  string
	}{
		{0, sick, "sick: source mail: it is empty"},
		{time.Minute, sick, ""},
		{4*time.Hour - time.Second, sick, ""},
		{4 * time.Hour, sick, "sick: source mail: it is empty (since 2026-11-23T12:00:00Z) x3"},
		{5 * time.Hour, sick, ""},
		{6 * time.Hour, Facts{Unknown: []Kind{Sick}}, ""},
		{7 * time.Hour, Facts{}, "sick: over: source mail: it is empty"},
		{8 * time.Hour, Facts{}, ""},
		{9 * time.Hour, sick, "sick: source mail: it is empty"},
	} {
		c.facts.At = noon.Add(c.after)
		var events []Event
		events, told = Raise(c.facts, told, DefaultRules())
		got := ""
		for _, e := range events {
			got += fmt.Sprintf("%s: %s", e.Kind, e.Text)
			if e.Count > 1 {
				got += fmt.Sprintf(" x%d", e.Count)
			}
		}
		if got != c.want {
			t.Errorf("after %s: %q, want %q", c.after, got, c.want)
		}
		// What is told survives the file that keeps it.
		text, err := json.Marshal(told)
		if err != nil {
			t.Fatal(err)
		}
		told = Told{}
		if err := json.Unmarshal(text, &told); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEachKindHasItsThreshold(t *testing.T) {
	f := Facts{
		At: noon, Steps: 3, Blocks: 64,
		Storms: []Fact{{"storm", "detection storm: 2000 signals"}}, Refusals: []Fact{{"blast-radius", "too much"}},
		Failures: []Fact{{"home", "no answer"}}, LeaseLost: []Fact{{"lease", "host b"}}, Incidents: []Fact{{"smtp-storm", "by alice"}},
		Gaps:     []AgedGap{{"a", "a young one", time.Minute}, {"b", "an old one", time.Hour}, {"c", "a middle one", 20 * time.Minute}},
		Capacity: []Use{{"books", 79, 100}, {"rules", 80, 100}, {"unlimited", 1000, 0}},
	}
	events, told := Raise(f, nil, DefaultRules())
	var got []string
	for _, e := range events {
		got = append(got, string(e.Kind)+": "+e.Text)
	}
	want := []string{
		"storm: detection storm: 2000 signals", "applied: applied 3 steps; blocks in force: 64", "refused: too much", "failed: no answer",
		"gap: 2 things are not enforced longer than 10m0s, the oldest: an old one", "capacity: rules: 80 of 100 used", "lease-lost: host b", "incident-start: by alice",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("events\n%q\nwant\n%q", got, want)
	}
	over, _ := Raise(Facts{At: noon.Add(time.Hour)}, told, DefaultRules())
	if len(over) != 7 || over[6].Kind != IncidentEnd || over[6].Text != "ended: by alice" {
		t.Errorf("over: %+v", over)
	}
}

func TestRaiseOverRandomRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := DefaultRules()
		now, told := noon, Told{}
		lastTold := map[string]time.Time{}
		lasting := map[string]bool{}
		for range rapid.IntRange(1, 40).Draw(t, "runs") {
			now = now.Add(time.Duration(rapid.IntRange(1, 200).Draw(t, "minutes")) * time.Minute)
			f := Facts{At: now}
			is := map[string]bool{}
			for _, key := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3, rapid.ID).Draw(t, "sick") {
				f.Sick = append(f.Sick, Fact{key, key})
				is[key] = true
			}
			events, next := Raise(f, told, rules)
			again, same := Raise(f, next, rules)
			if len(again) > 0 && rules.Repeat > 0 {
				t.Fatalf("the same run told again: %+v", again)
			}
			if len(same) != len(next) || len(next) != len(is) {
				t.Fatalf("told %+v, is %v", next, is)
			}
			for _, e := range events {
				switch {
				case e.Over:
					if is[e.Key] || !lasting[e.Key] {
						t.Fatalf("over is told of %+v", e)
					}
					delete(lasting, e.Key)
					continue
				case lasting[e.Key] && now.Sub(lastTold[e.Key]) < rules.Repeat:
					t.Fatalf("told too often: %+v", e)
				}
				lasting[e.Key], lastTold[e.Key] = true, now
			}
			for key := range is {
				if !lasting[key] || now.Sub(lastTold[key]) >= rules.Repeat {
					t.Fatalf("%s is not told", key)
				}
			}
			for key := range lasting {
				if !is[key] {
					t.Fatalf("nobody is told that %s is over", key)
				}
			}
			told = next
		}
	})
}

func TestThousandsOfFactsAreToldAsSome(t *testing.T) {
	var f Facts
	for i := range 5000 {
		f.Refusals = append(f.Refusals, Fact{fmt.Sprint(i), "x"})
	}
	events, told := Raise(f, nil, DefaultRules())
	if len(events) != mostKept+1 || len(told) != mostKept+1 {
		t.Errorf("%d events, %d kept", len(events), len(told))
	}
}
