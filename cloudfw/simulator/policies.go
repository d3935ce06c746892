package simulator

import (
	"slices"
)

// AddControlPolicy adds p at p.Order (-1 appends) and returns its uuid. The other
// policies of its direction and IP version shift (reference §2.1).
func (c *Cloud) AddControlPolicy(p Policy) (uuid string, err error) {
	err = c.update(func(e *edit) error {
		uuid, err = e.addPolicy(p)
		return err
	})
	return uuid, err
}

// ModifyControlPolicy lets change edit a policy in place. Uuid, direction, order
// and IP version stay whatever change does (reference §2.1).
func (c *Cloud) ModifyControlPolicy(uuid string, change func(*Policy)) error {
	return c.update(func(e *edit) error { return e.modifyPolicy(uuid, change) })
}

// DeleteControlPolicy removes a policy and closes the gap in the order.
func (c *Cloud) DeleteControlPolicy(uuid string) error {
	return c.update(func(e *edit) error { return e.deletePolicy(uuid, "") })
}

// MoveControlPolicy gives a policy a new order, -1 being the end, and shifts the others.
func (c *Cloud) MoveControlPolicy(uuid string, order int) error {
	return c.update(func(e *edit) error { return e.movePolicy(uuid, order) })
}

func (e *edit) addPolicy(p Policy) (string, error) {
	order := p.Order
	if err := e.judgePolicy(&p); err != nil {
		return "", err
	}
	list := e.list(p.Direction, p.IPVersion)
	at, err := e.place(order, len(list)+1)
	if err != nil {
		return "", err
	}
	p.UUID = e.newPolicyID()
	p.Applications, p.RepeatDays = slices.Clone(p.Applications), slices.Clone(p.RepeatDays)
	p.CreateTime, p.ModifyTime = e.now.Unix(), e.now.Unix()
	before := e.spreadTotal()
	e.setList(p.Direction, p.IPVersion, slices.Insert(list, at-1, p))
	return p.UUID, e.spreadWithin(before)
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
	p.CreateTime, p.HitTimes, p.HitLastTime = old.CreateTime, old.HitTimes, old.HitLastTime
	if err := e.judgePolicy(&p); err != nil {
		return err
	}
	p.ModifyTime = e.now.Unix()
	before := e.spreadTotal()
	e.Policies[i] = p
	return e.spreadWithin(before)
}

// deletePolicy removes a policy; a non-empty direction must be the policy's own.
func (e *edit) deletePolicy(uuid, direction string) error {
	i := e.policyIndex(uuid)
	if i < 0 || direction != "" && e.Policies[i].Direction != direction {
		if e.assume.DeleteUnknownPolicySucceeds {
			return nil
		}
		return noSuchPolicy(uuid)
	}
	p := e.Policies[i]
	list := e.list(p.Direction, p.IPVersion)
	e.setList(p.Direction, p.IPVersion, slices.Delete(list, p.Order-1, p.Order))
	return nil
}

func (e *edit) movePolicy(uuid string, order int) error {
	i := e.policyIndex(uuid)
	if i < 0 {
		return noSuchPolicy(uuid)
	}
	p := e.Policies[i]
	list := e.list(p.Direction, p.IPVersion)
	at, err := e.place(order, len(list))
	if err != nil {
		return err
	}
	p.ModifyTime = e.now.Unix()
	list = slices.Delete(list, p.Order-1, p.Order)
	e.setList(p.Direction, p.IPVersion, slices.Insert(list, at-1, p))
	return nil
}

// movePosition is ModifyControlPolicyPosition: IPv4 only, addressed by order, and
// -1 is not among its documented values.
func (e *edit) movePosition(direction string, from, to int) error {
	list := e.list(direction, 4)
	if from < 1 || from > len(list) {
		return bad("ErrorParametersOldOrder", "The old order %d is not between 1 and %d.", from, len(list))
	}
	if to < 1 {
		return bad("ErrorParametersNewOrder", "The new order %d is not between 1 and %d.", to, len(list))
	}
	return e.movePolicy(list[from-1].UUID, to)
}

// place turns a wanted order into a position in 1..last.
func (e *edit) place(order, last int) (int, error) {
	switch {
	case order == -1, order > last && e.assume.BeyondEndAppends:
		return last, nil
	case order < 1 || order > last:
		return 0, bad("ErrorParametersNewOrder", "The new order %d is not between 1 and %d.", order, last)
	}
	return order, nil
}

func noSuchPolicy(uuid string) error {
	// Published for the VPC and NAT policies only; assumed here (reference §2.1).
	return bad("ErrorAclNotExist", "The access control policy %q does not exist.", uuid)
}

func (s *State) policyIndex(uuid string) int {
	return slices.IndexFunc(s.Policies, func(p Policy) bool { return p.UUID == uuid })
}

// list returns a copy of one policy list in its order.
func (s *State) list(direction string, version int) []Policy {
	var list []Policy
	for _, p := range s.Policies {
		if p.Direction == direction && p.IPVersion == version {
			list = append(list, p)
		}
	}
	return list
}

// setList puts a list back, numbered 1..N.
func (s *State) setList(direction string, version int, list []Policy) {
	s.Policies = slices.DeleteFunc(s.Policies, func(p Policy) bool {
		return p.Direction == direction && p.IPVersion == version
	})
	for i := range list {
		list[i].Order = i + 1
	}
	s.Policies = append(s.Policies, list...)
	s.sortPolicies()
}
