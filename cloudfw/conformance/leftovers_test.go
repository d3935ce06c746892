package conformance

import (
	"strings"
	"testing"

	"fwsync/cloudfw/simulator"
)

// What a run that was killed left behind is removed by the next one of the same
// prefix, and nothing that merely looks like it.
func TestLeftoversOfTheSamePrefixAreRemovedAndNothingElse(t *testing.T) {
	t.Parallel()
	world := crowded()
	clean := newService(t, simulator.Options{}).cloud.Snapshot()
	for _, owner := range []string{"conf", "conf2"} {
		mark := "fwsync owner=" + owner + " "
		world.AddressBooks = append(world.AddressBooks,
			simulator.AddressBook{Name: "fwsync-" + owner + "-four", Type: "ip", Description: mark + "book=four", Addresses: []string{"192.0.2.1/32"}},
			simulator.AddressBook{Name: "fwsync-" + owner + "-other", Type: "port", Description: mark + "book=another-name", Addresses: []string{"25/25"}},
		)
		for _, p := range []simulator.Policy{{Direction: "in", IPVersion: 4}, {NATGateway: nat.NAT, Direction: "out"}, {VPCFirewall: vpc.VPC}} {
			p.Action, p.Proto, p.Applications, p.DestPort = "drop", "TCP", []string{"ANY"}, "25/25"
			p.SourceType, p.Source, p.DestinationType, p.Destination = "group", "fwsync-"+owner+"-four", "net", "198.51.100.0/24"
			p.Description = mark + "rule=left"
			world.Policies = append(world.Policies, p)
		}
		world.PrefixLists = append(world.PrefixLists, simulator.PrefixList{
			ID: "pl-" + owner, Name: "fwsync-" + owner + "-list", Family: "IPv4", MaxEntries: 2, Description: mark + "list=list", Entries: []simulator.PrefixEntry{},
		})
		world.SecurityGroups[0].Rules = append(world.SecurityGroups[0].Rules, simulator.SecurityRule{
			Direction: "ingress", Protocol: "ALL", PortRange: "-1/-1", Policy: "Drop", Priority: 1, SourcePrefixListID: "pl-" + owner, Description: mark + "rule=group",
		})
	}
	s := newService(t, simulator.Options{World: &world})
	r := begin(t, s.subject(t, 1, nil))

	after := plain(s.cloud.Snapshot())
	if n := strings.Count(after, "fwsync owner=conf "); n != strings.Count(plain(clean), "fwsync owner=conf ")+1 {
		t.Errorf("%d texts look like the owner's, want the lookalikes and the book with another book's marker: %s", n, after)
	}
	if n := strings.Count(after, "owner=conf2 "); n != 7 {
		t.Errorf("%d of 7 objects of an owner whose name begins alike are left: %s", n, after)
	}
	live, err := r.sweep(t.Context())
	if err != nil || len(r.removals(live)) != 0 {
		t.Errorf("%d leftovers, %v", len(r.removals(live)), err)
	}
}

func TestAPrefixNamesAnOwner(t *testing.T) {
	for _, prefix := range []string{"", "conf", "fwsync-", "fwsync-conf", "conf-", "fwsync--", "fwsync-Conf-", "fwsync-conf--", "x-fwsync-conf-"} {
		if owner, err := (Subject{Prefix: prefix}).owner(); err == nil {
			t.Errorf("%q names the owner %q", prefix, owner)
		}
	}
	if owner, err := (Subject{Prefix: "fwsync-conf-2-"}).owner(); err != nil || owner != "conf-2" {
		t.Errorf("got %q, %v", owner, err)
	}
}
