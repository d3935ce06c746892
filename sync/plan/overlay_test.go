package plan

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
)

// An incident's rules come to stand above all others, and nothing else changes; each
// moment gives a packet its verdict of before or after, as enumerated, not as proven;
// laying them again, or as part of the intent, plans nothing; another end edits them in
// place; lifting what was laid gives the account back as it was.
func TestP2AnOverlayIsLaidAndLiftedSafelyAndExactly(t *testing.T) {
	owner, space, laid := cloudfw.Owner("edge"), everyPacket(), 0
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t: t, snap: cloudfw.Snapshot{TakenAt: now, Groups: []cloudfw.SecurityGroup{{ID: "sg-mail"}}}}
		make := func(p Plan) {
			if !p.Proof.Safe {
				t.Fatalf("not proven safe: %+v", p.Proof.Unsafe)
			}
			before, after := clone(w.snap), &world{t: t, snap: clone(w.snap), next: w.next}
			for _, s := range p.Steps {
				after.execute(s)
			}
			for i, s := range p.Steps {
				w.execute(s)
				for _, pk := range space {
					if got := verdict(w.snap, pk); got != verdict(before, pk) && got != verdict(after.snap, pk) {
						t.Fatalf("after step %d (%s %s) packet %v gets %s, neither the old nor the new verdict", i+1, s.Op, s.Subject(), pk, got)
					}
				}
			}
		}
		compute := func(in Input) Plan {
			in.Live, in.Limits, in.Now = w.snap, cloudfw.DefaultLimits(), now
			p, err := Compute(in)
			if err != nil {
				t.Fatal(err)
			}
			if !p.Intact() || p.Calls.Planned != len(p.Steps) {
				t.Fatalf("plan %+v", p)
			}
			return p
		}
		intent := genIntent(t, owner, "policy")
		for _, s := range compute(Input{Intent: intent}).Steps {
			w.execute(s)
		}
		inShape := rapid.Bool().Draw(t, "in shape")
		if !inShape {
			edit(t, w)
		}
		before := clone(w.snap)
		text := func(s cloudfw.Snapshot) string {
			if len(s.Rules) == 0 {
				s.Rules = nil
			}
			if len(s.Books) == 0 {
				s.Books = nil
			}
			data, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			return string(data)
		}
		overlay := func(until time.Time) []cloudfw.Rule {
			var rules []cloudfw.Rule
			for _, r := range genIncident(t, owner) {
				r.Name, r.Validity = "storm-"+r.Name, cloudfw.Lapsing(now, until)
				rules = append(rules, r)
			}
			return rules
		}(now.Add(time.Hour))

		p := compute(Input{Intent: intent, Kind: Overlay, Overlay: overlay})
		for _, s := range p.Steps {
			if s.Op != cloudfw.CreateBook && s.Op != cloudfw.InsertRule {
				t.Fatalf("a start makes the step %s %s", s.Op, s.Subject())
			}
		}
		make(p)
		laid += len(p.Steps)
		for _, key := range lists {
			others := false
			for _, r := range w.snap.List(key) {
				if !ofIncident(r) {
					others = true
				} else if others {
					t.Fatalf("%s stands below others", r)
				}
			}
		}
		if again := compute(Input{Intent: intent, Kind: Overlay, Overlay: overlay}); again.Changes() {
			t.Fatalf("laying again still plans %s %s", again.Steps[0].Op, again.Steps[0].Subject())
		}
		whole := intent
		whole.Rules = slices.Concat(overlay, intent.Rules)
		if all := compute(Input{Intent: whole}); inShape && all.Changes() {
			t.Fatalf("a reconcile would %s %s", all.Steps[0].Op, all.Steps[0].Subject())
		}
		for i := range overlay {
			overlay[i].Validity = cloudfw.Lapsing(now, now.Add(3*time.Hour))
		}
		longer := compute(Input{Intent: intent, Kind: Overlay, Overlay: overlay})
		for _, s := range longer.Steps {
			if s.Op != cloudfw.EditRule {
				t.Fatalf("an extension makes the step %s %s", s.Op, s.Subject())
			}
		}
		make(longer)

		var lift Lift
		for _, r := range w.snap.Rules {
			if ofIncident(r) {
				lift.Rules = append(lift.Rules, r)
			}
		}
		for _, b := range w.snap.Books {
			if _, there := before.Book(b.Name); !there {
				lift.Books = append(lift.Books, b)
			}
		}
		make(compute(Input{Intent: intent, Kind: Lifting, Lift: lift}))
		if text(w.snap) != text(before) {
			t.Fatalf("lifted\n%s\nwant\n%s", text(w.snap), text(before))
		}
	})
	if laid == 0 {
		t.Error("no incident had rules: the test guards nothing")
	}
}

// genIncident are rules that name no blocked addresses: what there are of these depends
// on books that a start leaves alone.
func genIncident(t *rapid.T, owner cloudfw.Owner) []cloudfw.Rule {
	return slices.DeleteFunc(genIntent(t, owner, "incident").Rules, onBlocked)
}

func TestAnOverlaySaysWhatATargetCannotDo(t *testing.T) {
	owner := cloudfw.Owner("edge")
	rule := cloudfw.Rule{Name: "lock", Direction: cloudfw.Out, From: cloudfw.Side{Any: true}, To: cloudfw.Side{Blocked: true}, Protocol: cloudfw.AnyProtocol, Application: "ANY", Action: cloudfw.Drop}
	between := rule
	between.Name, between.Direction, between.To = "between", cloudfw.Between, cloudfw.Side{Any: true}
	p, err := Compute(Input{
		Intent: cloudfw.Intent{Owner: owner, Targets: []cloudfw.Target{{Kind: cloudfw.InternetFirewall}, {Kind: cloudfw.SecurityGroupTarget, GroupID: "sg-mail"}}},
		Live:   cloudfw.Snapshot{Groups: []cloudfw.SecurityGroup{{ID: "sg-mail"}}}, Limits: cloudfw.DefaultLimits(), Now: now, Kind: Overlay, Overlay: []cloudfw.Rule{rule, between},
	})
	want := []string{
		"rule lock: no book holds blocked addresses yet; the next reconcile puts it in place with the first",
		"rule between: no target takes it",
		"security-group sg-mail takes no rules of an incident, only blocked addresses, and knows no end time: what it blocks stays until fwsync takes it away",
		"these rules have no end of their own: they stay until fwsync takes them away",
	}
	if err != nil || !slices.Equal(p.Notes, want) || p.Changes() {
		t.Errorf("error %v, notes\n%q, want\n%q", err, p.Notes, want)
	}
}

// ofIncident reports whether the test's incident put a rule there.
func ofIncident(r cloudfw.FirewallRule) bool { return strings.Contains(r.Description, " rule=storm-") }
