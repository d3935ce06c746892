package alibaba

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"fwsync/cloudfw"
)

// rule converts a policy read from the given list.
func (p *policy) rule(key cloudfw.ListKey) (cloudfw.FirewallRule, error) {
	d := dialects[key.Border.Kind()]
	if key.Direction != cloudfw.Between && p.Direction != "" && string(p.Direction) != string(key.Direction) ||
		d.versioned && p.IpVersion != 0 && strconv.Itoa(int(p.IpVersion)) != wireVersion(key.Family) {
		return cloudfw.FirewallRule{}, fmt.Errorf("it belongs to the list %s ipv%d", oneLine(string(p.Direction)), p.IpVersion)
	}
	if p.Order < 1 {
		return cloudfw.FirewallRule{}, fmt.Errorf("its position is %d", p.Order)
	}
	r := cloudfw.FirewallRule{
		ID: string(p.AclUuid), Order: int(p.Order), Border: key.Border, Direction: key.Direction, Family: key.Family,
		Action: cloudfw.Action(strings.ToLower(string(p.AclAction))), Protocol: cloudfw.Protocol(strings.ToLower(string(p.Proto))),
		Source:      policyPeer(string(p.SourceType), string(p.Source)),
		Destination: policyPeer(string(p.DestinationType), string(p.Destination)),
		Application: applicationNames(p.ApplicationNameList, p.ApplicationName),
		Description: string(p.Description),
		Disabled:    strings.EqualFold(string(p.Release), "false"),
		Cost:        int(p.SpreadCnt), Hits: int64(p.HitTimes),
	}
	if p.HitLastTime > 0 {
		r.LastHit = time.Unix(int64(p.HitLastTime), 0).UTC()
	}
	if r.Destination.Kind == cloudfw.Domain || p.DestinationGroupType == "domain" {
		r.Resolve = modelResolve(d, string(p.DomainResolveType))
	}
	var err error
	if r.Validity, err = p.validity(); err != nil {
		return cloudfw.FirewallRule{}, err
	}
	if p.DestPortType == "group" {
		r.PortBook = string(p.DestPortGroup)
		return r, nil
	}
	if r.Ports, err = parsePorts(string(p.DestPort)); err != nil {
		// Somebody's spelling of ports that the reference does not know: kept as an
		// opaque set of ports rather than taken for all ports or for none.
		r.PortBook = string(p.DestPort)
	}
	return r, nil
}

func modelResolve(d dialect, wire string) cloudfw.Resolve {
	for way, word := range d.resolve {
		if word == wire {
			return way
		}
	}
	return cloudfw.Resolve(strings.ToLower(wire)) // new: kept, so that it differs from all known
}

// newPolicyForm converts what fwsync may write about a rule, at any border, to the
// parameters that inserting and editing have in common.
func newPolicyForm(r cloudfw.FirewallRule) (fields, error) {
	if err := checkBorder(r.Key()); err != nil {
		return nil, err
	}
	if r.Action != cloudfw.Accept && r.Action != cloudfw.Drop && r.Action != cloudfw.Log {
		return nil, fmt.Errorf("action %q is not accept, drop or log", r.Action)
	}
	d := dialects[r.Border.Kind()]
	form := fields{
		"AclAction": string(r.Action), "Description": r.Description, "Release": strconv.FormatBool(!r.Disabled),
		"Proto": strings.ToUpper(string(r.Protocol)),
	}
	var err error
	if form["SourceType"], form["Source"], err = wirePeer(r.Source, r.Family, d.sources[r.Direction]); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	if form["DestinationType"], form["Destination"], err = wirePeer(r.Destination, r.Family, d.destinations[r.Direction]); err != nil {
		return nil, fmt.Errorf("destination: %w", err)
	}
	for _, convert := range []func(fields, cloudfw.FirewallRule, dialect) error{formPorts, formApplications, formResolve, formValidity} {
		if err := convert(form, r, d); err != nil {
			return nil, err
		}
	}
	return form, nil
}

// formPorts names a range of ports or a port book for TCP and UDP. What has no
// ports gets the text that the service answers for it (reference §10): left out, an
// edit would keep the ports that the rule had as another protocol.
func formPorts(form fields, r cloudfw.FirewallRule, _ dialect) error {
	switch r.Protocol {
	case cloudfw.TCP, cloudfw.UDP:
	case cloudfw.ICMP, cloudfw.AnyProtocol:
		if !r.Ports.AllPorts() || r.PortBook != "" {
			return fmt.Errorf("protocol %s has no ports", r.Protocol)
		}
	default:
		return fmt.Errorf("protocol %q is not any, tcp, udp or icmp", r.Protocol)
	}
	if r.PortBook == "" {
		form["DestPortType"], form["DestPort"] = "port", wirePorts(r.Ports, "0/0")
		return nil
	}
	if !r.Ports.AllPorts() {
		return fmt.Errorf("ports %s and port book %s exclude each other", r.Ports, r.PortBook)
	}
	form["DestPortType"], form["DestPortGroup"] = "group", r.PortBook
	return nil
}

// mostApplications is the longest list of applications (reference §2.1).
const mostApplications = 30

func formApplications(form fields, r cloudfw.FirewallRule, _ dialect) error {
	application := cmp.Or(r.Application, anyApplication)
	if r.Protocol != cloudfw.TCP && application != anyApplication {
		return fmt.Errorf("application %s needs protocol tcp", application)
	}
	names := strings.Split(application, ",")
	if len(names) > mostApplications {
		return fmt.Errorf("%d applications are more than %d", len(names), mostApplications)
	}
	for i, name := range names {
		if name == "" {
			return fmt.Errorf("applications %q: one of them has no name", application)
		}
		names[i] = cmp.Or(applications[name], name)
	}
	form.setList("ApplicationNameList", names)
	return nil
}

// formResolve says how a domain is matched. A rule whose destination is a book may
// say it too, as the book may be one of domains.
func formResolve(form fields, r cloudfw.FirewallRule, d dialect) error {
	if r.Resolve == "" {
		if r.Destination.Kind == cloudfw.Domain {
			return fmt.Errorf("the domain %s needs a way to be matched: %s, %s or %s", r.Destination.Value, cloudfw.ByName, cloudfw.ByDNS, cloudfw.ByNameAndDNS)
		}
		return nil
	}
	word, ok := d.resolve[r.Resolve]
	switch {
	case r.Destination.Kind != cloudfw.Domain && r.Destination.Kind != cloudfw.Book:
		return fmt.Errorf("%s is a way to match a domain, and the destination is none", r.Resolve)
	case !ok:
		return fmt.Errorf("%q is not a way to match a domain: %s, %s or %s", r.Resolve, cloudfw.ByName, cloudfw.ByDNS, cloudfw.ByNameAndDNS)
	}
	form["DomainResolveType"] = word
	return nil
}

// wirePeer converts a peer to one of the kinds that its side of the rule may have.
func wirePeer(p cloudfw.Peer, family cloudfw.Family, kinds []cloudfw.PeerKind) (kind, value string, err error) {
	if !slices.Contains(kinds, p.Kind) {
		return "", "", fmt.Errorf("%s is none of the kinds that are possible here: %v", p, kinds)
	}
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
	case cloudfw.Location:
		var regions []string
		if json.Unmarshal([]byte(p.Value), &regions) != nil || len(regions) == 0 || slices.Contains(regions, "") {
			return "", "", fmt.Errorf("%q is not a JSON list of region codes", p.Value)
		}
		return "location", p.Value, nil
	default:
		if !isDomain(p.Value) {
			return "", "", fmt.Errorf(`%q is not a domain such as example.com or *.example.com`, p.Value)
		}
		return "domain", p.Value, nil
	}
}

// isDomain accepts names of two labels or more, with "*." in front or not.
func isDomain(name string) bool {
	labels := strings.Split(strings.TrimPrefix(name, "*."), ".")
	return len(name) <= 253 && len(labels) > 1 && !slices.ContainsFunc(labels, func(label string) bool {
		return label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(c rune) bool {
				return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_'
			})
	})
}
