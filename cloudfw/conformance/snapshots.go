package conformance

import (
	"slices"
	"time"

	"fwsync/cloudfw"
)

// snapshots: complete as far as the scope says and no further, sorted, and the same
// again as long as nothing changes, also for several who look at the same time and
// for a scope that names something twice.
func snapshots(s *scene) {
	keys := s.scope.Keys()
	for _, r := range s.live.Rules {
		if !slices.Contains(keys, r.Key()) {
			s.Errorf("rule %s of %s is beyond the scope", r.ID, r.Key())
		}
	}
	if len(s.live.Groups) != len(s.scope.Groups) {
		s.Errorf("%d groups, want %v", len(s.live.Groups), s.scope.Groups)
	}
	for _, id := range s.scope.Groups {
		if _, ok := s.live.Group(id); !ok {
			s.Errorf("group %s is missing", id)
		}
	}

	first := s.live
	twice := cloudfw.Scope{Borders: slices.Repeat(s.scope.Borders, 2), Groups: slices.Repeat(s.scope.Groups, 2)}
	scopes := []cloudfw.Scope{s.scope, s.scope, twice}
	looks := make(chan cloudfw.Snapshot, len(scopes))
	for _, scope := range scopes {
		go func() {
			snap, err := s.account.Observe(s.Context(), scope)
			if err != nil {
				s.Errorf("observing beside others: %v", err)
			}
			looks <- snap
		}()
	}
	for range cap(looks) {
		snap := <-looks
		if snap.Fingerprint() != first.Fingerprint() {
			s.Errorf("nothing changed, but the fingerprint did: %v", difference(everything(first), everything(snap)))
		}
		if snap.TakenAt.Before(first.TakenAt.Add(-time.Minute)) {
			s.Errorf("taken at %v, before the one of %v", snap.TakenAt, first.TakenAt)
		}
	}
}
