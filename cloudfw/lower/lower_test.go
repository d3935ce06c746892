package lower

import (
	"fmt"
	"net/netip"
	"testing"

	"fwsync/cloudfw"
)

// blocks are n that cannot be aggregated: every other address.
func blocks(n int, score func(int) int) []cloudfw.Block {
	var all []cloudfw.Block
	for i := range n {
		all = append(all, cloudfw.Block{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18, byte(2 * i >> 8), byte(2 * i)}), 32), Score: score(i)})
	}
	return all
}

func groupIntent(via cloudfw.Via, capacity int, blocked []cloudfw.Block) cloudfw.Intent {
	return cloudfw.Intent{Owner: "edge", Blocked: blocked, Targets: []cloudfw.Target{{Kind: cloudfw.SecurityGroupTarget, GroupID: "sg-mail", Via: via, Capacity: capacity}}}
}

func groupWith(foreign int) cloudfw.Snapshot {
	g := cloudfw.SecurityGroup{ID: "sg-mail"}
	for i := range foreign {
		g.Rules = append(g.Rules, cloudfw.GroupRule{ID: fmt.Sprint("hand-", i), Direction: cloudfw.In, Action: cloudfw.Accept, Priority: 50, Description: "by hand"})
	}
	return cloudfw.Snapshot{Groups: []cloudfw.SecurityGroup{g}}
}

// Promise P4: what a target cannot hold is listed, and what it holds are the
// highest scores.
func TestP4AFullGroupHoldsTheHighestScoresAndListsTheRest(t *testing.T) {
	for _, via := range []cloudfw.Via{cloudfw.ViaPrefixList, cloudfw.ViaRules} {
		w, err := Lower(groupIntent(via, 25, blocks(60, func(i int) int { return i })), groupWith(3), cloudfw.DefaultLimits(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(w.Shelved) != 40 {
			t.Errorf("%s: %d shelved, want 40 (a fifth of the 25 places is for IPv6)", via, len(w.Shelved))
		}
		for _, s := range w.Shelved {
			if s.Block.Score >= 40 {
				t.Errorf("%s: score %d is shelved, although lower ones are held", via, s.Block.Score)
			}
		}
	}
}

func TestOtherPeoplesRulesAreNeverCrowdedOut(t *testing.T) {
	limits := cloudfw.DefaultLimits()
	for _, foreign := range []int{0, 100, 150, 195, 200, 230} {
		for _, via := range []cloudfw.Via{cloudfw.ViaPrefixList, cloudfw.ViaRules} {
			w, err := Lower(groupIntent(via, 200, blocks(300, func(int) int { return 1 })), groupWith(foreign), limits, nil)
			if err != nil {
				t.Fatal(err)
			}
			used := foreign
			for _, r := range w.Groups[0].Rules {
				used += RuleCost(r, cloudfw.Snapshot{Lists: w.Lists})
			}
			if used > max(limits.RulesPerGroup, foreign) {
				t.Errorf("%s beside %d foreign rules: %d of %d", via, foreign, used, limits.RulesPerGroup)
			}
		}
	}
}

func TestEqualScoresInPlaceStay(t *testing.T) {
	intent := groupIntent(cloudfw.ViaRules, 5, blocks(10, func(int) int { return 1 }))
	live := groupWith(0)
	held := intent.Blocked[9].Prefix.String()
	live.Groups[0].Rules = append(live.Groups[0].Rules, groupRule("edge", intent.Targets[0], cloudfw.Peer{Kind: cloudfw.Net, Value: held}))
	w, err := Lower(intent, live, cloudfw.DefaultLimits(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range w.Groups[0].Rules {
		if r.Peer.Value == held {
			return
		}
	}
	t.Errorf("%s is in place and was replaced by an equal", held)
}

func TestAMissingOrManagedGroupIsAnError(t *testing.T) {
	intent := groupIntent(cloudfw.ViaRules, 5, nil)
	if _, err := Lower(intent, cloudfw.Snapshot{}, cloudfw.DefaultLimits(), nil); cloudfw.KindOf(err) != cloudfw.NotFound {
		t.Errorf("missing: %v", err)
	}
	live := groupWith(0)
	live.Groups[0].Managed = true
	if _, err := Lower(intent, live, cloudfw.DefaultLimits(), nil); cloudfw.KindOf(err) != cloudfw.Denied {
		t.Errorf("managed: %v", err)
	}
}
