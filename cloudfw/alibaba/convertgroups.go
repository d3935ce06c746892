package alibaba

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"fwsync/cloudfw"
)

func wireFamily(f cloudfw.Family) string {
	if f == cloudfw.IPv6 {
		return "IPv6"
	}
	return "IPv4"
}

// rule converts a security group's rule. The model knows one peer and one range of
// ports; a rule that says more ("five-tuple" rules, port lists) matches less than it
// would seem to, so what it says more is kept in its protocol, which then is none
// that anybody takes for understood.
func (p *permission) rule() (cloudfw.GroupRule, error) {
	r := cloudfw.GroupRule{
		ID: string(p.SecurityGroupRuleId), Action: cloudfw.Action(strings.ToLower(string(p.Policy))),
		Protocol: modelProtocol(string(p.IpProtocol)), Priority: int(p.Priority), Description: string(p.Description),
	}
	peers := []cloudfw.Peer{
		{Kind: cloudfw.Net, Value: string(p.SourceCidrIp)}, {Kind: cloudfw.Net, Value: string(p.Ipv6SourceCidrIp)},
		{Kind: cloudfw.Group, Value: string(p.SourceGroupId)}, {Kind: cloudfw.List, Value: string(p.SourcePrefixListId)},
	}
	others := []text{p.DestCidrIp, p.Ipv6DestCidrIp, p.DestGroupId, p.DestPrefixListId}
	far := "destination"
	switch p.Direction {
	case "ingress":
		r.Direction = cloudfw.In
	case "egress":
		r.Direction = cloudfw.Out
		for i, other := range []text{p.SourceCidrIp, p.Ipv6SourceCidrIp, p.SourceGroupId, p.SourcePrefixListId} {
			peers[i].Value, others[i] = string(others[i]), other
		}
		far = "source"
	default:
		return r, fmt.Errorf("direction %q is neither ingress nor egress", oneLine(string(p.Direction)))
	}
	var more []string
	for _, peer := range peers {
		if peer.Kind == cloudfw.Net {
			peer.Value = canonicalCIDR(peer.Value)
		}
		switch {
		case peer.Value == "":
		case r.Peer.Value == "":
			r.Peer = peer
		default:
			more = append(more, "peer="+peer.Value)
		}
	}
	for _, other := range others {
		if other != "" && !coversEverything(string(other)) {
			more = append(more, far+"="+string(other))
		}
	}
	if from, err := parsePorts(string(p.SourcePortRange)); err != nil || !from.AllPorts() {
		more = append(more, "source-port="+string(p.SourcePortRange))
	}
	ports, err := parsePorts(string(p.PortRange))
	if err != nil {
		more = append(more, "port="+string(p.PortRange))
	}
	if p.PortRangeListId != "" {
		more = append(more, "port-list="+string(p.PortRangeListId))
	}
	r.Ports = ports
	if len(more) > 0 {
		r.Protocol += cloudfw.Protocol(" " + oneLine(strings.Join(more, " ")))
	}
	return r, nil
}

func coversEverything(cidr string) bool {
	p, err := netip.ParsePrefix(cidr)
	return err == nil && p.Bits() == 0
}

func modelProtocol(wire string) cloudfw.Protocol {
	if name := strings.ToLower(wire); name != "all" {
		return cloudfw.Protocol(name)
	}
	return cloudfw.AnyProtocol
}

// permissionForm converts a rule to the fields of one Permissions.N (reference §3.1).
// A peer of kind List must hold the list's id.
func permissionForm(r cloudfw.GroupRule) (map[string]string, error) {
	side := "Source"
	switch {
	case r.Direction == cloudfw.Out:
		side = "Dest"
	case r.Direction != cloudfw.In:
		return nil, fmt.Errorf("direction %q is neither in nor out", r.Direction)
	}
	switch {
	case r.Action != cloudfw.Accept && r.Action != cloudfw.Drop:
		return nil, fmt.Errorf("action %q is neither accept nor drop", r.Action)
	case r.Priority < 1 || r.Priority > 100:
		return nil, fmt.Errorf("priority %d is not between 1 and 100", r.Priority)
	}
	form := map[string]string{"Policy": string(r.Action), "Priority": strconv.Itoa(r.Priority), "NicType": "intranet"}
	if r.Description != "" {
		form["Description"] = r.Description
	}
	switch r.Protocol {
	case cloudfw.TCP, cloudfw.UDP:
		form["IpProtocol"], form["PortRange"] = strings.ToUpper(string(r.Protocol)), wirePorts(r.Ports, "1/65535")
	case cloudfw.AnyProtocol, cloudfw.ICMP, "icmpv6", "gre":
		if !r.Ports.AllPorts() {
			return nil, fmt.Errorf("protocol %s has no ports", r.Protocol)
		}
		form["IpProtocol"], form["PortRange"] = wireProtocols[r.Protocol], "-1/-1"
	default:
		return nil, fmt.Errorf("protocol %q is not any, tcp, udp, icmp, icmpv6 or gre", r.Protocol)
	}
	switch r.Peer.Kind {
	case cloudfw.Net:
		prefix, err := cloudfw.ParsePrefix(r.Peer.Value)
		if err != nil {
			return nil, fmt.Errorf("peer: %w", err)
		}
		if cloudfw.FamilyOf(prefix) == cloudfw.IPv6 {
			form["Ipv6"+side+"CidrIp"] = prefix.String()
		} else {
			form[side+"CidrIp"] = prefix.String()
		}
	case cloudfw.List, cloudfw.Group:
		if r.Peer.Value == "" {
			return nil, errors.New("a peer without an id")
		}
		form[side+map[cloudfw.PeerKind]string{cloudfw.List: "PrefixListId", cloudfw.Group: "GroupId"}[r.Peer.Kind]] = r.Peer.Value
	default:
		return nil, fmt.Errorf("%s is no peer of a security group's rule", r.Peer)
	}
	return form, nil
}

var wireProtocols = map[cloudfw.Protocol]string{cloudfw.AnyProtocol: "ALL", cloudfw.ICMP: "ICMP", "icmpv6": "ICMPv6", "gre": "GRE"}

// list converts a prefix list; entries that are no addresses are left out and counted.
func (l *listAnswer) list() (converted cloudfw.PrefixList, unreadable int) {
	converted = cloudfw.PrefixList{
		ID: string(l.PrefixListId), Name: string(l.PrefixListName), Family: cloudfw.IPv4, MaxEntries: int(l.MaxEntries),
		Description: string(l.Description),
	}
	if strings.EqualFold(string(l.AddressFamily), "IPv6") {
		converted.Family = cloudfw.IPv6
	}
	entries := make(texts, len(l.Entries.Entry))
	for i, entry := range l.Entries.Entry {
		entries[i] = entry.Cidr
	}
	converted.Prefixes, unreadable = readPrefixes(entries)
	return converted, unreadable
}
