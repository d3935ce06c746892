package simulator

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// shapeRule fills in defaults and brings every field into the form it is stored
// and answered in. It refuses what is malformed by itself.
func shapeRule(r *SecurityRule) error {
	if r.Priority == 0 {
		r.Priority = 1
	}
	if r.Priority < 1 || r.Priority > 100 {
		return bad("InvalidPriority.ValueNotSupported", "The priority %d is not between 1 and 100.", r.Priority)
	}
	protocol, ok := protocols[strings.ToUpper(r.Protocol)]
	if !ok {
		return bad("InvalidIpProtocol.Malformed", "The protocol %q is invalid.", r.Protocol)
	}
	r.Protocol = protocol
	switch strings.ToLower(r.Policy) {
	case "", "accept":
		r.Policy = "Accept"
	case "drop":
		r.Policy = "Drop"
	default:
		return bad("InvalidPolicy.Malformed", "The policy %q is invalid.", r.Policy)
	}
	if r.Direction != "ingress" && r.Direction != "egress" {
		return bad("InvalidParameter", "The direction %q is invalid.", r.Direction)
	}
	if err := shapePorts(r); err != nil {
		return err
	}
	if utf8.RuneCountInString(r.Description) > 512 {
		return bad("InvalidSecurityGroupDiscription.Malformed", "The description is longer than 512 characters.")
	}
	return shapePeers(r)
}

// protocols maps the upper-case name to the name answered.
var protocols = map[string]string{"TCP": "TCP", "UDP": "UDP", "ICMP": "ICMP", "ICMPV6": "ICMPv6", "GRE": "GRE", "ALL": "ALL"}

func shapePorts(r *SecurityRule) error {
	texts := []string{r.PortRange}
	if r.SourcePortRange != "" {
		texts = append(texts, r.SourcePortRange)
	}
	ported := r.Protocol == "TCP" || r.Protocol == "UDP"
	for _, text := range texts {
		if !isSecurityPortRange(text) {
			return bad("InvalidIpPortRange.Malformed", "The port range %q is invalid.", text)
		}
		if ported == (text == "-1/-1") {
			return bad("OperationDenied", "The port range %s does not fit the protocol %s.", text, r.Protocol)
		}
	}
	return nil
}

// isSecurityPortRange accepts low/high within 1..65535, and -1/-1.
func isSecurityPortRange(text string) bool {
	if text == "-1/-1" {
		return true
	}
	low, high, found := strings.Cut(text, "/")
	a, errA := strconv.ParseUint(low, 10, 16)
	b, errB := strconv.ParseUint(high, 10, 16)
	return found && errA == nil && errB == nil && a >= 1 && a <= b
}

// shapePeers applies the precedence of peers: a CIDR beats a group, and either
// makes a prefix list ignored (reference §3.1).
func shapePeers(r *SecurityRule) error {
	for _, f := range []struct {
		text *string
		code string
		v4   bool
	}{
		{&r.SourceCIDR, "InvalidSourceCidrIp.Malformed", true}, {&r.DestCIDR, "InvalidDestCidrIp.Malformed", true},
		{&r.IPv6SourceCIDR, "InvalidSourceCidrIp.Malformed", false}, {&r.IPv6DestCIDR, "InvalidDestCidrIp.Malformed", false},
	} {
		if *f.text == "" {
			continue
		}
		prefix, ok := parseBlock(*f.text)
		if !ok || prefix.Addr().Is4() != f.v4 {
			return bad(f.code, "%q is not a CIDR block of this family.", *f.text)
		}
		// Host bits are kept, the text is compressed (recorded for IPv6, reference
		// §10; assumed for IPv4).
		if strings.Contains(*f.text, "/") {
			*f.text = prefix.String()
		} else {
			*f.text = prefix.Addr().String()
		}
	}
	if r.SourceCIDR != "" && r.IPv6SourceCIDR != "" || r.DestCIDR != "" && r.IPv6DestCIDR != "" {
		return bad("InvalidParameter.Conflict", "An IPv4 and an IPv6 CIDR block cannot be given for one side.")
	}
	switch r.peerKind() {
	case "cidr", "ipv6":
		r.SourceGroupID, r.DestGroupID, r.SourcePrefixListID, r.DestPrefixListID = "", "", "", ""
	case "group":
		r.SourcePrefixListID, r.DestPrefixListID = "", ""
	case "":
		side := "Source"
		if r.Direction == "egress" {
			side = "Dest"
		}
		return bad("MissingParameter."+side, "One of the %s parameters is required.", side)
	}
	if r.Direction == "ingress" {
		r.DestGroupID, r.DestPrefixListID = "", ""
	} else {
		r.SourceGroupID, r.SourcePrefixListID = "", ""
	}
	return nil
}

// peerKind names the kind of the far side: cidr, ipv6, group, list or empty.
func (r *SecurityRule) peerKind() string {
	cidr, v6, group, list := r.SourceCIDR, r.IPv6SourceCIDR, r.SourceGroupID, r.SourcePrefixListID
	if r.Direction == "egress" {
		cidr, v6, group, list = r.DestCIDR, r.IPv6DestCIDR, r.DestGroupID, r.DestPrefixListID
	}
	switch {
	case cidr != "":
		return "cidr"
	case v6 != "":
		return "ipv6"
	case group != "":
		return "group"
	case list != "":
		return "list"
	}
	return ""
}

// identity is what makes two rules the same: everything but id, description and
// creation time. That priority belongs to it is assumed (reference §3.1).
func (r SecurityRule) identity() SecurityRule {
	r.ID, r.Description, r.CreateTime = "", "", ""
	for _, text := range []*string{&r.SourceCIDR, &r.DestCIDR, &r.IPv6SourceCIDR, &r.IPv6DestCIDR} {
		if prefix, ok := parseBlock(*text); ok {
			*text = prefix.Masked().String()
		}
	}
	if r.SourcePortRange == "-1/-1" {
		r.SourcePortRange = ""
	}
	return r
}

func ruleIndex(rules []SecurityRule, want SecurityRule) int {
	key := want.identity()
	return slices.IndexFunc(rules, func(r SecurityRule) bool { return r.identity() == key })
}

// judgeRule shapes r and checks what it refers to.
func (s *State) judgeRule(g *SecurityGroup, r *SecurityRule) error {
	if err := shapeRule(r); err != nil {
		return err
	}
	if peer := r.SourceGroupID + r.DestGroupID; peer != "" {
		if peer == g.ID {
			return refuse(http.StatusForbidden, "InvalidParamter.Conflict", "A rule cannot refer to its own security group.")
		}
		if g.Type == "enterprise" {
			return refuse(http.StatusForbidden, "InvalidParameter.Conflict", "A rule of an advanced security group cannot refer to a group.")
		}
		if s.groupIndex(peer) < 0 {
			side := "Source"
			if r.Direction == "egress" {
				side = "Dest"
			}
			return refuse(http.StatusNotFound, "Invalid"+side+"GroupId.NotFound", "The security group %q does not exist.", peer)
		}
	}
	if list := r.SourcePrefixListID + r.DestPrefixListID; list != "" && s.prefixListIndex(list) < 0 {
		return noSuchPrefixList(list)
	}
	return nil
}

// maxGroupReferences is how many rules of a group may name groups (reference §3.1).
const maxGroupReferences = 20

// judgeGroup refuses a group over its limits; grown says whether the edit at hand
// added to it.
func (e *edit) judgeGroup(g *SecurityGroup, grown bool) error {
	if cost := e.ruleCost(g); grown && cost > e.limits.RulesPerGroup {
		return refuse(http.StatusForbidden, "AuthorizationLimitExceed",
			"The maximum number of authorization rules in the security group is exceeded: %d of %d.", cost, e.limits.RulesPerGroup)
	}
	if n := groupReferences(g); grown && n > maxGroupReferences {
		return refuse(http.StatusForbidden, "AuthorizationLimitExceed", "A security group refers to at most %d groups, not %d.", maxGroupReferences, n)
	}
	return nil
}

// ruleCost is what g's rules use of its rule limit: a prefix-list reference costs
// the list's MaxEntries (reference §3.1).
func (s *State) ruleCost(g *SecurityGroup) int {
	cost := 0
	for _, r := range g.Rules {
		if i := s.prefixListIndex(r.SourcePrefixListID + r.DestPrefixListID); i >= 0 {
			cost += s.PrefixLists[i].MaxEntries
		} else {
			cost++
		}
	}
	return cost
}

// groupReferences counts the rules of g whose peer is a group.
func groupReferences(g *SecurityGroup) int {
	n := 0
	for _, r := range g.Rules {
		if r.SourceGroupID != "" || r.DestGroupID != "" {
			n++
		}
	}
	return n
}
