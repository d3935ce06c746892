package gates

import (
	"testing"

	"fwsync/cloudfw"
	"fwsync/cloudfw/packets"
	"fwsync/sync/plan"
)

func TestAnUnsafeMomentIsRefusedWithBothChoices(t *testing.T) {
	in := computed(t, Input{Intent: intentOf(prefixes("198.51.100.7")...)})
	if !in.Plan.Proof.Safe {
		t.Fatalf("an ordinary plan is not safe: %+v", in.Plan.Proof)
	}
	in.Plan.Proof = plan.Proof{CheckedStates: 5, Lists: 1, Unsafe: []plan.Moment{{Step: 3, Subject: "delete rule #4", List: "in ipv4", Packets: packets.Difference{
		Source: []string{"198.51.100.0/24"}, Verdicts: []cloudfw.Action{cloudfw.Drop, cloudfw.Accept, cloudfw.Drop}, Rules: []string{"old", "", "new"},
	}}}}
	got := Check(in)
	expect(t, got, "proof", "after step 3, delete rule #4, in in ipv4: from 198.51.100.0/24 to any: drop (rule old), then accept (no rule), then drop (rule new)")
	if f := proof(in); f.Passed != 4 || f.Withheld[0].Flag != "--accept-unsafe-moment" {
		t.Errorf("finding = %+v", f)
	}
	in.Limits.UnsafeMoments = true
	if got := Check(in); len(got) > 0 {
		t.Errorf("with the flag: %v", got)
	}
	in.Limits.UnsafeMoments, in.Plan.Proof = false, plan.Proof{}
	expect(t, Check(in), "proof", "does not say that it is safe")
}
