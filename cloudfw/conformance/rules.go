package conformance

import (
	"slices"

	"fwsync/cloudfw"
)

// rulesReadBack: every form of rule that a list may hold reads back as it was
// written, at the end of the list where it was put.
func rulesReadBack(s *scene) {
	have := s.supply()
	var steps []cloudfw.Step
	for _, key := range s.keys {
		next := s.end(key)
		for _, want := range s.forms(key, have) {
			step := insert(want, next)
			if err := s.account.Execute(s.Context(), step); err != nil {
				s.Errorf("%s: %v", describe(step), err)
				continue
			}
			steps = append(steps, step)
			next++
		}
	}
	s.look(done(steps)...)
	for _, step := range steps {
		live := s.made(*step.Rule)
		if !live.Same(*step.Rule) {
			s.Errorf("%s reads back as another rule\ngot  %s\nwant %s", describe(step), plain(live), plain(step.Rule))
		} else if !cloudfw.Done(step, s.live) {
			s.Errorf("%s: at position %d, Done does not find it", describe(step), live.Order)
		}
	}
}

// rulesAreEdited: an edit changes everything that it says and nothing else, takes
// away what the rule had and shall not have any more, and keeps identity and
// position.
func rulesAreEdited(s *scene) {
	have := s.supply()
	var firsts []cloudfw.Step
	for _, key := range s.keys {
		above, rule, below := s.rule(key, "above"), s.rule(key, "edited"), s.rule(key, "below")
		firsts = append(firsts, insert(above, s.end(key)), insert(rule, s.end(key)+1), insert(below, s.end(key)+2))
	}
	s.carry(firsts...)

	// From each form to the next: what one has the other lacks.
	order := []string{"valid-weekly", "port-book", "any-log", "applications", "disabled", "from-book", "domain-dns", "valid-once", "udp-range", "location", "one-port"}
	for _, name := range order {
		var steps []cloudfw.Step
		was := map[cloudfw.ListKey]cloudfw.FirewallRule{}
		for _, key := range s.keys {
			forms := s.forms(key, have)
			i := slices.IndexFunc(forms, func(f cloudfw.FirewallRule) bool { return f.Description == s.rule(key, name).Description })
			if i < 0 {
				continue // not a form of this list
			}
			live := s.made(s.rule(key, "edited"))
			was[key] = live
			edited := forms[i]
			edited.ID, edited.Order, edited.Description = live.ID, live.Order, live.Description
			if !edited.Same(live) {
				steps = append(steps, cloudfw.Step{Op: cloudfw.EditRule, Rule: &edited})
			}
		}
		s.carry(steps...)
		for key, before := range was {
			if after := s.made(s.rule(key, "edited")); after.ID != before.ID || after.Order != before.Order {
				s.Errorf("%s: edited to %s, rule %s at %d became %s at %d", key, name, before.ID, before.Order, after.ID, after.Order)
			}
		}
	}

	var descriptions []cloudfw.Step
	for _, key := range s.keys {
		live := s.made(s.rule(key, "edited"))
		live.Description = s.rule(key, "renamed").Description
		descriptions = append(descriptions, cloudfw.Step{Op: cloudfw.EditRule, Rule: &live})
	}
	s.carry(descriptions...)
}
