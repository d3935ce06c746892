package gates

import (
	"fmt"
	"slices"

	"fwsync/cloudfw"
	"fwsync/sync/plan"
)

// ownership holds the planner to promise P1: every object that a step changes bears
// our whole marker in the live state, no name that a step creates is taken, and our
// rules name only sets of ours. What merely looks like ours is other people's. There
// is no override: what is withheld here is a name clash or a defect. Plans that adopt
// or release may change descriptions only, see takeover.
func ownership(in Input) Finding {
	f := Finding{
		LookedAt: count(len(in.Plan.Steps), "step") + " and the sets that our rules name",
		lead:     "the plan would need objects that are not ours: ",
	}
	hint := "see whether fwsync adopt can take them over; else rename or remove them in the cloud, or set another owner in fwsync.yaml"
	stranger := newTitles(in).stranger
	switch in.Plan.Kind {
	case plan.Adopt:
		hint = "adopt the book or the list too; what fwsync adopt cannot take over has to be renamed or removed in the cloud"
		stranger = newTakeover(in).stranger
	case plan.Release:
		f.lead = "the plan would do more than give up what is ours: "
		hint = "release the rules that name the book or the list too, or everything: fwsync release --all"
		stranger = newTakeover(in).stranger
	}
	withhold := func(what, why string) {
		f.Withheld = append(f.Withheld, Withheld{What: what, Why: why, Hint: hint})
	}
	for _, s := range in.Plan.Steps {
		if why := stranger(s); why != "" {
			withhold(fmt.Sprintf("%s %s", s.Op, s.Subject()), why)
		} else {
			f.Passed++
		}
	}
	// The planner leaves out a set whose name somebody else has. The rule for it would
	// then drop what that person put there.
	owner, after := in.Plan.Owner, in.result().after
	told := map[string]bool{}
	for _, r := range after.Rules {
		for _, peer := range []cloudfw.Peer{r.Source, r.Destination} {
			if b, there := after.Book(peer.Value); there && peer.Kind == cloudfw.Book && owner.Owns("rule", r.Description) && !owner.OwnsBook(b) && !told[b.Name] {
				told[b.Name] = true
				withhold("the address book "+b.Name, fmt.Sprintf("our rules name it and it is not ours (description %q)", b.Description))
			}
		}
	}
	for _, g := range after.Groups {
		for _, r := range g.Rules {
			if r.Peer.Kind != cloudfw.List || !owner.Owns("rule", r.Description) {
				continue
			}
			at := slices.IndexFunc(after.Lists, func(l cloudfw.PrefixList) bool { return l.ID == r.Peer.Value || l.Name == r.Peer.Value })
			if at >= 0 && !owner.OwnsList(after.Lists[at]) && !told[r.Peer.Value] {
				told[r.Peer.Value] = true
				withhold("the prefix list "+after.Lists[at].Name, fmt.Sprintf("our rules name it and it is not ours (description %q)", after.Lists[at].Description))
			}
		}
	}
	return f
}

// titles answers whose the live objects are, and keeps the names that the steps
// create.
type titles struct {
	owner  cloudfw.Owner
	books  map[string]cloudfw.AddressBook
	lists  map[string]cloudfw.PrefixList
	rules  map[string]string // by id: the description
	groups map[string]string // of group rules, likewise
}

func newTitles(in Input) *titles {
	t := &titles{
		owner: in.Plan.Owner, books: map[string]cloudfw.AddressBook{}, lists: map[string]cloudfw.PrefixList{},
		rules: map[string]string{}, groups: map[string]string{},
	}
	for _, b := range in.Live.Books {
		t.books[b.Name] = b
	}
	for _, l := range in.Live.Lists {
		t.lists[l.Name] = l
	}
	for _, r := range in.Live.Rules {
		t.rules[r.ID] = r.Description
	}
	for _, g := range in.Live.Groups {
		for _, r := range g.Rules {
			t.groups[g.ID+" "+r.ID] = r.Description
		}
	}
	return t
}

// stranger says why the step must not be made, or nothing. It follows what the step
// creates and deletes.
func (t *titles) stranger(s cloudfw.Step) string {
	if !s.Complete() {
		return "the step does not say what it changes"
	}
	const not = "it is not ours"
	switch s.Op {
	case cloudfw.CreateBook:
		if b, taken := t.books[s.Book.Name]; taken {
			return fmt.Sprintf("the name is taken (description %q)", b.Description)
		}
		if !t.owner.OwnsBook(*s.Book) {
			return "it would not bear our marker"
		}
		t.books[s.Book.Name] = *s.Book
	case cloudfw.AppendAddresses, cloudfw.RemoveAddresses, cloudfw.DeleteBook:
		b, there := t.books[s.Book.Name]
		if !there || b.ID != s.Book.ID || !t.owner.OwnsBook(b) {
			return not
		}
		if s.Op == cloudfw.DeleteBook {
			delete(t.books, s.Book.Name)
		}
	case cloudfw.CreateList:
		if l, taken := t.lists[s.List.Name]; taken {
			return fmt.Sprintf("the name is taken (description %q)", l.Description)
		}
		if !t.owner.OwnsList(*s.List) {
			return "it would not bear our marker"
		}
		t.lists[s.List.Name] = *s.List
	case cloudfw.EditList, cloudfw.DeleteList:
		if l, there := t.lists[s.List.Name]; !there || l.ID != s.List.ID || !t.owner.OwnsList(l) {
			return not
		}
		if s.Op == cloudfw.DeleteList {
			delete(t.lists, s.List.Name)
		}
	case cloudfw.InsertRule, cloudfw.MoveRule, cloudfw.EditRule, cloudfw.DeleteRule:
		if s.Op != cloudfw.InsertRule && !t.owner.Owns("rule", t.rules[s.Rule.ID]) {
			return not
		}
		if (s.Op == cloudfw.InsertRule || s.Op == cloudfw.EditRule) && !t.owner.Owns("rule", s.Rule.Description) {
			return "it would not bear our marker"
		}
	case cloudfw.AuthoriseRules, cloudfw.RevokeRules, cloudfw.EditGroupRule:
		for _, r := range s.GroupRules {
			if s.Op != cloudfw.AuthoriseRules && !t.owner.Owns("rule", t.groups[s.GroupID+" "+r.ID]) {
				return not
			}
			if s.Op != cloudfw.RevokeRules && !t.owner.Owns("rule", r.Description) {
				return "it would not bear our marker"
			}
		}
	default:
		return "no gate knows this operation"
	}
	return ""
}
