package plan

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
)

// described gives each object of a state another description, by its id.
func described(s cloudfw.Snapshot, text func(id, was string) string) cloudfw.Snapshot {
	s = clone(s)
	for i := range s.Rules {
		s.Rules[i].Description = text(s.Rules[i].ID, s.Rules[i].Description)
	}
	for i := range s.Books {
		s.Books[i].Description = text(s.Books[i].ID, s.Books[i].Description)
	}
	for i := range s.Lists {
		s.Lists[i].Description = text(s.Lists[i].ID, s.Lists[i].Description)
	}
	for g := range s.Groups {
		for i := range s.Groups[g].Rules {
			r := &s.Groups[g].Rules[i]
			r.Description = text(r.ID, r.Description)
		}
	}
	return s
}

// descriptions are those of all objects, by id.
func descriptions(s cloudfw.Snapshot) map[string]string {
	all := map[string]string{}
	described(s, func(id, was string) string { all[id] = was; return was })
	return all
}

// content is a state without its descriptions.
func content(t *rapid.T, s cloudfw.Snapshot) string {
	text, err := json.Marshal(described(s, func(string, string) string { return "" }))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A takeover changes descriptions and nothing else, and only of what was asked for;
// what was adopted is not made again by the next reconcile; adopting twice finds
// nothing; what is released is nobody's, and adopt takes all of it back.
func TestP1ATakeoverChangesDescriptionsOnly(t *testing.T) {
	owner := cloudfw.Owner("edge")
	adopted, released := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t: t, snap: cloudfw.Snapshot{Groups: []cloudfw.SecurityGroup{{ID: "sg-mail", Rules: []cloudfw.GroupRule{{ID: "hand", Direction: cloudfw.In, Action: cloudfw.Accept, Protocol: cloudfw.TCP, Priority: 50, Peer: cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}, Description: "by hand"}}}}}}
		compute := func(in Input) Plan {
			in.Limits, in.Now = smallLimits(), now
			p, err := Compute(in)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		intent := genIntent(t, owner, "first")
		for _, s := range compute(Input{Intent: intent, Live: w.snap}).Steps {
			w.execute(s)
		}
		if rapid.Bool().Draw(t, "another intent") {
			intent = genIntent(t, owner, "second")
		}
		if rapid.Bool().Draw(t, "edited") {
			edit(t, w)
		}
		live := described(w.snap, func(_, was string) string {
			switch rapid.IntRange(0, 3).Draw(t, "description") {
			case 0:
				return was
			case 1:
				return Released(was)
			case 2:
				return strings.Replace(was, "owner=edge", "owner=other", 1)
			}
			return "by hand"
		})
		was := descriptions(live)
		check := func(kind Kind) cloudfw.Snapshot {
			var only []string
			if !rapid.Bool().Draw(t, "all") {
				for id := range was {
					only = append(only, id)
				}
				slices.Sort(only)
				only = rapid.SliceOfDistinct(rapid.SampledFrom(only), rapid.ID[string]).Draw(t, "only")
			}
			p := compute(Input{Intent: intent, Live: live, Kind: kind, Only: only})
			if !p.Proof.Safe || p.Kind != kind || p.Calls.Planned != len(p.Steps) || !p.Intact() {
				t.Fatalf("plan %+v", p)
			}
			after := cloudfw.After(live, p.Steps)
			if got, want := content(t, after), content(t, cloudfw.After(live, nil)); got != want {
				t.Fatalf("%s changed more than descriptions\ngot  %s\nwant %s", kind, got, want)
			}
			changed := 0
			for id, text := range descriptions(after) {
				if text == was[id] {
					continue
				}
				changed++
				_, marked := cloudfw.ParseMarker(text)
				m, before := cloudfw.ParseMarker(was[id])
				switch {
				case len(only) > 0 && !slices.Contains(only, id), !p.Reaches(id):
					t.Fatalf("%s was changed and not asked for", id)
				case kind == Adopt && (!marked || before && m.Owner != owner):
					t.Fatalf("%s: %q became %q", id, was[id], text)
				case kind == Release && (marked || !before || m.Owner != owner):
					t.Fatalf("%s: %q became %q", id, was[id], text)
				}
			}
			if changed != len(p.Steps) {
				t.Fatalf("%d steps changed %d descriptions", len(p.Steps), changed)
			}
			if kind == Release {
				released += changed
				return after
			}
			adopted += changed
			if again := compute(Input{Intent: intent, Live: after, Kind: Adopt, Only: only}); len(again.Steps) > 0 {
				t.Fatalf("adopting again finds %+v", again.Steps)
			}
			notAgain(t, p, compute(Input{Intent: intent, Live: after}))
			return after
		}
		check(Adopt)
		live = check(Release)
	})
	if adopted < 100 || released < 100 {
		t.Errorf("%d adopted, %d released: the test guards nothing", adopted, released)
	}
}

// notAgain fails when a plan makes what another one adopted.
func notAgain(t *rapid.T, adopting, next Plan) {
	names := map[string]bool{}
	for _, s := range adopting.Steps {
		switch {
		case s.Book != nil:
			names[s.Book.Name] = true
		case s.List != nil:
			names[s.List.Name] = true
		case s.Rule != nil:
			names[s.Rule.Key().String()+s.Rule.Description] = true
		default:
			names[s.GroupID+s.GroupRules[0].Peer.String()] = true
		}
	}
	for _, s := range next.Steps {
		again := false
		switch s.Op {
		case cloudfw.CreateBook:
			again = names[s.Book.Name]
		case cloudfw.CreateList:
			again = names[s.List.Name]
		case cloudfw.InsertRule: // a rule that stands in a wrong place may have to be copied there
			again = names[s.Rule.Key().String()+s.Rule.Description] && !strings.Contains(s.Reason, "a copy")
		case cloudfw.AuthoriseRules:
			again = slices.ContainsFunc(s.GroupRules, func(r cloudfw.GroupRule) bool { return names[s.GroupID+r.Peer.String()] })
		}
		if again {
			t.Fatalf("what was adopted is made again: %s %s", s.Op, s.Subject())
		}
	}
}

// What was released as a whole is adopted as a whole, and then nothing is left to do.
func TestAReleasedAccountIsAdoptedAgain(t *testing.T) {
	owner := cloudfw.Owner("edge")
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t: t, snap: cloudfw.Snapshot{Groups: []cloudfw.SecurityGroup{{ID: "sg-mail"}}}}
		in := Input{Intent: genIntent(t, owner, "intent"), Limits: smallLimits(), Now: now}
		for _, kind := range []Kind{Reconcile, Release, Adopt} {
			in.Live, in.Kind = w.snap, kind
			p, err := Compute(in)
			if err != nil {
				t.Fatal(err)
			}
			if kind == Reconcile {
				for _, s := range p.Steps {
					w.execute(s)
				}
				continue
			}
			w.snap = cloudfw.After(w.snap, p.Steps)
			if kind == Release {
				described(w.snap, func(id, text string) string {
					if _, marked := cloudfw.ParseMarker(text); marked {
						t.Fatalf("%s is still %q", id, text)
					}
					return text
				})
			}
		}
		in.Live, in.Kind = w.snap, Reconcile
		if p, err := Compute(in); err != nil || p.Changes() {
			t.Fatalf("error %v, steps %+v", err, p.Steps)
		}
	})
}

func TestAdoptTakesWhatFitsAndTellsWhatNearlyDoes(t *testing.T) {
	owner := cloudfw.Owner("edge")
	intent := cloudfw.Intent{
		Owner: owner, Targets: []cloudfw.Target{{Kind: cloudfw.InternetFirewall}},
		Blocked: []cloudfw.Block{{Prefix: prefix(t, "198.51.100.7")}},
		Rules: []cloudfw.Rule{
			{Name: "drop-attackers", Direction: cloudfw.In, From: cloudfw.Side{Blocked: true}, To: cloudfw.Side{Any: true}, Protocol: cloudfw.AnyProtocol, Application: "ANY", Action: cloudfw.Drop},
		},
	}
	for name, c := range map[string]struct {
		book   func(*cloudfw.AddressBook)
		rule   func(*cloudfw.FirewallRule)
		only   []string
		adopts string // ids
		note   string
	}{
		"both":                             {adopts: "book rule"},
		"only the book, by its name":       {only: []string{"fwsync-edge-blocked4-1"}, adopts: "book"},
		"only the book, by what it is for": {only: []string{"blocked4-1"}, adopts: "book"},
		"only the rule":                    {only: []string{"rule"}, adopts: "rule"},
		"other addresses":                  {book: func(b *cloudfw.AddressBook) { b.Prefixes[0] = prefix(t, "198.51.100.99") }, adopts: "book rule"},
		"a book of the other family":       {book: func(b *cloudfw.AddressBook) { b.Family, b.Prefixes = cloudfw.IPv6, nil }, adopts: "rule", note: "is of ipv6, not ipv4"},
		"a book of domains":                {book: func(b *cloudfw.AddressBook) { b.Family, b.Type, b.Prefixes = "", cloudfw.DomainNames, nil }, adopts: "rule", note: "holds entries of type domain"},
		"a book of another owner":          {book: func(b *cloudfw.AddressBook) { b.Description = "fwsync owner=other book=x" }, adopts: "rule", note: "mark of another owner"},
		"a book that was renamed":          {book: func(b *cloudfw.AddressBook) { b.Description = "fwsync owner=edge book=blocked4-9" }, adopts: "book rule"},
		"a book that nobody needs":         {book: func(b *cloudfw.AddressBook) { b.Name = "fwsync-edge-friends" }, adopts: "rule", note: "nothing needs a book of that name"},
		"a rule of another owner":          {rule: func(r *cloudfw.FirewallRule) { r.Description = "fwsync owner=other rule=x" }, adopts: "book", note: "mark of another owner"},
		"a disabled rule":                  {rule: func(r *cloudfw.FirewallRule) { r.Disabled = true }, adopts: "book", note: "but for its state: disabled, wanted is enabled"},
		"a rule of one port":               {rule: func(r *cloudfw.FirewallRule) { r.Ports = cloudfw.PortRange{First: 25, Last: 25} }, adopts: "book", note: "but for its ports: 25, wanted is any"},
		"a rule to one network":            {rule: func(r *cloudfw.FirewallRule) { r.Destination.Value = "192.0.2.0/24" }, adopts: "book", note: "but for its destination: 192.0.2.0/24, wanted is 0.0.0.0/0"},
		"a rule that differs twice":        {rule: func(r *cloudfw.FirewallRule) { r.Destination.Value, r.Disabled = "192.0.2.0/24", true }, adopts: "book"},
		"a rule the other way":             {rule: func(r *cloudfw.FirewallRule) { r.Direction = cloudfw.Out }, adopts: "book"},
		"every port spelled out":           {rule: func(r *cloudfw.FirewallRule) { r.Ports = cloudfw.PortRange{First: 1, Last: 65535} }, adopts: "book rule"},
	} {
		t.Run(name, func(t *testing.T) {
			live := cloudfw.Snapshot{
				Books: []cloudfw.AddressBook{{ID: "book", Name: owner.BookName("blocked4-1"), Family: cloudfw.IPv4, Description: "by hand", Prefixes: []netip.Prefix{prefix(t, "198.51.100.7")}}},
				Rules: []cloudfw.FirewallRule{{ID: "rule", Order: 1, Direction: cloudfw.In, Family: cloudfw.IPv4, Action: cloudfw.Drop, Protocol: cloudfw.AnyProtocol, Application: "ANY",
					Source: cloudfw.Peer{Kind: cloudfw.Book, Value: owner.BookName("blocked4-1")}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}, Description: "by hand too"}},
			}
			if c.book != nil {
				c.book(&live.Books[0])
			}
			if c.rule != nil {
				c.rule(&live.Rules[0])
			}
			// A second one of the same content stays other people's.
			double := live.Rules[0]
			double.ID, double.Order = "double", 2
			live.Rules = append(live.Rules, double)
			p, err := Compute(Input{Intent: intent, Live: live, Limits: smallLimits(), Now: now, Kind: Adopt, Only: c.only})
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, s := range p.Steps {
				if s.Book != nil {
					ids = append(ids, s.Book.ID)
				} else {
					ids = append(ids, s.Rule.ID)
				}
			}
			if got := strings.Join(ids, " "); got != c.adopts {
				t.Errorf("adopts %q, want %q", got, c.adopts)
			}
			if got := strings.Join(p.Notes, "\n"); !strings.Contains(got, c.note) || c.note == "" && len(p.Notes) > 0 {
				t.Errorf("notes %q, want %q", got, c.note)
			}
		})
	}
}

func TestReleasedIsNoMarkAndFits(t *testing.T) {
	for _, n := range []int{1, 80, 500} {
		text := Released(cloudfw.Marker{Owner: "edge", Kind: "rule", Name: strings.Repeat("x", n)}.String())
		if _, marked := cloudfw.ParseMarker(text); marked || len(text) > 256 || !strings.HasPrefix(text, "released by fwsync, was: fwsync owner=edge rule=x") {
			t.Errorf("released is %q", text)
		}
	}
}

func TestAPlanOfNoKindIsAnError(t *testing.T) {
	if _, err := Compute(Input{Intent: cloudfw.Intent{Owner: "edge"}, Kind: "steal"}); err == nil || fmt.Sprint(err) != `"steal" is no kind of plan` {
		t.Errorf("error %v", err)
	}
}
