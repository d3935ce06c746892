package conformance

import (
	"fmt"
	"sync"

	"fwsync/cloudfw"
)

// editorsInAll is how many work at the same time.
const editorsInAll = 8

// editorsAtTheSameTime: several insert, append, authorise, delete and remove their
// own beside each other, at the top of the same lists, in the same book and group;
// nothing is lost, nothing doubled, nothing else touched.
func editorsAtTheSameTime(s *scene) {
	rounds := 3
	if s.Slow {
		rounds = 2
	}
	b := s.book("shared", cloudfw.IPv4, "192.0.2.1/32")
	s.carry(cloudfw.Step{Op: cloudfw.CreateBook, Book: b})
	shared := s.liveBook(b.Name)
	addresses := many(editorsInAll * rounds * 2)

	address := func(editor, n int) int { return editor*rounds*2 + n }

	rule := func(editor, n int) (cloudfw.FirewallRule, bool) {
		if len(s.keys) == 0 {
			return cloudfw.FirewallRule{}, false
		}
		return s.rule(s.keys[editor%len(s.keys)], fmt.Sprintf("editor-%d.%d", editor, n)), true
	}
	groupRule := func(editor, n int) (cloudfw.GroupRule, bool) {
		r := s.groupRule([]cloudfw.Direction{cloudfw.In, cloudfw.Out}[editor%2], fmt.Sprintf("editor-%d.%d", editor, n))
		r.Peer.Value = addresses[address(editor, n)].String() // rules that differ in the description alone are one
		return r, s.Group != ""
	}

	s.together(func(editor int) []cloudfw.Step {
		var steps []cloudfw.Step
		for n := range rounds * 2 {
			if r, ok := rule(editor, n); ok && n%2 == 0 || ok && n == 1 {
				steps = append(steps, insert(r, 1))
			}
			if r, ok := groupRule(editor, n); ok {
				steps = append(steps, authorise(s.Group, r))
			}
			i := address(editor, n)
			steps = append(steps, cloudfw.Step{Op: cloudfw.AppendAddresses, Book: &shared, Prefixes: addresses[i : i+1]})
		}
		return steps
	})
	s.look(func(live cloudfw.Snapshot) bool {
		b, _ := live.Book(shared.Name)
		return len(b.Prefixes) == len(addresses)+1
	})
	if got := s.liveBook(shared.Name); len(got.Prefixes) != len(addresses)+1 {
		s.Fatalf("%d editors appended %d addresses to a book of one; it holds %d", editorsInAll, len(addresses), len(got.Prefixes))
	}

	// Each takes away a part of what it made. The rules are known by now.
	s.together(func(editor int) []cloudfw.Step {
		var steps []cloudfw.Step
		for n := range rounds * 2 {
			if r, ok := rule(editor, n); ok && n == 1 {
				live := s.made(r)
				steps = append(steps, cloudfw.Step{Op: cloudfw.DeleteRule, Rule: &live})
			}
			if r, ok := groupRule(editor, n); ok && n%2 == 1 {
				steps = append(steps, cloudfw.Step{Op: cloudfw.RevokeRules, GroupID: s.Group, GroupRules: []cloudfw.GroupRule{s.madeGroupRule(r)}})
			}
			if i := address(editor, n); n%2 == 1 {
				steps = append(steps, cloudfw.Step{Op: cloudfw.RemoveAddresses, Book: &shared, Prefixes: addresses[i : i+1]})
			}
		}
		return steps
	})
	left := len(addresses)/2 + 1
	s.look(func(live cloudfw.Snapshot) bool {
		b, _ := live.Book(shared.Name)
		return len(b.Prefixes) == left
	})
	if got := s.liveBook(shared.Name); len(got.Prefixes) != left {
		s.Errorf("the book holds %d addresses, want %d", len(got.Prefixes), left)
	}
	wantRules, wantGroupRules := 0, 0
	for editor := range editorsInAll {
		for n := 0; n < rounds*2; n += 2 {
			if r, ok := rule(editor, n); ok {
				wantRules++
				if got := s.made(r); !got.Same(r) {
					s.Errorf("%s reads back as %s", plain(r), plain(got))
				}
			}
			if r, ok := groupRule(editor, n); ok {
				wantGroupRules++
				s.madeGroupRule(r)
			}
		}
	}
	rules, groupRules := 0, 0
	for _, r := range s.live.Rules {
		if s.owner.Owns("rule", r.Description) {
			rules++
		}
	}
	for _, g := range s.live.Groups {
		for _, r := range g.Rules {
			if s.owner.Owns("rule", r.Description) {
				groupRules++
			}
		}
	}
	if rules != wantRules || groupRules != wantGroupRules {
		s.Errorf("%d rules and %d group rules are left, want %d and %d", rules, groupRules, wantRules, wantGroupRules)
	}
}

// together lets every editor execute its steps, all at the same time. The steps
// are chosen before the first is executed.
func (s *scene) together(steps func(editor int) []cloudfw.Step) {
	s.Helper()
	plans := make([][]cloudfw.Step, editorsInAll)
	for editor := range plans {
		plans[editor] = steps(editor)
	}
	var wg sync.WaitGroup
	for editor, plan := range plans {
		wg.Go(func() {
			for _, step := range plan {
				if err := s.account.Execute(s.Context(), step); err != nil {
					s.Errorf("editor %d, %s: %v", editor, describe(step), err)
				}
			}
		})
	}
	wg.Wait()
	if s.Failed() {
		s.FailNow()
	}
}
