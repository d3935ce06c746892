package simulator

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// wirePolicy is an element of Policys, with the vendor's names and types
// (reference §2.1, §10).
type wirePolicy struct {
	AclUuid               string
	Direction             string
	Order                 int
	AclAction             string
	Source                string
	SourceType            string
	SourceGroupType       string
	SourceGroupCidrs      []string
	Destination           string
	DestinationType       string
	DestinationGroupType  string
	DestinationGroupCidrs []string
	DestPort              string
	DestPortType          string
	DestPortGroup         string
	DestPortGroupPorts    []string
	Proto                 string
	ApplicationName       string
	ApplicationId         string
	ApplicationNameList   []string
	Description           string
	Release               string
	IpVersion             int
	HitTimes              int64
	HitLastTime           int64
	CreateTime            int64
	ModifyTime            int64
	SpreadCnt             int
	DnsResult             string
	DnsResultTime         int64
	DomainResolveType     string
	RepeatType            string
	RepeatDays            []int
	RepeatStartTime       string
	RepeatEndTime         string
	StartTime             int64
	EndTime               int64
}

func toWirePolicy(p *Policy, books map[string]*AddressBook) wirePolicy {
	w := wirePolicy{
		AclUuid: p.UUID, Direction: p.Direction, Order: p.Order, AclAction: p.Action,
		Source: p.Source, SourceType: p.SourceType, SourceGroupCidrs: []string{},
		Destination: p.Destination, DestinationType: p.DestinationType, DestinationGroupCidrs: []string{},
		DestPort: p.DestPort, DestPortType: p.DestPortType, DestPortGroup: p.DestPortGroup, DestPortGroupPorts: []string{},
		Proto: p.Proto, ApplicationName: p.Application, ApplicationNameList: append([]string{}, p.Applications...),
		Description: p.Description, Release: strconv.FormatBool(!p.Disabled), IpVersion: p.IPVersion,
		HitTimes: p.HitTimes, HitLastTime: p.HitLastTime, CreateTime: p.CreateTime, ModifyTime: p.ModifyTime,
		SpreadCnt: spread(p, books), DomainResolveType: p.DomainResolveType, RepeatType: p.RepeatType,
		RepeatDays: append([]int{}, p.RepeatDays...), RepeatStartTime: p.RepeatStartTime, RepeatEndTime: p.RepeatEndTime,
		StartTime: p.StartTime, EndTime: p.EndTime,
	}
	if b := books[p.Source]; p.SourceType == "group" && b != nil {
		w.SourceGroupType, w.SourceGroupCidrs = b.Type, b.plainAddresses()
	}
	if b := books[p.Destination]; p.DestinationType == "group" && b != nil {
		w.DestinationGroupType, w.DestinationGroupCidrs = b.Type, b.plainAddresses()
	}
	if b := books[p.DestPortGroup]; p.DestPortType == "group" && b != nil {
		for _, port := range b.plainAddresses() {
			w.DestPortGroupPorts = append(w.DestPortGroupPorts, portPair(port))
		}
	}
	// Never empty for a plain port, even for ANY (reference §10).
	if w.DestPort == "" && w.DestPortType == "port" {
		w.DestPort = "0/0"
	}
	return w
}

func (b *AddressBook) plainAddresses() []string {
	out := make([]string, len(b.Addresses))
	for i, text := range b.Addresses {
		out[i], _ = splitEntry(text)
	}
	return out
}

func describeControlPolicy(c *call) (any, error) {
	p := c.params
	number, size := pageNumbers(p, 0, 0)
	uuid, direction, version := p.text("AclUuid"), p.text("Direction"), p.text("IpVersion")
	source, destination, description := p.text("Source"), p.text("Destination"), p.text("Description")
	proto, act, release, repeat := p.text("Proto"), p.text("AclAction"), p.text("Release"), p.text("RepeatType")
	p.ignore("MemberUid")
	state, err := c.read()
	if err != nil {
		return nil, err
	}
	if uuid == "" && direction != "in" && direction != "out" {
		return nil, bad("ErrorParametersDirection", "The direction is invalid.")
	}
	if version == "" {
		version = "4"
	}
	if version != "4" && version != "6" {
		return nil, bad("ErrorParameterIpVersion", "The IP version is invalid.")
	}
	books, found := state.booksByName(), []*Policy{}
	for i := range state.Policies {
		q := &state.Policies[i]
		// A lookup by uuid searches both directions and both families (reference §10).
		if uuid != "" && q.UUID != uuid || uuid == "" && (q.Direction != direction || strconv.Itoa(q.IPVersion) != version) {
			continue
		}
		if strings.Contains(q.Source, source) && strings.Contains(q.Destination, destination) && strings.Contains(q.Description, description) &&
			matches(proto, q.Proto) && matches(act, q.Action) && matches(release, strconv.FormatBool(!q.Disabled)) && matches(repeat, q.RepeatType) {
			found = append(found, q)
		}
	}
	items := []wirePolicy{}
	for _, q := range numberedPage(found, number, size, c.fault) {
		items = append(items, toWirePolicy(q, books))
	}
	return struct {
		PageNo, PageSize, TotalCount string // strings, as the vendor's (reference §0.10)
		Policys                      []wirePolicy
	}{decimal(number), decimal(size), strconv.Itoa(len(found)), items}, nil
}

// matches tells whether a filter is absent or equal to the value.
func matches(filter, value string) bool { return filter == "" || filter == value }

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// pageNumbers reads CurrentPage and PageSize (at most 50, assumed for policies).
// A zero default makes the parameter required.
func pageNumbers(p *params, defaultPage, defaultSize int64) (number, size int64) {
	number, size = defaultPage, defaultSize
	for _, f := range []struct {
		name string
		to   *int64
		high int64
	}{{"CurrentPage", &number, math.MaxInt32}, {"PageSize", &size, 50}} {
		if v := p.text(f.name); v != "" {
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				n = 0
			}
			*f.to = n
		}
		if *f.to < 1 || *f.to > f.high {
			p.fail(bad("ErrorParametersPageSizeOrNo", "%s is not between 1 and %d.", f.name, f.high))
			*f.to = 1
		}
	}
	return number, size
}

func describePolicyPriorUsed(c *call) (any, error) {
	direction, version := c.params.required("Direction"), c.params.text("IpVersion")
	state, err := c.read()
	if err != nil {
		return nil, err
	}
	if direction != "in" && direction != "out" {
		return nil, bad("ErrorParametersDirection", "The direction is invalid.")
	}
	if version != "" && version != "4" && version != "6" {
		return nil, bad("ErrorParameterIpVersion", "The IP version is invalid.")
	}
	n := 4
	if version == "6" {
		n = 6
	}
	// 0 and 0 for an empty list is assumed (reference §2.1).
	end := len(state.list(direction, n))
	return struct{ Start, End int }{min(1, end), end}, nil
}

func addControlPolicy(c *call) (any, error) {
	p := c.params
	q := Policy{
		Direction: p.required("Direction"), Action: p.required("AclAction"),
		SourceType: p.required("SourceType"), Source: p.required("Source"),
		DestinationType: p.required("DestinationType"), Destination: p.required("Destination"),
		Proto: p.required("Proto"), Description: p.required("Description"),
	}
	order, version := p.required("NewOrder"), p.text("IpVersion")
	readPolicyOptions(p, &q)
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

// readPolicyOptions reads what add and modify have in common and may be absent.
func readPolicyOptions(p *params, q *Policy) {
	names := p.list("ApplicationNameList")
	switch name := p.text("ApplicationName"); {
	case names != nil:
		q.Applications, q.Application = names, ""
	case name != "":
		q.Applications, q.Application = nil, name
	}
	portType := p.text("DestPortType")
	group := p.text("DestPortGroup")
	if portType != "" {
		q.DestPortType = portType
	}
	if group != "" {
		q.DestPortGroup = group
	}
	p.set("DestPort", &q.DestPort)
	p.set("DomainResolveType", &q.DomainResolveType)
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

// refuseDryRun keeps a dry run from writing: its answer is undocumented.
func refuseDryRun(p *params) {
	if p.flag("DryRun") {
		p.fail(bad("InvalidDryRun", "The simulator does not know dry runs."))
	}
}

func parseOrder(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, bad("ErrorParametersNewOrder", "The new order %q is not a number.", text)
	}
	return n, nil
}

func modifyControlPolicy(c *call) (any, error) {
	p := c.params
	uuid := p.required("AclUuid")
	read := func(q *Policy) {
		p.set("AclAction", &q.Action)
		p.set("SourceType", &q.SourceType)
		p.set("Source", &q.Source)
		p.set("DestinationType", &q.DestinationType)
		p.set("Destination", &q.Destination)
		p.set("Proto", &q.Proto)
		p.set("Description", &q.Description)
		readPolicyOptions(p, q)
	}
	// Read once to judge the parameters themselves, then again onto the policy.
	direction := p.text("Direction")
	read(&Policy{})
	refuseDryRun(p)
	if direction != "" && direction != "in" && direction != "out" {
		p.fail(bad("ErrorParametersDirection", "The direction is invalid."))
	}
	return c.change(func(e *edit) error {
		if i := e.policyIndex(uuid); direction != "" && i >= 0 && e.Policies[i].Direction != direction {
			return bad("ErrorParametersDirection", "The direction of a policy cannot be changed.")
		}
		return e.modifyPolicy(uuid, func(q *Policy) {
			if e.assume.OmittedFieldsClear {
				*q = Policy{}
			}
			read(q)
		})
	})
}

func deleteControlPolicy(c *call) (any, error) {
	uuid, direction := c.params.required("AclUuid"), c.params.text("Direction")
	return c.change(func(e *edit) error {
		if direction != "" && direction != "in" && direction != "out" {
			return bad("ErrorParametersDirection", "The direction is invalid.")
		}
		return e.deletePolicy(uuid, direction)
	})
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

func modifyControlPolicyPriority(c *call) (any, error) {
	p := c.params
	uuid, text := p.required("AclUuid"), p.required("Order")
	// Other clients send it; the uuid decides (reference §10).
	p.ignore("Direction")
	return c.change(func(e *edit) error {
		order, err := parseOrder(text)
		if err != nil {
			return err
		}
		return e.movePolicy(uuid, order)
	})
}

func describeACLRuleCount(c *call) (any, error) {
	c.params.ignore("MemberUid")
	state, err := c.read()
	if err != nil {
		return nil, err
	}
	in := len(slices.Concat(state.list("in", 4), state.list("in", 6)))
	out := len(state.Policies) - in
	return struct{ InternetInAclCount, InternetOutAclCount, NatOutAclCount, VpcAclCount, TotalAclCount int }{
		in, out, 0, 0, in + out}, nil
}

func describePolicyAdvancedConfig(c *call) (any, error) {
	state, err := c.read()
	if err != nil {
		return nil, err
	}
	return struct{ InternetSwitch string }{state.InternetSwitch}, nil
}
