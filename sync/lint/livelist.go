package lint

import (
	"fmt"

	"fwsync/cloudfw"
	"fwsync/cloudfw/packets"
)

// liveList is one list as it is in a cloud.
type liveList struct {
	title   string // "internet-firewall in ipv4", with the cloud where there are several
	owner   cloudfw.Owner
	rules   []cloudfw.FirewallRule
	effects *packets.Effects
}

// eachLive compiles the lists that hold rules of ours and of other people. Strict mode
// only adds drops, which take nothing from what is said of the others.
func (s *survey) eachLive(look func(*liveList)) {
	for _, live := range s.Live {
		world := live.Snapshot
		world.Strict = false
		for _, key := range world.Keys() {
			l := &liveList{title: key.Border.Firewall() + " " + string(key.Direction) + " " + string(key.Family), owner: live.Owner, rules: world.List(key)}
			if live.Cloud != "" {
				l.title = live.Cloud + ": " + l.title
			}
			ours := 0
			for _, r := range l.rules {
				if l.ours(r) {
					ours++
				}
			}
			if ours > 0 && ours < len(l.rules) {
				l.effects = packets.NewEffects(packets.Firewall(key, l.rules, world), nil)
				look(l)
			}
		}
	}
}

func (l *liveList) ours(r cloudfw.FirewallRule) bool { return l.owner.Owns("rule", r.Description) }

// told is a live rule as messages name it.
func (l *liveList) told(r cloudfw.FirewallRule) string {
	whose := "ours"
	if !l.ours(r) {
		whose = fmt.Sprintf("%q, not ours", r.Description)
	}
	return fmt.Sprintf("#%d %s (%s)", r.Order, r, whose)
}
