package plan

import (
	"fmt"
	"net/netip"
	"slices"

	"fwsync/cloudfw"
)

// bookSteps are the steps on books that come before and after those on rules: a
// rule needs its book, and a book goes only when no rule needs it any more.
type bookSteps struct {
	before, after []cloudfw.Step
	notes         []string
}

// diffBooks compares the owner's live books with the wanted ones, by name. A book
// is only ever extended and shortened, so other writers' edits are never lost to a
// replacement of the whole list (reference §2.4).
func diffBooks(owner cloudfw.Owner, live cloudfw.Snapshot, wanted []cloudfw.AddressBook) bookSteps {
	const target = string(cloudfw.InternetFirewall)
	var steps bookSteps
	keep := map[string]bool{}
	for _, want := range wanted {
		keep[want.Name] = true
		have, ok := live.Book(want.Name)
		if !ok {
			want.Description = cloudfw.Summed(want.Description, want.Prefixes)
			steps.before = append(steps.before, cloudfw.Step{Op: cloudfw.CreateBook, Target: target, Book: &want, Reason: "the book does not exist"})
			continue
		}
		if !owner.OwnsBook(have) || have.Family != want.Family {
			continue // somebody else has taken the name: the create would fail; gates refuses the plan
		}
		added, removed := difference(have.Prefixes, want.Prefixes)
		touched := ""
		if cloudfw.Edited(have.Description, have.Prefixes) {
			touched = "; somebody else has edited the book"
		}
		edit := func(op cloudfw.Op, prefixes, content []netip.Prefix, reason string) cloudfw.Step {
			edited := have
			edited.Prefixes, edited.References = nil, 0
			edited.Description = cloudfw.Summed(have.Description, content)
			return cloudfw.Step{Op: op, Target: target, Book: &edited, Prefixes: prefixes, Reason: reason + touched}
		}
		if len(added) > 0 {
			both := cloudfw.SortPrefixes(slices.Concat(have.Prefixes, added))
			steps.before = append(steps.before, edit(cloudfw.AppendAddresses, added, both, "wanted and not in the book"))
		}
		if len(removed) > 0 {
			steps.after = append(steps.after, edit(cloudfw.RemoveAddresses, removed, want.Prefixes, "in the book and no longer wanted"))
		}
	}
	for _, b := range live.Books {
		if owner.OwnsBook(b) && !keep[b.Name] {
			seen, others := references(owner, live, b.Name)
			if others > 0 {
				steps.notes = append(steps.notes, fmt.Sprintf("book %s is not needed, but %d rules of other people name it: it stays", b.Name, others))
				continue
			}
			if b.References > seen {
				steps.notes = append(steps.notes, fmt.Sprintf("book %s is not needed, but %d rules that were not looked at refer to it: it stays", b.Name, b.References-seen))
				continue
			}
			gone := b
			gone.References = 0
			steps.after = append(steps.after, cloudfw.Step{Op: cloudfw.DeleteBook, Target: target, Book: &gone, Reason: "no rule needs the book any more"})
		}
	}
	return steps
}

// references counts the observed rules that name the book, and those of other people
// among them: they stay, and so the vendor would refuse to delete it.
func references(owner cloudfw.Owner, live cloudfw.Snapshot, book string) (seen, others int) {
	named := cloudfw.Peer{Kind: cloudfw.Book, Value: book}
	for _, r := range live.Rules {
		if r.Source != named && r.Destination != named {
			continue
		}
		if seen++; !owner.Owns("rule", r.Description) {
			others++
		}
	}
	return seen, others
}

// difference returns what is only in want and what is only in have. Both are
// sorted and without duplicates.
func difference(have, want []netip.Prefix) (added, removed []netip.Prefix) {
	i, j := 0, 0
	for i < len(have) && j < len(want) {
		switch c := cloudfw.ComparePrefixes(have[i], want[j]); {
		case c < 0:
			removed = append(removed, have[i])
			i++
		case c > 0:
			added = append(added, want[j])
			j++
		default:
			i, j = i+1, j+1
		}
	}
	return append(added, want[j:]...), append(removed, have[i:]...)
}
