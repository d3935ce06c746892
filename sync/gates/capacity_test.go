package gates

import (
	"testing"

	"fwsync/sync/plan"
)

func TestWhatDoesNotFitIsRefusedBeforeTheFirstStep(t *testing.T) {
	in := computed(t, Input{Intent: intentOf(prefixes("198.51.100.7")...)})
	in.Plan.Capacity = append(in.Plan.Capacity, plan.Use{What: "policy quota (spread units)", Before: 10, After: 21, Peak: 21, Limit: 20})
	expect(t, Check(in), "capacity", "21 of 20")
	in.Plan.Capacity[len(in.Plan.Capacity)-1].Before = 22 // full already, and less so afterwards
	if got := Check(in); len(got) > 0 {
		t.Errorf("refusals = %v", got)
	}
}
