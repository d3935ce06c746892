package conformance

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"fwsync/cloudfw"
)

// scene is one topic under way: the account, and how it was last seen.
type scene struct {
	*testing.T
	*trial
	live cloudfw.Snapshot
}

// scene begins a topic; what it makes is removed at its end.
func (r *trial) scene(t *testing.T) *scene {
	t.Cleanup(func() { r.clearUp(t) })
	s := &scene{T: t, trial: r}
	s.look()
	return s
}

// look observes the account. On a slow account it looks again until it finds what it
// looks for, or not for a long time.
func (s *scene) look(for_ ...func(cloudfw.Snapshot) bool) {
	s.Helper()
	for attempt := 1; ; attempt++ {
		live, err := s.account.Observe(s.Context(), s.scope)
		if err != nil {
			s.Fatalf("observing: %v", err)
		}
		s.live = live
		missing := slices.ContainsFunc(for_, func(found func(cloudfw.Snapshot) bool) bool { return !found(live) })
		if !missing || !s.Slow || attempt == 10 {
			break
		}
		s.pause(s.Context())
	}
	for _, line := range uncanonical(s.live) {
		s.Error(line)
	}
}

// execute makes a step that has to succeed.
func (s *scene) execute(step cloudfw.Step) {
	s.Helper()
	if err := s.account.Execute(s.Context(), step); err != nil {
		s.Fatalf("%s: %v", describe(step), err)
	}
}

// carry makes steps that have to succeed and whose effects are all there at the end
// and not before, as Done sees it.
func (s *scene) carry(steps ...cloudfw.Step) {
	s.Helper()
	for _, step := range steps {
		if cloudfw.Done(step, s.live) {
			s.Errorf("%s: Done finds its effect although it has not been executed", describe(step))
		}
		s.execute(step)
	}
	s.look(done(steps)...)
	for _, step := range steps {
		if !cloudfw.Done(step, s.live) {
			s.Errorf("%s: executed without an error, but Done does not find its effect", describe(step))
		} else if !cloudfw.Done(s.planned(step), s.live) {
			s.Errorf("%s: Done finds its effect, but not that of the same step from a plan file", describe(step))
		}
	}
}

// planned is the step as a plan file brings it back.
func (s *scene) planned(step cloudfw.Step) cloudfw.Step {
	s.Helper()
	var back cloudfw.Step
	if err := json.Unmarshal([]byte(plain(step)), &back); err != nil || plain(back) != plain(step) {
		s.Errorf("a step does not come back from a plan file: %v\nbefore %s\nafter  %s", err, plain(step), plain(back))
	}
	return back
}

func done(steps []cloudfw.Step) []func(cloudfw.Snapshot) bool {
	found := make([]func(cloudfw.Snapshot) bool, len(steps))
	for i, step := range steps {
		found[i] = func(live cloudfw.Snapshot) bool { return cloudfw.Done(step, live) }
	}
	return found
}

// refusal is a step and the kinds of errors it may end in; an empty kind is success.
type refusal struct {
	what  string
	step  cloudfw.Step
	kinds []cloudfw.Kind
}

// harmless are the outcomes of a write that asks for what is already so.
var harmless = []cloudfw.Kind{"", cloudfw.Invalid, cloudfw.Conflict, cloudfw.NotFound}

// gone are the outcomes of removing what is not there.
var gone = []cloudfw.Kind{cloudfw.NotFound, ""}

// changeNothing executes steps that leave the account as it is, whether they
// are refused or not.
func (s *scene) changeNothing(cases ...refusal) {
	s.Helper()
	before := s.live.Fingerprint()
	for _, c := range cases {
		err := s.account.Execute(s.Context(), c.step)
		kind := cloudfw.KindOf(err)
		switch {
		case err != nil && kind == "":
			s.Errorf("%s: an error without a kind: %v", c.what, err)
		case !slices.Contains(c.kinds, kind):
			s.Errorf("%s: %s, want %s", c.what, outcome(err), kinds(c.kinds))
		case len(c.kinds) > 1:
			s.Logf("%s: this account takes it as %s", c.what, outcome(err))
		}
	}
	seen := s.live
	s.look(func(live cloudfw.Snapshot) bool { return live.Fingerprint() == before })
	if s.live.Fingerprint() != before {
		for _, line := range difference(everything(seen), everything(s.live)) {
			s.Errorf("changed by steps that must change nothing: %s", line)
		}
	}
}

// everything is the inventory of a snapshot without an owner, positions included.
func everything(live cloudfw.Snapshot) []string {
	nobody := &trial{}
	lines := nobody.inventory(live)
	for _, rule := range live.Rules {
		lines = append(lines, fmt.Sprintf("%s #%d is %s", rule.Key(), rule.Order, rule.ID))
	}
	return lines
}

func outcome(err error) string {
	if err == nil {
		return "success"
	}
	return fmt.Sprintf("%s (%v)", cloudfw.KindOf(err), err)
}

func kinds(ks []cloudfw.Kind) string {
	text := ""
	for i, k := range ks {
		if i > 0 {
			text += " or "
		}
		if k == "" {
			k = "success"
		}
		text += string(k)
	}
	return text
}

func describe(step cloudfw.Step) string {
	text := fmt.Sprintf("%s %s", step.Op, step.Subject())
	if step.Rule != nil {
		text += fmt.Sprintf(" (%s, %s)", step.Rule.Key(), step.Rule.Description)
	}
	return text
}

// Names and places of what the suite makes. All addresses are for documentation or
// benchmarks (RFC 5737, RFC 3849, RFC 2544): no packet of anybody's ever matches.

func (r *trial) mark(kind, name string) string {
	return cloudfw.Marker{Owner: r.owner, Kind: kind, Name: name}.String()
}

func (r *trial) book(name string, family cloudfw.Family, prefixes ...string) *cloudfw.AddressBook {
	return &cloudfw.AddressBook{Name: r.owner.BookName(name), Family: family, Description: r.mark("book", name), Prefixes: parse(prefixes...)}
}

func (r *trial) list(name string, family cloudfw.Family, most int, prefixes ...string) *cloudfw.PrefixList {
	return &cloudfw.PrefixList{Name: r.owner.BookName(name), Family: family, MaxEntries: most, Description: r.mark("list", name), Prefixes: parse(prefixes...)}
}

func parse(texts ...string) []netip.Prefix {
	prefixes := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		prefixes[i] = netip.MustParsePrefix(text)
	}
	return cloudfw.SortPrefixes(prefixes)
}

// many are n host prefixes that nobody uses.
func many(n int) []netip.Prefix {
	prefixes := make([]netip.Prefix, n)
	for i := range prefixes {
		prefixes[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}), 32)
	}
	return prefixes
}

// network is one of two networks for documentation, as a peer.
func network(family cloudfw.Family, which int) cloudfw.Peer {
	prefixes := map[cloudfw.Family][2]string{
		cloudfw.IPv4: {"192.0.2.0/24", "198.51.100.0/24"}, cloudfw.IPv6: {"2001:db8:1::/48", "2001:db8:2::/48"},
	}
	return cloudfw.Peer{Kind: cloudfw.Net, Value: prefixes[family][which]}
}

// rule is a plain rule for the list.
func (r *trial) rule(key cloudfw.ListKey, name string) cloudfw.FirewallRule {
	return cloudfw.FirewallRule{
		Border: key.Border, Direction: key.Direction, Family: key.Family, Action: cloudfw.Drop,
		Source: network(key.Family, 0), Destination: network(key.Family, 1),
		Protocol: cloudfw.TCP, Ports: cloudfw.PortRange{First: 25, Last: 25}, Application: "ANY",
		Description: r.mark("rule", slug(key)+"."+name),
	}
}

// slug is the list within the name of a marker.
func slug(key cloudfw.ListKey) string {
	return fmt.Sprintf("%s-%s-%s", key.Border.Kind(), key.Direction, key.Family)
}

// insert places a rule, counted from 1.
func insert(rule cloudfw.FirewallRule, order int) cloudfw.Step {
	rule.Order = order
	return cloudfw.Step{Op: cloudfw.InsertRule, Rule: &rule}
}

// end is the position after the last rule of the list.
func (s *scene) end(key cloudfw.ListKey) int { return len(s.live.List(key)) + 1 }

// made is the live rule with that description, which has to be there once.
func (s *scene) made(rule cloudfw.FirewallRule) cloudfw.FirewallRule {
	s.Helper()
	var found []cloudfw.FirewallRule
	for _, live := range s.live.List(rule.Key()) {
		if live.Description == rule.Description {
			found = append(found, live)
		}
	}
	if len(found) != 1 {
		s.Fatalf("%s: %d rules %q, want one", rule.Key(), len(found), rule.Description)
	}
	return found[0]
}
