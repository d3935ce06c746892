package reconcile

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"fwsync/cloudfw"
)

// PacketSchema is the version of PacketExplanation's JSON form.
const PacketSchema = "fwsync.packet/v1"

// Packet is one packet to be explained, or the first of a session.
type Packet struct {
	Direction   cloudfw.Direction `json:"direction"`
	From        netip.Addr        `json:"from"`
	To          netip.Addr        `json:"to"` // of the same family
	Protocol    cloudfw.Protocol  `json:"protocol"`
	Port        uint16            `json:"port,omitempty"`        // TCP and UDP only
	Application string            `json:"application,omitempty"` // upper case; empty while it is not recognised
	When        []string          `json:"when,omitempty"`        // opaque conditions that hold, as in PacketExplanation.Conditions
}

// PacketExplanation is what happens to one packet, now and after the plan.
type PacketExplanation struct {
	Schema     string          `json:"schema"`
	Packet     Packet          `json:"packet"`
	Changes    bool            `json:"changes"` // the plan changes a verdict
	Conditions []string        `json:"conditions,omitempty"`
	Targets    []PacketTarget  `json:"targets"`
	Paths      []PacketTarget  `json:"paths"` // through one target after the other: the first drop decides
	Failed     []PacketFailure `json:"failed,omitempty"`
}

// PacketTarget is the verdict of one target, or of several in a row.
type PacketTarget struct {
	Cloud   string        `json:"cloud,omitempty"` // absent with a single cloud
	Target  string        `json:"target"`
	Through []string      `json:"through,omitempty"` // of a path: its targets in their order
	Live    PacketVerdict `json:"live"`
	Planned PacketVerdict `json:"planned"`
}

// PacketFailure is a cloud that could not be looked at.
type PacketFailure struct {
	Cloud  string `json:"cloud"`
	Reason string `json:"reason"`
}

// PacketVerdict is what one state of a target does with the packet.
type PacketVerdict struct {
	Action  cloudfw.Action `json:"action"`            // accept or drop
	At      string         `json:"at,omitempty"`      // of a path: the target that decides
	Rule    *PacketRule    `json:"rule,omitempty"`    // absent: no rule matches, or one that the vendor adds
	Because string         `json:"because,omitempty"` // instead of a rule; or the block behind one of ours
	Unless  []PacketDoubt  `json:"unless,omitempty"`  // what would make another verdict of it
}

// PacketDoubt is a rule that would decide otherwise if more were true of the packet.
type PacketDoubt struct {
	If     []string       `json:"if"` // in words, all of it together
	When   []string       `json:"when,omitempty"`
	Action cloudfw.Action `json:"action"`
	Rule   *PacketRule    `json:"rule,omitempty"`
}

// PacketRule is a rule that decides.
type PacketRule struct {
	Order       int    `json:"order"` // position in its list, or priority in a security group
	ID          string `json:"id,omitempty"`
	Ours        bool   `json:"ours"`
	Name        string `json:"name,omitempty"`     // of the declared rule
	Declared    string `json:"declared,omitempty"` // file:line
	Rule        string `json:"rule"`
	Description string `json:"description"`
}

// ExplainPacket says what each target does with a packet as the cloud is now, and as
// it will be after the plan of the moment. Nothing is changed. The error tells which
// clouds failed; the explanation has what the others say.
func (l *Look) ExplainPacket(ctx context.Context, p Packet) (PacketExplanation, error) {
	e := PacketExplanation{Schema: PacketSchema, Packet: p, Targets: []PacketTarget{}, Paths: []PacketTarget{}}
	decisions, err := l.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return e, fmt.Errorf("reading the decisions: %w", err)
	}
	jobs := l.jobs(nil)
	together(jobs, func(j *job) error { return j.look(ctx, decisions, l.Now()) })
	for _, j := range jobs {
		if j.err != nil {
			e.Failed = append(e.Failed, PacketFailure{j.Name, j.err.Error()})
			continue
		}
		j.explainPacket(&e)
	}
	slices.Sort(e.Conditions)
	e.Conditions = slices.Compact(e.Conditions)
	for _, t := range slices.Concat(e.Targets, e.Paths) {
		e.Changes = e.Changes || t.Live.Action != t.Planned.Action
	}
	if unknown := slices.DeleteFunc(slices.Clone(p.When), func(c string) bool { return slices.Contains(e.Conditions, c) }); len(unknown) > 0 && len(e.Failed) == 0 {
		return e, &UnknownConditionError{unknown[0], e.Conditions}
	}
	return e, failure(jobs)
}

// UnknownConditionError is a condition that no rule asks for.
type UnknownConditionError struct {
	Condition string
	Known     []string
}

func (e *UnknownConditionError) Error() string {
	return fmt.Sprintf("no rule asks for the condition %q", e.Condition)
}

// Hint lists the conditions that rules ask for.
func (e *UnknownConditionError) Hint() string {
	if len(e.Known) == 0 {
		return "no rule that this packet may meet asks for any condition; leave --when out"
	}
	return "conditions that rules ask for: " + strings.Join(e.Known, ", ")
}

// explainPacket adds what one cloud does with the packet.
func (j *job) explainPacket(e *PacketExplanation) {
	live := &scene{job: j, packet: e.Packet, world: j.outlook.Live}
	then := &scene{job: j, packet: e.Packet, world: cloudfw.After(j.outlook.Live, j.outlook.Plan.Steps)}
	stations := j.stations(e.Packet)
	for _, s := range stations {
		e.Targets = append(e.Targets, PacketTarget{Cloud: j.Name, Target: s.name(), Live: live.verdict(s), Planned: then.verdict(s)})
	}
	for _, path := range paths(e.Packet.Direction, stations) {
		t := PacketTarget{Cloud: j.Name, Live: live.stack(path), Planned: then.stack(path)}
		for _, s := range path {
			t.Through = append(t.Through, s.name())
		}
		t.Target = strings.Join(t.Through, " → ")
		e.Paths = append(e.Paths, t)
	}
	e.Conditions = slices.Concat(e.Conditions, live.conditions, then.conditions)
}

// station is one list that the packet passes: a border's, or a security group's.
type station struct {
	key   cloudfw.ListKey
	group string
}

func (s station) name() string {
	if s.group != "" {
		return "security-group " + s.group
	}
	return s.key.Border.Firewall()
}

// stations are the lists of the targets that see packets of the direction and family.
// The internet border is looked at whether it is a target or not.
func (j *job) stations(p Packet) []station {
	family := cloudfw.FamilyOf(cloudfw.HostPrefix(p.From))
	var found []station
	for _, key := range j.policy.Scope().Keys() {
		if key.Direction == p.Direction && key.Family == family {
			found = append(found, station{key: key})
		}
	}
	for _, t := range j.policy.Targets {
		if !t.Firewall() && p.Direction != cloudfw.Between {
			found = append(found, station{group: t.GroupID})
		}
	}
	return found
}

// paths are the ways of a packet: from the internet through its border to a server of
// a security group, or from there to the internet, with a NAT gateway in between or
// without. A border between networks is passed alone.
func paths(direction cloudfw.Direction, stations []station) [][]station {
	var internet, nats, groups []station
	for _, s := range stations {
		switch {
		case s.group != "":
			groups = append(groups, s)
		case s.key.Border.Kind() == cloudfw.InternetBorder:
			internet = append(internet, s)
		default:
			nats = append(nats, s)
		}
	}
	var ways [][]station
	switch direction {
	case cloudfw.In:
		for _, g := range groups {
			ways = append(ways, slices.Concat(internet, []station{g}))
		}
	case cloudfw.Out:
		for _, g := range groups {
			ways = append(ways, slices.Concat([]station{g}, internet))
			for _, nat := range nats {
				ways = append(ways, slices.Concat([]station{g, nat}, internet))
			}
		}
		if len(groups) == 0 {
			for _, nat := range nats {
				ways = append(ways, slices.Concat([]station{nat}, internet))
			}
		}
	}
	return ways
}
