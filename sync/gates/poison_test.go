package gates

import (
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/policies"
	"fwsync/sync/plan"
)

// poisons are what a feed that was taken over, or broken, may name.
var poisons = map[string]func(t *rapid.T, own netip.Addr) []netip.Prefix{
	"all of IPv4": func(*rapid.T, netip.Addr) []netip.Prefix { return raw("0.0.0.0/0") },
	"two halves":  func(*rapid.T, netip.Addr) []netip.Prefix { return raw("0.0.0.0/1", "128.0.0.0/1") },
	"all of IPv6": func(*rapid.T, netip.Addr) []netip.Prefix { return raw("::/0") },
	"mapped":      func(*rapid.T, netip.Addr) []netip.Prefix { return raw("::ffff:0:0/96") },
	"wide around our servers": func(t *rapid.T, own netip.Addr) []netip.Prefix {
		return []netip.Prefix{netip.PrefixFrom(own, rapid.IntRange(1, 24).Draw(t, "bits")).Masked()}
	},
	"our own address in a huge list": func(t *rapid.T, own netip.Addr) []netip.Prefix {
		list := many(rapid.IntRange(100, 400).Draw(t, "length"))
		list[rapid.IntRange(0, len(list)-1).Draw(t, "place")] = cloudfw.HostPrefix(own)
		return list
	},
	"anything": func(t *rapid.T, own netip.Addr) []netip.Prefix {
		var list []netip.Prefix
		for range rapid.IntRange(1, 20).Draw(t, "length") {
			if rapid.Bool().Draw(t, "IPv6") {
				a := netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "address")))
				list = append(list, netip.PrefixFrom(a, rapid.IntRange(0, 128).Draw(t, "bits")).Masked())
			} else {
				a := netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "address")))
				list = append(list, netip.PrefixFrom(a, rapid.IntRange(0, 32).Draw(t, "bits")).Masked())
			}
		}
		return append(list, cloudfw.HostPrefix(own))
	},
}

func raw(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// Promise P3: a poisoned feed of each kind never yields a plan that passes and covers
// a protected address. Every other limit is off, so that nothing but never-block can
// stand in the way, and what passes is compared with what is protected by an
// intersection of its own.
func TestP3APoisonedFeedNeverCoversAProtectedAddress(t *testing.T) {
	limits := Limits{
		NewBlocks: UpTo(1 << 30), RemovedBlocks: UpTo(1 << 30), DeletedRules: UpTo(1 << 30), WidestIPv4: 0, WidestIPv6: 0,
		OperatorCut: true, DropEverything: true, UnsafeMoments: true,
	}
	policy, err := policies.Parse([]policies.File{{Name: "p.yaml", Data: []byte(`
groups: { office: [203.0.113.240/28, "2001:db8:0ff::/48"] }
allowlist: [office]
rules:
  - { name: drop-attackers, from: $blocked, to: any, action: drop }
targets:
  - internet-firewall: { rules: all }
`)}}, policies.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, poison := range poisons {
		t.Run(name, func(t *testing.T) {
			passed, refused := 0, 0
			rapid.Check(t, func(t *rapid.T) {
				own := netip.AddrFrom4([4]byte{byte(rapid.SampledFrom([]int{8, 45, 120, 198}).Draw(t, "net")), 51, 100, byte(rapid.IntRange(1, 250).Draw(t, "host"))})
				admin := netip.MustParseAddr("198.51.99.7")
				providers := []cloudfw.Exempt{
					{Prefix: prefixes("203.1.0.64/30")[0], Reason: "cdn"}, {Prefix: prefixes("2001:db8:cd::/48")[0], Reason: "cdn"},
					{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{151, byte(rapid.Byte().Draw(t, "range"))}), 16), Reason: "cdn"},
				}
				var decisions []ledger.Decision
				add := func(v ledger.Verdict, p netip.Prefix) {
					decisions = append(decisions, ledger.Decision{ID: int64(len(decisions) + 1), Verdict: v, Prefix: p, Start: now.Add(-time.Hour), Reason: "feed"})
				}
				for _, p := range poison(t, own) {
					if p.Addr().Is4In6() && p.Bits() < 96 {
						continue // refused by Compile with an error
					}
					add(ledger.Block, p)
				}
				// The intent has what is protected cut out; the gate holds without that too.
				careful := rapid.Bool().Draw(t, "cut out before")
				if careful {
					add(ledger.Allow, cloudfw.HostPrefix(own))
					add(ledger.Allow, cloudfw.HostPrefix(admin))
					for _, e := range providers {
						add(ledger.Allow, e.Prefix)
					}
					for _, space := range reservedSpace {
						if space != mapped { // as a decision it would mean all of IPv4
							add(ledger.Allow, space)
						}
					}
				}
				compiled, err := policy.Compile(decisions, "edge", now)
				if err != nil {
					t.Fatal(err)
				}
				live := cloudfw.Snapshot{Assets: []cloudfw.Asset{{Address: own}}}
				if rapid.Bool().Draw(t, "some blocked before") {
					before := blockedAlready(many(rapid.IntRange(1, 80).Draw(t, "before")))
					live.Books, live.Rules = before.Books, before.Rules
				}
				p, err := plan.Compute(plan.Input{Intent: compiled.Intent, Live: live, Limits: cloudfw.DefaultLimits(), Now: now})
				if err != nil {
					t.Fatal(err)
				}
				got := Check(Input{Plan: p, Live: live, Intent: compiled.Intent, Limits: limits, Operator: Operator{Addresses: []netip.Addr{admin}}, Providers: providers})
				if len(got) > 0 {
					refused++
					return
				}
				passed++
				protected := append(raw("203.0.113.240/28", "2001:db8:0ff::/48"), cloudfw.HostPrefix(own), cloudfw.HostPrefix(admin))
				for _, e := range providers {
					protected = append(protected, e.Prefix)
				}
				protected = append(protected, reservedSpace...)
				for entry := range bookedAfter(live, p) {
					for _, q := range protected {
						if shareAnAddress(entry, q) {
							t.Fatalf("the plan passed and blocks %s, which covers some of %s", entry, q)
						}
					}
				}
			})
			t.Logf("%d passed, %d refused", passed, refused)
			// What is left of all of IPv6 still has the mapped addresses in it.
			if (passed == 0) != (name == "all of IPv6") || refused == 0 {
				t.Errorf("%d passed and %d were refused: the test guards nothing", passed, refused)
			}
		})
	}
}

// reservedSpace is a part of what the registries reserve, written down once more.
var reservedSpace = raw("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16",
	"224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "64:ff9b::/96", "fc00::/7", "fe80::/10", "ff00::/8", "::ffff:0:0/96")

// bookedAfter is what the books hold in the end, by adding up the steps alone.
func bookedAfter(live cloudfw.Snapshot, p plan.Plan) map[netip.Prefix]bool {
	books := map[string]map[netip.Prefix]bool{}
	put := func(book string, ps []netip.Prefix) {
		if books[book] == nil {
			books[book] = map[netip.Prefix]bool{}
		}
		for _, p := range ps {
			books[book][p] = true
		}
	}
	for _, b := range live.Books {
		put(b.Name, b.Prefixes)
	}
	for _, s := range p.Steps {
		switch s.Op {
		case cloudfw.CreateBook:
			put(s.Book.Name, s.Book.Prefixes)
		case cloudfw.AppendAddresses:
			put(s.Book.Name, s.Prefixes)
		case cloudfw.RemoveAddresses:
			for _, p := range s.Prefixes {
				delete(books[s.Book.Name], p)
			}
		case cloudfw.DeleteBook:
			delete(books, s.Book.Name)
		}
	}
	all := map[netip.Prefix]bool{}
	for _, b := range books {
		for p := range b {
			all[p] = true
		}
	}
	return all
}

// shareAnAddress compares the bits of both, as far as the shorter one goes.
func shareAnAddress(a, b netip.Prefix) bool {
	left, right := bitsOf(a), bitsOf(b)
	n := min(len(left), len(right))
	return a.Addr().BitLen() == b.Addr().BitLen() && left[:n] == right[:n]
}

// bitsOf is the prefix as text of ones and zeroes.
func bitsOf(p netip.Prefix) string {
	var text []byte
	for i, b := range p.Addr().AsSlice() {
		for bit := range 8 {
			if i*8+bit < p.Bits() {
				text = append(text, '0'+b>>(7-bit)&1)
			}
		}
	}
	return string(text)
}
