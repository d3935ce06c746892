package gates

import (
	"net/netip"
	"testing"

	"fwsync/cloudfw"
)

// Promise P7: with a sick source, a block goes only for a reason of its own.
func TestP7ASickSourceTakesNoBlockAway(t *testing.T) {
	held := many(4)
	active := map[netip.Prefix]bool{}
	for _, p := range held {
		active[p] = false
	}
	// The intent lost one whose decision holds: newcomers took its place.
	in := Input{Intent: intentOf(held[1:]...), Live: blockedAlready(held), Ended: active}
	if got := check(t, in); len(got) > 0 {
		t.Errorf("with healthy sources: %v", got)
	}
	in.Sick = []string{"mail"}
	expect(t, check(t, in), "source-health", "203.1.0.0/32: mail cannot be believed")

	for name, explain := range map[string]func(*Input){
		"its decision ended":                          func(in *Input) { in.Ended = map[netip.Prefix]bool{held[0]: true} },
		"it is allowed now":                           func(in *Input) { in.Intent.Allowed = []cloudfw.Exempt{{Prefix: held[0], Reason: "partner"}} },
		"it is a provider's":                          func(in *Input) { in.Providers = []cloudfw.Exempt{{Prefix: prefixes("203.1.0.0/32")[0], Reason: "cdn"}} },
		"no decision named it, somebody put it there": func(in *Input) { in.Ended = map[netip.Prefix]bool{held[1]: false} },
	} {
		in := in
		explain(&in)
		if got := check(t, in); len(got) > 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// By construction a silent source takes nothing back: the same decisions give the
// same plan, whatever is sick.
func TestP7ASilentSourceChangesNothing(t *testing.T) {
	held := many(30)
	in := computed(t, Input{Intent: intentOf(held...), Live: blockedAlready(held), Sick: []string{"mail"}})
	if got := Check(in); len(got) > 0 || in.result().removed != nil {
		t.Errorf("refusals = %v, removed %v", got, in.result().removed)
	}
}
