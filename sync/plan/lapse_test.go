package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
)

// emergencies is a world in which people block, extend and unblock, time passes, and
// fwsync comes by now and then, or is killed half-way.
type emergencies struct {
	*world
	vanish bool
	blocks map[int]cloudfw.Block
}

var emergencyRules = []cloudfw.Rule{
	{Name: "drop-attackers", Direction: cloudfw.In, From: cloudfw.Side{Blocked: true}, To: cloudfw.Side{Any: true}, Protocol: cloudfw.AnyProtocol, Application: "ANY", Action: cloudfw.Drop},
	{Name: "mail", Direction: cloudfw.In, From: cloudfw.Side{Any: true}, To: cloudfw.Side{Any: true}, Protocol: cloudfw.TCP, Application: "ANY", Action: cloudfw.Accept},
	{Name: "no-callbacks", Direction: cloudfw.Out, From: cloudfw.Side{Any: true}, To: cloudfw.Side{Blocked: true}, Protocol: cloudfw.AnyProtocol, Application: "ANY", Action: cloudfw.Drop},
}

func (e *emergencies) input() Input {
	in := Input{Live: e.snap, Limits: smallLimits(), Now: e.snap.TakenAt, Intent: cloudfw.Intent{
		Owner: "edge", Rules: emergencyRules, Targets: []cloudfw.Target{{Kind: cloudfw.InternetFirewall}, {Kind: cloudfw.NATFirewall, Border: gateway}},
	}}
	for n := range 8 {
		if b, ok := e.blocks[n]; ok && (b.Until.IsZero() || b.Until.After(in.Now)) {
			in.Intent.Blocked = append(in.Intent.Blocked, b)
		}
	}
	return in
}

// at is the account at a time to come, if nobody does anything until then.
func (e *emergencies) at(later time.Time) cloudfw.Snapshot {
	s := clone(e.snap)
	s.TakenAt = later
	if e.vanish {
		left := &world{t: e.t, snap: s}
		for _, r := range e.snap.Rules {
			if r.Validity.Lapsed(later) {
				left.take(r.ID, 0)
			}
		}
		s = left.snap
	}
	return s
}

// dropped reports whether every list of ours drops the packets of an address.
func dropped(s cloudfw.Snapshot, b cloudfw.Block) bool {
	s.Rules = slices.DeleteFunc(slices.Clone(s.Rules), func(r cloudfw.FirewallRule) bool {
		return !r.Validity.Permanent() && !r.Validity.Running(s.TakenAt)
	})
	own := netip.AddrFrom4([4]byte{192, 0, 2, 1})
	for _, list := range lists {
		p := packet{list, b.Prefix.Addr(), own, 25}
		if list.Direction == cloudfw.Out {
			p.src, p.dst = own, b.Prefix.Addr()
		}
		if verdict(s, p) != cloudfw.Drop {
			return false
		}
	}
	return true
}

// demand checks what holds at every moment, also when fwsync never comes back: each block
// that was enforced is, until its end.
func (e *emergencies) demand(t *rapid.T, when string, blocks []cloudfw.Block) {
	t.Helper()
	for _, b := range blocks {
		last := b.Until.Add(-time.Second)
		if b.Until.IsZero() {
			last = e.snap.TakenAt.Add(48 * time.Hour)
		}
		for _, at := range []time.Time{e.snap.TakenAt, last} {
			if !at.Before(e.snap.TakenAt) && !dropped(e.at(at), b) {
				t.Fatalf("%s: %s passes at %s, and is blocked until %s", when, b.Prefix, at, b.Until)
			}
		}
	}
}

// reconcile makes a plan and its first steps.
func (e *emergencies) reconcile(t *rapid.T, most int) {
	in, before := e.input(), e.snap
	p, err := Compute(in)
	if err != nil || !p.Proof.Safe {
		t.Fatalf("error %v, proof %+v", err, p.Proof)
	}
	var stays []cloudfw.Block // enforced now and wanted
	for _, b := range in.Intent.Blocked {
		if dropped(before, b) {
			stays = append(stays, b)
		}
	}
	for i, s := range p.Steps[:min(most, len(p.Steps))] {
		e.execute(s)
		for _, b := range stays {
			if !dropped(e.snap, b) {
				t.Fatalf("%s passes after step %d, %s %s", b.Prefix, i+1, s.Op, s.Subject())
			}
		}
	}
	if most < len(p.Steps) {
		return
	}
	e.demand(t, "reconciled", in.Intent.Blocked)
	e.bounded(t, in)
	next := e.snap.TakenAt.Add(48 * time.Hour)
	for _, b := range in.Intent.Blocked {
		if !b.Until.IsZero() && b.Until.Before(next) {
			next = b.Until
		}
	}
	idle := time.Duration(rapid.Int64Range(0, int64(next.Sub(e.snap.TakenAt))-1).Draw(t, "idle"))
	for _, later := range []time.Time{e.snap.TakenAt.Add(idle), next} {
		then := emergencies{world: &world{t: e.t, snap: e.at(later)}, blocks: e.blocks}
		p, err := Compute(then.input())
		if err != nil {
			t.Fatal(err)
		}
		if len(endlessOf(p)) > 0 {
			continue // what waits for room may have it now
		}
		for _, s := range p.Steps {
			if goes := s.Op == cloudfw.RemoveAddresses || s.Op == cloudfw.DeleteRule || s.Op == cloudfw.DeleteBook; !goes || later.Before(next) {
				t.Fatalf("at %s, as time has passed, the plan is to %s %s", later, s.Op, s.Subject())
			}
		}
	}
}

// bounded checks what may be there after a reconcile, and for how long without another.
func (e *emergencies) bounded(t *rapid.T, in Input) {
	wanted, err := lower.Lower(in.Intent, e.snap, in.Limits, nil)
	if err != nil {
		t.Fatal(err)
	}
	ends := map[time.Time]bool{}
	for _, b := range e.snap.Books {
		if end, lapses := lower.Lapse("edge", b.Name); lapses {
			ends[end] = true
		}
	}
	if len(ends) > lower.MostBuckets {
		t.Fatalf("%d buckets", len(ends))
	}
	own := map[time.Time]bool{}
	var last time.Time
	for _, b := range in.Intent.Blocked {
		if end := cloudfw.LapseOf(b.Until); b.Lapses {
			own[end] = true
			if end.After(last) {
				last = end
			}
		}
	}
	for end := range ends {
		if !own[end] {
			t.Fatalf("a bucket ends at %s, which nobody asked for", end)
		}
	}
	for n := range 8 {
		b, known := e.blocks[n]
		endless := slices.ContainsFunc(wanted.Endless, func(x lower.Endless) bool { return x.Prefix == b.Prefix })
		if known && b.Lapses && !endless && dropped(e.at(last), b) {
			t.Fatalf("%s is blocked at %s without fwsync, and was to be until %s", b.Prefix, last, b.Until)
		}
	}
}

// Whatever is blocked, extended and unblocked, and whenever fwsync comes by, is killed or
// gone for good: an emergency block is enforced until its end, at no moment of a move not,
// and then not beyond the half hour of one that was asked for; the buckets are few, time
// alone plans nothing, and other people's rules stay as they are.
func TestEmergencyBlocksLapseInTheirTime(t *testing.T) {
	moves := 0
	rapid.Check(t, func(t *rapid.T) {
		e := &emergencies{
			world:  &world{t: t, snap: cloudfw.Snapshot{TakenAt: now.Add(7 * time.Minute)}},
			vanish: rapid.Bool().Draw(t, "vanish"), blocks: map[int]cloudfw.Block{},
		}
		foreign := func() string { return fmt.Sprint(foreignOf("edge", e.snap)) }
		for range rapid.IntRange(0, 2).Draw(t, "strangers") {
			e.place(cloudfw.FirewallRule{
				ID: e.id("foreign"), Order: 1, Direction: cloudfw.In, Family: cloudfw.IPv4, Action: cloudfw.Accept, Protocol: cloudfw.TCP, Application: "ANY",
				Source: cloudfw.Peer{Kind: cloudfw.Net, Value: "198.51.100.0/30"}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}, Description: "by hand",
			})
		}
		before := foreign()
		e.reconcile(t, 1000)
		t.Repeat(map[string]func(*rapid.T){
			"block or extend": func(t *rapid.T) {
				for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, 7), 1, 6, rapid.ID[int]).Draw(t, "addresses") {
					until := e.snap.TakenAt.Add(time.Duration(rapid.IntRange(1, 400).Draw(t, "minutes")) * time.Minute)
					b, known := e.blocks[n]
					if known && (b.Until.IsZero() || b.Until.After(until)) {
						continue // the longer one holds
					}
					e.blocks[n] = cloudfw.Block{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(n)}), 32), Until: until, Lapses: rapid.IntRange(0, 3).Draw(t, "now") > 0}
					if known {
						moves++
					}
				}
			},
			"block for ever": func(t *rapid.T) {
				n := rapid.IntRange(0, 7).Draw(t, "address")
				e.blocks[n] = cloudfw.Block{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(n)}), 32)}
			},
			"unblock": func(t *rapid.T) {
				n := rapid.IntRange(0, 7).Draw(t, "address")
				b, known := e.blocks[n]
				delete(e.blocks, n)
				if e.reconcile(t, 1000); known && dropped(e.snap, b) {
					t.Fatalf("%s is unblocked, and dropped", b.Prefix)
				}
			},
			"time": func(t *rapid.T) {
				e.snap = e.at(e.snap.TakenAt.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "minutes")) * time.Minute))
			},
			"reconcile": func(t *rapid.T) { e.reconcile(t, 1000) },
			"killed":    func(t *rapid.T) { e.reconcile(t, rapid.IntRange(0, 6).Draw(t, "steps")) },
			"": func(t *rapid.T) {
				if now := foreign(); now != before {
					t.Fatalf("other people's rules are\n%s\nwere\n%s", now, before)
				}
			},
		})
	})
	if moves == 0 {
		t.Error("nothing was ever extended: the test guards less than it says")
	}
}
