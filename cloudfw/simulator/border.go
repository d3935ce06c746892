package simulator

import (
	"cmp"
	"slices"
)

// border is one kind of place where policies stand. All borders share their
// machinery; what differs between them is the data here (reference §2.1, §2.5, §2.6).
type border struct {
	name         string
	rank         int      // place in the sorted state
	placeName    string   // parameter that names the gateway or ACL group; empty for the internet border
	directions   []string // VPC policies have none, which is the empty text
	versions     []int
	sources      []string
	destinations []string
	// oneName is true where the deprecated ApplicationName may stand instead of
	// ApplicationNameList.
	oneName bool
	// needsPort is true where TCP, UDP and (sic) ICMP need DestPort or DestPortGroup.
	needsPort bool
	// resolveNumbers is true where DomainResolveType is 0, 1 or 2 on the wire.
	resolveNumbers bool
	// pageSize is the default of the listing; 0 makes both paging parameters required.
	pageSize int64
}

var (
	internetBorder = &border{
		name: "internet", rank: 0, directions: []string{"in", "out"}, versions: []int{4, 6}, oneName: true,
		sources: []string{"net", "group", "location"}, destinations: []string{"net", "group", "domain", "location"},
	}
	// The peer types are those of the outbound internet policies, assumed.
	natBorder = &border{
		name: "NAT", rank: 1, placeName: "NatGatewayId", directions: []string{"out"}, versions: []int{4}, resolveNumbers: true, pageSize: 10,
		sources: []string{"net", "group"}, destinations: []string{"net", "group", "domain", "location"},
	}
	// That VPC policies are IPv4 only is assumed: they have no IpVersion.
	vpcBorder = &border{
		name: "VPC", rank: 2, placeName: "VpcFirewallId", directions: []string{""}, versions: []int{4}, oneName: true, needsPort: true,
		sources: []string{"net", "group"}, destinations: []string{"net", "group", "domain"},
	}
)

// resolveTypes are the values of DomainResolveType; the index is the NAT border's number.
var resolveTypes = []string{"FQDN", "DNS", "FQDN_AND_DNS"}

// border tells where p stands.
func (p *Policy) border() *border {
	switch {
	case p.VPCFirewall != "":
		return vpcBorder
	case p.NATGateway != "":
		return natBorder
	}
	return internetBorder
}

// place is the id of p's gateway or ACL group, empty on the internet border.
func (p *Policy) place() string { return p.VPCFirewall + p.NATGateway }

// setPlace puts p on a border.
func (p *Policy) setPlace(b *border, place string) {
	switch b {
	case natBorder:
		p.NATGateway = place
	case vpcBorder:
		p.VPCFirewall = place
	}
}

// scope is what a call says about where its policies stand. Empty fields fit any.
type scope struct {
	border    *border
	place     string
	direction string
}

func (s scope) holds(p *Policy) bool {
	return p.border() == s.border && matches(s.place, p.place()) && matches(s.direction, p.Direction)
}

// judgePlace refuses the id of a gateway or ACL group that does not exist. The
// codes are assumed, the reference publishes none.
func (s *State) judgePlace(b *border, place string) error {
	switch {
	case b == natBorder && !slices.ContainsFunc(s.NATGateways, func(g NATGateway) bool { return g.ID == place }):
		return bad("ErrorNatGatewayNotExist", "The NAT gateway %q does not exist.", place)
	case b == vpcBorder && !slices.ContainsFunc(s.VPCFirewalls, func(f VPCFirewall) bool { return f.ID == place }):
		return bad("ErrorVpcFirewallNotExist", "The VPC firewall policy group %q does not exist.", place)
	}
	return nil
}

// listKey names one ordered list of policies.
type listKey struct {
	border    *border
	place     string
	direction string
	version   int
}

func (p *Policy) list() listKey {
	return listKey{p.border(), p.place(), p.Direction, p.IPVersion}
}

// list returns a copy of one list of the internet border in its order.
func (s *State) list(direction string, version int) []Policy {
	return s.policyList(internetList(direction, version))
}

func internetList(direction string, version int) listKey {
	return listKey{internetBorder, "", direction, version}
}

func (k listKey) compare(o listKey) int {
	return cmp.Or(cmp.Compare(k.border.rank, o.border.rank), cmp.Compare(k.place, o.place),
		cmp.Compare(k.direction, o.direction), cmp.Compare(k.version, o.version))
}

func (s *State) sortPolicies() {
	slices.SortStableFunc(s.Policies, func(a, b Policy) int {
		return cmp.Or(a.list().compare(b.list()), cmp.Compare(a.Order, b.Order))
	})
}
