package detect

import (
	"cmp"
	"slices"
)

// Stats says what an engine has seen and what its limits cost.
type Stats struct {
	// Signals counts events (Signal.Times) by kind, whether or not a rule
	// wants them; kinds without any are absent.
	Signals map[Kind]int64
	// Invalid signals had no valid kind, address or time and were ignored.
	Invalid int64
	// Sources is the number of different addresses tracked now, Tracked the
	// number of counters (one for each rule and source) and success marks.
	Sources int
	Tracked int
	// Expired counters were dropped because their windows had passed: no loss.
	Expired int64
	// Evicted sources were dropped, oldest-idle first, because the engine was
	// full: a slow attacker may have been missed.
	Evicted int64
	// Sketched signals came from sources that there was no room for and were only
	// counted in the sketch. A source that sends 3 signals (or the threshold, if
	// that is less) of the latest so many as MaxSources gets a window of its own;
	// what it sent before does not count there, so it is detected that much later.
	Sketched int64
	// Untracked signals came while everything tracked was an unreported
	// detection, so that nothing could be evicted.
	Untracked int64
	// EvidenceDropped counts crossings without samples, for want of room.
	EvidenceDropped int64
}

// Stats returns the figures up to now.
func (e *Engine) Stats() Stats {
	out := e.stats
	out.Signals = e.Signals()
	out.Tracked = e.pairs.live
	var addrs []key
	for i := range e.pairs.all() {
		if p := e.pairs.at(i); p.meter == markAddress || p.meter < markLow && e.sizes[p.meter] > 0 && e.meters[p.meter].part == ownPart {
			addrs = append(addrs, p.key)
		}
	}
	slices.SortFunc(addrs, func(a, b key) int { return cmp.Or(cmp.Compare(a.low, b.low), cmp.Compare(a.high, b.high)) })
	out.Sources = len(slices.Compact(addrs))
	return out
}

// Signals returns what Stats has of the signals, which is there at once: to tell the
// different sources takes a while.
func (e *Engine) Signals() map[Kind]int64 {
	out := map[Kind]int64{}
	for k, n := range e.byKind {
		if n > 0 {
			out[Kind(k)] = n
		}
	}
	return out
}
