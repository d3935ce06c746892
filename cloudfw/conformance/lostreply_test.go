package conformance

import (
	"testing"

	"fwsync/cloudfw"
	"fwsync/cloudfw/simulator"
)

// Promise P6, for every operation at every border: a connection that breaks before
// or after the effect is an unknown outcome, never a repeated write, and Done tells
// which of the two it was.
func TestP6DoneSettlesEveryLostReply(t *testing.T) {
	t.Parallel()
	service := newService(t, simulator.Options{})
	r := begin(t, service.subject(t, 6, nil))
	s := r.scene(t)

	lost := func(fault simulator.FaultKind, step cloudfw.Step) {
		t.Helper()
		service.cloud.ResetCalls()
		service.cloud.Inject(simulator.Fault{Kind: fault, Writes: true})
		err := s.account.Execute(t.Context(), step)
		writes := 0
		for _, c := range service.cloud.Calls() {
			if c.Write {
				writes++
			}
		}
		s.look()
		want := fault == simulator.FaultResetAfter
		if got := cloudfw.Done(step, s.live); cloudfw.KindOf(err) != cloudfw.UnknownOutcome || got != want || writes != 1 {
			t.Errorf("%s, %s: %s after %d writes, Done says %v", fault, describe(step), outcome(err), writes, got)
		}
	}
	both := func(step cloudfw.Step) {
		t.Helper()
		lost(simulator.FaultResetBefore, step)
		lost(simulator.FaultResetAfter, step)
	}

	b := s.book("lost", cloudfw.IPv4, "192.0.2.1/32")
	both(cloudfw.Step{Op: cloudfw.CreateBook, Book: b})
	live := s.liveBook(b.Name)
	both(cloudfw.Step{Op: cloudfw.AppendAddresses, Book: &live, Prefixes: parse("192.0.2.9/32")})
	both(cloudfw.Step{Op: cloudfw.RemoveAddresses, Book: &live, Prefixes: parse("192.0.2.1/32")})
	both(cloudfw.Step{Op: cloudfw.DeleteBook, Book: &live})

	for _, border := range s.Borders {
		key := border.Keys()[0]
		rule := s.rule(key, "lost")
		both(insert(rule, s.end(key)))
		moved := s.made(rule)
		from := moved.Order
		moved.Order = 1
		both(cloudfw.Step{Op: cloudfw.MoveRule, Rule: &moved, From: from})
		edited := s.made(rule)
		edited.Action = cloudfw.Accept
		both(cloudfw.Step{Op: cloudfw.EditRule, Rule: &edited})
		both(cloudfw.Step{Op: cloudfw.DeleteRule, Rule: &edited})
	}

	l := s.list("lost", cloudfw.IPv4, 3, "192.0.2.1/32")
	both(cloudfw.Step{Op: cloudfw.CreateList, List: l})
	list := s.liveList(l.Name)
	list.Prefixes = nil
	both(cloudfw.Step{Op: cloudfw.EditList, List: &list, Prefixes: parse("192.0.2.9/32"), Removed: parse("192.0.2.1/32")})
	both(cloudfw.Step{Op: cloudfw.DeleteList, List: &list})

	for _, direction := range []cloudfw.Direction{cloudfw.In, cloudfw.Out} {
		rule := s.groupRule(direction, "lost")
		both(authorise(s.Group, rule))
		edited := s.madeGroupRule(rule)
		edited.Priority++
		both(cloudfw.Step{Op: cloudfw.EditGroupRule, GroupID: s.Group, GroupRules: []cloudfw.GroupRule{edited}})
		both(cloudfw.Step{Op: cloudfw.RevokeRules, GroupID: s.Group, GroupRules: []cloudfw.GroupRule{edited}})
	}
}
