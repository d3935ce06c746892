package lint

import (
	"fmt"
	"slices"
	"strings"

	"fwsync/cloudfw"
)

// A rule of other people above one of ours does the opposite.
var liveOverruled = Check{
	Name: "live-overruled", Severity: Warning, Live: true,
	Says: "a live rule of ours whose packets a rule of other people above it takes, all or in part, and does the opposite",
	find: func(s *survey, report func(Subject, string, string)) {
		s.eachLive(func(l *liveList) {
			for at, r := range l.rules {
				if !l.ours(r) {
					continue
				}
				var above []string
				for _, other := range l.effects.Meeting(at) {
					if o := l.rules[other]; other < at && !l.ours(o) && (o.Action == cloudfw.Drop) != (r.Action == cloudfw.Drop) && l.effects.DecidesWithin(other, at) {
						above = append(above, l.told(o))
					}
				}
				if len(above) == 0 {
					continue
				}
				how := "takes part of its packets"
				if !l.effects.Decides(at) {
					how = "takes its packets, so that it never decides"
				}
				report(s.declaredAs(l, r), fmt.Sprintf("%s: our rule #%d (%s) stands below %s, which %s", l.title, r.Order, r, some(above), how), "fwsync reconcile moves ours to the top")
			}
		})
	},
}

// declaredAs is the declared rule behind a live rule of ours, else the list.
func (s *survey) declaredAs(l *liveList, r cloudfw.FirewallRule) Subject {
	m, _ := cloudfw.ParseMarker(r.Description)
	name, _, _ := strings.Cut(m.Name, ".")
	if at := slices.IndexFunc(s.rules, func(d cloudfw.Rule) bool { return d.Name == name }); at >= 0 {
		return subject(s.rules[at])
	}
	return Subject{Kind: ListKind, Name: l.title}
}

// some joins the first few texts.
func some(texts []string) string {
	if len(texts) > mostNamed {
		texts = append(slices.Clone(texts[:mostNamed-1]), fmt.Sprintf("%d more", len(texts)-mostNamed+1))
	}
	return sentence(texts)
}
