package simulator

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// marked are the objects that the editor must leave alone, as text; positions may
// change, since inserting above them is an edit of his own objects.
func marked(s State, prefix string) string {
	var out strings.Builder
	for _, p := range s.Policies {
		if strings.HasPrefix(p.Description, prefix) {
			p.Order, p.ModifyTime = 0, 0
			fmt.Fprintf(&out, "%+v\n", p)
		}
	}
	for _, b := range s.AddressBooks {
		if strings.HasPrefix(b.Description, prefix) {
			fmt.Fprintf(&out, "%+v\n", b)
		}
	}
	for _, g := range s.SecurityGroups {
		for _, r := range g.Rules {
			if strings.HasPrefix(r.Description, prefix) {
				fmt.Fprintf(&out, "%s %+v\n", g.ID, r)
			}
		}
	}
	return out.String()
}

// scene is an account with marked and unmarked objects of each kind.
func scene(t *testing.T, o Options) (*Cloud, *client) {
	t.Helper()
	cloud, c := newWorld(t, o)
	for i := range 4 {
		c.firewall("AddControlPolicy", policyArgs("Description", fmt.Sprintf("mine: policy %d", i))...)
	}
	c.firewall("AddAddressBook", "GroupName", "mine", "GroupType", "ip", "Description", "mine: book", "AddressList", "198.51.100.1,198.51.100.2")
	c.ecs("AuthorizeSecurityGroup", "SecurityGroupId", "sg-mail", "Permissions.1.IpProtocol", "tcp", "Permissions.1.PortRange", "25/25",
		"Permissions.1.SourceCidrIp", "198.51.100.0/24", "Permissions.1.Description", "mine: rule")
	return cloud, c
}

func TestTheEditorSparesWhatIsMarked(t *testing.T) {
	for seed := range uint64(5) {
		cloud, c := scene(t, Options{Seed: seed})
		before, foreign := marked(cloud.Snapshot(), "mine:"), cloud.Snapshot()
		cloud.Inject(Fault{Kind: FaultEditor, Spare: "mine:", Count: -1})
		for range 200 {
			c.firewall("DescribeAddressBook")
		}
		after := cloud.Snapshot()
		if got := marked(after, "mine:"); got != before {
			t.Errorf("seed %d: the editor changed\n%sto\n%s", seed, before, got)
		}
		if marked(after, "") == marked(foreign, "") {
			t.Errorf("seed %d: 200 calls and the editor did nothing", seed)
		}
		if err := cloud.Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestTheEditorWithoutAMarkTouchesOnlyWhatHeMade(t *testing.T) {
	cloud, c := scene(t, Options{Seed: 3})
	start := cloud.Snapshot()
	cloud.Inject(Fault{Kind: FaultEditor, Count: -1})
	for range 200 {
		c.firewall("DescribeAddressBook")
	}
	after := cloud.Snapshot()
	for _, p := range start.Policies {
		if !strings.Contains(marked(after, p.Description), p.UUID) {
			t.Errorf("policy %q is gone or changed", p.Description)
		}
	}
	for _, b := range start.AddressBooks {
		if !strings.Contains(marked(after, b.Description), fmt.Sprint(b.Addresses)) {
			t.Errorf("book %q is gone or changed", b.Name)
		}
	}
	if len(after.SecurityGroups[0].Rules) < len(start.SecurityGroups[0].Rules) || marked(after, "edited by hand") == "" {
		t.Error("the editor removed the rules of others, or did nothing at all")
	}
}

// Everything around the account may be turned while calls run.
func TestTheSurroundingsMayBeTurnedWhileCallsRun(t *testing.T) {
	cloud, c := scene(t, Options{EngineDelay: time.Minute, SkipTimestamp: true})
	cloud.Inject(Fault{Kind: FaultEditor, Spare: "mine:", Probability: 0.5})
	before := marked(cloud.Snapshot(), "mine:")
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for range 20 {
				c.firewall("DescribeControlPolicy", "Direction", "in", "CurrentPage", "1", "PageSize", "50")
				c.firewall("AddControlPolicy", policyArgs("Description", "another")...)
			}
		})
	}
	all.Go(func() {
		for i := range 20 {
			if err := cloud.SetLimits(Limits{Books: 100 + i}); err != nil {
				t.Error(err)
			}
			if err := cloud.SetPermissions(map[string]Permissions{AnyKey: {Deny: []string{"ecs:*"}}}); err != nil {
				t.Error(err)
			}
			cloud.AdvanceClock(time.Second)
			cloud.SetEngineDelay(time.Duration(i) * time.Second)
			cloud.Engine()
			cloud.Faults()
			cloud.Calls()
			if err := cloud.Check(); err != nil {
				t.Error(err)
			}
		}
	})
	all.Wait()
	if got := marked(cloud.Snapshot(), "mine:"); got != before {
		t.Errorf("the editor changed\n%sto\n%s", before, got)
	}
}

func TestTheEditorRepeatsHimselfWithTheSeed(t *testing.T) {
	run := func(seed uint64) string {
		cloud, c := scene(t, Options{Seed: seed})
		cloud.Inject(Fault{Kind: FaultEditor, Spare: "mine:", Count: -1, Writes: true})
		for range 60 {
			c.call(versionCloudfw, "AddControlPolicy", policyArgs("Description", "mine: another")...)
		}
		raw, err := json.Marshal(cloud.Snapshot())
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	first := run(1)
	if run(1) != first {
		t.Error("the same seed gave two worlds")
	}
	if run(2) == first {
		t.Error("another seed gave the same world")
	}
}
