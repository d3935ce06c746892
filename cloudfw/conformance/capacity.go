package conformance

import (
	"fmt"
	"slices"

	"fwsync/cloudfw"
)

var exhausted = []cloudfw.Kind{cloudfw.Quota}

// mostFillers bounds how many objects are made to reach a limit on their number.
const mostFillers = 60

// capacity: what goes beyond a limit is Quota and changes nothing, not even the part
// that would have had room. Only the limits that the subject names are reached.
func capacity(s *scene) {
	for _, limit := range []struct {
		most  int
		reach func(*scene, int)
	}{
		{s.Limits.AddressesPerBook, addressesPerBook},
		{s.Limits.SpreadUnits, spreadUnits},
		{s.Limits.RulesPerGroup, rulesPerGroup},
		{s.Limits.EntriesPerList, entriesPerList},
		{s.Limits.BooksPerAccount, booksPerAccount},
		{s.Limits.ListsPerRegion, listsPerRegion},
	} {
		if limit.most > 0 {
			limit.reach(s, limit.most)
		}
	}
}

func addressesPerBook(s *scene, most int) {
	full, almost := s.book("full", cloudfw.IPv4), s.book("almost-full", cloudfw.IPv4)
	addresses := many(most + 1)
	full.Prefixes, almost.Prefixes = addresses[:most], addresses[:most-1]
	s.carry(cloudfw.Step{Op: cloudfw.CreateBook, Book: full}, cloudfw.Step{Op: cloudfw.CreateBook, Book: almost})
	liveFull, liveAlmost := s.liveBook(full.Name), s.liveBook(almost.Name)
	over := s.book("over-full", cloudfw.IPv4)
	over.Prefixes = addresses
	s.changeNothing(
		refusal{"one address more than a book holds", cloudfw.Step{Op: cloudfw.AppendAddresses, Book: &liveFull, Prefixes: addresses[most:]}, exhausted},
		refusal{"two addresses where one has room", cloudfw.Step{Op: cloudfw.AppendAddresses, Book: &liveAlmost, Prefixes: addresses[most-1:]}, exhausted},
		refusal{"a new book with one address too many", cloudfw.Step{Op: cloudfw.CreateBook, Book: over}, exhausted},
	)
	s.carry(
		cloudfw.Step{Op: cloudfw.AppendAddresses, Book: &liveAlmost, Prefixes: addresses[most-1 : most]},
		cloudfw.Step{Op: cloudfw.DeleteBook, Book: &liveFull},
	)
	liveAlmost = s.liveBook(almost.Name)
	s.carry(cloudfw.Step{Op: cloudfw.DeleteBook, Book: &liveAlmost})
}

// spreadUnits multiplies two books to more units than there are (reference §2.2).
func spreadUnits(s *scene, most int) {
	i := slices.IndexFunc(s.keys, func(k cloudfw.ListKey) bool { return k.Family == cloudfw.IPv4 })
	if i < 0 {
		s.Log("no list for the units of the policy quota")
		return
	}
	side := 2
	for side*side <= most {
		side++
	}
	from, to := s.book("units-from", cloudfw.IPv4), s.book("units-to", cloudfw.IPv4)
	addresses := many(2 * side)
	from.Prefixes, to.Prefixes = addresses[:side], addresses[side:]
	s.carry(cloudfw.Step{Op: cloudfw.CreateBook, Book: from}, cloudfw.Step{Op: cloudfw.CreateBook, Book: to})
	rule := s.rule(s.keys[i], "units")
	rule.Source, rule.Destination = cloudfw.Peer{Kind: cloudfw.Book, Value: from.Name}, cloudfw.Peer{Kind: cloudfw.Book, Value: to.Name}
	s.changeNothing(refusal{fmt.Sprintf("a rule of %d units", side*side), insert(rule, 1), exhausted})

	// What a rule says it costs is what the formula gives.
	narrow := s.rule(s.keys[i], "units-grow")
	narrow.Source = rule.Source
	s.carry(insert(narrow, 1))
	if got := s.made(narrow); got.Cost != side {
		s.Errorf("a rule from a book of %d addresses says it costs %d units", side, got.Cost)
	}
}

func rulesPerGroup(s *scene, most int) {
	group, ok := s.live.Group(s.Group)
	if !ok {
		s.Log("no group for the limit of its rules")
		return
	}
	free := most
	for _, r := range group.Rules {
		free--
		if i := slices.IndexFunc(s.live.Lists, func(l cloudfw.PrefixList) bool { return r.Peer.Kind == cloudfw.List && l.ID == r.Peer.Value }); i >= 0 {
			free -= s.live.Lists[i].MaxEntries - 1
		}
	}
	addresses := many(free + 2)
	crowd := make([]cloudfw.GroupRule, free+2)
	for i := range crowd {
		crowd[i] = s.groupRule([]cloudfw.Direction{cloudfw.In, cloudfw.Out}[i*2/len(crowd)], fmt.Sprintf("crowd-%d", i))
		crowd[i].Peer.Value = addresses[i].String()
	}
	var steps []cloudfw.Step
	for _, direction := range []cloudfw.Direction{cloudfw.In, cloudfw.Out} {
		ours := slices.DeleteFunc(slices.Clone(crowd[:free-1]), func(r cloudfw.GroupRule) bool { return r.Direction != direction })
		for some := range slices.Chunk(ours, 100) {
			steps = append(steps, authorise(s.Group, some...))
		}
	}
	s.carry(steps...)
	s.changeNothing(refusal{"two rules where the group has room for one", authorise(s.Group, crowd[free:]...), exhausted})
	s.carry(authorise(s.Group, crowd[free]))
	s.changeNothing(refusal{"one rule more than a group holds", authorise(s.Group, crowd[free+1]), exhausted})
	var revocations []cloudfw.Step
	group, _ = s.live.Group(s.Group)
	for _, direction := range []cloudfw.Direction{cloudfw.In, cloudfw.Out} {
		ours := slices.DeleteFunc(slices.Clone(group.Rules), func(r cloudfw.GroupRule) bool {
			return r.Direction != direction || !s.owner.Owns("rule", r.Description)
		})
		for some := range slices.Chunk(ours, 100) {
			revocations = append(revocations, cloudfw.Step{Op: cloudfw.RevokeRules, GroupID: s.Group, GroupRules: some})
		}
	}
	s.carry(revocations...)
}

func entriesPerList(s *scene, most int) {
	over := s.list("over-long", cloudfw.IPv4, most+1, "192.0.2.1/32")
	s.changeNothing(refusal{"a prefix list with more room than there may be", cloudfw.Step{Op: cloudfw.CreateList, List: over}, []cloudfw.Kind{cloudfw.Quota, cloudfw.Invalid}})
	long := s.list("long", cloudfw.IPv4, most)
	long.Prefixes = many(most)
	s.carry(cloudfw.Step{Op: cloudfw.CreateList, List: long})
	live := s.liveList(long.Name)
	s.carry(cloudfw.Step{Op: cloudfw.DeleteList, List: &live})
}

func booksPerAccount(s *scene, most int) {
	fill(s, "books", most-len(s.live.Books), func(name string) cloudfw.Step {
		return cloudfw.Step{Op: cloudfw.CreateBook, Book: s.book(name, cloudfw.IPv4, "192.0.2.1/32")}
	})
}

func listsPerRegion(s *scene, most int) {
	fill(s, "prefix lists", most-len(s.live.Lists), func(name string) cloudfw.Step {
		return cloudfw.Step{Op: cloudfw.CreateList, List: s.list(name, cloudfw.IPv4, 1, "192.0.2.1/32")}
	})
}

// fill makes as many objects as there is room for and then one more.
func fill(s *scene, what string, free int, make func(name string) cloudfw.Step) {
	if free < 0 || free > mostFillers {
		s.Logf("room for %d more %s: the limit is not reached", free, what)
		return
	}
	var steps []cloudfw.Step
	for i := range free {
		steps = append(steps, make(fmt.Sprintf("filler-%d", i)))
	}
	s.carry(steps...)
	s.changeNothing(refusal{"one more than all " + what, make("filler-last"), exhausted})
	if _, err := s.sweep(s.Context()); err != nil {
		s.Fatal(err)
	}
	s.look()
}
