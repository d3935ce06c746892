package alibaba

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"fwsync/cloudfw"
)

// This file is the only place where the words of the wire meet those of the model,
// for the firewall; convertgroups.go does the same for security groups.

func wireVersion(f cloudfw.Family) string {
	if f == cloudfw.IPv6 {
		return "6"
	}
	return "4"
}

func wireBookType(f cloudfw.Family) string {
	if f == cloudfw.IPv6 {
		return "ipv6"
	}
	return "ip"
}

// wirePeers are the kinds of peers that policies name (reference §2.1).
var wirePeers = map[string]cloudfw.PeerKind{
	"net": cloudfw.Net, "group": cloudfw.Book, "domain": cloudfw.Domain, "location": cloudfw.Location,
}

// applications are the vendor's spellings (reference §2.1); the model's are upper case.
var applications = func() map[string]string {
	byUpper := map[string]string{}
	for _, name := range []string{
		"ANY", "FTP", "HTTP", "HTTPS", "IMAPS", "Memcache", "MongoDB", "MQTT", "MySQL", "POP3", "RDP",
		"Redis", "SMTP", "SMTPS", "SSH", "SSL", "SSL_No_Cert", "VNC",
	} {
		byUpper[strings.ToUpper(name)] = name
	}
	return byUpper
}()

// anyApplication means that the application does not matter, in both languages.
const anyApplication = "ANY"

// rule converts a policy read from the given list.
func (p policy) rule(key cloudfw.ListKey) (cloudfw.FirewallRule, error) {
	if p.Direction != "" && string(p.Direction) != string(key.Direction) || p.IpVersion != 0 && strconv.Itoa(int(p.IpVersion)) != wireVersion(key.Family) {
		return cloudfw.FirewallRule{}, fmt.Errorf("it belongs to the list %s ipv%d", oneLine(string(p.Direction)), p.IpVersion)
	}
	if p.Order < 1 {
		return cloudfw.FirewallRule{}, fmt.Errorf("its position is %d", p.Order)
	}
	r := cloudfw.FirewallRule{
		ID: string(p.AclUuid), Order: int(p.Order), Direction: key.Direction, Family: key.Family,
		Action: cloudfw.Action(strings.ToLower(string(p.AclAction))), Protocol: cloudfw.Protocol(strings.ToLower(string(p.Proto))),
		Source:      policyPeer(string(p.SourceType), string(p.Source)),
		Destination: policyPeer(string(p.DestinationType), string(p.Destination)),
		Application: applicationNames(p.ApplicationNameList, p.ApplicationName),
		Description: string(p.Description),
		Disabled:    strings.EqualFold(string(p.Release), "false"),
		Temporary:   p.RepeatType != "" && p.RepeatType != "Permanent",
		Cost:        int(p.SpreadCnt),
	}
	if p.DestPortType == "group" {
		r.PortBook = string(p.DestPortGroup)
		return r, nil
	}
	ports, err := parsePorts(string(p.DestPort))
	if err != nil {
		// Somebody's spelling of ports that the reference does not know: kept as an
		// opaque set of ports rather than taken for all ports or for none.
		r.PortBook = string(p.DestPort)
	}
	r.Ports = ports
	return r, nil
}

func policyPeer(kind, value string) cloudfw.Peer {
	known, ok := wirePeers[kind]
	if !ok {
		known = cloudfw.PeerKind(kind)
	}
	if known == cloudfw.Net {
		value = canonicalCIDR(value)
	}
	return cloudfw.Peer{Kind: known, Value: value}
}

// canonicalCIDR masks the host bits that the vendor keeps in some answers
// (reference §10). What is no CIDR at all stays as it is.
func canonicalCIDR(value string) string {
	if p, err := lenientPrefix(value); err == nil {
		return p.String()
	}
	return value
}

// lenientPrefix reads an address or a CIDR and masks its host bits.
func lenientPrefix(value string) (netip.Prefix, error) {
	value = strings.TrimSpace(value)
	if p, err := netip.ParsePrefix(value); err == nil && !p.Addr().Is4In6() {
		return p.Masked(), nil
	}
	return cloudfw.ParsePrefix(value)
}

// applicationNames joins the applications in alphabetical order: the vendor's order
// means nothing, and a policy written with the one field reads back with the other
// one empty (reference §10).
func applicationNames(list []text, single text) string {
	names := []string{}
	for _, name := range list {
		if name != "" {
			names = append(names, strings.ToUpper(string(name)))
		}
	}
	if len(names) == 0 {
		return cmp.Or(strings.ToUpper(string(single)), anyApplication)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ",")
}

// parsePorts reads the spellings of reference §2.1 and §3.1: "80", "20/22", and
// "0/0", "1/65535", "-1/-1" and nothing for every port.
func parsePorts(value string) (cloudfw.PortRange, error) {
	if value == "-1/-1" || value == "0" {
		return cloudfw.PortRange{}, nil
	}
	return cloudfw.ParsePortRange(value)
}

func wirePorts(r cloudfw.PortRange, all string) string {
	if r.AllPorts() {
		return all
	}
	return fmt.Sprintf("%d/%d", r.First, r.Last)
}

// policyForm holds what AddControlPolicy is told about a rule, as the wire spells it.
type policyForm struct {
	direction, ipVersion, action, description, release string
	sourceType, source, destinationType, destination   string
	proto, portType, port                              string
	applications                                       []string
}

// newPolicyForm converts a rule that fwsync may write: networks and books, a range
// of ports for TCP and UDP, applications for TCP only (reference §2.1).
func newPolicyForm(r cloudfw.FirewallRule) (policyForm, error) {
	f := policyForm{
		direction: string(r.Direction), ipVersion: wireVersion(r.Family), action: string(r.Action),
		description: r.Description, release: strconv.FormatBool(!r.Disabled), proto: strings.ToUpper(string(r.Protocol)),
	}
	switch {
	case r.Direction != cloudfw.In && r.Direction != cloudfw.Out:
		return f, fmt.Errorf("direction %q is neither in nor out", r.Direction)
	case !slices.Contains(cloudfw.Families, r.Family):
		return f, fmt.Errorf("family %q is neither ipv4 nor ipv6", r.Family)
	case r.Action != cloudfw.Accept && r.Action != cloudfw.Drop && r.Action != cloudfw.Log:
		return f, fmt.Errorf("action %q is not accept, drop or log", r.Action)
	case r.PortBook != "":
		return f, errors.New("a rule with a port book is not written")
	case r.Temporary:
		return f, errors.New("a rule with a validity time is not written")
	}
	var err error
	if f.sourceType, f.source, err = wirePeer(r.Source, r.Family); err != nil {
		return f, fmt.Errorf("source: %w", err)
	}
	if f.destinationType, f.destination, err = wirePeer(r.Destination, r.Family); err != nil {
		return f, fmt.Errorf("destination: %w", err)
	}
	application := cmp.Or(r.Application, anyApplication)
	switch r.Protocol {
	case cloudfw.TCP, cloudfw.UDP:
		f.portType, f.port = "port", wirePorts(r.Ports, "0/0")
	case cloudfw.ICMP, cloudfw.AnyProtocol:
		if !r.Ports.AllPorts() {
			return f, fmt.Errorf("protocol %s has no ports", r.Protocol)
		}
	default:
		return f, fmt.Errorf("protocol %q is not any, tcp, udp or icmp", r.Protocol)
	}
	if r.Protocol != cloudfw.TCP && application != anyApplication {
		return f, fmt.Errorf("application %s needs protocol tcp", application)
	}
	for name := range strings.SplitSeq(application, ",") {
		f.applications = append(f.applications, cmp.Or(applications[name], name))
	}
	return f, nil
}

func wirePeer(p cloudfw.Peer, family cloudfw.Family) (kind, value string, err error) {
	switch p.Kind {
	case cloudfw.Net:
		prefix, err := cloudfw.ParsePrefix(p.Value)
		if err != nil {
			return "", "", err
		}
		if cloudfw.FamilyOf(prefix) != family {
			return "", "", fmt.Errorf("%s is not %s", prefix, family)
		}
		return "net", prefix.String(), nil
	case cloudfw.Book:
		if p.Value == "" {
			return "", "", errors.New("a book without a name")
		}
		return "group", p.Value, nil
	}
	return "", "", fmt.Errorf("%s is neither a network nor an address book", p)
}

// book converts an address book. Entries may carry a note after a blank (reference
// §2.4); entries that are no addresses are left out and counted, as nobody's odd
// book may keep the whole account from being observed.
func (b book) book(family cloudfw.Family) (converted cloudfw.AddressBook, unreadable int) {
	converted = cloudfw.AddressBook{
		ID: string(b.GroupUuid), Name: string(b.GroupName), Family: family, Description: string(b.Description),
		Prefixes: make([]netip.Prefix, 0, len(b.AddressList)), References: int(b.ReferenceCount),
	}
	for _, entry := range b.AddressList {
		address, _, _ := strings.Cut(strings.TrimSpace(string(entry)), " ")
		p, err := lenientPrefix(address)
		if err != nil {
			unreadable++
			continue
		}
		converted.Prefixes = append(converted.Prefixes, p)
	}
	converted.Prefixes = cloudfw.SortPrefixes(converted.Prefixes)
	return converted, unreadable
}
