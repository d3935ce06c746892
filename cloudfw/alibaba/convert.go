package alibaba

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
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
func applicationNames(list texts, single text) string {
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
