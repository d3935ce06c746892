package simulator

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// wirePolicy is what the elements of Policys have in common on all borders, with
// the vendor's names and types (reference §2.1, §10). The lists are never null.
type wirePolicy struct {
	AclUuid               string
	Direction             string // empty on the VPC border
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
	ApplicationNameList   []string
	Description           string
	Release               string
	HitTimes              int64
	HitLastTime           int64
	CreateTime            int64
	ModifyTime            int64
	DnsResult             string
	DnsResultTime         int64
	RepeatType            string
	RepeatDays            []int
	RepeatStartTime       string
	RepeatEndTime         string
	StartTime             int64
	EndTime               int64
}

// wireInternetPolicy is an element of DescribeControlPolicy.
type wireInternetPolicy struct {
	wirePolicy
	ApplicationName   string
	ApplicationId     string
	IpVersion         int
	SpreadCnt         int
	DomainResolveType string
}

// wireNATPolicy is an element of DescribeNatFirewallControlPolicy (reference §2.6).
type wireNATPolicy struct {
	wirePolicy
	NatGatewayId      string
	SpreadCnt         string // a string here
	DomainResolveType int    // a number here
}

// wireVPCPolicy is an element of DescribeVpcFirewallControlPolicy (reference §2.5).
type wireVPCPolicy struct {
	wirePolicy
	ApplicationName   string
	ApplicationId     string
	MemberUid         string
	SpreadCnt         int
	DomainResolveType string
}

// toWirePolicy returns the form that p has on its own border.
func (s *State) toWirePolicy(p *Policy, books map[string]*AddressBook) any {
	w, units := commonWirePolicy(p, books), spread(p, books)
	switch p.border() {
	case natBorder:
		return wireNATPolicy{w, p.NATGateway, strconv.Itoa(units), max(0, slices.Index(resolveTypes, p.DomainResolveType))}
	case vpcBorder:
		return wireVPCPolicy{w, p.Application, "", cmp.Or(p.MemberUID, s.AccountID), units, p.DomainResolveType}
	}
	return wireInternetPolicy{w, p.Application, "", p.IPVersion, units, p.DomainResolveType}
}

func commonWirePolicy(p *Policy, books map[string]*AddressBook) wirePolicy {
	w := wirePolicy{
		AclUuid: p.UUID, Direction: p.Direction, Order: p.Order, AclAction: p.Action,
		Source: p.Source, SourceType: p.SourceType, SourceGroupCidrs: []string{},
		Destination: p.Destination, DestinationType: p.DestinationType, DestinationGroupCidrs: []string{},
		DestPort: p.DestPort, DestPortType: p.DestPortType, DestPortGroup: p.DestPortGroup, DestPortGroupPorts: []string{},
		Proto: p.Proto, ApplicationNameList: append([]string{}, p.Applications...),
		Description: p.Description, Release: strconv.FormatBool(!p.Disabled),
		HitTimes: p.HitTimes, HitLastTime: p.HitLastTime, CreateTime: p.CreateTime, ModifyTime: p.ModifyTime,
		RepeatType: p.RepeatType, RepeatDays: append([]int{}, p.RepeatDays...),
		RepeatStartTime: p.RepeatStartTime, RepeatEndTime: p.RepeatEndTime, StartTime: p.StartTime, EndTime: p.EndTime,
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

// describePolicies lists the policies of a border.
func describePolicies(b *border) func(*call) (any, error) {
	return func(c *call) (any, error) {
		p := c.params
		in := readScope(p, b, false)
		first := min(b.pageSize, 1)
		number, size := pageNumbers(p, first, b.pageSize, maxPolicyPage)
		match := readPolicyFilter(p, b)
		state, err := c.read()
		if err != nil {
			return nil, err
		}
		uuid, version := match.uuid, cmp.Or(match.version, "4")
		switch {
		case b.placeName != "" && state.judgePlace(b, in.place) != nil:
			return nil, state.judgePlace(b, in.place)
		case uuid == "" && !slices.Contains(b.directions, in.direction):
			return nil, bad("ErrorParametersDirection", "The direction is invalid.")
		case version != "4" && version != "6":
			return nil, bad("ErrorParameterIpVersion", "The IP version is invalid.")
		}
		family := 4
		if version == "6" {
			family = 6
		}
		low, high := state.policyRange(listKey{b, in.place, in.direction, family})
		if uuid != "" {
			// A lookup by uuid searches both directions and both families (reference §10).
			in.direction = ""
			low, high = 0, 0
			if i := state.policyIndex(uuid); i >= 0 && in.holds(&state.Policies[i]) {
				low, high = i, i+1
			}
		}
		found := state.Policies[low:high]
		if match != (policyFilter{uuid: match.uuid, version: match.version}) {
			found = nil
			for i := low; i < high; i++ {
				if q := &state.Policies[i]; match.fits(q, state) {
					found = append(found, *q)
				}
			}
		}
		books, items := state.booksByName(), []any{}
		page := numberedPage(found, number, size, c.fault)
		for i := range page {
			items = append(items, state.toWirePolicy(&page[i], books))
		}
		total := strconv.Itoa(len(found)) // a string, as the vendor's (reference §0.10)
		if b.placeName != "" {
			return struct {
				TotalCount string
				Policys    []any
			}{total, items}, nil
		}
		return struct {
			PageNo, PageSize, TotalCount string
			Policys                      []any
		}{decimal(number), decimal(size), total, items}, nil
	}
}

// policyFilter is what the listings of policies may filter by.
type policyFilter struct {
	uuid, version, source, destination, description string
	proto, action, release, repeat, member          string
}

func readPolicyFilter(p *params, b *border) policyFilter {
	f := policyFilter{
		uuid: p.text("AclUuid"), source: p.text("Source"), destination: p.text("Destination"), description: p.text("Description"),
		proto: p.text("Proto"), action: p.text("AclAction"), release: p.text("Release"), repeat: p.text("RepeatType"),
	}
	switch b {
	case vpcBorder:
		f.member = p.text("MemberUid")
	case internetBorder:
		f.version = p.text("IpVersion")
		p.ignore("MemberUid")
	}
	return f
}

// fits applies all filters but uuid and version.
func (f policyFilter) fits(q *Policy, s *State) bool {
	return strings.Contains(q.Source, f.source) && strings.Contains(q.Destination, f.destination) && strings.Contains(q.Description, f.description) &&
		matches(f.proto, q.Proto) && matches(f.action, q.Action) && matches(f.release, strconv.FormatBool(!q.Disabled)) &&
		matches(f.repeat, q.RepeatType) && matches(f.member, cmp.Or(q.MemberUID, s.AccountID))
}

// matches tells whether a filter is absent or equal to the value.
func matches(filter, value string) bool { return filter == "" || filter == value }
