package conformance

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/simulator"
	"fwsync/cloudfw/wrap"
)

func wrapRetry(_ *testing.T, a cloudfw.Account) cloudfw.Account { return wrap.Retry(a, wrap.Retries{}) }

func wrapThrottle(t *testing.T, a cloudfw.Account) cloudfw.Account {
	throttled, err := wrap.Throttle(a, wrap.Rate{Steps: 50, Per: time.Second, Reserved: 5})
	if err != nil {
		t.Fatal(err)
	}
	return throttled
}

// wrapAudit demands at the end that every line of the audit is a whole record.
func wrapAudit(t *testing.T, a cloudfw.Account) cloudfw.Account {
	var file bytes.Buffer
	lines := wrap.NewLines(&file)
	t.Cleanup(func() {
		if err := lines.Err(); err != nil {
			t.Error(err)
		}
		for line := range bytes.Lines(file.Bytes()) {
			var r wrap.Record
			if err := json.Unmarshal(line, &r); err != nil || r.At.IsZero() || r.Outcome == "" || r.Outcome == wrap.Failed {
				t.Errorf("recorded %s (%v)", line, err)
			}
		}
	})
	return wrap.Audit(a, lines.Write)
}

func wrapMeasure(_ *testing.T, a cloudfw.Account) cloudfw.Account { return wrap.Measure(a) }

// wrapAll puts them round each other and demands that the meter and the audit agree.
func wrapAll(t *testing.T, a cloudfw.Account) cloudfw.Account {
	records := make(chan wrap.Record, 100_000)
	meter := wrap.Measure(wrap.Audit(wrapThrottle(t, wrapRetry(t, a)), func(r wrap.Record) { records <- r }))
	t.Cleanup(func() {
		steps := 0
		for _, sum := range meter.Sums() {
			if sum.Op != wrap.Observing {
				steps += sum.Count
			}
		}
		if steps != len(records) {
			t.Errorf("%d steps were measured and %d recorded", steps, len(records))
		}
	})
	return meter
}

func TestAReadOnlyAccountReadsAndSendsNoWrite(t *testing.T) {
	t.Parallel()
	s := newService(t, simulator.Options{})
	a, err := s.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	locked := wrap.ReadOnly(a)
	scope := cloudfw.Scope{Borders: []cloudfw.Border{nat, vpc}, Groups: []string{"sg-mail"}}
	snap, err := locked.Observe(t.Context(), scope)
	if err != nil {
		t.Fatal(err)
	}
	r := trial{owner: "conf"}
	steps := []cloudfw.Step{insert(r.rule(snap.Rules[0].Key(), "locked"), 1), authorise("sg-mail", snap.Groups[0].Rules[0])}
	for i := range snap.Rules {
		steps = append(steps, cloudfw.Step{Op: cloudfw.DeleteRule, Rule: &snap.Rules[i]})
	}
	for _, step := range steps {
		if err := locked.Execute(t.Context(), step); cloudfw.KindOf(err) != cloudfw.Denied {
			t.Errorf("%s: %v", describe(step), err)
		}
	}
	for _, c := range s.cloud.Calls() {
		if c.Write {
			t.Errorf("%s was sent", c.Action)
		}
	}
}
