package lint

import (
	"fmt"
)

// What other people may wonder about: their rule does nothing any more.
var foreignDead = Check{
	Name: "foreign-dead", Severity: Note, Live: true,
	Says: "a live rule of other people that never decides, because rules of ours above it take its packets",
	find: func(s *survey, report func(Subject, string, string)) {
		s.eachLive(func(l *liveList) {
			for at, r := range l.rules {
				if l.ours(r) {
					continue
				}
				var ours []string
				for _, other := range l.effects.Takers(at) {
					if o := l.rules[other]; l.ours(o) {
						ours = append(ours, l.told(o))
					}
				}
				if len(ours) > 0 {
					report(Subject{Kind: ListKind, Name: l.title}, fmt.Sprintf("rule %s never decides a packet: %s takes them first", l.told(r), some(ours)), "tell its owner; fwsync leaves it alone")
				}
			}
		})
	},
}
