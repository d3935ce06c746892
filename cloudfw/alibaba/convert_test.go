package alibaba

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
)

var keys4 = cloudfw.ListKey{Direction: cloudfw.In, Family: cloudfw.IPv4}

func TestPoliciesOfEverySpellingAreUnderstood(t *testing.T) {
	base := policy{AclUuid: "u", Order: 3, Direction: "in", AclAction: "accept", SourceType: "net", Source: "0.0.0.0/0", DestinationType: "net", Destination: "192.0.2.1", Proto: "TCP", DestPort: "25/25", DestPortType: "port", IpVersion: 4}
	for what, c := range map[string]struct {
		edit func(*policy)
		want func(*cloudfw.FirewallRule)
	}{
		"a bare address":          {func(*policy) {}, func(*cloudfw.FirewallRule) {}},
		"host bits":               {func(p *policy) { p.Source = "10.1.2.3/8" }, func(r *cloudfw.FirewallRule) { r.Source.Value = "10.0.0.0/8" }},
		"a single port":           {func(p *policy) { p.DestPort = "80" }, func(r *cloudfw.FirewallRule) { r.Ports = cloudfw.PortRange{First: 80, Last: 80} }},
		"a range":                 {func(p *policy) { p.DestPort = "20/22" }, func(r *cloudfw.FirewallRule) { r.Ports = cloudfw.PortRange{First: 20, Last: 22} }},
		"zero for all":            {func(p *policy) { p.DestPort = "0/0" }, func(r *cloudfw.FirewallRule) { r.Ports = cloudfw.PortRange{} }},
		"minus one for all":       {func(p *policy) { p.DestPort = "-1/-1" }, func(r *cloudfw.FirewallRule) { r.Ports = cloudfw.PortRange{} }},
		"the whole range":         {func(p *policy) { p.DestPort = "1/65535" }, func(r *cloudfw.FirewallRule) { r.Ports = cloudfw.PortRange{} }},
		"no port":                 {func(p *policy) { p.DestPort = "" }, func(r *cloudfw.FirewallRule) { r.Ports = cloudfw.PortRange{} }},
		"ports that nobody knows": {func(p *policy) { p.DestPort = "80,443" }, func(r *cloudfw.FirewallRule) { r.Ports, r.PortBook = cloudfw.PortRange{}, "80,443" }},
		"a port book":             {func(p *policy) { p.DestPortType, p.DestPortGroup, p.DestPort = "group", "mail", "" }, func(r *cloudfw.FirewallRule) { r.Ports, r.PortBook = cloudfw.PortRange{}, "mail" }},
		"a book":                  {func(p *policy) { p.SourceType, p.Source = "group", "partners" }, func(r *cloudfw.FirewallRule) { r.Source = cloudfw.Peer{Kind: cloudfw.Book, Value: "partners"} }},
		"a domain": {func(p *policy) { p.DestinationType, p.Destination = "domain", "*.example.com" }, func(r *cloudfw.FirewallRule) {
			r.Destination = cloudfw.Peer{Kind: cloudfw.Domain, Value: "*.example.com"}
		}},
		"a location":                 {func(p *policy) { p.SourceType, p.Source = "location", `["BJ11"]` }, func(r *cloudfw.FirewallRule) { r.Source = cloudfw.Peer{Kind: cloudfw.Location, Value: `["BJ11"]`} }},
		"a kind that is new":         {func(p *policy) { p.SourceType, p.Source = "asset", "x" }, func(r *cloudfw.FirewallRule) { r.Source = cloudfw.Peer{Kind: "asset", Value: "x"} }},
		"one application":            {func(p *policy) { p.ApplicationName = "MySQL" }, func(r *cloudfw.FirewallRule) { r.Application = "MYSQL" }},
		"applications in any order":  {func(p *policy) { p.ApplicationNameList = []text{"SMTPS", "SMTP", ""} }, func(r *cloudfw.FirewallRule) { r.Application = "SMTP,SMTPS" }},
		"the list before the single": {func(p *policy) { p.ApplicationNameList, p.ApplicationName = []text{"SSH"}, "ANY" }, func(r *cloudfw.FirewallRule) { r.Application = "SSH" }},
		"switched off":               {func(p *policy) { p.Release = "false" }, func(r *cloudfw.FirewallRule) { r.Disabled = true }},
		"switched on":                {func(p *policy) { p.Release = "true" }, func(*cloudfw.FirewallRule) {}},
		"for good":                   {func(p *policy) { p.RepeatType = "Permanent" }, func(*cloudfw.FirewallRule) {}},
		"observing":                  {func(p *policy) { p.AclAction = "log" }, func(r *cloudfw.FirewallRule) { r.Action = cloudfw.Log }},
		"any protocol":               {func(p *policy) { p.Proto, p.DestPort = "ANY", "0/0" }, func(r *cloudfw.FirewallRule) { r.Protocol, r.Ports = cloudfw.AnyProtocol, cloudfw.PortRange{} }},
		"its cost":                   {func(p *policy) { p.SpreadCnt = 2000 }, func(r *cloudfw.FirewallRule) { r.Cost = 2000 }},
	} {
		p := base
		c.edit(&p)
		want := cloudfw.FirewallRule{
			ID: "u", Order: 3, Direction: cloudfw.In, Family: cloudfw.IPv4, Action: cloudfw.Accept,
			Source: cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: "192.0.2.1/32"},
			Protocol: cloudfw.TCP, Ports: cloudfw.PortRange{First: 25, Last: 25}, Application: "ANY",
		}
		c.want(&want)
		if got, err := p.rule(keys4); err != nil || got != want {
			t.Errorf("%s:\n got %+v (%v)\nwant %+v", what, got, err, want)
		}
	}
}

func TestAPolicyOfAnotherListIsRefused(t *testing.T) {
	for _, p := range []policy{
		{AclUuid: "u", Order: 1, Direction: "out", IpVersion: 4},
		{AclUuid: "u", Order: 1, Direction: "in", IpVersion: 6},
		{AclUuid: "u", Order: 0, Direction: "in", IpVersion: 4},
	} {
		if _, err := p.rule(keys4); err == nil {
			t.Errorf("%+v was taken", p)
		}
	}
}

func TestBooksAreReadWithNotesAndWithoutNonsense(t *testing.T) {
	b := book{GroupUuid: "g", GroupName: "n", GroupType: "ip", Description: "d", ReferenceCount: 2, AddressList: []text{
		"192.0.2.0/24 office", "198.51.100.7", "10.1.2.3/8", "::ffff:192.0.2.1", "192.0.2.0/24", "example.com", "", "1.2.3.4-1.2.3.9",
	}}
	got, unreadable := b.book()
	want := prefixes("10.0.0.0/8", "192.0.2.0/24", "192.0.2.1/32", "198.51.100.7/32")
	if !slices.Equal(got.Prefixes, want) || unreadable != 3 || got.References != 2 || got.Family != cloudfw.IPv4 {
		t.Errorf("got %+v, %d unreadable, want %v", got, unreadable, want)
	}
}

func TestGroupRulesOfEverySpellingAreUnderstood(t *testing.T) {
	in := permission{SecurityGroupRuleId: "sgr-1", Direction: "ingress", IpProtocol: "TCP", PortRange: "22/22", Policy: "Accept", Priority: 7, SourceCidrIp: "192.0.2.0/24", Description: "d"}
	out := permission{SecurityGroupRuleId: "sgr-1", Direction: "egress", IpProtocol: "TCP", PortRange: "22/22", Policy: "Accept", Priority: 7, DestCidrIp: "192.0.2.0/24", Description: "d"}
	for what, c := range map[string]struct {
		from permission
		edit func(*permission)
		want func(*cloudfw.GroupRule)
	}{
		"inwards":             {in, func(*permission) {}, func(*cloudfw.GroupRule) {}},
		"outwards":            {out, func(*permission) {}, func(r *cloudfw.GroupRule) { r.Direction = cloudfw.Out }},
		"dropping":            {in, func(p *permission) { p.Policy = "Drop" }, func(r *cloudfw.GroupRule) { r.Action = cloudfw.Drop }},
		"all protocols":       {in, func(p *permission) { p.IpProtocol, p.PortRange = "ALL", "-1/-1" }, func(r *cloudfw.GroupRule) { r.Protocol, r.Ports = cloudfw.AnyProtocol, cloudfw.PortRange{} }},
		"all ports":           {in, func(p *permission) { p.PortRange = "1/65535" }, func(r *cloudfw.GroupRule) { r.Ports = cloudfw.PortRange{} }},
		"another protocol":    {in, func(p *permission) { p.IpProtocol, p.PortRange = "GRE", "-1/-1" }, func(r *cloudfw.GroupRule) { r.Protocol, r.Ports = "gre", cloudfw.PortRange{} }},
		"IPv6 with host bits": {in, func(p *permission) { p.SourceCidrIp, p.Ipv6SourceCidrIp = "", "2001:db8:3c4d:15::1a2f:1a2b/0" }, func(r *cloudfw.GroupRule) { r.Peer.Value = "::/0" }},
		"a group":             {in, func(p *permission) { p.SourceCidrIp, p.SourceGroupId = "", "sg-2" }, func(r *cloudfw.GroupRule) { r.Peer = cloudfw.Peer{Kind: cloudfw.Group, Value: "sg-2"} }},
		"a list":              {in, func(p *permission) { p.SourceCidrIp, p.SourcePrefixListId = "", "pl-2" }, func(r *cloudfw.GroupRule) { r.Peer = cloudfw.Peer{Kind: cloudfw.List, Value: "pl-2"} }},
		"a list outwards": {out, func(p *permission) { p.DestCidrIp, p.DestPrefixListId = "", "pl-2" }, func(r *cloudfw.GroupRule) {
			r.Direction, r.Peer = cloudfw.Out, cloudfw.Peer{Kind: cloudfw.List, Value: "pl-2"}
		}},
		"a near side of all":   {in, func(p *permission) { p.DestCidrIp = "0.0.0.0/0" }, func(*cloudfw.GroupRule) {}},
		"a narrower near side": {in, func(p *permission) { p.DestCidrIp = "192.0.2.9/32" }, func(r *cloudfw.GroupRule) { r.Protocol = "tcp destination=192.0.2.9/32" }},
		"narrower outwards":    {out, func(p *permission) { p.SourceCidrIp = "192.0.2.9/32" }, func(r *cloudfw.GroupRule) { r.Direction, r.Protocol = cloudfw.Out, "tcp source=192.0.2.9/32" }},
		"source ports":         {in, func(p *permission) { p.SourcePortRange = "1000/2000" }, func(r *cloudfw.GroupRule) { r.Protocol = "tcp source-port=1000/2000" }},
		"all source ports":     {in, func(p *permission) { p.SourcePortRange = "-1/-1" }, func(*cloudfw.GroupRule) {}},
		"a port list":          {in, func(p *permission) { p.PortRange, p.PortRangeListId = "", "prl-1" }, func(r *cloudfw.GroupRule) { r.Protocol, r.Ports = "tcp port-list=prl-1", cloudfw.PortRange{} }},
		"ports nobody knows":   {in, func(p *permission) { p.PortRange = "22,23" }, func(r *cloudfw.GroupRule) { r.Protocol, r.Ports = "tcp port=22,23", cloudfw.PortRange{} }},
		"two peers":            {in, func(p *permission) { p.SourceGroupId = "sg-2" }, func(r *cloudfw.GroupRule) { r.Protocol = "tcp peer=sg-2" }},
		"no peer":              {in, func(p *permission) { p.SourceCidrIp = "" }, func(r *cloudfw.GroupRule) { r.Peer = cloudfw.Peer{} }},
	} {
		p := c.from
		c.edit(&p)
		want := cloudfw.GroupRule{
			ID: "sgr-1", Direction: cloudfw.In, Action: cloudfw.Accept, Protocol: cloudfw.TCP, Ports: cloudfw.PortRange{First: 22, Last: 22},
			Peer: cloudfw.Peer{Kind: cloudfw.Net, Value: "192.0.2.0/24"}, Priority: 7, Description: "d",
		}
		c.want(&want)
		if got, err := p.rule(); err != nil || got != want {
			t.Errorf("%s:\n got %+v (%v)\nwant %+v", what, got, err, want)
		}
	}
	if _, err := (&permission{Direction: "both"}).rule(); err == nil {
		t.Error("a rule without a direction was taken")
	}
}

func TestAGroupThatDoesNotAddUpIsNotTaken(t *testing.T) {
	lists := []cloudfw.PrefixList{{Name: "fwsync-a-blocked4"}}
	one := []cloudfw.GroupRule{{ID: "sgr-1"}}
	for _, c := range []struct {
		what string
		head groupHead
		read groupRules
		ok   bool
	}{
		{"an empty group", groupHead{}, groupRules{}, true},
		{"rules that are counted and came", groupHead{RuleCount: 1}, groupRules{rules: one}, true},
		{"rules that are counted and did not come", groupHead{RuleCount: 2}, groupRules{}, false},
		{"a list that came", groupHead{}, groupRules{rules: one, lists: []string{"", "fwsync-a-blocked4"}}, true},
		{"somebody else's list", groupHead{}, groupRules{rules: one, lists: []string{"partners"}}, true},
		{"a list that did not come", groupHead{}, groupRules{rules: one, lists: []string{"fwsync-a-blocked6"}}, false},
	} {
		if err := agree(c.head, c.read, lists); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

func TestPrefixListsAreReadInBothFamilies(t *testing.T) {
	for family, c := range map[cloudfw.Family]struct {
		wire text
		in   []string
		want []netip.Prefix
	}{
		cloudfw.IPv4: {"IPv4", []string{"192.0.2.1", "10.0.0.0/8", "x"}, prefixes("10.0.0.0/8", "192.0.2.1/32")},
		cloudfw.IPv6: {"IPv6", []string{"2001:db8::1", "2001:db8::/32", "x"}, prefixes("2001:db8::/32", "2001:db8::1/128")},
	} {
		l := listAnswer{PrefixListId: "pl-1", PrefixListName: "n", AddressFamily: c.wire, MaxEntries: 9}
		for _, cidr := range c.in {
			l.Entries.Entry = append(l.Entries.Entry, struct{ Cidr text }{text(cidr)})
		}
		got, unreadable := l.list()
		if got.Family != family || wireFamily(family) != string(c.wire) || !slices.Equal(got.Prefixes, c.want) || unreadable != 1 || got.MaxEntries != 9 {
			t.Errorf("got %+v with %d unreadable", got, unreadable)
		}
	}
}

func drawPrefix(t *rapid.T, family cloudfw.Family) netip.Prefix {
	n, most := 4, 32
	if family == cloudfw.IPv6 {
		n, most = 16, 128
	}
	addr, _ := netip.AddrFromSlice(rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "address"))
	p := netip.PrefixFrom(addr, rapid.IntRange(0, most).Draw(t, "bits")).Masked()
	if p.Addr().Is4In6() {
		return family.Everything()
	}
	return p
}

func drawPorts(t *rapid.T) cloudfw.PortRange {
	first := rapid.Uint16Range(1, 65535).Draw(t, "first port")
	r := cloudfw.PortRange{First: first, Last: rapid.Uint16Range(first, 65535).Draw(t, "last port")}
	if r.AllPorts() {
		return cloudfw.PortRange{}
	}
	return r
}

func TestEveryGroupRuleThatIsWrittenReadsBackAsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rule := cloudfw.GroupRule{
			Direction: rapid.SampledFrom([]cloudfw.Direction{cloudfw.In, cloudfw.Out}).Draw(t, "direction"),
			Action:    rapid.SampledFrom([]cloudfw.Action{cloudfw.Accept, cloudfw.Drop}).Draw(t, "action"),
			Protocol:  rapid.SampledFrom([]cloudfw.Protocol{cloudfw.AnyProtocol, cloudfw.TCP, cloudfw.UDP, cloudfw.ICMP, "icmpv6", "gre"}).Draw(t, "protocol"),
			Priority:  rapid.IntRange(1, 100).Draw(t, "priority"), Description: rapid.String().Draw(t, "description"),
		}
		if rule.Protocol == cloudfw.TCP || rule.Protocol == cloudfw.UDP {
			rule.Ports = drawPorts(t)
		}
		switch rapid.IntRange(0, 2).Draw(t, "peer") {
		case 0:
			rule.Peer = cloudfw.Peer{Kind: cloudfw.Net, Value: drawPrefix(t, rapid.SampledFrom(cloudfw.Families).Draw(t, "family")).String()}
		case 1:
			rule.Peer = cloudfw.Peer{Kind: cloudfw.List, Value: "pl-1"}
		default:
			rule.Peer = cloudfw.Peer{Kind: cloudfw.Group, Value: "sg-1"}
		}
		form, err := permissionForm(rule)
		if err != nil {
			t.Fatal(err)
		}
		form["Direction"] = map[cloudfw.Direction]string{cloudfw.In: "ingress", cloudfw.Out: "egress"}[rule.Direction]
		raw, err := json.Marshal(form)
		if err != nil {
			t.Fatal(err)
		}
		var answer permission
		if err := json.Unmarshal(raw, &answer); err != nil {
			t.Fatal(err)
		}
		// JSON replaces bytes that are no UTF-8, as the wire would.
		rule.Description = strings.ToValidUTF8(rule.Description, "\ufffd")
		back, err := answer.rule()
		if err != nil || !back.Same(rule) {
			t.Fatalf("\nwrote %+v\n read %+v (%v)", rule, back, err)
		}
	})
}

func FuzzAnswersOfAnyShapeAreJudgedWithoutAPanic(f *testing.F) {
	for _, seed := range []string{
		`{"RequestId":"R","TotalCount":"1","Policys":[{"AclUuid":"u","Order":"1","Direction":"in"}]}`,
		`{"RequestId":"R","TotalCount":1,"Acls":[{"GroupUuid":"g","GroupName":"n","AddressList":["1.2.3.4 x"]}]}`,
		`{"RequestId":"R","Permissions":{"Permission":[{"Direction":"egress","Priority":"1","DestCidrIp":"::/0"}]}}`,
		`{"RequestId":"R","PrefixListId":"pl","PrefixListName":"n","Entries":{"Entry":[{"Cidr":"1.2.3.4"}]}}`,
		`{"RequestId":{},"Code":[1],"Message":null}`, `{"Code":"Throttling"}`, ``, `null`, `[]`, `{"RequestId":"R","TotalCount":1e99}`,
	} {
		f.Add(200, seed)
		f.Add(400, seed)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		out := outcome{asked: true, connected: true, status: status, body: []byte(body), secrets: []string{"verysecret"}}
		for api, into := range map[API]answer{
			describeControlPolicy: &policiesAnswer{}, describeAddressBook: &booksAnswer{}, describeAssetList: &assetsAnswer{},
			describeSecurityGroups: &groupsAnswer{}, describeSecurityGroupAttribute: &permissionsAnswer{},
			describePrefixLists: &listsAnswer{}, describePrefixListAttributes: &listAnswer{}, modifyAddressBook: &done{}, createPrefixList: &madeList{},
			describeNATPolicy: &policiesAnswer{}, describeNATList: &placesAnswer{}, describeAdvancedConfig: &advancedAnswer{},
			describeRuleCount: &ruleCountsAnswer{}, describePriorUsed: &priorUsedAnswer{}, describeRiskEventGroup: &riskEventsAnswer{},
			assumeRole: &assumedAnswer{}, getCallerIdentity: &identityAnswer{},
		} {
			failure := judge(api, "", out, into)
			if failure != nil {
				if strings.Contains(failure.Error(), "verysecret") || strings.ContainsAny(failure.Error(), "\n\r\x1b") {
					t.Errorf("%q", failure.Error())
				}
				if status < 200 && failure.Kind == cloudfw.Invalid || failure.Kind == "" {
					t.Errorf("%d: kind %q", status, failure.Kind)
				}
				continue
			}
			switch a := into.(type) {
			case *policiesAnswer:
				for i := range a.Policys {
					for _, border := range []cloudfw.Border{{}, natBorder, vpcBorder} {
						_, _ = a.Policys[i].rule(border.Keys()[0])
					}
				}
			case *riskEventsAnswer:
				for i := range a.DataList {
					_, _ = a.DataList[i].event()
				}
			case *booksAnswer:
				for _, b := range a.Acls {
					if got, _ := b.book(); slices.ContainsFunc(got.Prefixes, func(p netip.Prefix) bool { return p != p.Masked() || p.Addr().Zone() != "" }) {
						t.Errorf("prefixes %v", got.Prefixes)
					}
				}
			case *permissionsAnswer:
				for _, p := range a.Permissions.Permission {
					p.rule()
				}
			case *listAnswer:
				a.list()
			}
		}
	})
}

func TestNumbersAndTextsAreReadInEitherForm(t *testing.T) {
	for raw, want := range map[string]string{
		`{"N":12,"T":"a"}`: "12 a", `{"N":"12","T":7}`: "12 7", `{"N":"","T":true}`: "0 true", `{"N":null,"T":null}`: "0 ",
		`{"N":"x"}`: "error", `{"N":1.5}`: "error", `{"T":{}}`: "error", `{"T":[]}`: "error",
	} {
		var v struct {
			N number
			T text
		}
		got := "error"
		if err := json.Unmarshal([]byte(raw), &v); err == nil {
			got = fmt.Sprintf("%d %s", v.N, v.T)
		}
		if got != want {
			t.Errorf("%s is read as %q, want %q", raw, got, want)
		}
	}
}
