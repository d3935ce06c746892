package plan

import (
	"slices"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
	"fwsync/cloudfw/packets"
)

// order fills in the steps, the notes, the proof and the calls.
//
// Which order of the steps is safe depends on what the rules mean, so two are tried:
// addresses leave books after leftover rules are gone, or before. Where neither is
// safe, a book that changes in place is the reason: such a book is retired, its
// addresses go to another book under a rule of its own, and the old pair is left over.
// If a moment is unsafe all the same, Proof names it.
//
// All of that has the new beside the old for a while. Where a quota leaves no room for
// both, what is left over goes first; Proof then names the moments of which nothing
// better can be said, and a person has to choose.
func (p *Plan) order(in Input) (lower.Wanted, error) {
	retired := map[string]bool{}
	fewest := -1
	c := packets.NewCompiler() // nearly all is the same in every attempt
	for {
		d, err := newDraft(in, retired, c, false)
		if err != nil {
			return lower.Wanted{}, err
		}
		if fewest < 0 {
			fewest = d.fewest // what is retired costs more than there was to do
		}
		p.Steps, p.Notes = d.inOrder(addFirst), d.notes
		if p.Proof = prove(in.Live, p.Steps, c); !p.Proof.Safe && d.removals() {
			steps := d.inOrder(leaveEarly)
			if proof := prove(in.Live, steps, c); proof.Safe {
				p.Steps, p.Proof = steps, proof
			}
		}
		if p.Proof.Safe || !d.retire(p.Proof, retired) {
			if p.peaks = peaksOf(p.Owner, in.Live, p.Steps); !p.peaks.fit(in.Limits) {
				if d, err = p.removeFirst(in, d, c); err != nil {
					return lower.Wanted{}, err
				}
			}
			p.Calls = count(p.Steps, fewest)
			return d.wanted, nil
		}
	}
}

// removeFirst takes the order that needs the least room, if there is enough for that.
func (p *Plan) removeFirst(in Input, safe draft, c *packets.Compiler) (draft, error) {
	d, err := newDraft(in, nil, c, true)
	if err != nil {
		return draft{}, err
	}
	steps := d.inOrder(removeFirst)
	peaks := peaksOf(p.Owner, in.Live, steps)
	if !peaks.fit(in.Limits) {
		return safe, nil // the capacity gate says what is missing
	}
	p.Steps, p.peaks, p.Proof = steps, peaks, prove(in.Live, steps, c)
	p.Notes = append(d.notes, "there is no room for the new beside the old: what is left over goes first")
	return d, nil
}

// sequence is an order of a draft's steps.
type sequence int

const (
	addFirst    sequence = iota // leftover rules go after the wanted ones are in place, addresses after those
	leaveEarly                  // addresses leave their books before leftover rules go
	removeFirst                 // addresses and leftover rules go before anything is added
)

// draft is all that has to be done, before it is put into an order.
type draft struct {
	live   cloudfw.Snapshot
	wanted lower.Wanted
	books  bookSteps
	lists  []listSteps
	groups []cloudfw.Step
	notes  []string
	fewest int
}

// listSteps are those of one ordered list: what puts rules in place, then what deletes;
// first is what deletes before that, where there is no room.
type listSteps struct {
	key                   cloudfw.ListKey
	first, place, deletes []cloudfw.Step
}

func newDraft(in Input, retired map[string]bool, c *packets.Compiler, removeFirst bool) (draft, error) {
	wanted, err := lower.Lower(in.Intent, in.Live, in.Limits, retired)
	if err != nil {
		return draft{}, err
	}
	owner := in.Intent.Owner
	d := draft{live: in.Live, wanted: wanted, books: diffBooks(owner, in.Live, wanted.Books)}
	d.notes = d.books.notes
	d.fewest = len(d.books.before) + len(d.books.after)
	// Peers are resolved as they will be: the wanted books first.
	willBe := cloudfw.Snapshot{TakenAt: in.Live.TakenAt, Books: slices.Concat(wanted.Books, in.Live.Books), Lists: in.Live.Lists}
	for _, key := range wanted.Keys(in.Live) {
		live, want := in.Live.List(key), wanted.Rules[key]
		if len(want) == 0 && !slices.ContainsFunc(live, func(r cloudfw.FirewallRule) bool { return owner.Owns("rule", r.Description) }) {
			continue
		}
		a := arrange(owner, key, live, want, in.Live, willBe, c, removeFirst)
		from, to := 0, len(a.steps)
		for removeFirst && from < to && a.steps[from].Op == cloudfw.DeleteRule {
			from++
		}
		for to > from && a.steps[to-1].Op == cloudfw.DeleteRule {
			to--
		}
		d.lists = append(d.lists, listSteps{key, a.steps[:from], a.steps[from:to], a.steps[to:]})
		d.notes = append(d.notes, a.notes...)
		d.fewest += a.fewest
	}
	d.groups = diffGroups(owner, in.Live, wanted, in.Limits)
	d.fewest += len(d.groups)
	return d, nil
}

// removals reports whether addresses leave books and rules go: only then their order
// matters.
func (d draft) removals() bool {
	return slices.ContainsFunc(d.books.after, leaves) && slices.ContainsFunc(d.lists, func(l listSteps) bool { return len(l.deletes) > 0 })
}

func leaves(s cloudfw.Step) bool { return s.Op == cloudfw.RemoveAddresses }

// inOrder puts the steps into one of the orders.
func (d draft) inOrder(s sequence) []cloudfw.Step {
	var leaving, unused, early, placing, deleting, mixed []cloudfw.Step
	for _, step := range d.books.after {
		if leaves(step) {
			leaving = append(leaving, step)
		} else {
			unused = append(unused, step)
		}
	}
	for _, l := range d.lists {
		early, placing, deleting = append(early, l.first...), append(placing, l.place...), append(deleting, l.deletes...)
		mixed = append(append(mixed, l.place...), l.deletes...)
	}
	var steps []cloudfw.Step
	switch s {
	case leaveEarly:
		steps = slices.Concat(d.books.before, placing, leaving, deleting, unused, d.groups)
	case removeFirst:
		steps = slices.Concat(leaving, early, unused, d.books.before, placing, deleting, d.groups)
	default:
		steps = slices.Concat(d.books.before, mixed, d.books.after, d.groups)
	}
	if steps == nil {
		return []cloudfw.Step{}
	}
	return steps
}

// retire marks the books that change in place under the rules of lists with unsafe
// moments, and reports whether there are any that were not marked before.
func (d draft) retire(proof Proof, retired map[string]bool) bool {
	more := false
	for _, s := range slices.Concat(d.books.before, d.books.after) {
		if s.Op != cloudfw.AppendAddresses && s.Op != cloudfw.RemoveAddresses || retired[s.Book.Name] {
			continue
		}
		named := cloudfw.Peer{Kind: cloudfw.Book, Value: s.Book.Name}
		names := func(r cloudfw.FirewallRule) bool { return r.Source == named || r.Destination == named }
		for key := range proof.unsafe {
			if slices.ContainsFunc(d.live.List(key), names) || slices.ContainsFunc(d.wanted.Rules[key], names) {
				retired[s.Book.Name], more = true, true
			}
		}
	}
	return more
}
