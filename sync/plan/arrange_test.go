package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
	"fwsync/cloudfw/packets"
)

// ruleFor is a small rule: who it is about, what it does, whose it is.
func ruleFor(name string, host int, action cloudfw.Action) cloudfw.FirewallRule {
	description := "by hand " + name
	if strings.ToUpper(name) == name {
		description = cloudfw.Marker{Owner: "edge", Kind: "rule", Name: strings.ToLower(name)}.String()
	}
	source := "0.0.0.0/0"
	if host >= 0 {
		source = fmt.Sprintf("198.51.100.%d/32", host)
	}
	return cloudfw.FirewallRule{
		ID: name, Direction: cloudfw.In, Family: cloudfw.IPv4, Action: action, Protocol: cloudfw.AnyProtocol, Application: "ANY",
		Source: cloudfw.Peer{Kind: cloudfw.Net, Value: source}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}, Description: description,
	}
}

// fewestCalls searches all sequences for the shortest way: the wanted rules in their
// order, each above every rule of other people that contradicts it.
func fewestCalls(live, wanted []string, rules map[string]cloudfw.FirewallRule) int {
	ours := func(name string) bool { return strings.ToUpper(name) == name }
	done := func(seq []string) bool {
		at := 0
		for i, name := range seq {
			if !ours(name) {
				continue
			}
			if at == len(wanted) || wanted[at] != name {
				return false
			}
			at++
			for _, above := range seq[:i] {
				f, w := rules[above], rules[name]
				if !ours(above) && f.Action != w.Action && (f.Source == w.Source || f.Source.Value == "0.0.0.0/0" || w.Source.Value == "0.0.0.0/0") {
					return false
				}
			}
		}
		return at == len(wanted)
	}
	seen := map[string]bool{}
	front := [][]string{live}
	for calls := 0; ; calls++ {
		var next [][]string
		for _, seq := range front {
			if done(seq) {
				return calls
			}
			for i, name := range seq {
				if !ours(name) {
					continue
				}
				without := slices.Delete(slices.Clone(seq), i, i+1)
				next = append(next, without)
				for to := range len(without) + 1 {
					next = append(next, slices.Insert(slices.Clone(without), to, name))
				}
			}
			for _, name := range wanted {
				if !slices.Contains(seq, name) {
					for to := range len(seq) + 1 {
						next = append(next, slices.Insert(slices.Clone(seq), to, name))
					}
				}
			}
		}
		front = slices.DeleteFunc(next, func(seq []string) bool {
			key := strings.Join(seq, " ")
			was := seen[key]
			seen[key] = true
			return was
		})
	}
}

// Promise P11: a list is brought into shape with the fewest calls that there are; a
// plan makes more only for copies, and counts them.
func TestP11MovesAreAsFewAsTheyCanBe(t *testing.T) {
	key := cloudfw.ListKey{Direction: cloudfw.In, Family: cloudfw.IPv4}
	rapid.Check(t, func(t *rapid.T) {
		rules := map[string]cloudfw.FirewallRule{}
		names := []string{"A", "B", "C", "D", "f", "g"}
		for _, name := range names {
			rules[name] = ruleFor(name, rapid.SampledFrom([]int{-1, -1, 0, 1}).Draw(t, name), rapid.SampledFrom([]cloudfw.Action{cloudfw.Accept, cloudfw.Drop}).Draw(t, name+" does"))
		}
		pick := func(label string, from []string) []string {
			return rapid.Permutation(from).Draw(t, label)[:len(from)-rapid.SampledFrom([]int{0, 0, 0, 1, 2, 4}).Draw(t, label+" less")]
		}
		live, wanted := pick("live", names), pick("wanted", names[:4])
		var liveRules, wantedRules []cloudfw.FirewallRule
		for i, name := range live {
			r := rules[name]
			r.Order = i + 1
			liveRules = append(liveRules, r)
		}
		for _, name := range wanted {
			r := rules[name]
			r.ID = ""
			wantedRules = append(wantedRules, r)
		}
		a := arrange("edge", key, liveRules, wantedRules, cloudfw.Snapshot{}, cloudfw.Snapshot{}, packets.NewCompiler(), false)
		if want := fewestCalls(live, wanted, rules); a.fewest != want {
			t.Fatalf("%v to %v: fewest %d, a search finds %d", live, wanted, a.fewest, want)
		}
		made := 0
		for _, s := range a.steps {
			if strings.Contains(s.Reason, "a copy") {
				made++
			}
		}
		if len(a.steps) != a.fewest+made {
			t.Fatalf("%v to %v: %d steps, fewest %d, copies %d", live, wanted, len(a.steps), a.fewest, made)
		}
		if p := prove(cloudfw.Snapshot{Rules: liveRules}, a.steps, packets.NewCompiler()); !p.Safe {
			t.Fatalf("%v to %v: not safe: %+v", live, wanted, p.Unsafe)
		}
	})
}

// A rule that has to go down below one that contradicts it is copied, not moved.
func TestADescentThatWouldOpenAGapIsACopy(t *testing.T) {
	key := cloudfw.ListKey{Direction: cloudfw.In, Family: cloudfw.IPv4}
	a, b := ruleFor("A", -1, cloudfw.Accept), ruleFor("B", 1, cloudfw.Accept)
	for _, c := range []struct {
		down cloudfw.FirewallRule
		ops  []cloudfw.Op
	}{
		{ruleFor("C", 1, cloudfw.Drop), []cloudfw.Op{cloudfw.InsertRule, cloudfw.DeleteRule}},
		{ruleFor("C", 1, cloudfw.Accept), []cloudfw.Op{cloudfw.MoveRule}},
	} {
		live := []cloudfw.FirewallRule{c.down, a, b}
		for i := range live {
			live[i].Order = i + 1
		}
		got := arrange("edge", key, live, []cloudfw.FirewallRule{a, b, c.down}, cloudfw.Snapshot{}, cloudfw.Snapshot{}, packets.NewCompiler(), false)
		var ops []cloudfw.Op
		for _, s := range got.steps {
			ops = append(ops, s.Op)
		}
		if !slices.Equal(ops, c.ops) || got.fewest != 1 {
			t.Errorf("%s goes down by %v, fewest %d; want %v", c.down.Action, ops, got.fewest, c.ops)
		}
	}
}
