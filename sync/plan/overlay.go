package plan

import (
	"fmt"
	"slices"
	"strings"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
)

// overlay puts the rules of In.Overlay above everything else and changes nothing else:
// books of groups that they need, then the rules from the top down, so that each moment
// gives a packet its verdict of before or after. A rule of the overlay that is live stays
// where it is; one that is live with another end is edited in place.
func (p *Plan) overlay(in Input) error {
	wanted, err := lower.Lower(overlayIntent(in), in.Live, in.Limits, nil)
	if err != nil {
		return err
	}
	steps := newGroupBooks(in, wanted.Books)
	for _, key := range wanted.Keys(in.Live) {
		steps = append(steps, lay(in, key, wanted.Rules[key])...)
	}
	p.finish(in, steps)
	p.Capacity = overlayCapacity(in, wanted, p.Steps)
	p.Notes = append(overlayNotes(in, wanted), scarce(p.Capacity)...)
	p.Untouched = untouched(in.Intent.Owner, in.Live)
	return nil
}

// overlayIntent asks for the overlay alone. What it says of blocked addresses is about
// those that are in the account, each in the book that it is in: to put others there is
// the next reconcile's business.
func overlayIntent(in Input) cloudfw.Intent {
	intent := in.Intent
	intent.Rules, intent.Blocked = in.Overlay, nil
	intent.Targets = slices.DeleteFunc(slices.Clone(intent.Targets), func(t cloudfw.Target) bool { return !t.Firewall() })
	if !slices.ContainsFunc(in.Overlay, onBlocked) {
		return intent
	}
	for _, b := range in.Live.Books {
		if intent.Owner.OwnsBook(b) && strings.HasPrefix(b.Name, intent.Owner.BookName("blocked")) {
			end, lapses := lower.Lapse(intent.Owner, b.Name)
			if lapses && !end.After(in.Live.TakenAt) {
				continue // what names it enforces nothing any more
			}
			for _, prefix := range b.Prefixes {
				intent.Blocked = append(intent.Blocked, cloudfw.Block{Prefix: prefix, Until: end, Lapses: lapses})
			}
		}
	}
	return intent
}

func onBlocked(r cloudfw.Rule) bool { return r.From.Blocked || r.To.Blocked }

// newGroupBooks creates the books of groups that there are not.
func newGroupBooks(in Input, wanted []cloudfw.AddressBook) []cloudfw.Step {
	var steps []cloudfw.Step
	for _, b := range wanted {
		if _, live := in.Live.Book(b.Name); live || !strings.HasPrefix(b.Name, in.Intent.Owner.BookName("group-")) {
			continue
		}
		b.Description = cloudfw.Summed(b.Description, b.Prefixes)
		steps = append(steps, cloudfw.Step{Op: cloudfw.CreateBook, Target: string(cloudfw.InternetFirewall), Book: &b, Reason: "the incident names the group and the book does not exist"})
	}
	return steps
}

// lay brings the overlay's rules into one list, each behind the one before it.
func lay(in Input, key cloudfw.ListKey, wanted []cloudfw.FirewallRule) []cloudfw.Step {
	var steps []cloudfw.Step
	list, next := in.Live.List(key), 0
	for _, want := range wanted {
		if at := slices.IndexFunc(list, want.Same); at >= 0 {
			next = max(next, at+1)
			continue
		}
		if at := slices.IndexFunc(list, func(r cloudfw.FirewallRule) bool { return in.sameButEnd(r, want) }); at >= 0 {
			edited := want
			edited.ID = list[at].ID
			steps = append(steps, cloudfw.Step{Op: cloudfw.EditRule, Target: key.Border.Firewall(), Rule: placed(edited, at+1), Reason: "the incident has another end"})
			list[at], next = edited, max(next, at+1)
			continue
		}
		steps = append(steps, cloudfw.Step{Op: cloudfw.InsertRule, Target: key.Border.Firewall(), Rule: placed(want, next+1), Reason: "the incident's rules stand above all others"})
		list, next = slices.Insert(list, next, want), next+1
	}
	return steps
}

// sameButEnd reports whether a live rule of ours is the wanted one, and in force, but
// for when it ends. What has lapsed is left alone: it is nobody's any more.
func (in Input) sameButEnd(r, want cloudfw.FirewallRule) bool {
	old, ours := cloudfw.ParseMarker(r.Description)
	now, _ := cloudfw.ParseMarker(want.Description)
	ours = ours && old.Owner == in.Intent.Owner && old.Kind == now.Kind && undigested(old.Name) == undigested(now.Name)
	if !ours || r.Validity.Permanent() || want.Validity.Permanent() || r.Validity.Lapsed(in.Now) {
		return false
	}
	r.Description, r.Validity = want.Description, want.Validity
	return r.Same(want)
}

// undigested is the name of a rule's marker without the digest of its content.
func undigested(name string) string { return name[:max(strings.LastIndexByte(name, '.'), 0)] }

// overlayCapacity is what the overlay takes of what may run out.
func overlayCapacity(in Input, wanted lower.Wanted, steps []cloudfw.Step) []Use {
	owner, created := in.Intent.Owner, 0
	most := peaksOf(owner, in.Live, steps)
	both := lower.Wanted{Books: slices.Clone(in.Live.Books), Rules: map[cloudfw.ListKey][]cloudfw.FirewallRule{}}
	for _, s := range steps {
		if s.Op == cloudfw.CreateBook {
			both.Books, created = append(both.Books, *s.Book), created+1
		}
	}
	after := cloudfw.After(in.Live, steps)
	for _, r := range after.Rules {
		if owner.Owns("rule", r.Description) {
			both.Rules[r.Key()] = append(both.Rules[r.Key()], r)
		}
	}
	books := use("address books", len(in.Live.Books), len(in.Live.Books)+created, in.Limits.BooksPerAccount).upTo(most.books)
	return append([]Use{books}, spread(owner, in.Live, both, in.Limits, most)...)
}

// overlayNotes say what of an incident a target cannot do.
func overlayNotes(in Input, wanted lower.Wanted) []string {
	var notes []string
	for _, r := range in.Overlay {
		taken := slices.ContainsFunc(in.Intent.Targets, func(t cloudfw.Target) bool { return t.Takes(r) })
		live := false
		for _, rules := range wanted.Rules {
			live = live || slices.ContainsFunc(rules, func(f cloudfw.FirewallRule) bool { return ruleNamed(f, r.Name) })
		}
		switch {
		case !taken:
			notes = append(notes, fmt.Sprintf("rule %s: no target takes it", r.Name))
		case !live && onBlocked(r):
			notes = append(notes, fmt.Sprintf("rule %s: no book holds blocked addresses yet; the next reconcile puts it in place with the first", r.Name))
		}
	}
	for _, t := range in.Intent.Targets {
		if !t.Firewall() {
			notes = append(notes, fmt.Sprintf("%s takes no rules of an incident, only blocked addresses, and knows no end time: what it blocks stays until fwsync takes it away", t.Name()))
		}
	}
	for _, r := range in.Overlay {
		if !r.Validity.Permanent() {
			return append(notes, fmt.Sprintf("the firewall itself ends these rules at %s, even if fwsync, its host and its ledger are gone", r.Validity.End.UTC().Format("2006-01-02 15:04Z")))
		}
	}
	if len(in.Overlay) > 0 {
		notes = append(notes, "these rules have no end of their own: they stay until fwsync takes them away")
	}
	return notes
}

// ruleNamed reports whether a lowered rule is of the declared one.
func ruleNamed(r cloudfw.FirewallRule, name string) bool {
	m, _ := cloudfw.ParseMarker(r.Description)
	return strings.HasPrefix(m.Name, name+".")
}

// lift takes away the rules and books of In.Lift, live ones, and changes nothing else:
// rules of each list from the bottom up, so that what is left of them on the way decides
// as it did, then the books.
func (p *Plan) lift(in Input) {
	var steps []cloudfw.Step
	rules := slices.Clone(in.Lift.Rules)
	slices.SortStableFunc(rules, func(a, b cloudfw.FirewallRule) int {
		if c := strings.Compare(a.Key().String(), b.Key().String()); c != 0 {
			return c
		}
		return b.Order - a.Order
	})
	for _, r := range rules {
		steps = append(steps, cloudfw.Step{Op: cloudfw.DeleteRule, Target: r.Border.Firewall(), Rule: placed(r, r.Order), Reason: "the incident put it here"})
	}
	for _, b := range in.Lift.Books {
		gone := b
		gone.References = 0
		steps = append(steps, cloudfw.Step{Op: cloudfw.DeleteBook, Target: string(cloudfw.InternetFirewall), Book: &gone, Reason: "the incident put it here"})
	}
	p.finish(in, steps)
	p.Notes = in.Lift.Stays
	p.Untouched = untouched(in.Intent.Owner, in.Live)
}

// Lift is what a plan of that kind takes away.
type Lift struct {
	Rules []cloudfw.FirewallRule
	Books []cloudfw.AddressBook
	Stays []string // why something of it stays, for people
}

// Laid is the overlay as it must be live, whatever is: its rules without ids and
// places, and the books of groups that they name.
func Laid(in Input) ([]cloudfw.FirewallRule, []cloudfw.AddressBook, error) {
	wanted, err := lower.Lower(overlayIntent(in), in.Live, in.Limits, nil)
	if err != nil {
		return nil, nil, err
	}
	var rules []cloudfw.FirewallRule
	for _, key := range wanted.Keys(in.Live) {
		rules = append(rules, wanted.Rules[key]...)
	}
	books := slices.DeleteFunc(wanted.Books, func(b cloudfw.AddressBook) bool {
		return !strings.HasPrefix(b.Name, in.Intent.Owner.BookName("group-"))
	})
	return rules, books, nil
}
