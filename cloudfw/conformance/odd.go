package conformance

import (
	"time"

	"fwsync/cloudfw"
)

// oddRules: a wanted rule that is not in canonical form is
// Invalid, or is found by Done once it has been inserted; never neither, as it would be
// inserted again and again.
func oddRules(s *scene) {
	start := time.Now().Truncate(time.Hour).Add(24 * time.Hour).In(time.FixedZone("elsewhere", 3600))
	for _, key := range s.keys {
		for what, change := range map[string]func(*cloudfw.FirewallRule){
			"every port spelled out":    func(r *cloudfw.FirewallRule) { r.Ports = cloudfw.PortRange{First: 1, Last: 65535} },
			"no application":            func(r *cloudfw.FirewallRule) { r.Application = "" },
			"applications out of order": func(r *cloudfw.FirewallRule) { r.Application = "SMTP,HTTP" },
			"a bare address": func(r *cloudfw.FirewallRule) {
				r.Source.Value = bareAddress[key.Family]
			},
			"times of another zone": func(r *cloudfw.FirewallRule) {
				r.Validity = cloudfw.Validity{Repeat: cloudfw.Once, Start: start, End: start.Add(time.Hour)}
			},
		} {
			step := insert(s.rule(key, "odd"), s.end(key))
			change(step.Rule)
			err := s.account.Execute(s.Context(), step)
			s.look(func(live cloudfw.Snapshot) bool { return err != nil || cloudfw.Done(step, live) })
			if kind := cloudfw.KindOf(err); err != nil && kind != cloudfw.Invalid || err == nil && !cloudfw.Done(step, s.live) {
				s.Errorf("%s, a rule with %s: %s, and Done says %v", key, what, outcome(err), cloudfw.Done(step, s.live))
			}
		}
	}
}

var bareAddress = map[cloudfw.Family]string{cloudfw.IPv4: "192.0.2.1", cloudfw.IPv6: "2001:db8:1::1"}
