package alibaba

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
	"fwsync/cloudfw/simulator"
)

// books are what the rules of the round trips refer to.
func withBooks() simulator.Options {
	return simulator.Options{World: &simulator.State{AddressBooks: []simulator.AddressBook{
		{Name: "nets4", Type: "ip", Description: "d", Addresses: []string{"192.0.2.0/24"}},
		{Name: "nets6", Type: "ipv6", Description: "d", Addresses: []string{"2001:db8::/32"}},
		{Name: "names", Type: "domain", Description: "d", Addresses: []string{"example.com"}},
		{Name: "ports", Type: "port", Description: "d", Addresses: []string{"80", "100/200"}},
	}}}
}

func drawPeer(t *rapid.T, family cloudfw.Family, kinds []cloudfw.PeerKind) cloudfw.Peer {
	kind := rapid.SampledFrom(kinds).Draw(t, "kind")
	switch kind {
	case cloudfw.Book:
		return cloudfw.Peer{Kind: kind, Value: "nets" + strings.TrimPrefix(string(family), "ipv")}
	case cloudfw.Domain:
		return cloudfw.Peer{Kind: kind, Value: rapid.SampledFrom([]string{"example.com", "*.example.org", "mail.example.net"}).Draw(t, "domain")}
	case cloudfw.Location:
		return cloudfw.Peer{Kind: kind, Value: rapid.SampledFrom([]string{`["BJ11"]`, `["BJ11","ZB"]`}).Draw(t, "regions")}
	}
	return cloudfw.Peer{Kind: cloudfw.Net, Value: drawPrefix(t, family).String()}
}

func drawHalfHour(t *rapid.T) int64 {
	return 1800 * rapid.Int64Range(1, 2_000_000).Draw(t, "half hours")
}

func drawClock(t *rapid.T, label string) string {
	return fmt.Sprintf("%02d:%02d", rapid.IntRange(0, 23).Draw(t, label), 30*rapid.IntRange(0, 1).Draw(t, label+" half"))
}

func drawDays(t *rapid.T, first, last int) cloudfw.Days {
	set, err := cloudfw.DaySet(rapid.SliceOfNDistinct(rapid.IntRange(first, last), 1, -1, rapid.ID).Draw(t, "days")...)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func drawValidity(t *rapid.T) cloudfw.Validity {
	v := cloudfw.Validity{Repeat: rapid.SampledFrom([]cloudfw.Repeat{cloudfw.Always, cloudfw.Once, cloudfw.Daily, cloudfw.Weekly, cloudfw.Monthly}).Draw(t, "repeat")}
	if v.Repeat == cloudfw.Always {
		return v
	}
	start := drawHalfHour(t)
	v.Start, v.End = time.Unix(start, 0).UTC(), time.Unix(start+drawHalfHour(t), 0).UTC()
	if v.Repeat == cloudfw.Once {
		return v
	}
	v.From, v.To = drawClock(t, "from"), drawClock(t, "to")
	if v.From == v.To {
		v.From, v.To = "08:00", "17:30"
	}
	switch v.Repeat {
	case cloudfw.Weekly:
		v.Days = drawDays(t, 0, 6)
	case cloudfw.Monthly:
		v.Days = drawDays(t, 1, 31)
	}
	return v
}

// drawRule draws any rule of the list that can be written.
func drawRule(t *rapid.T, key cloudfw.ListKey) cloudfw.FirewallRule {
	d := dialects[key.Border.Kind()]
	r := cloudfw.FirewallRule{
		Border: key.Border, Direction: key.Direction, Family: key.Family,
		Action:      rapid.SampledFrom([]cloudfw.Action{cloudfw.Accept, cloudfw.Drop, cloudfw.Log}).Draw(t, "action"),
		Source:      drawPeer(t, key.Family, d.sources[key.Direction]),
		Destination: drawPeer(t, key.Family, d.destinations[key.Direction]),
		Protocol:    rapid.SampledFrom([]cloudfw.Protocol{cloudfw.AnyProtocol, cloudfw.TCP, cloudfw.UDP, cloudfw.ICMP}).Draw(t, "protocol"),
		Application: "ANY", Description: rapid.StringMatching(`[A-Za-z0-9 äß*~&=+%'"/-]{1,60}`).Draw(t, "description"),
		Disabled: rapid.Bool().Draw(t, "disabled"), Validity: drawValidity(t),
	}
	if key.Direction != cloudfw.In && r.Destination.Kind == cloudfw.Book && rapid.Bool().Draw(t, "book of domains") {
		r.Destination.Value = "names"
	}
	if r.Destination.Kind == cloudfw.Domain || r.Destination.Value == "names" {
		r.Resolve = rapid.SampledFrom([]cloudfw.Resolve{cloudfw.ByName, cloudfw.ByDNS, cloudfw.ByNameAndDNS}).Draw(t, "resolve")
	}
	if r.Protocol == cloudfw.TCP || r.Protocol == cloudfw.UDP {
		if r.Ports = drawPorts(t); rapid.Bool().Draw(t, "port book") {
			r.Ports, r.PortBook = cloudfw.PortRange{}, "ports"
		}
	}
	if r.Protocol == cloudfw.TCP {
		r.Application = rapid.SampledFrom([]string{"ANY", "SMTP", "MYSQL", "SSL_NO_CERT", "SMTP,SMTPS", "FTP,HTTP,SSH"}).Draw(t, "application")
	}
	return r
}

var (
	natBorder = cloudfw.Border{NAT: "ngw-1"}
	vpcBorder = cloudfw.Border{VPC: "cen-1"}
)

// A rule of any list, inserted and then edited into any other one of that list, is
// read back as it was meant, from the service.
func TestRulesKeepTheirMeaningThroughTheServiceAtEveryBorder(t *testing.T) {
	for _, border := range []cloudfw.Border{{}, natBorder, vpcBorder} {
		for _, key := range border.Keys() {
			t.Run(strings.ReplaceAll(key.String(), " ", "-"), func(t *testing.T) {
				r := newRig(t, withBorders())
				demand := func(t *rapid.T, want cloudfw.FirewallRule) cloudfw.FirewallRule {
					rules, err := r.readPolicies(t.Context(), key)
					if err != nil || len(rules) != 1 || !rules[0].Same(want) {
						t.Fatalf("\nwrote %+v\n read %+v (%v)", want, rules, err)
					}
					return rules[0]
				}
				execute := func(t *rapid.T, step cloudfw.Step) {
					if err := r.Execute(t.Context(), step); err != nil {
						t.Fatalf("%s of %+v: %v", step.Op, *step.Rule, err)
					}
				}
				rapid.Check(t, func(t *rapid.T) {
					first, second := drawRule(t, key), drawRule(t, key)
					first.Order = 1
					execute(t, cloudfw.Step{Op: cloudfw.InsertRule, Rule: &first})
					live := demand(t, first)
					second.ID = live.ID
					execute(t, cloudfw.Step{Op: cloudfw.EditRule, Rule: &second})
					demand(t, second)
					execute(t, cloudfw.Step{Op: cloudfw.DeleteRule, Rule: &live})
				})
			})
		}
	}
}

// withBorders is withBooks with the borders of the tests.
func withBorders() simulator.Options {
	o := withBooks()
	o.World.NATGateways = []simulator.NATGateway{{ID: "ngw-1"}, {ID: "ngw-2"}}
	o.World.VPCFirewalls = []simulator.VPCFirewall{{ID: "cen-1"}, {ID: "vfw-2"}}
	return o
}

func TestValidityTimesThatTheVendorRefusesAreRefusedBefore(t *testing.T) {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	weekly := cloudfw.Validity{Repeat: cloudfw.Weekly, Start: day, End: day.AddDate(0, 1, 0), Days: 1 << 1, From: "08:00", To: "17:30"}
	for what, edit := range map[string]func(*cloudfw.Validity){
		"a start off the half hour": func(v *cloudfw.Validity) { v.Start = day.Add(time.Minute) },
		"an end off the half hour":  func(v *cloudfw.Validity) { v.End = v.End.Add(time.Nanosecond) },
		"no start":                  func(v *cloudfw.Validity) { v.Start = time.Time{} },
		"an end before its start":   func(v *cloudfw.Validity) { v.End = day },
		"no days":                   func(v *cloudfw.Validity) { v.Days = 0 },
		"a day that no week has":    func(v *cloudfw.Validity) { v.Days = 1 << 7 },
		"a day that no month has":   func(v *cloudfw.Validity) { v.Repeat, v.Days = cloudfw.Monthly, 1 },
		"days of each day":          func(v *cloudfw.Validity) { v.Repeat = cloudfw.Daily },
		"hours of once":             func(v *cloudfw.Validity) { v.Repeat, v.Days = cloudfw.Once, 0 },
		"no hours":                  func(v *cloudfw.Validity) { v.From = "" },
		"hours off the half hour":   func(v *cloudfw.Validity) { v.To = "17:15" },
		"hours of one digit":        func(v *cloudfw.Validity) { v.From = "8:00" },
		"hours that leave no time":  func(v *cloudfw.Validity) { v.To = v.From },
		"a kind that nobody knows":  func(v *cloudfw.Validity) { v.Repeat = "yearly" },
		"times without saying how":  func(v *cloudfw.Validity) { v.Repeat = cloudfw.Always },
	} {
		rule := dropRule(1)
		rule.Validity = weekly
		if _, err := newPolicyForm(*rule); err != nil {
			t.Fatal(err)
		}
		edit(&rule.Validity)
		if form, err := newPolicyForm(*rule); err == nil {
			t.Errorf("%s is taken: %v", what, form)
		}
	}
}

func TestValidityTimesOfEveryKindAreRead(t *testing.T) {
	p := policy{
		AclUuid: "u", Order: 1, StartTime: 1800, EndTime: 7200, RepeatDays: []number{5, 1}, RepeatStartTime: "08:00", RepeatEndTime: "17:30",
		DestinationType: "net", Destination: "192.0.2.1",
	}
	start, end := time.Unix(1800, 0).UTC(), time.Unix(7200, 0).UTC()
	for word, want := range map[text]cloudfw.Validity{
		"":          {},
		"Permanent": {},
		"None":      {Repeat: cloudfw.Once, Start: start, End: end},
		"Daily":     {Repeat: cloudfw.Daily, Start: start, End: end, From: "08:00", To: "17:30"},
		"Weekly":    {Repeat: cloudfw.Weekly, Start: start, End: end, From: "08:00", To: "17:30", Days: 1<<1 | 1<<5},
		"Monthly":   {Repeat: cloudfw.Monthly, Start: start, End: end, From: "08:00", To: "17:30", Days: 1<<1 | 1<<5},
		"Hourly":    {Repeat: "hourly", Start: start, End: end, From: "08:00", To: "17:30", Days: 1<<1 | 1<<5},
	} {
		p.RepeatType = word
		if rule, err := p.rule(keys4); err != nil || rule.Validity != want {
			t.Errorf("%q: %+v (%v), want %+v", word, rule.Validity, err, want)
		}
	}
	p.RepeatType, p.RepeatDays = "Weekly", []number{40}
	if _, err := p.rule(keys4); err == nil {
		t.Error("day 40 was taken")
	}
}

func TestHitsAndCostsAreReadInBothSpellings(t *testing.T) {
	for what, body := range map[string]string{
		"numbers": `{"AclUuid":"u","Order":1,"SpreadCnt":20,"HitTimes":7,"HitLastTime":1800,"DomainResolveType":"DNS","DestinationType":"net"}`,
		"texts":   `{"AclUuid":"u","Order":"1","SpreadCnt":"20","HitTimes":"7","HitLastTime":"1800","DomainResolveType":1,"DestinationType":"net"}`,
	} {
		var p policy
		if err := decode(body, &p); err != nil {
			t.Fatal(err)
		}
		rule, err := p.rule(keys4)
		if err != nil || rule.Cost != 20 || rule.Hits != 7 || !rule.LastHit.Equal(time.Unix(1800, 0)) || rule.Resolve != "" {
			t.Errorf("%s: %+v (%v)", what, rule, err)
		}
	}
}

func TestBooksOfEveryTypeAreRead(t *testing.T) {
	for what, c := range map[string]struct {
		body string
		want cloudfw.AddressBook
	}{
		"IPv6":    {`{"GroupType":"ipv6","AddressList":["2001:db8::1 note","2001:db8::/32"]}`, cloudfw.AddressBook{Family: cloudfw.IPv6, Prefixes: prefixes("2001:db8::/32", "2001:db8::1/128")}},
		"domains": {`{"GroupType":"domain","AddressList":["b.example.com note","*.a.example.com"]}`, cloudfw.AddressBook{Type: cloudfw.DomainNames, Entries: []string{"*.a.example.com", "b.example.com"}}},
		"ports":   {`{"GroupType":"port","AddressList":["80","100/200"]}`, cloudfw.AddressBook{Type: cloudfw.PortRanges, Entries: []string{"100/200", "80"}}},
		"tags":    {`{"GroupType":"tag","TagRelation":"or","TagList":[{"TagKey":"k2","TagValue":"v"},{"TagKey":"k1","TagValue":""}]}`, cloudfw.AddressBook{Type: cloudfw.Tagged, Entries: []string{"(or)", "k1=", "k2=v"}}},
		"threats": {`{"GroupType":"threat","AddressList":null}`, cloudfw.AddressBook{Type: "threat", Entries: []string{}}},
	} {
		var b book
		if err := decode(c.body, &b); err != nil {
			t.Fatal(err)
		}
		if c.want.Prefixes == nil {
			c.want.Prefixes = []netip.Prefix{}
		}
		if got, unreadable := b.book(); fmt.Sprint(got) != fmt.Sprint(c.want) || unreadable != 0 || got.Prefixes == nil {
			t.Errorf("%s: %+v, want %+v", what, got, c.want)
		}
	}
}
