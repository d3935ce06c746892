package simulator

import "time"

// lapsed reports whether the end time of a policy is over (reference §2.1, EndTime).
func (p *Policy) lapsed(now time.Time) bool {
	return p.RepeatType != "" && p.RepeatType != "Permanent" && p.EndTime > 0 && now.Unix() >= p.EndTime
}

// idle reports whether a policy enforces nothing by its times. The hours and days of
// one that repeats are not followed: within its span it counts as in force.
func (p *Policy) idle(now time.Time) bool {
	return p.lapsed(now) || p.RepeatType != "" && p.RepeatType != "Permanent" && now.Unix() < p.StartTime
}

// judgeStart refuses a start that is over, under the strict reading.
func (e *edit) judgeStart(p *Policy) error {
	if e.assume.PastStartRefused && p.RepeatType != "Permanent" && p.StartTime < e.now.Unix() {
		return bad("ErrorParameters", "StartTime %d is in the past.", p.StartTime)
	}
	return nil
}

// dropLapsed removes the policies whose time is over, under the reading that they do
// not outlive it.
func (s *State) dropLapsed(now time.Time) {
	for i := len(s.Policies) - 1; i >= 0; i-- {
		if s.Policies[i].lapsed(now) {
			s.removePolicy(i)
		}
	}
}

// current is a state without the policies that are gone by now. It must not be edited.
func (c *Cloud) current(s *State) *State {
	now := c.opt.Clock().UTC()
	if !c.opt.Assume.LapsedPoliciesVanish {
		return s
	}
	for i := range s.Policies {
		if s.Policies[i].lapsed(now) {
			d := s.draft()
			d.dropLapsed(now)
			return d
		}
	}
	return s
}
