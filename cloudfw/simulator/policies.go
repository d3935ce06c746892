package simulator

import (
	"slices"
)

// AddControlPolicy adds p at p.Order (-1 appends) and returns its uuid. The other
// policies of its list shift (reference §2.1). A policy that names a NAT gateway
// or a VPC firewall goes to that border.
func (c *Cloud) AddControlPolicy(p Policy) (uuid string, err error) {
	err = c.update(func(e *edit) error {
		uuid, err = e.addPolicy(p)
		return err
	})
	return uuid, err
}

// ModifyControlPolicy lets change edit a policy of any border in place. Uuid,
// border, direction, order and IP version stay whatever change does (reference §2.1).
func (c *Cloud) ModifyControlPolicy(uuid string, change func(*Policy)) error {
	return c.update(func(e *edit) error { return e.modifyPolicy(uuid, change) })
}

// DeleteControlPolicy removes a policy of any border and closes the gap in the order.
func (c *Cloud) DeleteControlPolicy(uuid string) error {
	return c.update(func(e *edit) error { return e.deletePolicy(uuid, "") })
}

// MoveControlPolicy gives a policy of any border a new order, -1 being the end, and
// shifts the others.
func (c *Cloud) MoveControlPolicy(uuid string, order int) error {
	return c.update(func(e *edit) error { return e.movePolicy(uuid, order) })
}

func (e *edit) addPolicy(p Policy) (string, error) {
	order := p.Order
	if err := e.judgePolicy(&p); err != nil {
		return "", err
	}
	var err error
	if p.Order, err = e.place(order, e.lastOrder(p.list())+1); err != nil {
		return "", err
	}
	p.UUID = e.newPolicyID()
	p.Applications, p.RepeatDays = slices.Clone(p.Applications), slices.Clone(p.RepeatDays)
	p.CreateTime, p.ModifyTime = e.now.Unix(), e.now.Unix()
	before := e.spreadTotal(p.border())
	e.insertPolicy(p)
	return p.UUID, e.spreadWithin(p.border(), before)
}

func (e *edit) modifyPolicy(uuid string, change func(*Policy)) error {
	i := e.policyIndex(uuid)
	if i < 0 {
		return noSuchPolicy(uuid)
	}
	old := e.Policies[i]
	p := old
	p.Applications, p.RepeatDays = slices.Clone(old.Applications), slices.Clone(old.RepeatDays)
	change(&p)
	p.UUID, p.Direction, p.Order, p.IPVersion = old.UUID, old.Direction, old.Order, old.IPVersion
	p.NATGateway, p.VPCFirewall, p.MemberUID = old.NATGateway, old.VPCFirewall, old.MemberUID
	p.CreateTime, p.HitTimes, p.HitLastTime = old.CreateTime, old.HitTimes, old.HitLastTime
	if err := e.judgePolicy(&p); err != nil {
		return err
	}
	p.ModifyTime = e.now.Unix()
	before := e.spreadTotal(p.border())
	e.ownPolicies()
	e.Policies[i] = p
	return e.spreadWithin(p.border(), before)
}

// deletePolicy removes a policy; a non-empty direction must be the policy's own.
func (e *edit) deletePolicy(uuid, direction string) error {
	i := e.policyIndex(uuid)
	if i < 0 || !matches(direction, e.Policies[i].Direction) {
		return noSuchPolicy(uuid)
	}
	e.removePolicy(i)
	return nil
}

func (e *edit) movePolicy(uuid string, order int) error {
	i := e.policyIndex(uuid)
	if i < 0 {
		return noSuchPolicy(uuid)
	}
	p := e.Policies[i]
	e.removePolicy(i)
	var err error
	if p.Order, err = e.place(order, e.lastOrder(p.list())+1); err != nil {
		return err
	}
	p.ModifyTime = e.now.Unix()
	e.insertPolicy(p)
	return nil
}

// movePosition is ModifyControlPolicyPosition: IPv4 only, addressed by order, and
// -1 is not among its documented values.
func (e *edit) movePosition(direction string, from, to int) error {
	list := e.list(direction, 4)
	last := e.lastOrder(internetList(direction, 4))
	at := slices.IndexFunc(list, func(p Policy) bool { return p.Order == from })
	if at < 0 {
		return bad("ErrorParametersOldOrder", "The old order %d is not between 1 and %d.", from, last)
	}
	if to < 1 {
		return bad("ErrorParametersNewOrder", "The new order %d is not between 1 and %d.", to, last)
	}
	return e.movePolicy(list[at].UUID, to)
}

// place turns a wanted order into one that the list may give; end is the order
// right behind the last policy.
func (e *edit) place(order, end int) (int, error) {
	switch {
	case order == -1:
		return end, nil
	case order > end && e.assume.BeyondEndKeepsOrder:
		return order, nil
	case order > end && e.assume.BeyondEndAppends:
		return end, nil
	case order < 1 || order > end:
		return 0, bad("ErrorParametersNewOrder", "The new order %d is not between 1 and %d.", order, end)
	}
	return order, nil
}

// resetHits sets the hit counters of a policy to zero.
func (e *edit) resetHits(uuid string) error {
	i := e.policyIndex(uuid)
	if i < 0 {
		return noSuchPolicy(uuid)
	}
	e.ownPolicies()
	e.Policies[i].HitTimes, e.Policies[i].HitLastTime = 0, 0
	return nil
}

// RecordHits adds to the hit counters of a policy, as traffic does.
func (c *Cloud) RecordHits(uuid string, times int64) error {
	return c.update(func(e *edit) error {
		i := e.policyIndex(uuid)
		if i < 0 {
			return noSuchPolicy(uuid)
		}
		e.ownPolicies()
		e.Policies[i].HitTimes += times
		e.Policies[i].HitLastTime = e.now.Unix()
		return nil
	})
}

func noSuchPolicy(uuid string) error {
	// Published for the VPC and NAT policies only; assumed for the internet border
	// (reference §2.1).
	return bad("ErrorAclNotExist", "The access control policy %q does not exist.", uuid)
}

func (s *State) policyIndex(uuid string) int {
	// Not slices.IndexFunc, which copies every policy for the question.
	for i := range s.Policies {
		if s.Policies[i].UUID == uuid {
			return i
		}
	}
	return -1
}

// find returns the index of a policy within a scope.
func (s *State) find(in scope, uuid string) (int, error) {
	if in.place != "" {
		if err := s.judgePlace(in.border, in.place); err != nil {
			return 0, err
		}
	}
	i := s.policyIndex(uuid)
	if i < 0 || !in.holds(&s.Policies[i]) {
		return 0, noSuchPolicy(uuid)
	}
	return i, nil
}
