package detect

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// Standing is how a source stands by one rule: how far it is from a detection, or what
// the detection is.
type Standing struct {
	// Detection is what is known. Its CrossedAt is zero where nothing was detected.
	Detection
	// InWindow is how much of what the rule counts lies in the window that ends at the
	// time that was asked about; Threshold is what applies to the source, higher for one
	// that had a success. What is detected may not be counted any further; of who
	// took part at an account it is the most that there were.
	InWindow, Threshold int
	// InMembers and NeedMembers are the different addresses of a network or /64.
	InMembers, NeedMembers int
	Within                 time.Duration
}

// Standings says how an address, its /64 and its networks stand by every rule that has
// counted them, sorted by rule, the narrowest first. What is only in the sketch, or was
// given up for lack of room, is not known.
func (e *Engine) Standings(addr netip.Addr, at time.Time) []Standing {
	var all []Standing
	if !addr.IsValid() {
		return nil
	}
	key, now := keyOf(addr), at.UnixMicro()
	for i := range e.meters {
		m := &e.meters[i]
		pair, ok := e.pairOf(uint16(i), key)
		if !ok || m.part == membersPart || e.pairs.at(pair).count == 0 {
			continue
		}
		p := e.pairs.at(pair)
		if m.part == memberPart && p.flags&crossed == 0 {
			continue
		}
		s := Standing{Detection: Found{e, []uint32{pair}}.At(0), Threshold: m.need, Within: time.Duration(m.within) * time.Microsecond}
		if p.flags&crossed == 0 {
			s.CrossedAt = time.Time{}
		}
		s.InWindow = s.Peak
		if m.part != memberPart {
			s.InWindow = e.inWindow(pair, now)
			if mark := e.success(p.key, m, m.mark); mark != nil && !m.bare && now-mark.last <= SuccessMemory.Microseconds() {
				s.Threshold = m.limit
			}
		}
		if m.part == networkPart || m.part == halfPart {
			members := &e.meters[i+1]
			s.InMembers, s.NeedMembers = e.inWindow(pair+1, now), members.need
		}
		all = append(all, s)
	}
	slices.SortStableFunc(all, func(a, b Standing) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), b.Prefix.Bits()-a.Prefix.Bits())
	})
	return all
}

func (e *Engine) inWindow(pair uint32, now int64) int {
	p, n := e.pairs.at(pair), 0
	m := &e.meters[p.meter]
	for _, t := range e.rings.copyOut(e.lent(pair), m.distinct, p.most(m), nil) {
		if t >= now-m.within {
			n++
		}
	}
	return n
}
