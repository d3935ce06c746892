package reconcile_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
	"fwsync/sync/reconcile"
)

// What is planned for a packet is what happens to it once the plan is applied: the
// same verdict by the same rule in the same place. And asking changes nothing.
func TestWhatIsPlannedForAPacketComesTrue(t *testing.T) {
	moved, folder := 0, t.TempDir()
	few(t, 8, func(t *rapid.T) {
		decisions := genDecisions(t)
		b := newBench(t, folder, genWorld(t), genPolicy(t), decisions)
		defer b.close()
		blocked, server := rapid.SampledFrom(decisions).Draw(t, "blocked").Prefix.Addr(), "192.0.2.25"
		if blocked.Is6() {
			server = "2001:db8:1::1"
		}
		asked := []reconcile.Packet{
			packetOf(cloudfw.In, blocked.String(), server, 25), // of the others none may be blocked
			packetOf(cloudfw.In, fmt.Sprintf("198.51.100.%d", rapid.IntRange(1, 120).Draw(t, "attacker")), "192.0.2.25", 25),
			packetOf(cloudfw.In, fmt.Sprintf("203.0.113.%d", rapid.IntRange(0, 70).Draw(t, "stranger")), "192.0.2.25", 443),
			packetOf(cloudfw.In, "192.0.2.130", "192.0.2.25", 22),
			packetOf(cloudfw.In, "2001:db8::6e", "2001:db8:1::1", 25),
			packetOf(cloudfw.Out, "192.0.2.25", fmt.Sprintf("198.51.100.%d", rapid.IntRange(1, 120).Draw(t, "called")), 443),
		}
		before := b.picture()
		var planned []string
		for _, p := range asked {
			e, err := b.look.ExplainPacket(context.Background(), p)
			if err != nil {
				t.Fatal(err)
			}
			if e.Changes {
				moved++
			}
			planned = append(planned, told(e, func(x reconcile.PacketTarget) reconcile.PacketVerdict { return x.Planned }))
		}
		if now := b.picture(); now != before {
			t.Fatalf("asking changed the cloud:\n%s\nwas:\n%s", now, before)
		}
		b.settle(t)
		for i, p := range asked {
			e, err := b.look.ExplainPacket(context.Background(), p)
			if err != nil {
				t.Fatal(err)
			}
			live := told(e, func(x reconcile.PacketTarget) reconcile.PacketVerdict { return x.Live })
			if live != planned[i] || e.Changes {
				t.Fatalf("%+v: live\n%s\nwas planned\n%s", p, live, planned[i])
			}
		}
	})
	if moved == 0 {
		t.Error("no plan changed the verdict of a packet: the test guards nothing")
	}
}

func packetOf(direction cloudfw.Direction, from, to string, port uint16) reconcile.Packet {
	return reconcile.Packet{Direction: direction, From: netip.MustParseAddr(from), To: netip.MustParseAddr(to), Protocol: cloudfw.TCP, Port: port}
}

// told is one side of an explanation without the ids that the cloud gives.
func told(e reconcile.PacketExplanation, side func(reconcile.PacketTarget) reconcile.PacketVerdict) string {
	var b strings.Builder
	for _, t := range append(e.Targets, e.Paths...) {
		v := side(t)
		fmt.Fprintf(&b, "%s: %s at %q %s", t.Target, v.Action, v.At, v.Because)
		if v.Rule != nil {
			fmt.Fprintf(&b, " by #%d %q ours %v %s", v.Rule.Order, v.Rule.Description, v.Rule.Ours, v.Rule.Declared)
		}
		b.WriteString("\n")
	}
	return b.String()
}
