package simulator

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Application names the reference lists for ApplicationNameList (§2.1).
var applications = []string{
	"ANY", "FTP", "HTTP", "HTTPS", "IMAPS", "Memcache", "MongoDB", "MQTT", "MySQL", "POP3", "RDP",
	"Redis", "SMTP", "SMTPS", "SSH", "SSL", "SSL_No_Cert", "VNC",
}

// judgePolicy fills in p's defaults and refuses what the service refuses.
func (e *edit) judgePolicy(p *Policy) error {
	if err := e.State.judgePolicy(p, e.limits); err != nil {
		return err
	}
	return e.judgeStart(p)
}

func (s *State) judgePolicy(p *Policy, limits Limits) error {
	p.complete()
	b := p.border()
	switch {
	case p.NATGateway != "" && p.VPCFirewall != "":
		return bad("ErrorParameters", "A policy stands on one border only.")
	case !slices.Contains(b.directions, p.Direction):
		return bad("ErrorParametersDirection", "The direction is invalid.")
	case !slices.Contains(b.versions, p.IPVersion):
		return bad("ErrorParameterIpVersion", "The IP version is invalid.")
	case p.MemberUID != "" && b != vpcBorder:
		return bad("ErrorParameters", "Only VPC border policies have a member.")
	case !slices.Contains([]string{"accept", "drop", "log"}, p.Action):
		return bad("ErrorParametersAction", "The action is invalid.")
	case !slices.Contains([]string{"ANY", "TCP", "UDP", "ICMP"}, p.Proto):
		return bad("ErrorParametersProto", "The protocol is invalid.")
	case utf8.RuneCountInString(p.Description) > limits.DescriptionLength:
		return bad("ErrorParameters", "The description is longer than %d characters.", limits.DescriptionLength)
	case p.DomainResolveType != "" && !slices.Contains(resolveTypes, p.DomainResolveType):
		return bad("ErrorDomainResolve", "The domain resolve type is invalid.")
	}
	if err := s.judgePlace(b, p.place()); err != nil {
		return err
	}
	books := s.booksByName()
	if err := judgePeer(books, p, p.SourceType, p.Source, true); err != nil {
		return err
	}
	if err := judgePeer(books, p, p.DestinationType, p.Destination, false); err != nil {
		return err
	}
	if err := judgePorts(books, p); err != nil {
		return err
	}
	if err := judgeApplications(p); err != nil {
		return err
	}
	return judgeSchedule(p)
}

// complete fills in the defaults of the fields that may be left out.
func (p *Policy) complete() {
	if p.IPVersion == 0 {
		p.IPVersion = 4
	}
	if p.DestPortType == "" {
		p.DestPortType = "port"
	}
	if p.RepeatType == "" {
		p.RepeatType = "Permanent"
	}
}

func judgePeer(books map[string]*AddressBook, p *Policy, kind, value string, source bool) error {
	code, text := "ErrorParametersDestination", "The Destination parameter is invalid."
	if source {
		code, text = "ErrorParametersSource", "The source is invalid."
	}
	b, inward := p.border(), p.Direction == "in"
	kinds := b.destinations
	if source {
		kinds = b.sources
	}
	switch {
	case !slices.Contains(kinds, kind):
	case kind == "net":
		prefix, err := netip.ParsePrefix(value)
		if err != nil || prefix != prefix.Masked() || prefix.Addr().Is4In6() {
			return bad(code, "%s %q is not a CIDR block.", text, value)
		}
		if prefix.Addr().Is4() != (p.IPVersion == 4) {
			return bad("ErrorParameterIpVersion", "The IP version is invalid. %q is not IPv%d.", value, p.IPVersion)
		}
		return nil
	case kind == "group":
		book := books[value]
		if book == nil {
			return bad("ErrorAddressGroupNotExist", "The address group does not exist.")
		}
		return judgeBookUse(book, p, code, text, source)
	case kind == "location" && source == inward:
		if _, ok := regions(value); ok {
			return nil
		}
	case kind == "domain" && !inward && isDomain(value):
		return nil
	}
	return bad(code, "%s", text)
}

func judgeBookUse(book *AddressBook, p *Policy, code, text string, source bool) error {
	switch book.Type {
	case "port":
		return bad(code, "%s %q is a port address book.", text, book.Name)
	case "domain":
		if source || p.Direction == "in" {
			return bad(code, "%s %q is a domain address book.", text, book.Name)
		}
		return nil
	}
	version := 4
	if book.Type == "ipv6" || book.Type == "assetIpv6" {
		version = 6
	}
	if version != p.IPVersion {
		return bad("ErrorParameterIpVersion", "The IP version is invalid. Address group %q is not IPv%d.", book.Name, p.IPVersion)
	}
	return nil
}

func judgePorts(books map[string]*AddressBook, p *Policy) error {
	switch p.DestPortType {
	case "port":
		// Recorded on the wire: the group is cleared when the type is port (reference §10).
		p.DestPortGroup = ""
		ported := p.Proto == "TCP" || p.Proto == "UDP"
		if p.DestPort == "" && p.border().needsPort && p.Proto != "ANY" {
			return bad("ErrorParametersDestPort", "The dst_port is invalid. %s needs DestPort or DestPortGroup.", p.Proto)
		}
		if p.DestPort == "" || p.DestPort == "0/0" || ported && isPortRange(p.DestPort) {
			return nil
		}
		return bad("ErrorParametersDestPort", "The dst_port is invalid.")
	case "group":
		p.DestPort = ""
		book := books[p.DestPortGroup]
		if book == nil {
			return bad("ErrorAddressGroupNotExist", "The address group does not exist.")
		}
		if book.Type != "port" {
			return bad("ErrorParametersGroupPort", "The address group %q is not a port address book.", book.Name)
		}
		return nil
	}
	return bad("ErrorParametersDestPort", "The dst_port_type is invalid.")
}

func judgeApplications(p *Policy) error {
	if len(p.Applications) > 0 {
		p.Application = ""
		if len(p.Applications) > 30 {
			return bad("ErrorParametersApplicationNameList", "More than 30 applications.")
		}
		for _, a := range p.Applications {
			if !applicationFits(a, p.Proto) {
				return bad("ErrorParametersApplicationNameList", "The application %q is invalid for %s.", a, p.Proto)
			}
		}
		return nil
	}
	if !p.border().oneName {
		return bad("ErrorParametersApplicationNameList", "The list of applications is empty.")
	}
	if !applicationFits(p.Application, p.Proto) {
		return bad("ErrorParametersApplicationName", "The application %q is invalid for %s.", p.Application, p.Proto)
	}
	return nil
}

func applicationFits(name, proto string) bool {
	return name == "ANY" || proto == "TCP" && slices.Contains(applications, name)
}

// judgeSchedule checks the native expiry fields. The error code is assumed, the
// reference publishes none.
func judgeSchedule(p *Policy) error {
	if p.RepeatType == "Permanent" {
		return nil
	}
	const half = 30 * 60
	if p.StartTime <= 0 || p.StartTime%half != 0 || p.EndTime%half != 0 || p.EndTime < p.StartTime+half {
		return bad("ErrorParameters", "StartTime and EndTime must be half hours, at least 30 minutes apart.")
	}
	low, high := 0, 0
	switch p.RepeatType {
	case "None":
		return nil
	case "Daily":
	case "Weekly":
		low, high = 0, 6
	case "Monthly":
		low, high = 1, 31
	default:
		return bad("ErrorParameters", "The repeat type %q is invalid.", p.RepeatType)
	}
	if p.RepeatType != "Daily" && len(p.RepeatDays) == 0 {
		return bad("ErrorParameters", "RepeatDays is missing.")
	}
	for _, d := range p.RepeatDays {
		if p.RepeatType != "Daily" && (d < low || d > high) {
			return bad("ErrorParameters", "The repeat day %d is invalid.", d)
		}
	}
	if !isHalfHour(p.RepeatStartTime) || !isHalfHour(p.RepeatEndTime) {
		return bad("ErrorParameters", "RepeatStartTime and RepeatEndTime must be HH:mm, on a half hour.")
	}
	return nil
}

func isHalfHour(s string) bool {
	if len(s) != 5 || s[2] != ':' || s[3:] != "00" && s[3:] != "30" {
		return false
	}
	h, err := strconv.ParseUint(s[:2], 10, 8)
	return err == nil && h < 24
}

// regions parses a location value, a JSON array of region codes.
func regions(value string) ([]string, bool) {
	var list []string
	if json.Unmarshal([]byte(value), &list) != nil || len(list) == 0 || slices.Contains(list, "") {
		return nil, false
	}
	return list, true
}

// isPortRange accepts a port or low/high; 0/0 stands for all ports.
func isPortRange(s string) bool {
	low, high, found := strings.Cut(s, "/")
	if !found {
		high = low
	}
	a, errA := strconv.ParseUint(low, 10, 16)
	b, errB := strconv.ParseUint(high, 10, 16)
	return errA == nil && errB == nil && a <= b && (a > 0 || b == 0)
}

// isDomain accepts host names with at least one dot, and a leading "*.".
func isDomain(s string) bool {
	s = strings.TrimPrefix(s, "*.")
	labels := strings.Split(s, ".")
	if len(s) > 253 || len(labels) < 2 {
		return false
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for _, r := range l {
			switch {
			case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			default:
				return false
			}
		}
	}
	return true
}
