package simulator

import (
	"math"
	"slices"
	"strconv"
)

// readScope reads which policies a call is about: the gateway or ACL group where
// the border has them, and the direction.
func readScope(p *params, b *border, needsDirection bool) scope {
	s := scope{border: b}
	if b.placeName != "" {
		s.place = p.required(b.placeName)
	}
	if b == vpcBorder {
		return s
	}
	s.direction = p.text("Direction")
	switch {
	case s.direction == "" && needsDirection:
		p.fail(p.missing("Direction"))
	case s.direction != "" && !slices.Contains(b.directions, s.direction):
		p.fail(bad("ErrorParametersDirection", "The direction is invalid."))
	}
	return s
}

func addPolicy(b *border) func(*call) (any, error) {
	return func(c *call) (any, error) {
		p := c.params
		in := readScope(p, b, true)
		q := Policy{
			Direction: in.direction, Action: p.required("AclAction"),
			SourceType: p.required("SourceType"), Source: p.required("Source"),
			DestinationType: p.required("DestinationType"), Destination: p.required("Destination"),
			Proto: p.required("Proto"), Description: p.required("Description"),
		}
		q.setPlace(b, in.place)
		order, version := p.required("NewOrder"), ""
		if b == vpcBorder {
			q.MemberUID = p.text("MemberUid")
		} else {
			version = p.text("IpVersion")
		}
		readPolicyOptions(p, b, &q)
		refuseDryRun(p)
		if err := p.done(); err != nil {
			return nil, err
		}
		var err error
		if q.Order, err = parseOrder(order); err != nil {
			return nil, err
		}
		if version != "" {
			if q.IPVersion, err = strconv.Atoi(version); err != nil || q.IPVersion == 0 {
				return nil, bad("ErrorParameterIpVersion", "The IP version is invalid.")
			}
		}
		uuid, err := c.cloud.AddControlPolicy(q)
		return struct{ AclUuid string }{uuid}, err
	}
}

// readPolicyOptions reads what add and modify have in common and may be absent.
func readPolicyOptions(p *params, b *border, q *Policy) {
	names, name := p.list("ApplicationNameList"), ""
	if b.oneName {
		name = p.text("ApplicationName")
	}
	switch {
	case names != nil:
		q.Applications, q.Application = names, ""
	case name != "":
		q.Applications, q.Application = nil, name
	}
	p.set("DestPortType", &q.DestPortType)
	p.set("DestPortGroup", &q.DestPortGroup)
	p.set("DestPort", &q.DestPort)
	readResolveType(p, b, q)
	p.set("RepeatType", &q.RepeatType)
	p.set("RepeatStartTime", &q.RepeatStartTime)
	p.set("RepeatEndTime", &q.RepeatEndTime)
	q.StartTime = p.number("StartTime", q.StartTime, 0, math.MaxInt64)
	q.EndTime = p.number("EndTime", q.EndTime, 0, math.MaxInt64)
	if days := p.list("RepeatDays"); days != nil {
		q.RepeatDays = nil
		for _, d := range days {
			n, err := strconv.Atoi(d)
			if err != nil {
				p.fail(bad("InvalidRepeatDays", "Specified parameter RepeatDays is not valid."))
			}
			q.RepeatDays = append(q.RepeatDays, n)
		}
	}
	switch release := p.text("Release"); release {
	case "":
	case "true", "false":
		q.Disabled = release == "false"
	default:
		p.fail(bad("InvalidRelease", "Specified parameter Release is not valid."))
	}
	p.ignore("MessageType", "ClientToken")
}

// readResolveType reads DomainResolveType, a name or on the NAT border a number.
func readResolveType(p *params, b *border, q *Policy) {
	text := p.text("DomainResolveType")
	switch {
	case text == "":
	case !b.resolveNumbers:
		q.DomainResolveType = text
	default:
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n >= len(resolveTypes) {
			p.fail(bad("ErrorDomainResolve", "The domain resolve type is invalid."))
			return
		}
		q.DomainResolveType = resolveTypes[n]
	}
}

// refuseDryRun keeps a dry run from writing: its answer is undocumented.
func refuseDryRun(p *params) {
	if p.flag("DryRun") {
		p.fail(bad("InvalidDryRun", "The simulator does not know dry runs."))
	}
}

func parseOrder(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n > math.MaxInt32 {
		return 0, bad("ErrorParametersNewOrder", "The new order %q is not a number.", text)
	}
	return n, nil
}

func modifyPolicy(b *border) func(*call) (any, error) {
	return func(c *call) (any, error) {
		p := c.params
		in, uuid := readScope(p, b, false), p.required("AclUuid")
		read := func(q *Policy) {
			p.set("AclAction", &q.Action)
			p.set("SourceType", &q.SourceType)
			p.set("Source", &q.Source)
			p.set("DestinationType", &q.DestinationType)
			p.set("Destination", &q.Destination)
			p.set("Proto", &q.Proto)
			p.set("Description", &q.Description)
			readPolicyOptions(p, b, q)
		}
		// Read once to judge the parameters themselves, then again onto the policy.
		read(&Policy{})
		refuseDryRun(p)
		return c.change(func(e *edit) error {
			i, err := e.find(scope{border: b, place: in.place}, uuid)
			if err != nil {
				return err
			}
			if !matches(in.direction, e.Policies[i].Direction) {
				return bad("ErrorParametersDirection", "The direction of a policy cannot be changed.")
			}
			return e.modifyPolicy(uuid, func(q *Policy) {
				if e.assume.OmittedFieldsClear {
					*q = Policy{NATGateway: q.NATGateway, VPCFirewall: q.VPCFirewall}
				}
				read(q)
			})
		})
	}
}

func deletePolicy(b *border) func(*call) (any, error) {
	return func(c *call) (any, error) {
		in, uuid := readScope(c.params, b, b == natBorder), c.params.required("AclUuid")
		return c.change(func(e *edit) error {
			if _, err := e.find(in, uuid); err != nil {
				if e.assume.DeleteUnknownPolicySucceeds && codeOf(err) == "ErrorAclNotExist" {
					return nil
				}
				return err
			}
			return e.deletePolicy(uuid, in.direction)
		})
	}
}

// deletePolicies is the batch of NAT and VPC policies. That it is all or none, and
// takes at most 100, is assumed.
func deletePolicies(b *border) func(*call) (any, error) {
	return func(c *call) (any, error) {
		p := c.params
		in, uuids := readScope(p, b, b == natBorder), p.list("AclUuidList")
		switch {
		case len(uuids) == 0:
			p.fail(p.missing("AclUuidList"))
		case len(uuids) > 100:
			p.fail(bad("InvalidAclUuidList", "A call takes at most 100 policies, not %d.", len(uuids)))
		}
		return c.change(func(e *edit) error {
			for _, uuid := range uuids {
				if _, err := e.find(in, uuid); err != nil {
					if e.assume.DeleteUnknownPolicySucceeds && codeOf(err) == "ErrorAclNotExist" {
						continue
					}
					return err
				}
				if err := e.deletePolicy(uuid, in.direction); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// movePolicy is the call that gives a policy, named by its uuid, a new order;
// orderName is the parameter for that.
func movePolicy(b *border, orderName string) func(*call) (any, error) {
	return func(c *call) (any, error) {
		p := c.params
		// Direction is sent by other clients besides the uuid, which decides (reference §10).
		in, uuid, text := readScope(p, b, false), p.required("AclUuid"), p.required(orderName)
		if b == vpcBorder {
			p.ignore("OldOrder") // deprecated there
		}
		return c.change(func(e *edit) error {
			order, err := parseOrder(text)
			if err != nil {
				return err
			}
			if _, err := e.find(scope{border: b, place: in.place}, uuid); err != nil {
				return err
			}
			return e.movePolicy(uuid, order)
		})
	}
}

func modifyControlPolicyPosition(c *call) (any, error) {
	p := c.params
	direction, from, to := p.required("Direction"), p.required("OldOrder"), p.required("NewOrder")
	return c.change(func(e *edit) error {
		if direction != "in" && direction != "out" {
			return bad("ErrorParametersDirection", "The direction is invalid.")
		}
		old, err := strconv.Atoi(from)
		if err != nil {
			return bad("ErrorParametersOldOrder", "The old order %q is not a number.", from)
		}
		order, err := parseOrder(to)
		if err != nil {
			return err
		}
		return e.movePosition(direction, old, order)
	})
}

// priorUsed answers the orders in use. 0 and 0 for an empty list is assumed
// (reference §2.1).
func priorUsed(b *border) func(*call) (any, error) {
	return func(c *call) (any, error) {
		p := c.params
		in, version := readScope(p, b, true), ""
		if b != vpcBorder {
			version = p.text("IpVersion")
		}
		n, err := strconv.Atoi(version)
		if version == "" {
			n, err = 4, nil
		}
		if err != nil || !slices.Contains(b.versions, n) {
			p.fail(bad("ErrorParameterIpVersion", "The IP version is invalid."))
		}
		state, err := c.read()
		if err != nil {
			return nil, err
		}
		if err := state.judgePlace(b, in.place); err != nil {
			return nil, err
		}
		low, high := state.policyRange(listKey{b, in.place, in.direction, n})
		if low == high {
			return struct{ Start, End int }{}, nil
		}
		return struct{ Start, End int }{state.Policies[low].Order, state.Policies[high-1].Order}, nil
	}
}

func resetHits(b *border) func(*call) (any, error) {
	return func(c *call) (any, error) {
		uuid := c.params.required("AclUuid")
		return c.change(func(e *edit) error {
			if _, err := e.find(scope{border: b}, uuid); err != nil {
				return err
			}
			return e.resetHits(uuid)
		})
	}
}
