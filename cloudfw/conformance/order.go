package conformance

import (
	"slices"

	"fwsync/cloudfw"
)

// row is a list as it should be: the ids of the others and the descriptions of ours.
type row []string

func (r *trial) row(list []cloudfw.FirewallRule) row {
	var names row
	for _, rule := range list {
		if r.owner.Owns("rule", rule.Description) {
			names = append(names, rule.Description)
		} else {
			names = append(names, rule.ID)
		}
	}
	return names
}

func (w row) without(name string) row {
	return slices.DeleteFunc(slices.Clone(w), func(n string) bool { return n == name })
}

func (w row) with(name string, order int) row { return slices.Insert(slices.Clone(w), order-1, name) }

// rulesKeepTheirOrder: inserting, moving and deleting do to each list what they would
// do to a list of names, and a deleted rule is gone.
func rulesKeepTheirOrder(s *scene) {
	want := map[cloudfw.ListKey]row{}
	for _, key := range s.keys {
		want[key] = s.row(s.live.List(key))
	}
	compare := func(what string) {
		s.Helper()
		for _, key := range s.keys {
			if got := s.row(s.live.List(key)); !slices.Equal(got, want[key]) {
				s.Fatalf("%s: %s\ngot  %q\nwant %q", key, what, got, want[key])
			}
		}
	}
	place := func(name string, order func(key cloudfw.ListKey) int) {
		for _, key := range s.keys {
			step := insert(s.rule(key, name), order(key))
			s.execute(step)
			want[key] = want[key].with(step.Rule.Description, step.Rule.Order)
		}
	}
	at := func(order int) func(cloudfw.ListKey) int { return func(cloudfw.ListKey) int { return order } }
	end := func(key cloudfw.ListKey) int { return len(want[key]) + 1 }
	move := func(name string, order func(cloudfw.ListKey) int) {
		var steps []cloudfw.Step
		for _, key := range s.keys {
			rule := s.made(s.rule(key, name))
			from := rule.Order
			rule.Order = order(key)
			steps = append(steps, cloudfw.Step{Op: cloudfw.MoveRule, Rule: &rule, From: from})
			want[key] = want[key].without(rule.Description).with(rule.Description, rule.Order)
		}
		s.carry(steps...)
		compare("after moving " + name)
	}

	place("first", at(1))
	place("top", at(1))
	place("middle", at(2))
	place("last", end)
	s.look(func(live cloudfw.Snapshot) bool {
		return !slices.ContainsFunc(s.keys, func(key cloudfw.ListKey) bool { return len(live.List(key)) != len(want[key]) })
	})
	compare("after inserting at the top, in the middle and at the end")

	move("last", at(1))
	move("top", at(4))
	move("middle", func(key cloudfw.ListKey) int { return len(want[key]) })
	move("middle", at(3))

	var deletions []cloudfw.Step
	for _, key := range s.keys {
		rule := s.made(s.rule(key, "top"))
		deletions = append(deletions, cloudfw.Step{Op: cloudfw.DeleteRule, Rule: &rule})
		want[key] = want[key].without(rule.Description)
	}
	s.carry(deletions...)
	compare("after deleting")

	var beyond []refusal
	for _, step := range deletions {
		beyond = append(beyond, refusal{"deleting a second time, " + describe(step), step, gone})
		moved := *step.Rule
		moved.Order = 1
		beyond = append(beyond, refusal{"moving a deleted rule", cloudfw.Step{Op: cloudfw.MoveRule, Rule: &moved, From: 2}, []cloudfw.Kind{cloudfw.NotFound}})
		edited := *step.Rule
		edited.Action = cloudfw.Accept
		beyond = append(beyond, refusal{"editing a deleted rule", cloudfw.Step{Op: cloudfw.EditRule, Rule: &edited}, []cloudfw.Kind{cloudfw.NotFound}})
	}
	s.changeNothing(beyond...)
	s.farBeyondTheEnd()
}

// farBeyondTheEnd: a position that the list does not reach is a Conflict, as the list
// has become shorter than somebody thought, or means its end. Nobody documents which.
func (s *scene) farBeyondTheEnd() {
	s.Helper()
	key := s.keys[0]
	last := s.end(key)
	step := insert(s.rule(key, "beyond"), last+5)
	err := s.account.Execute(s.Context(), step)
	s.Logf("inserting five beyond the end: this account takes it as %s", outcome(err))
	s.look(func(live cloudfw.Snapshot) bool { return err != nil || len(live.List(key)) == last })
	list := s.live.List(key)
	switch {
	case err == nil && (len(list) != last || list[last-1].Description != step.Rule.Description):
		s.Errorf("a rule inserted beyond the end succeeded but is not the last one: %q", s.row(list))
	case err != nil && (cloudfw.KindOf(err) != cloudfw.Conflict || len(list) != last-1):
		s.Errorf("a rule inserted beyond the end: %v, leaving %d rules of %d", err, len(list), last-1)
	}
}
