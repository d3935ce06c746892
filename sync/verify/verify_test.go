package verify

import (
	"strings"
	"testing"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
)

const owner = cloudfw.Owner("edge")

func world() (cloudfw.Intent, cloudfw.Snapshot) {
	p, _ := cloudfw.ParsePrefix("198.51.100.7")
	intent := cloudfw.Intent{Owner: owner, Targets: []cloudfw.Target{{Kind: cloudfw.InternetFirewall}}, Blocked: []cloudfw.Block{{Prefix: p}},
		Rules: []cloudfw.Rule{
			{Name: "drop-attackers", Direction: cloudfw.In, From: cloudfw.Side{Blocked: true}, To: cloudfw.Side{Any: true}, Protocol: cloudfw.AnyProtocol, Application: "ANY", Action: cloudfw.Drop},
			{Name: "mail", Direction: cloudfw.In, From: cloudfw.Side{Any: true}, To: cloudfw.Side{Any: true}, Protocol: cloudfw.TCP, Ports: []cloudfw.PortRange{{First: 25, Last: 25}}, Application: "SMTP", Action: cloudfw.Accept},
		}}
	wanted, _ := lower.Lower(intent, cloudfw.Snapshot{}, cloudfw.DefaultLimits(), nil)
	live := cloudfw.Snapshot{Books: wanted.Books}
	for _, key := range (cloudfw.Border{}).Keys() {
		for i, r := range wanted.Rules[key] {
			r.ID, r.Order = key.String()+" "+r.Description, i+1
			live.Rules = append(live.Rules, r)
		}
	}
	live.Sort()
	return intent, live
}

func run(t *testing.T, intent cloudfw.Intent, live cloudfw.Snapshot) Report {
	t.Helper()
	wanted, err := lower.Lower(intent, live, cloudfw.DefaultLimits(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return Check(intent, wanted, live)
}

// Promise P5: blocked means that a live, enabled drop rule of ours holds the address
// above everything that lets it pass. Anything else is a gap with its reason.
func TestP5BlockedMeansBlocked(t *testing.T) {
	foreign := func(source, ports string, order int) cloudfw.FirewallRule {
		r, err := cloudfw.ParsePortRange(ports)
		if err != nil {
			t.Fatal(err)
		}
		return cloudfw.FirewallRule{ID: "hand", Order: order, Direction: cloudfw.In, Family: cloudfw.IPv4, Action: cloudfw.Accept, Protocol: cloudfw.TCP, Ports: r,
			Source: cloudfw.Peer{Kind: cloudfw.Net, Value: source}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}, Application: "ANY", Description: "by hand"}
	}
	drop := func(live *cloudfw.Snapshot) *cloudfw.FirewallRule {
		for i := range live.Rules {
			if live.Rules[i].Action == cloudfw.Drop {
				return &live.Rules[i]
			}
		}
		t.Fatal("no drop rule")
		return nil
	}
	onTop := func(live *cloudfw.Snapshot, r cloudfw.FirewallRule) {
		for i := range live.Rules {
			if live.Rules[i].Key() == r.Key() {
				live.Rules[i].Order++
			}
		}
		r.Order = 1
		live.Rules = append(live.Rules, r)
		live.Sort()
	}
	for _, c := range []struct {
		name   string
		change func(*cloudfw.Snapshot)
		gap    string // "" = none
	}{
		{"as planned", func(*cloudfw.Snapshot) {}, ""},
		{"the rule is gone", func(s *cloudfw.Snapshot) { drop(s).Action = cloudfw.Accept }, "no enabled drop rule"},
		{"the address left the book", func(s *cloudfw.Snapshot) { s.Books[0].Prefixes = nil }, "no enabled drop rule"},
		{"the rule is disabled", func(s *cloudfw.Snapshot) { drop(s).Disabled = true }, "disabled"},
		{"the rule has a validity time", func(s *cloudfw.Snapshot) { drop(s).Validity.Repeat = cloudfw.Once }, "validity"},
		{"the rule has lapsed", func(s *cloudfw.Snapshot) {
			s.TakenAt = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
			drop(s).Validity = cloudfw.Lapsing(s.TakenAt.Add(-time.Hour), s.TakenAt)
		}, "out of its validity time"},
		{"the rule is in force for a time", func(s *cloudfw.Snapshot) {
			s.TakenAt = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
			drop(s).Validity = cloudfw.Lapsing(s.TakenAt, s.TakenAt.Add(time.Minute))
		}, ""},
		{"a foreign accept of the address stands above", func(s *cloudfw.Snapshot) { onTop(s, foreign("198.51.100.0/24", "25", 1)) }, "lets it pass above our drop #2, which must stand at #1"},
		{"a foreign accept of others stands above", func(s *cloudfw.Snapshot) { onTop(s, foreign("203.0.113.0/24", "25", 1)) }, ""},
		{"a foreign accept stands below", func(s *cloudfw.Snapshot) { s.Rules = append(s.Rules, foreign("0.0.0.0/0", "any", 3)); s.Sort() }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			intent, live := world()
			c.change(&live)
			r := run(t, intent, live)
			var reasons []string
			for _, g := range r.Gaps {
				if g.Subject == "198.51.100.7/32" {
					reasons = append(reasons, g.Reason)
				}
			}
			all := strings.Join(reasons, "; ")
			if (c.gap == "") != (all == "") || !strings.Contains(all, c.gap) {
				t.Errorf("gaps = %q, want %q", all, c.gap)
			}
			if want := map[bool]int{true: 1, false: 0}[c.gap == ""]; r.Enforced != want || len(r.Traces) != want {
				t.Errorf("enforced %d with %d traces, want %d", r.Enforced, len(r.Traces), want)
			}
		})
	}
}

func TestADeclaredRuleThatIsNotLiveIsAGap(t *testing.T) {
	intent, live := world()
	live.Rules = live.Rules[:1]
	r := run(t, intent, live)
	if r.RulesEnforced != 1 || r.RulesWanted != 3 || len(r.Gaps) != 2 {
		t.Errorf("report = %+v", r)
	}
}

func TestABlockWithoutAnyTargetIsAGap(t *testing.T) {
	intent, live := world()
	intent.Targets = nil
	if r := run(t, intent, live); len(r.Gaps) != 1 || r.Enforced != 0 {
		t.Errorf("report = %+v", r)
	}
}

func TestNoRoomAtOneTargetIsNoGapWhileAnotherEnforces(t *testing.T) {
	intent, live := world()
	group := cloudfw.Target{Kind: cloudfw.SecurityGroupTarget, GroupID: "sg-full", Via: cloudfw.ViaRules, Capacity: 0}
	live.Groups = []cloudfw.SecurityGroup{{ID: "sg-full"}}
	intent.Targets = append(intent.Targets, group)
	if r := run(t, intent, live); len(r.Gaps) != 0 {
		t.Errorf("gaps = %v", r.Gaps)
	}
	intent.Targets = []cloudfw.Target{group}
	if r := run(t, intent, live); len(r.Gaps) != 1 || r.Gaps[0].Reason != "no room at this target" {
		t.Errorf("gaps = %v", r.Gaps)
	}
}
