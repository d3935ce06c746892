package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"fwsync/cloudfw"
	"fwsync/cloudfw/packets"
)

// scene is one state of an account and the packet in it.
type scene struct {
	*job
	packet     Packet
	world      cloudfw.Snapshot
	conditions []string // that rules on the way ask for
}

// stack is the verdict of several stations: the first drop decides, without one the
// last station.
func (sc *scene) stack(path []station) PacketVerdict {
	var v PacketVerdict
	for _, s := range path {
		if v = sc.verdict(s); v.Action == cloudfw.Drop {
			v.At = s.name()
			return v
		}
		v.At = s.name()
	}
	return v
}

func (sc *scene) verdict(s station) PacketVerdict {
	p := packets.Packet{Source: sc.packet.From, Destination: sc.packet.To, Protocol: sc.packet.Protocol, Port: sc.packet.Port, Application: sc.packet.Application, True: sc.packet.When}
	var list *packets.List
	if s.group == "" {
		list = packets.Firewall(s.key, sc.world.List(s.key), sc.world)
	} else {
		group, _ := sc.world.Group(s.group)
		list = packets.Group(group, sc.packet.Direction, cloudfw.FamilyOf(cloudfw.HostPrefix(p.Source)), sc.world)
	}
	decided := list.Decide(p)
	v := PacketVerdict{Action: decided.Action, Rule: sc.rule(s, decided.Rule)}
	switch {
	case v.Rule != nil:
		v.Because = sc.because(s, v.Rule)
	case decided.Rule != "":
		v.Because = decided.Rule
	case decided.Action == cloudfw.Drop:
		v.Because = "no rule matches: a security group drops what none accepts"
	default:
		v.Because = "no rule matches: it passes"
	}
	// A rule that asks for what is not known of the packet may decide first.
	for _, a := range list.Alternatives(p) {
		sc.conditions = append(sc.conditions, a.When...)
		if a.Action != decided.Action {
			v.Unless = append(v.Unless, PacketDoubt{If: inWords(a, sc.packet.Direction), When: a.When, Action: a.Action, Rule: sc.rule(s, a.Rule)})
		}
	}
	for _, c := range list.Conditions() {
		if slices.Contains(p.True, c) {
			sc.conditions = append(sc.conditions, c)
		}
	}
	return v
}

// rule finds the rule that the engine calls by its id; nil for one that is none.
func (sc *scene) rule(s station, id string) *PacketRule {
	if s.group != "" {
		group, _ := sc.world.Group(s.group)
		for _, r := range group.Rules {
			if r.ID == id && id != "" {
				text := fmt.Sprintf("%s %s %s, peer %s, priority %d", r.Direction, r.Action, service(r.Protocol, r.Ports), r.Peer, r.Priority)
				return sc.described(r.Priority, id, text, r.Description)
			}
		}
		return nil
	}
	for _, r := range sc.world.List(s.key) {
		if r.ID == id && id != "" {
			return sc.described(r.Order, id, r.String(), r.Description)
		}
	}
	return nil
}

func service(protocol cloudfw.Protocol, ports cloudfw.PortRange) string {
	if ports.AllPorts() {
		return string(protocol)
	}
	return string(protocol) + " " + ports.String()
}

// described tells whose rule it is, and where ours was declared.
func (sc *scene) described(order int, id, text, description string) *PacketRule {
	r := &PacketRule{Order: order, ID: id, Ours: sc.Owner.Owns("rule", description), Rule: text, Description: description}
	if strings.HasPrefix(id, cloudfw.Made) {
		r.ID = ""
	}
	if !r.Ours {
		return r
	}
	m, _ := cloudfw.ParseMarker(description)
	name, _, _ := strings.Cut(m.Name, ".")
	for _, d := range sc.outlook.Intent.Rules {
		if d.Name == name {
			r.Name, r.Declared = d.Name, d.Declared
		}
	}
	return r
}

// because is the block behind a rule of ours that drops the blocked addresses.
func (sc *scene) because(s station, r *PacketRule) string {
	if !r.Ours {
		return ""
	}
	drops := s.group != ""
	for _, d := range sc.outlook.Intent.Rules {
		drops = drops || d.Name == r.Name && (d.From.Blocked || d.To.Blocked)
	}
	remote := sc.packet.From
	if sc.packet.Direction == cloudfw.Out {
		remote = sc.packet.To
	}
	for _, b := range sc.outlook.Intent.Blocked {
		if drops && b.Prefix.Contains(remote) {
			return fmt.Sprintf("%s is blocked: %s", b.Prefix, b.Reason)
		}
	}
	return ""
}

// inWords says what must be true for a rule to decide.
func inWords(a packets.Alternative, direction cloudfw.Direction) []string {
	var words []string
	if len(a.Application) > 0 {
		words = append(words, "the application is "+strings.Join(a.Application, " or "))
	}
	for _, c := range a.When {
		kind, value, _ := strings.Cut(c, ":")
		switch {
		case kind == string(cloudfw.Domain):
			words = append(words, "the packet's destination is domain "+value)
		case kind == string(cloudfw.Location) && direction == cloudfw.In:
			words = append(words, "the packet's source is in "+value)
		case kind == string(cloudfw.Location):
			words = append(words, "the packet's destination is in "+value)
		case kind == string(cloudfw.Group):
			words = append(words, "its other side is a member of group "+value)
		case kind == string(cloudfw.Book):
			words = append(words, "its address is in book "+value+", whose addresses are not known")
		case kind == string(cloudfw.List):
			words = append(words, "its address is in prefix list "+value+", whose entries are not known")
		case strings.HasPrefix(c, "in force"):
			words = append(words, "the rule is "+c)
		default:
			words = append(words, "it matches "+c)
		}
	}
	return words
}
