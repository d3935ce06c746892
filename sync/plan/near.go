package plan

import (
	"fmt"
	"slices"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
)

// mostNear bounds the notes about what nearly fits.
const mostNear = 20

// parts are what a rule is made of, each with how it reads and how it is taken over.
var parts = []struct {
	name string
	text func(cloudfw.FirewallRule) string
	copy func(to *cloudfw.FirewallRule, from cloudfw.FirewallRule)
}{
	{"action", func(r cloudfw.FirewallRule) string { return string(r.Action) }, func(to *cloudfw.FirewallRule, from cloudfw.FirewallRule) { to.Action = from.Action }},
	{"source", func(r cloudfw.FirewallRule) string { return r.Source.String() }, func(to *cloudfw.FirewallRule, from cloudfw.FirewallRule) { to.Source = from.Source }},
	{"destination", func(r cloudfw.FirewallRule) string { return r.Destination.String() }, func(to *cloudfw.FirewallRule, from cloudfw.FirewallRule) { to.Destination = from.Destination }},
	{"protocol", func(r cloudfw.FirewallRule) string { return string(r.Protocol) }, func(to *cloudfw.FirewallRule, from cloudfw.FirewallRule) { to.Protocol = from.Protocol }},
	{"ports", func(r cloudfw.FirewallRule) string {
		if r.PortBook != "" {
			return "book:" + r.PortBook
		}
		return r.Ports.String()
	}, func(to *cloudfw.FirewallRule, from cloudfw.FirewallRule) {
		to.Ports, to.PortBook = from.Ports, from.PortBook
	}},
	{"application", func(r cloudfw.FirewallRule) string { return r.Application }, func(to *cloudfw.FirewallRule, from cloudfw.FirewallRule) { to.Application = from.Application }},
	{"state", func(r cloudfw.FirewallRule) string {
		if r.Disabled {
			return "disabled"
		}
		return "enabled"
	}, func(to *cloudfw.FirewallRule, from cloudfw.FirewallRule) { to.Disabled = from.Disabled }},
	{"times", func(r cloudfw.FirewallRule) string {
		if r.Validity.Permanent() {
			return "always"
		}
		return string(r.Validity.Repeat)
	}, func(to *cloudfw.FirewallRule, from cloudfw.FirewallRule) { to.Validity = from.Validity }},
	{"resolution", func(r cloudfw.FirewallRule) string { return string(r.Resolve) }, func(to *cloudfw.FirewallRule, from cloudfw.FirewallRule) { to.Resolve = from.Resolve }},
}

// nearRules tells of other people's rules that differ from a wanted one in one part,
// or bear another owner's mark.
func nearRules(owner cloudfw.Owner, live []cloudfw.FirewallRule, want cloudfw.FirewallRule) []string {
	var notes []string
	for _, r := range live {
		if owner.Owns("rule", r.Description) || far(r, want) {
			continue
		}
		marker, _ := cloudfw.ParseMarker(want.Description)
		subject := fmt.Sprintf("rule %s, #%d of %s (%q)", r.ID, r.Order, r.Key(), r.Description)
		same := r
		same.Description = want.Description
		if same.Same(want) {
			if anothers(owner, r.Description) {
				notes = append(notes, subject+" is as wanted and bears the mark of another owner, who has to release it")
			}
			continue
		}
		for _, part := range parts {
			changed := same
			if part.copy(&changed, want); changed.Same(want) {
				notes = append(notes, fmt.Sprintf("%s would be %s but for its %s: %s, wanted is %s", subject, marker.Name, part.name, part.text(r), part.text(want)))
			}
		}
	}
	return notes
}

// far is a quick look: more than one of the main parts is spelled in another way.
func far(r, want cloudfw.FirewallRule) bool {
	n := 0
	for _, differs := range []bool{r.Action != want.Action, r.Protocol != want.Protocol, r.Source != want.Source, r.Destination != want.Destination} {
		if differs {
			n++
		}
	}
	return n > 1
}

// nearSets tells of books and lists with a name that we want which are not taken over.
func nearSets(in Input, ours cloudfw.Snapshot, wanted lower.Wanted) []string {
	owner := in.Intent.Owner
	var notes []string
	for i, b := range in.Live.Books {
		if owner.OwnsBook(ours.Books[i]) {
			continue
		}
		_, named := purposeOf(owner, b.Name)
		at := slices.IndexFunc(wanted.Books, func(w cloudfw.AddressBook) bool { return w.Name == b.Name })
		subject := fmt.Sprintf("book %s (%q)", b.Name, b.Description)
		switch {
		case named && at >= 0 && anothers(owner, b.Description):
			notes = append(notes, subject+" bears the mark of another owner, who has to release it")
		case named && at >= 0 && b.Type != cloudfw.Addresses:
			notes = append(notes, fmt.Sprintf("%s has a name that is wanted, but holds entries of type %s, not addresses", subject, b.Type))
		case named && at >= 0 && b.Family != wanted.Books[at].Family:
			notes = append(notes, fmt.Sprintf("%s has a name that is wanted, but is of %s, not %s", subject, b.Family, wanted.Books[at].Family))
		case named && at < 0 && !anothers(owner, b.Description) && in.chosen(b.ID, b.Name):
			notes = append(notes, subject+" has a name in our style, but nothing needs a book of that name and content")
		}
	}
	for i, l := range in.Live.Lists {
		if owner.OwnsList(ours.Lists[i]) {
			continue
		}
		at := slices.IndexFunc(wanted.Lists, func(w cloudfw.PrefixList) bool { return w.Name == l.Name })
		subject := fmt.Sprintf("prefix list %s (%q)", l.Name, l.Description)
		switch {
		case at >= 0 && anothers(owner, l.Description):
			notes = append(notes, subject+" bears the mark of another owner, who has to release it")
		case at >= 0 && l.Family != wanted.Lists[at].Family:
			notes = append(notes, fmt.Sprintf("%s has a name that is wanted, but is of %s, not %s", subject, l.Family, wanted.Lists[at].Family))
		case at >= 0 && l.MaxEntries != wanted.Lists[at].MaxEntries:
			notes = append(notes, fmt.Sprintf("%s has a name that is wanted, but is for %d entries, not %d", subject, l.MaxEntries, wanted.Lists[at].MaxEntries))
		}
	}
	return notes
}
