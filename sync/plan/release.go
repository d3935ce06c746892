package plan

import (
	"fmt"

	"fwsync/cloudfw"
)

// mostDescription is the vendor's shortest limit (reference §2.3).
const mostDescription = 256

// Released is the description of what was ours. It is no marker.
func Released(description string) string {
	text := "released by fwsync, was: " + description
	return text[:min(len(text), mostDescription)] // a marker is of ASCII
}

// release takes our marker away, from rules before the sets that they name.
func (p *Plan) release(in Input) {
	owner := in.Intent.Owner
	var steps []cloudfw.Step
	reason := func(id string) string { return "is ours and is given up (id " + id + ")" }
	for _, r := range in.Live.Rules {
		if owner.Owns("rule", r.Description) && in.chosen(r.ID) {
			steps = append(steps, markRule(r, Released(r.Description), reason(r.ID)))
		}
	}
	for _, g := range in.Live.Groups {
		for _, r := range g.Rules {
			if owner.Owns("rule", r.Description) && in.chosen(r.ID) {
				steps = append(steps, markGroupRule(g.ID, r, Released(r.Description), reason(r.ID)))
			}
		}
	}
	rules := len(steps)
	for _, b := range in.Live.Books {
		if owner.OwnsBook(b) && in.chosen(b.ID, b.Name) {
			steps = append(steps, markBook(b, Released(b.Description), reason(b.ID)))
		}
	}
	for _, l := range in.Live.Lists {
		if owner.OwnsList(l) && in.chosen(l.ID, l.Name) {
			steps = append(steps, markList(l, Released(l.Description), reason(l.ID)))
		}
	}
	p.finish(in, steps)
	if rules > 0 {
		p.Notes = append(p.Notes, "what is still declared or blocked is made again by the next reconcile, beside what is released; fwsync adopt takes that back instead")
	}
	if sets := len(steps) - rules; sets > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("books and lists that are released: %d; they keep their names: while the policies need one of them, reconcile is refused until it is renamed, deleted or adopted", sets))
	}
	p.Untouched = untouched(owner, in.Live)
}
