package conformance

import (
	"time"

	"fwsync/cloudfw"
)

// supplies are the books that the forms refer to.
type supplies struct {
	addresses map[cloudfw.Family]string
	ports     string
	domains   string
}

// supply makes the books that rules of the lists under test may refer to.
func (s *scene) supply() supplies {
	s.Helper()
	steps := []cloudfw.Step{}
	have := supplies{addresses: map[cloudfw.Family]string{}}
	add := func(b *cloudfw.AddressBook) string {
		steps = append(steps, cloudfw.Step{Op: cloudfw.CreateBook, Book: b})
		return b.Name
	}
	have.addresses[cloudfw.IPv4] = add(s.book("form4", cloudfw.IPv4, "192.0.2.7/32", "192.0.2.128/25"))
	have.addresses[cloudfw.IPv6] = add(s.book("form6", cloudfw.IPv6, "2001:db8:1::/64", "2001:db8:1:2::7/128"))
	have.ports = add(s.entries("form-ports", cloudfw.PortRanges, "25/25", "465/465", "6000/6100"))
	have.domains = add(s.entries("form-domains", cloudfw.DomainNames, "*.example.org", "example.com"))
	s.carry(steps...)
	return have
}

// forms are the kinds of rules that the list may hold, each with a marker of its own
// (reference §2.1, §2.5, §2.6).
func (r *trial) forms(key cloudfw.ListKey, have supplies) []cloudfw.FirewallRule {
	var all []cloudfw.FirewallRule
	add := func(name string, change func(*cloudfw.FirewallRule)) {
		rule := r.rule(key, name)
		change(&rule)
		all = append(all, rule)
	}
	peer := func(kind cloudfw.PeerKind, value string) cloudfw.Peer { return cloudfw.Peer{Kind: kind, Value: value} }

	add("one-port", func(*cloudfw.FirewallRule) {})
	add("udp-range", func(f *cloudfw.FirewallRule) {
		f.Action, f.Protocol, f.Ports = cloudfw.Accept, cloudfw.UDP, cloudfw.PortRange{First: 6000, Last: 6100}
	})
	add("every-tcp-port", func(f *cloudfw.FirewallRule) { f.Ports = cloudfw.PortRange{} })
	add("any-log", func(f *cloudfw.FirewallRule) {
		f.Action, f.Protocol, f.Ports = cloudfw.Log, cloudfw.AnyProtocol, cloudfw.PortRange{}
	})
	add("icmp", func(f *cloudfw.FirewallRule) { f.Protocol, f.Ports = cloudfw.ICMP, cloudfw.PortRange{} })
	add("applications", func(f *cloudfw.FirewallRule) { f.Application = "HTTP,MEMCACHE,SMTP" })
	add("from-book", func(f *cloudfw.FirewallRule) { f.Source = peer(cloudfw.Book, have.addresses[key.Family]) })
	add("to-book", func(f *cloudfw.FirewallRule) { f.Destination = peer(cloudfw.Book, have.addresses[key.Family]) })
	add("port-book", func(f *cloudfw.FirewallRule) { f.Ports, f.PortBook = cloudfw.PortRange{}, have.ports })
	add("disabled", func(f *cloudfw.FirewallRule) { f.Disabled = true })

	if located := peer(cloudfw.Location, `["BJ11","ZB"]`); key.Family == cloudfw.IPv4 && key.Direction != cloudfw.Between {
		add("location", func(f *cloudfw.FirewallRule) {
			if key.Direction == cloudfw.In {
				f.Source = located
			} else {
				f.Destination = located
			}
		})
	}
	if key.Family == cloudfw.IPv4 && key.Direction != cloudfw.In {
		for _, way := range []cloudfw.Resolve{cloudfw.ByName, cloudfw.ByDNS, cloudfw.ByNameAndDNS} {
			add("domain-"+string(way), func(f *cloudfw.FirewallRule) {
				f.Destination, f.Resolve = peer(cloudfw.Domain, "example.com"), way
				f.Ports, f.Application = cloudfw.PortRange{First: 443, Last: 443}, "HTTPS"
			})
		}
		add("domain-book", func(f *cloudfw.FirewallRule) {
			f.Destination, f.Resolve = peer(cloudfw.Book, have.domains), cloudfw.ByName
			f.Ports, f.Application = cloudfw.PortRange{First: 443, Last: 443}, "HTTPS"
		})
	}

	start := time.Now().UTC().Truncate(time.Hour).Add(24 * time.Hour)
	for _, v := range []cloudfw.Validity{
		{Repeat: cloudfw.Once, Start: start, End: start.Add(90 * time.Minute)},
		{Repeat: cloudfw.Daily, Start: start, End: start.AddDate(0, 0, 7), From: "08:00", To: "17:30"},
		{Repeat: cloudfw.Weekly, Start: start, End: start.AddDate(0, 1, 0), Days: days(0, 3, 6), From: "00:30", To: "06:00"},
		{Repeat: cloudfw.Monthly, Start: start, End: start.AddDate(1, 0, 0), Days: days(1, 15, 31), From: "12:00", To: "12:30"},
	} {
		add("valid-"+string(v.Repeat), func(f *cloudfw.FirewallRule) { f.Validity = v })
	}
	return all
}

func days(list ...int) cloudfw.Days {
	var set cloudfw.Days
	for _, day := range list {
		set |= 1 << day
	}
	return set
}

// entries is a book of another type than addresses.
func (r *trial) entries(name string, kind cloudfw.BookType, entries ...string) *cloudfw.AddressBook {
	return &cloudfw.AddressBook{Name: r.owner.BookName(name), Type: kind, Description: r.mark("book", name), Entries: entries}
}
