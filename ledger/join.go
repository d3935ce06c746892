package ledger

import (
	"net/netip"
	"slices"
)

// Joins reports whether a new decision is one that is there already, made at the same time
// by somebody who saw the same: of the same prefix, verdict, author and rule, both not
// revoked, and one in force when the other begins.
func (d Decision) Joins(there Decision) bool {
	if d.Prefix != there.Prefix || d.Verdict != there.Verdict || d.Author != there.Author || d.Rule != there.Rule {
		return false
	}
	return d.RevokedAt.IsZero() && there.RevokedAt.IsZero() &&
		(there.End.IsZero() || !d.Start.After(there.End)) && (d.End.IsZero() || !there.Start.After(d.End))
}

// Join is a new decision as what it adds to one that is there: with that one's id, and the
// evidence of both. All else TakeIn merges.
func (d Decision) Join(there Decision) Decision {
	d.ID = there.ID
	if there.Counters != nil && there.Score >= d.Score {
		d.Counters = there.Counters
	}
	evidence := slices.Clone(there.Evidence)
	for _, e := range d.Evidence {
		if !slices.Contains(evidence, e) {
			evidence = append(evidence, e)
		}
	}
	d.Evidence = evidence
	return d
}

// Prefixed are decisions by their prefix.
type Prefixed map[netip.Prefix][]Decision

// ByPrefix sorts decisions by their prefix.
func ByPrefix(decisions []Decision) Prefixed {
	p := make(Prefixed, len(decisions))
	for _, d := range decisions {
		p[d.Prefix] = append(p[d.Prefix], d)
	}
	return p
}

// Latest is the decision that a new one joins: of several the one that ends last, then the
// one with the highest id. False: it joins none.
func (p Prefixed) Latest(d Decision) (latest Decision, found bool) {
	for _, there := range p[d.Prefix] {
		if d.Joins(there) && (!found || later(there, latest)) {
			latest, found = there, true
		}
	}
	return latest, found
}

func later(a, b Decision) bool {
	switch {
	case a.End.Equal(b.End):
		return a.ID > b.ID
	case a.End.IsZero() || b.End.IsZero():
		return a.End.IsZero()
	}
	return a.End.After(b.End)
}
