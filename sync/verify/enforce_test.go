package verify

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
)

// gapsOf are the reasons why the subject is not enforced at the target.
func gapsOf(r Report, subject, target string) string {
	var reasons []string
	for _, g := range r.Gaps {
		if g.Subject == subject && g.Target == target {
			reasons = append(reasons, g.Reason)
		}
	}
	return strings.Join(reasons, "; ")
}

const attacker = "198.51.100.7/32"

func TestAWiderPrefixInTheBookBlocksToo(t *testing.T) {
	intent, live := world()
	live.Books[0].Prefixes = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}
	wanted, err := lower.Lower(intent, live, cloudfw.DefaultLimits(), nil)
	if err != nil {
		t.Fatal(err)
	}
	// With aggregation lowering wants the book as it is.
	wanted.Books = slices.Clone(live.Books)
	r := Check(intent, wanted, live)
	if why := gapsOf(r, attacker, "internet-firewall"); why != "" || r.Enforced != 1 || r.Traces[0].Via != live.Books[0].Name {
		t.Errorf("gap %q, %+v", why, r)
	}
	live.Books[0].Prefixes = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/30")}
	if why := gapsOf(Check(intent, wanted, live), attacker, "internet-firewall"); why != "no enabled drop rule of ours holds it" {
		t.Errorf("gap %q", why)
	}
}

// A drop whose mark somebody edited still drops: the block is enforced, by a rule
// that may go at any time, and what we declared is not live.
func TestADropOfSomebodyElseEnforcesAndIsNamedAsForeign(t *testing.T) {
	intent, live := world()
	live.Rules[0].Description += " (mine)"
	r := run(t, intent, live)
	if r.Enforced != 1 || len(r.Traces) != 1 || !r.Traces[0].Foreign || r.Traces[0].RuleID != live.Rules[0].ID {
		t.Errorf("traces %+v", r.Traces)
	}
	if len(r.Gaps) == 0 || !strings.Contains(r.Gaps[0].Reason, "the declared rule is not live") {
		t.Errorf("gaps %+v", r.Gaps)
	}
}

// Above our drop, what no packet shows may let it pass; below it, nothing may.
func TestWhatCannotBeJudgedAboveOurDropIsAGap(t *testing.T) {
	any4 := cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}
	foreign := cloudfw.FirewallRule{ID: "hand", Direction: cloudfw.In, Family: cloudfw.IPv4, Action: cloudfw.Accept, Protocol: cloudfw.TCP,
		Source: any4, Destination: any4, Application: "ANY", Description: "by hand"}
	for name, change := range map[string]func(*cloudfw.FirewallRule){
		"a location": func(r *cloudfw.FirewallRule) { r.Source = cloudfw.Peer{Kind: cloudfw.Location, Value: "ZZ"} },
		"a domain": func(r *cloudfw.FirewallRule) {
			r.Destination = cloudfw.Peer{Kind: cloudfw.Domain, Value: "example.com"}
		},
		"an unread book": func(r *cloudfw.FirewallRule) { r.Source = cloudfw.Peer{Kind: cloudfw.Book, Value: "theirs"} },
		"a validity":     func(r *cloudfw.FirewallRule) { r.Validity.Repeat = cloudfw.Weekly },
		"a port book":    func(r *cloudfw.FirewallRule) { r.PortBook = "web" },
	} {
		for _, above := range []bool{true, false} {
			intent, live := world()
			r := foreign
			change(&r)
			for i := range live.Rules {
				if live.Rules[i].Key() == r.Key() && above {
					live.Rules[i].Order++
				}
			}
			if r.Order = 3; above {
				r.Order = 1
			}
			live.Rules = append(live.Rules, r)
			live.Sort()
			why := gapsOf(run(t, intent, live), attacker, "internet-firewall")
			if above != strings.Contains(why, "rule #1 (") || above != strings.Contains(why, "must stand at #1") || !above && why != "" {
				t.Errorf("%s, above %v: gap %q", name, above, why)
			}
		}
	}
}

// Two drops of others that together stop what an accept between them and ours would
// let pass leave no gap: what counts is what happens to packets.
func TestAnAcceptThatNeverDecidesIsNoGap(t *testing.T) {
	intent, live := world()
	add := func(id string, order int, action cloudfw.Action, source string) cloudfw.FirewallRule {
		return cloudfw.FirewallRule{ID: id, Order: order, Direction: cloudfw.In, Family: cloudfw.IPv4, Action: action, Protocol: cloudfw.TCP, Application: "ANY",
			Source: cloudfw.Peer{Kind: cloudfw.Net, Value: source}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}}
	}
	for i := range live.Rules {
		if live.Rules[i].Family == cloudfw.IPv4 {
			live.Rules[i].Order += 3
		}
	}
	live.Rules = append(live.Rules, add("low", 1, cloudfw.Drop, "198.51.100.0/25"), add("high", 2, cloudfw.Drop, "198.51.100.128/25"), add("pass", 3, cloudfw.Accept, "198.51.100.0/24"))
	live.Sort()
	r := run(t, intent, live)
	if why := gapsOf(r, attacker, "internet-firewall"); why != "" || r.Enforced != 1 || r.Traces[0].Order != 4 {
		t.Errorf("gap %q, traces %v", why, r.Traces)
	}
}

// A declared rule is overruled only by a rule of others that takes a packet of it, and
// not one that other rules of ours take anyway.
func TestADeclaredRuleThatAForeignOneOverrulesIsAGap(t *testing.T) {
	for _, c := range []struct {
		name, source string
		gap          bool
	}{
		{"of the attackers only, whom our first rule drops", attacker, false},
		{"of everybody", "0.0.0.0/0", true},
	} {
		intent, live := world()
		for i := range live.Rules {
			if live.Rules[i].Key() == (cloudfw.ListKey{Direction: cloudfw.In, Family: cloudfw.IPv4}) && live.Rules[i].Action == cloudfw.Accept {
				live.Rules[i].Order++
			}
		}
		live.Rules = append(live.Rules, cloudfw.FirewallRule{ID: "hand", Order: 2, Direction: cloudfw.In, Family: cloudfw.IPv4, Action: cloudfw.Drop,
			Protocol: cloudfw.AnyProtocol, Application: "ANY", Description: "by hand",
			Source: cloudfw.Peer{Kind: cloudfw.Net, Value: c.source}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}})
		live.Sort()
		r := run(t, intent, live)
		if (len(r.Gaps) > 0) != c.gap {
			t.Errorf("%s: gaps %v", c.name, r.Gaps)
			continue
		}
		if c.gap && (!strings.Contains(r.Gaps[0].Reason, `rule #2 of somebody else`) || !strings.Contains(r.Gaps[0].Reason, "ours, now #3, must stand at #2")) {
			t.Errorf("%s: %s", c.name, r.Gaps[0].Reason)
		}
	}
}

func TestASecurityGroupIsJudgedByWhatItLetsIn(t *testing.T) {
	rule := func(action cloudfw.Action, priority int, peer cloudfw.Peer, description string) cloudfw.GroupRule {
		return cloudfw.GroupRule{ID: "r-" + peer.Value, Direction: cloudfw.In, Action: action, Protocol: cloudfw.AnyProtocol, Peer: peer, Priority: priority, Description: description}
	}
	everybody, one := cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}, cloudfw.Peer{Kind: cloudfw.Net, Value: attacker}
	wider, list := cloudfw.Peer{Kind: cloudfw.Net, Value: "198.51.100.0/24"}, cloudfw.Peer{Kind: cloudfw.List, Value: "pl-1"}
	ours := cloudfw.Marker{Owner: owner, Kind: "rule", Name: "blocked-sg-1"}.String()
	for _, c := range []struct {
		name  string
		rules []cloudfw.GroupRule
		gap   string
		trace Trace
	}{
		{"nothing is open", nil, "", Trace{Via: "no rule lets it in", Foreign: true}},
		{"open, and no drop", []cloudfw.GroupRule{rule(cloudfw.Accept, 1, everybody, "")}, "rule r-0.0.0.0/0 at priority 1 lets it in", Trace{}},
		{"our drop at the same priority wins", []cloudfw.GroupRule{rule(cloudfw.Accept, 1, everybody, ""), rule(cloudfw.Drop, 1, one, ours)}, "", Trace{RuleID: "r-" + attacker, Order: 1, Via: attacker}},
		{"our drop of a wider prefix", []cloudfw.GroupRule{rule(cloudfw.Accept, 1, everybody, ""), rule(cloudfw.Drop, 1, wider, ours)}, "", Trace{RuleID: "r-198.51.100.0/24", Order: 1, Via: "198.51.100.0/24"}},
		{"our drop through a list", []cloudfw.GroupRule{rule(cloudfw.Accept, 1, everybody, ""), rule(cloudfw.Drop, 1, list, ours)}, "", Trace{RuleID: "r-pl-1", Order: 1, Via: "list:pl-1"}},
		{"somebody's drop further down, above the accept", []cloudfw.GroupRule{rule(cloudfw.Drop, 40, one, "theirs"), rule(cloudfw.Accept, 50, everybody, "")}, "", Trace{RuleID: "r-" + attacker, Order: 40, Via: attacker, Foreign: true}},
		{"a drop below the accept", []cloudfw.GroupRule{rule(cloudfw.Accept, 40, everybody, ""), rule(cloudfw.Drop, 50, one, ours)}, "at priority 40 lets it in", Trace{}},
	} {
		intent, _ := world()
		target := cloudfw.Target{Kind: cloudfw.SecurityGroupTarget, GroupID: "sg-1", Via: cloudfw.ViaRules, Capacity: 10}
		intent.Targets, intent.Rules = []cloudfw.Target{target}, nil
		live := cloudfw.Snapshot{
			Groups: []cloudfw.SecurityGroup{{ID: "sg-1", Enterprise: true, Rules: c.rules}},
			Lists:  []cloudfw.PrefixList{{ID: "pl-1", Name: "x", Family: cloudfw.IPv4, Prefixes: []netip.Prefix{netip.MustParsePrefix(attacker)}}},
		}
		r := run(t, intent, live)
		why := gapsOf(r, attacker, target.Name())
		if c.gap != "" {
			if !strings.Contains(why, c.gap) {
				t.Errorf("%s: gap %q", c.name, why)
			}
			continue
		}
		c.trace.Prefix, c.trace.Target = netip.MustParsePrefix(attacker), target.Name()
		if why != "" || len(r.Traces) != 1 || r.Traces[0] != c.trace {
			t.Errorf("%s: gap %q, traces %+v, want %+v", c.name, why, r.Traces, c.trace)
		}
	}
}

// Outgoing traffic to the blocked counts where a rule demands it: at the internet
// border beside what comes in, at a NAT border alone. A VPC border has no part in it.
func TestEveryBorderIsJudgedByItsOwnRules(t *testing.T) {
	intent, _ := world()
	nat, vpc := cloudfw.Border{NAT: "ngw-1"}, cloudfw.Border{VPC: "cen-1"}
	intent.Targets = append(intent.Targets, cloudfw.Target{Kind: cloudfw.NATFirewall, Border: nat}, cloudfw.Target{Kind: cloudfw.VPCFirewall, Border: vpc})
	net := func(p string) cloudfw.Side { return cloudfw.Side{Prefixes: []netip.Prefix{netip.MustParsePrefix(p)}} }
	intent.Rules = append(intent.Rules,
		cloudfw.Rule{Name: "no-callbacks", Direction: cloudfw.Out, From: cloudfw.Side{Any: true}, To: cloudfw.Side{Blocked: true}, Protocol: cloudfw.AnyProtocol, Application: "ANY", Action: cloudfw.Drop},
		cloudfw.Rule{Name: "apart", Direction: cloudfw.Between, From: net("10.1.0.0/16"), To: net("10.2.0.0/16"), Protocol: cloudfw.AnyProtocol, Application: "ANY", Action: cloudfw.Drop})
	wanted, err := lower.Lower(intent, cloudfw.Snapshot{}, cloudfw.DefaultLimits(), nil)
	if err != nil {
		t.Fatal(err)
	}
	build := func(without cloudfw.ListKey) cloudfw.Snapshot {
		live := cloudfw.Snapshot{Books: wanted.Books}
		for key, rules := range wanted.Rules {
			for i, r := range rules {
				if key != without {
					r.ID, r.Order = key.String()+" "+r.Description, i+1
					live.Rules = append(live.Rules, r)
				}
			}
		}
		live.Sort()
		return live
	}
	out := cloudfw.ListKey{Direction: cloudfw.Out, Family: cloudfw.IPv4}
	natOut, between := cloudfw.ListKey{Border: nat, Direction: cloudfw.Out, Family: cloudfw.IPv4}, cloudfw.ListKey{Border: vpc, Direction: cloudfw.Between, Family: cloudfw.IPv4}
	for _, c := range []struct {
		name                string
		without             cloudfw.ListKey
		blockGaps, ruleGaps []string // targets
	}{
		{"all live", cloudfw.ListKey{}, nil, nil},
		{"outgoing at the internet border is missing", out, []string{"internet-firewall"}, []string{"internet-firewall"}},
		{"outgoing at the NAT border is missing", natOut, []string{"nat-firewall ngw-1"}, []string{"nat-firewall ngw-1"}},
		{"the VPC border's rule is missing", between, nil, []string{"vpc-firewall cen-1"}},
	} {
		r := run(t, intent, build(c.without))
		var blocks, rules []string
		for _, g := range r.Gaps {
			if g.Subject == attacker {
				blocks = append(blocks, g.Target)
			} else {
				rules = append(rules, g.Target)
			}
		}
		if strings.Join(blocks, ",") != strings.Join(c.blockGaps, ",") || strings.Join(rules, ",") != strings.Join(c.ruleGaps, ",") {
			t.Errorf("%s: gaps %+v", c.name, r.Gaps)
		}
		if want := 2 - len(c.blockGaps); len(r.Traces) != want {
			t.Errorf("%s: %d traces, want %d", c.name, len(r.Traces), want)
		}
	}
}

func TestAGapTellsItsAge(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	g := Gap{Subject: attacker, Target: "internet-firewall", Reason: "none"}
	for _, c := range []struct {
		since time.Time
		want  string
	}{
		{time.Time{}, "none"},
		{now.Add(time.Hour), "none"}, // a clock that went back
		{now.Add(-59 * time.Second), "none"},
		{now.Add(-90 * time.Second), "none (for 1m)"},
		{now.Add(-130 * time.Minute), "none (for 2h10m)"},
		{now.Add(-2 * time.Hour), "none (for 2h)"},
		{now.Add(-76*time.Hour - 5*time.Minute), "none (for 3d4h)"},
	} {
		if got := g.Aged(c.since, now).String(); got != attacker+" at internet-firewall: "+c.want {
			t.Errorf("since %s: %q", c.since, got)
		}
	}
}
