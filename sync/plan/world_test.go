package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"fwsync/cloudfw"
)

// world is a firewall that executes steps in memory: the independent twin against
// which plans are checked.
type world struct {
	t    interface{ Fatalf(string, ...any) }
	snap cloudfw.Snapshot
	next int
}

func (w *world) id(kind string) string {
	w.next++
	return fmt.Sprintf("%s-%d", kind, w.next)
}

func (w *world) execute(s cloudfw.Step) {
	switch s.Op {
	case cloudfw.CreateBook:
		if _, taken := w.snap.Book(s.Book.Name); taken {
			w.t.Fatalf("creating book %s, which exists", s.Book.Name)
		}
		b := *s.Book
		b.ID = w.id("book")
		w.snap.Books = append(w.snap.Books, b)
	case cloudfw.AppendAddresses, cloudfw.RemoveAddresses:
		b := w.book(s.Book.ID)
		for _, p := range s.Prefixes {
			at := slices.Index(b.Prefixes, p)
			if (at >= 0) != (s.Op == cloudfw.RemoveAddresses) {
				w.t.Fatalf("%s: %s is in the wrong state", s.Op, p)
			}
			if at >= 0 {
				b.Prefixes = slices.Delete(slices.Clone(b.Prefixes), at, at+1)
			} else {
				b.Prefixes = append(slices.Clone(b.Prefixes), p)
			}
		}
		slices.SortFunc(b.Prefixes, cloudfw.ComparePrefixes)
		if len(b.Prefixes) > 4 {
			w.t.Fatalf("book %s holds %d addresses, more than its limit", b.Name, len(b.Prefixes))
		}
	case cloudfw.DeleteBook:
		for _, r := range w.snap.Rules {
			if r.Source.Value == s.Book.Name || r.Destination.Value == s.Book.Name {
				w.t.Fatalf("deleting book %s, which a rule needs", s.Book.Name)
			}
		}
		w.snap.Books = slices.DeleteFunc(w.snap.Books, func(b cloudfw.AddressBook) bool { return b.ID == s.Book.ID })
	case cloudfw.InsertRule:
		r := *s.Rule
		r.ID = w.id("rule")
		w.place(r)
	case cloudfw.EditRule:
		at := slices.IndexFunc(w.snap.Rules, func(r cloudfw.FirewallRule) bool { return r.ID == s.Rule.ID })
		r := *s.Rule
		r.Order = w.snap.Rules[at].Order
		w.snap.Rules[at] = r
	case cloudfw.MoveRule:
		w.place(w.take(s.Rule.ID, s.Rule.Order))
	case cloudfw.DeleteRule:
		w.take(s.Rule.ID, 0)
	case cloudfw.CreateList:
		l := *s.List
		l.ID = w.id("list")
		w.snap.Lists = append(w.snap.Lists, l)
	case cloudfw.EditList:
		for i := range w.snap.Lists {
			if l := &w.snap.Lists[i]; l.ID == s.List.ID {
				l.Prefixes = slices.DeleteFunc(slices.Clone(l.Prefixes), func(p netip.Prefix) bool { return slices.Contains(s.Removed, p) })
				l.Prefixes = cloudfw.SortPrefixes(append(l.Prefixes, s.Prefixes...))
			}
		}
	case cloudfw.DeleteList:
		w.snap.Lists = slices.DeleteFunc(w.snap.Lists, func(l cloudfw.PrefixList) bool { return l.ID == s.List.ID })
	case cloudfw.AuthoriseRules:
		for _, r := range s.GroupRules {
			r = withListID(r, w.snap)
			r.ID = w.id("sgr")
			w.group(s.GroupID).Rules = append(w.group(s.GroupID).Rules, r)
		}
	case cloudfw.RevokeRules:
		g := w.group(s.GroupID)
		g.Rules = slices.DeleteFunc(g.Rules, func(r cloudfw.GroupRule) bool {
			return slices.ContainsFunc(s.GroupRules, func(gone cloudfw.GroupRule) bool { return gone.ID == r.ID })
		})
	}
	w.snap.Sort()
}

func (w *world) book(id string) *cloudfw.AddressBook {
	at := slices.IndexFunc(w.snap.Books, func(b cloudfw.AddressBook) bool { return b.ID == id })
	if at < 0 {
		w.t.Fatalf("no book %s", id)
	}
	return &w.snap.Books[at]
}

func (w *world) group(id string) *cloudfw.SecurityGroup {
	at := slices.IndexFunc(w.snap.Groups, func(g cloudfw.SecurityGroup) bool { return g.ID == id })
	return &w.snap.Groups[at]
}

// place inserts at r.Order and shifts the rest down; take removes and closes the gap.
func (w *world) place(r cloudfw.FirewallRule) {
	if n := len(w.snap.List(r.Key())); r.Order < 1 || r.Order > n+1 {
		w.t.Fatalf("placing at %d in a list of %d", r.Order, n)
	}
	for i := range w.snap.Rules {
		if o := &w.snap.Rules[i]; o.Key() == r.Key() && o.Order >= r.Order {
			o.Order++
		}
	}
	w.snap.Rules = append(w.snap.Rules, r)
	w.snap.Sort()
}

func (w *world) take(id string, order int) cloudfw.FirewallRule {
	at := slices.IndexFunc(w.snap.Rules, func(r cloudfw.FirewallRule) bool { return r.ID == id })
	if at < 0 {
		w.t.Fatalf("no rule %s", id)
	}
	r := w.snap.Rules[at]
	w.snap.Rules = slices.Delete(w.snap.Rules, at, at+1)
	for i := range w.snap.Rules {
		if o := &w.snap.Rules[i]; o.Key() == r.Key() && o.Order > r.Order {
			o.Order--
		}
	}
	r.Order = order
	return r
}

// packet is one point of the small space that the tests enumerate.
type packet struct {
	list     cloudfw.ListKey // the border that it passes, and which way
	src, dst netip.Addr
	port     uint16
}

// lists are those whose packets are enumerated.
var lists = []cloudfw.ListKey{
	{Direction: cloudfw.In, Family: cloudfw.IPv4},
	{Direction: cloudfw.Out, Family: cloudfw.IPv4},
	{Border: gateway, Direction: cloudfw.Out, Family: cloudfw.IPv4},
}

func everyPacket() []packet {
	var all []packet
	for s := range 8 {
		for d := range 3 {
			for _, port := range []uint16{22, 25, 587} {
				remote, own := netip.AddrFrom4([4]byte{198, 51, 100, byte(s)}), netip.AddrFrom4([4]byte{192, 0, 2, byte(d)})
				for _, list := range lists {
					if list.Direction == cloudfw.In {
						all = append(all, packet{list, remote, own, port})
					} else if d == 0 {
						all = append(all, packet{list, own, remote, port})
					}
				}
			}
		}
	}
	return all
}

// verdict evaluates the packet's list: first match wins, no match passes.
func verdict(s cloudfw.Snapshot, p packet) cloudfw.Action {
	inside := func(peer cloudfw.Peer, a netip.Addr) bool {
		if peer.Kind == cloudfw.Net {
			return netip.MustParsePrefix(peer.Value).Contains(a)
		}
		b, _ := s.Book(peer.Value)
		return slices.ContainsFunc(b.Prefixes, func(q netip.Prefix) bool { return q.Contains(a) })
	}
	for _, r := range s.List(p.list) {
		portOK := r.Ports.AllPorts() || r.Ports.First <= p.port && p.port <= r.Ports.Last
		if portOK && inside(r.Source, p.src) && inside(r.Destination, p.dst) {
			return r.Action
		}
	}
	return cloudfw.Accept
}

func prefix(t testing.TB, text string) netip.Prefix {
	t.Helper()
	p, err := cloudfw.ParsePrefix(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
