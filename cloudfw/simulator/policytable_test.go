package simulator

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// Readers keep a state while others write: whatever happens later, a state that was
// once published never changes, although it shares its policies with its successors.
func TestPublishedStatesNeverChange(t *testing.T) {
	for seed := range uint64(4) {
		cloud, c := newWorld(t, Options{})
		dice := rand.New(rand.NewPCG(seed, 0))
		book := c.firewall("AddAddressBook", "GroupName", "blocked", "GroupType", "ip", "Description", "some", "AddressList", "198.51.100.1").text("GroupUuid")
		var states []*State
		var copies []State
		ids := func() []string {
			var out []string
			for _, p := range cloud.Snapshot().Policies {
				out = append(out, p.UUID)
			}
			return out
		}
		for n := range 250 {
			s, err := cloud.view(false)
			if err != nil {
				t.Fatal(err)
			}
			states, copies = append(states, s), append(copies, s.clone())
			known := ids()
			one := known[dice.IntN(len(known))]
			p := tcpPolicy([]string{"in", "out"}[dice.IntN(2)], -1, fmt.Sprint(n))
			switch dice.IntN(8) {
			case 0, 1:
				_, err = cloud.AddControlPolicy(p)
			case 2:
				p.Order = 1
				p.SourceType, p.Source = "group", cloud.Snapshot().AddressBooks[1].Name
				_, err = cloud.AddControlPolicy(p)
			case 3:
				err = cloud.MoveControlPolicy(one, 1)
			case 4:
				if len(known) > 3 {
					err = cloud.DeleteControlPolicy(one)
				}
			case 5:
				err = cloud.ModifyControlPolicy(one, func(p *Policy) { p.Description = fmt.Sprint("changed ", n) })
			case 6:
				err = cloud.RecordHits(one, 1)
			case 7:
				c.firewall("ModifyAddressBook", "GroupUuid", book, "GroupName", fmt.Sprint("blocked-", n), "Description", "some")
			}
			if err != nil {
				t.Fatal(err)
			}
			// A refused write must not leave anything behind in what is shared.
			p.Proto = "SCTP"
			if _, err := cloud.AddControlPolicy(p); err == nil {
				t.Fatal("a policy with a wrong protocol was taken")
			}
			if err := cloud.Check(); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, n, err)
			}
		}
		for i, s := range states {
			if now := s.clone(); !reflect.DeepEqual(now, copies[i]) {
				t.Fatalf("seed %d: state %d of %d changed after it was published:\n%+v\nwas\n%+v", seed, i, len(states), now.Policies, copies[i].Policies)
			}
		}
	}
}

// A write that fails after it has added behind the last policy leaves the slot to
// the next one.
func TestAFailedAddLeavesNoTrace(t *testing.T) {
	cloud, _ := newWorld(t, Options{Limits: Limits{SpreadUnits: 2}})
	add := func(apps ...string) error {
		p := tcpPolicy("out", -1, "one")
		p.Application, p.Applications = "", apps
		_, err := cloud.AddControlPolicy(p)
		return err
	}
	if err := add("HTTP", "SMTP", "SSH"); code(err) != "ErrorAclExtendedCountExceed" {
		t.Errorf("got %v", err)
	}
	before := cloud.Snapshot()
	if err := add("HTTP"); err != nil {
		t.Error(err)
	}
	after := cloud.Snapshot()
	if len(before.Policies) != 1 || len(after.Policies) != 2 || !slices.Equal(after.Policies[1].Applications, []string{"HTTP"}) {
		t.Errorf("got %+v", after.Policies)
	}
}
