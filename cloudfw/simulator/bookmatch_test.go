package simulator

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

// Append and Delete agree with sets of prefixes, however an address is spelt.
func TestBooksAgreeWithSetsOfPrefixes(t *testing.T) {
	spellings := map[string][]func(netip.Prefix) string{
		"ip": {
			netip.Prefix.String,
			func(p netip.Prefix) string { return p.String() + " a note" },
			func(p netip.Prefix) string {
				if p.IsSingleIP() {
					return p.Addr().String()
				}
				return p.String()
			},
		},
		"ipv6": {
			netip.Prefix.String,
			func(p netip.Prefix) string { return fmt.Sprintf("%s/%d", p.Addr().StringExpanded(), p.Bits()) },
			func(p netip.Prefix) string {
				if p.IsSingleIP() {
					return p.Addr().StringExpanded() + " a note"
				}
				return p.String()
			},
		},
	}
	for kind, spell := range spellings {
		for _, normalise := range []bool{false, true} {
			cloud := newCloud(t, Options{Assume: Assumptions{NormaliseAddresses: normalise}})
			dice := rand.New(rand.NewPCG(1, 2))
			// Few addresses of several lengths, so that the same come again and again.
			draw := func() []netip.Prefix {
				var out []netip.Prefix
				for range 1 + dice.IntN(4) {
					addr := netip.AddrFrom4([4]byte{198, 51, 100, byte(dice.IntN(4))})
					length := 30 + dice.IntN(3)
					if kind == "ipv6" {
						addr, length = netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(dice.IntN(4))}), 126+dice.IntN(3)
					}
					out = append(out, netip.PrefixFrom(addr, length).Masked())
				}
				return out
			}
			first := draw()[0]
			uuid, err := cloud.AddAddressBook(AddressBook{Name: "some", Type: kind, Description: "some", Addresses: []string{first.String()}})
			if err != nil {
				t.Fatal(err)
			}
			want := map[netip.Prefix]bool{first: true}
			for n := range 300 {
				mode, prefixes := []string{ModeAppend, ModeDelete}[n%2], draw()
				var texts []string
				for _, p := range prefixes {
					texts = append(texts, spell[dice.IntN(len(spell))](p))
					if mode == ModeAppend {
						want[p] = true
					} else {
						delete(want, p)
					}
				}
				if err := cloud.EditAddresses(uuid, mode, texts...); err != nil {
					t.Fatal(err)
				}
				var got []netip.Prefix
				for _, text := range cloud.Snapshot().AddressBooks[0].Addresses {
					address, _ := splitEntry(text)
					p, ok := parseBlock(address)
					if !ok {
						t.Fatalf("the book holds %q", text)
					}
					got = append(got, p)
				}
				for _, p := range got {
					if !want[p] {
						t.Fatalf("%s, step %d, %s %q: the book holds %s", kind, n, mode, texts, p)
					}
				}
				slices.SortFunc(got, netip.Prefix.Compare)
				if len(slices.Compact(got)) != len(want) || len(cloud.Snapshot().AddressBooks[0].Addresses) != len(want) {
					t.Fatalf("%s, step %d, %s %q: the book holds %v, want %d", kind, n, mode, texts, got, len(want))
				}
			}
		}
	}
}
