package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// outerBorder is what the tests of the NAT and VPC borders need to know of each.
type outerBorder struct {
	name                                                 string
	create, modify, remove, describe, move, prior, batch string
	reset                                                string
	place                                                []string // parameters that name the list
	body                                                 []string // a whole policy but for place and order
}

var outerBorders = []outerBorder{
	{
		name:   "NAT",
		create: "CreateNatFirewallControlPolicy", modify: "ModifyNatFirewallControlPolicy", remove: "DeleteNatFirewallControlPolicy",
		describe: "DescribeNatFirewallControlPolicy", move: "ModifyNatFirewallControlPolicyPosition",
		prior: "DescribeNatFirewallPolicyPriorUsed", batch: "DeleteNatFirewallControlPolicyBatch", reset: "ResetNatFirewallRuleHitCount",
		place: []string{"NatGatewayId", "ngw-office", "Direction", "out"},
		body: []string{"AclAction", "drop", "SourceType", "net", "Source", "172.16.0.0/24", "DestinationType", "net",
			"Destination", "198.51.100.7/32", "Proto", "TCP", "DestPort", "25/25", "ApplicationNameList.1", "ANY"},
	},
	{
		name:   "VPC",
		create: "CreateVpcFirewallControlPolicy", modify: "ModifyVpcFirewallControlPolicy", remove: "DeleteVpcFirewallControlPolicy",
		describe: "DescribeVpcFirewallControlPolicy", move: "ModifyVpcFirewallControlPolicyPosition",
		prior: "DescribeVpcFirewallPolicyPriorUsed", batch: "BatchDeleteVpcFirewallControlPolicy", reset: "ResetVpcFirewallRuleHitCount",
		place: []string{"VpcFirewallId", "cen-office"},
		body: []string{"AclAction", "drop", "SourceType", "net", "Source", "172.16.0.0/24", "DestinationType", "net",
			"Destination", "172.16.1.7/32", "Proto", "TCP", "DestPort", "25/25", "ApplicationName", "ANY"},
	},
}

// with joins parameters; a later value of a name replaces an earlier one, an empty
// one removes it.
func with(lists ...[]string) []string {
	var out []string
	for _, list := range lists {
		for i := 0; i < len(list); i += 2 {
			if at := slices.Index(out, list[i]); at >= 0 {
				out[at+1] = list[i+1]
			} else {
				out = append(out, list[i], list[i+1])
			}
		}
	}
	for i := 0; i < len(out); i += 2 {
		if out[i+1] == "" {
			out = slices.Delete(out, i, i+2)
			i -= 2
		}
	}
	return out
}

func (b outerBorder) add(c *client, order int, description string, more ...string) string {
	c.t.Helper()
	return c.firewall(b.create, with(b.place, b.body, []string{"NewOrder", fmt.Sprint(order), "Description", description}, more)...).text("AclUuid")
}

func (b outerBorder) read(c *client, more ...string) []map[string]any {
	c.t.Helper()
	return c.firewall(b.describe, with(b.place, []string{"CurrentPage", "1", "PageSize", "50"}, more)...).items("Policys")
}

// orders spells the descriptions of a listing in their order.
func orders(items []map[string]any) string {
	text := ""
	for _, item := range items {
		text += fmt.Sprint(item["Order"], item["Description"], " ")
	}
	return strings.TrimSpace(text)
}

func TestOuterBorderLifeCycle(t *testing.T) {
	for _, b := range outerBorders {
		t.Run(b.name, func(t *testing.T) {
			cloud, c := newWorld(t, Options{})
			one, two := b.add(c, -1, "a"), b.add(c, 1, "b")
			three := b.add(c, 2, "c")
			if got := orders(b.read(c)); got != "1b 2c 3a" {
				t.Errorf("after three inserts: %s", got)
			}
			c.firewall(b.move, with(b.place, []string{"AclUuid", one, "NewOrder", "1"})...)
			c.firewall(b.move, with(b.place, []string{"AclUuid", two, "NewOrder", "-1"})...)
			if got := orders(b.read(c)); got != "1a 2c 3b" {
				t.Errorf("after two moves: %s", got)
			}
			if a := c.firewall(b.prior, b.place...); a.body["Start"] != number("1") || a.body["End"] != number("3") {
				t.Errorf("orders in use: %s", a.raw)
			}
			c.firewall(b.modify, with(b.place, b.body, []string{"AclUuid", three, "Description", "d", "Release", "false"})...)
			found := b.read(c, "AclUuid", three)
			if len(found) != 1 || found[0]["Description"] != "d" || found[0]["Release"] != "false" || found[0]["Order"] != number("2") {
				t.Errorf("after the change: %v", found)
			}
			if err := cloud.RecordHits(three, 5); err != nil {
				t.Fatal(err)
			}
			if found := b.read(c, "AclUuid", three); found[0]["HitTimes"] != number("5") || found[0]["HitLastTime"] == number("0") {
				t.Errorf("hits: %v", found[0])
			}
			c.firewall(b.reset, "AclUuid", three)
			if found := b.read(c, "AclUuid", three); found[0]["HitTimes"] != number("0") || found[0]["HitLastTime"] != number("0") {
				t.Errorf("hits after the reset: %v", found[0])
			}
			c.firewall(b.remove, with(b.place, []string{"AclUuid", three})...)
			if got := orders(b.read(c)); got != "1a 2b" {
				t.Errorf("after the delete: %s", got)
			}
			c.want("ErrorAclNotExist", versionCloudfw, b.batch, with(b.place, []string{"AclUuidList.1", one, "AclUuidList.2", three})...)
			if got := orders(b.read(c)); got != "1a 2b" {
				t.Errorf("a batch that was refused changed the list to %s", got)
			}
			c.firewall(b.batch, with(b.place, []string{"AclUuidList.1", two, "AclUuidList.2", one})...)
			if got := b.read(c); got == nil || len(got) != 0 {
				t.Errorf("after the batch: %v", got)
			}
			if a := c.firewall(b.prior, b.place...); a.body["Start"] != number("0") || a.body["End"] != number("0") {
				t.Errorf("orders in use of an empty list: %s", a.raw)
			}
			if n := len(cloud.Snapshot().Policies); n != 1 {
				t.Errorf("%d policies are left, want the internet border's", n)
			}
		})
	}
}

func TestOuterBorderAnswerTypes(t *testing.T) {
	_, c := newWorld(t, Options{})
	nat, vpc := outerBorders[0], outerBorders[1]
	id := nat.add(c, -1, "nat", "DomainResolveType", "2", "DestinationType", "domain", "Destination", "*.example.com")
	// Without any paging, as other clients ask (reference §10).
	a := c.firewall(nat.describe, "NatGatewayId", "ngw-office", "Direction", "out")
	if len(a.items("Policys")) != 1 {
		t.Fatalf("got %s", a.raw)
	}
	for name, want := range map[string]any{
		"SpreadCnt": "1", "DomainResolveType": number("2"), "NatGatewayId": "ngw-office", "Direction": "out", "Order": number("1"),
		"AclUuid": id, "Release": "true", "DestPort": "25/25", "RepeatType": "Permanent",
	} {
		if got := a.items("Policys")[0][name]; got != want {
			t.Errorf("NAT %s: got %#v, want %#v", name, got, want)
		}
	}
	vpc.add(c, -1, "vpc")
	b := c.firewall(vpc.describe, "VpcFirewallId", "cen-office", "CurrentPage", "1", "PageSize", "10")
	for name, want := range map[string]any{
		"SpreadCnt": number("1"), "DomainResolveType": "", "MemberUid": "1000000000000001", "ApplicationName": "ANY", "Order": number("1"),
	} {
		if got := b.items("Policys")[0][name]; got != want {
			t.Errorf("VPC %s: got %#v, want %#v", name, got, want)
		}
	}
	for _, a := range []wireAnswer{a, b} {
		if a.body["TotalCount"] != "1" || a.body["PageNo"] != nil || a.body["PageSize"] != nil {
			t.Errorf("the counters: %s", a.raw)
		}
		for _, name := range []string{"ApplicationNameList", "RepeatDays", "SourceGroupCidrs", "DestinationGroupCidrs", "DestPortGroupPorts"} {
			if _, array := a.items("Policys")[0][name].([]any); !array {
				t.Errorf("%s is not an array: %s", name, a.raw)
			}
		}
	}
	if a := c.firewall("DescribeAclRuleCount"); a.body["NatOutAclCount"] != number("1") || a.body["VpcAclCount"] != number("1") || a.body["TotalAclCount"] != number("3") {
		t.Errorf("counts: %s", a.raw)
	}
	// The borders do not see each other's policies.
	if a := c.firewall("DescribeControlPolicy", "AclUuid", id, "CurrentPage", "1", "PageSize", "50"); len(a.items("Policys")) != 0 {
		t.Errorf("the internet border shows a NAT policy: %s", a.raw)
	}
	c.want("ErrorAclNotExist", versionCloudfw, "ModifyControlPolicyPriority", "AclUuid", id, "Order", "1")
	c.want("ErrorAclNotExist", versionCloudfw, "DeleteControlPolicy", "AclUuid", id)
	c.want("ErrorAclNotExist", versionCloudfw, vpc.reset, "AclUuid", id)
}

func TestOuterBorderRefusals(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	nat, vpc := outerBorders[0], outerBorders[1]
	if _, err := cloud.AddAddressBook(AddressBook{Name: "six", Type: "ipv6", Description: "v6 book", Addresses: []string{"2001:db8::1"}}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, code string
		border     outerBorder
		args       []string
	}{
		{"NAT without a gateway", "MissingNatGatewayId", nat, []string{"NatGatewayId", ""}},
		{"NAT with an unknown gateway", "ErrorNatGatewayNotExist", nat, []string{"NatGatewayId", "ngw-nobody"}},
		{"NAT without a direction", "MissingDirection", nat, []string{"Direction", ""}},
		{"inbound NAT", "ErrorParametersDirection", nat, []string{"Direction", "in"}},
		{"NAT with one application name", "InvalidParameter", nat, []string{"ApplicationName", "ANY"}},
		{"NAT without applications", "ErrorParametersApplicationNameList", nat, []string{"ApplicationNameList.1", ""}},
		{"NAT over IPv6", "ErrorParameterIpVersion", nat, []string{"IpVersion", "6"}},
		{"NAT with a source location", "ErrorParametersSource", nat, []string{"SourceType", "location", "Source", `["BJ11"]`}},
		{"NAT with a resolve type in words", "ErrorDomainResolve", nat, []string{"DomainResolveType", "FQDN"}},
		{"NAT with a resolve type out of range", "ErrorDomainResolve", nat, []string{"DomainResolveType", "3"}},
		{"NAT with an IPv6 book", "ErrorParameterIpVersion", nat, []string{"SourceType", "group", "Source", "six"}},
		{"NAT beyond the end", "ErrorParametersNewOrder", nat, []string{"NewOrder", "2"}},
		{"VPC without a firewall", "MissingVpcFirewallId", vpc, []string{"VpcFirewallId", ""}},
		{"VPC with an unknown firewall", "ErrorVpcFirewallNotExist", vpc, []string{"VpcFirewallId", "cen-nobody"}},
		{"VPC with a direction", "InvalidParameter", vpc, []string{"Direction", "out"}},
		{"VPC with an IP version", "InvalidParameter", vpc, []string{"IpVersion", "4"}},
		{"VPC with a location", "ErrorParametersDestination", vpc, []string{"DestinationType", "location", "Destination", `["BJ11"]`}},
		{"VPC over TCP without a port", "ErrorParametersDestPort", vpc, []string{"DestPort", ""}},
		{"VPC over ICMP without a port", "ErrorParametersDestPort", vpc, []string{"Proto", "ICMP", "DestPort", ""}},
		{"VPC with an unknown book", "ErrorAddressGroupNotExist", vpc, []string{"SourceType", "group", "Source", "nobody"}},
		{"VPC without an order", "MissingNewOrder", vpc, []string{"NewOrder", ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.want(tt.code, versionCloudfw, tt.border.create, with(tt.border.place, tt.border.body, []string{"NewOrder", "-1", "Description", "x"}, tt.args)...)
		})
	}
	for _, b := range outerBorders {
		elsewhere := with(b.place, []string{b.place[0], "nowhere"})
		unknown := map[string]string{"NAT": "ErrorNatGatewayNotExist", "VPC": "ErrorVpcFirewallNotExist"}[b.name]
		id := b.add(c, -1, "x")
		c.want(unknown, versionCloudfw, b.describe, with(elsewhere, []string{"CurrentPage", "1", "PageSize", "10"})...)
		c.want(unknown, versionCloudfw, b.prior, elsewhere...)
		c.want(unknown, versionCloudfw, b.remove, with(elsewhere, []string{"AclUuid", id})...)
		c.want(unknown, versionCloudfw, b.move, with(elsewhere, []string{"AclUuid", id, "NewOrder", "1"})...)
		c.want("ErrorAclNotExist", versionCloudfw, b.modify, with(b.place, []string{"AclUuid", "nobody", "Description", "y"})...)
		c.want("ErrorAclNotExist", versionCloudfw, b.remove, with(b.place, []string{"AclUuid", "nobody"})...)
		c.want("ErrorParametersNewOrder", versionCloudfw, b.move, with(b.place, []string{"AclUuid", id, "NewOrder", "2"})...)
		c.want("ErrorParametersPageSizeOrNo", versionCloudfw, b.describe, with(b.place, []string{"CurrentPage", "1", "PageSize", "51"})...)
	}
	c.firewall(vpc.create, with(vpc.place, vpc.body, []string{"NewOrder", "-1", "Description", "any", "Proto", "ANY", "DestPort", ""})...)
	if items := vpc.read(c, "Description", "any"); len(items) != 1 || items[0]["DestPort"] != "0/0" {
		t.Errorf("ANY without a port: %v", items)
	}
}

func TestOuterBordersUseBooks(t *testing.T) {
	for _, b := range outerBorders {
		t.Run(b.name, func(t *testing.T) {
			cloud, c := newWorld(t, Options{Limits: Limits{SpreadUnits: 3}})
			b.add(c, -1, "uses it", "SourceType", "group", "Source", "partners")
			a := c.firewall("DescribeAddressBook", "GroupType", "all")
			if got := a.items("Acls")[0]["ReferenceCount"]; got != number("1") {
				t.Errorf("references: %v", got)
			}
			book := cloud.Snapshot().AddressBooks[0].UUID
			c.want("ErrorAddressGroupReference", versionCloudfw, "DeleteAddressBook", "GroupUuid", book)
			c.firewall("ModifyAddressBook", "GroupUuid", book, "GroupName", "renamed", "Description", "new name")
			items := b.read(c)
			if items[0]["Source"] != "renamed" || fmt.Sprint(items[0]["SourceGroupCidrs"]) != "[198.51.100.0/24 203.0.113.128/25]" ||
				fmt.Sprint(items[0]["SpreadCnt"]) != "2" {
				t.Errorf("after renaming the book: %v", items[0])
			}
			// 2 of 3 units are used here; the internet border has its own.
			b.add(c, -1, "the third unit")
			c.want("ErrorAclExtendedCountExceed", versionCloudfw, b.create, with(b.place, b.body, []string{"NewOrder", "-1", "Description", "x"})...)
			c.want("ErrorAclExtendedCountExceed", versionCloudfw, "ModifyAddressBook", "GroupUuid", book, "GroupName", "renamed",
				"Description", "more", "ModifyMode", "Append", "AddressList", "192.0.2.0/24")
			c.firewall("AddControlPolicy", policyArgs()...)
		})
	}
}

func TestBorderLists(t *testing.T) {
	_, c := newWorld(t, Options{})
	outerBorders[1].add(c, -1, "one")
	a := c.firewall("DescribeVpcFirewallAclGroupList", "CurrentPage", "1", "PageSize", "50")
	groups := a.items("AclGroupList")
	if len(groups) != 1 || groups[0]["AclGroupId"] != "cen-office" || groups[0]["AclRuleCount"] != number("1") ||
		groups[0]["MemberUid"] != "1000000000000001" || a.body["TotalCount"] != number("1") {
		t.Errorf("groups: %s", a.raw)
	}
	c.want("ErrorParametersPageSizeOrNo", versionCloudfw, "DescribeVpcFirewallAclGroupList", "CurrentPage", "1", "PageSize", "51")
	a = c.firewall("DescribeVpcFirewallAclGroupList", "FirewallConfigureStatus", "notconfigured")
	if list := a.items("AclGroupList"); list == nil || len(list) != 0 {
		t.Errorf("groups without a firewall: %s", a.raw)
	}
	a = c.firewall("DescribeNatFirewallList", "PageNo", "1", "PageSize", "10", "VpcId", "vpc-mail")
	if list := a.items("NatFirewallList"); len(list) != 1 || list[0]["NatGatewayId"] != "ngw-office" || list[0]["ProxyStatus"] != "normal" {
		t.Errorf("gateways: %s", a.raw)
	}
	if a := c.firewall("DescribeNatFirewallList", "NatGatewayId", "ngw-nobody"); a.items("NatFirewallList") == nil || len(a.items("NatFirewallList")) != 0 {
		t.Errorf("no gateways: %s", a.raw)
	}
}

func TestAdvancedConfig(t *testing.T) {
	_, c := newWorld(t, Options{})
	c.firewall("ModifyPolicyAdvancedConfig", "InternetSwitch", "on")
	if a := c.firewall("DescribePolicyAdvancedConfig"); a.body["InternetSwitch"] != "on" {
		t.Errorf("got %s", a.raw)
	}
	c.want("MissingInternetSwitch", versionCloudfw, "ModifyPolicyAdvancedConfig")
	c.want("InvalidInternetSwitch", versionCloudfw, "ModifyPolicyAdvancedConfig", "InternetSwitch", "yes")
	c.want("InvalidEips", versionCloudfw, "ModifyPolicyAdvancedConfig", "InternetSwitch", "off", "Eips.1", "192.0.2.25")
	if a := c.firewall("DescribePolicyAdvancedConfig"); a.body["InternetSwitch"] != "on" {
		t.Errorf("a refused call changed the switch: %s", a.raw)
	}
}

func TestResetOfAnInternetPolicy(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	id := cloud.Snapshot().Policies[0].UUID
	if err := cloud.RecordHits(id, 7); err != nil {
		t.Fatal(err)
	}
	c.firewall("ResetRuleHitCount", "AclUuid", id)
	if p := cloud.Snapshot().Policies[0]; p.HitTimes != 0 || p.HitLastTime != 0 {
		t.Errorf("got %+v", p)
	}
	c.want("ErrorAclNotExist", versionCloudfw, "ResetRuleHitCount", "AclUuid", "nobody")
}

// TestOrderBeyondTheEnd plays the three readings of reference §10.
func TestOrderBeyondTheEnd(t *testing.T) {
	read := func(c *client) string {
		return orders(c.firewall("DescribeControlPolicy", "Direction", "out", "CurrentPage", "1", "PageSize", "50").items("Policys"))
	}
	add := func(c *client, want, order, name string) string {
		c.t.Helper()
		return c.want(want, versionCloudfw, "AddControlPolicy", policyArgs("Direction", "out", "NewOrder", order, "Description", name)...).text("AclUuid")
	}
	t.Run("refused", func(t *testing.T) {
		_, c := newWorld(t, Options{})
		add(c, "ErrorParametersNewOrder", "5", "a")
	})
	t.Run("renumbered", func(t *testing.T) {
		_, c := newWorld(t, Options{Assume: Assumptions{BeyondEndAppends: true}})
		add(c, "", "5", "a")
		add(c, "", "9", "b")
		if got := read(c); got != "1a 2b" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("kept", func(t *testing.T) {
		_, c := newWorld(t, Options{Assume: Assumptions{BeyondEndKeepsOrder: true}})
		a := add(c, "", "5", "a")
		add(c, "", "9", "b")
		add(c, "", "-1", "c")
		if got := read(c); got != "5a 9b 10c" {
			t.Errorf("got %s", got)
		}
		// A hole absorbs the shift; behind one another they shift.
		add(c, "", "5", "d")
		add(c, "", "9", "e")
		if got := read(c); got != "5d 6a 9e 10b 11c" {
			t.Errorf("after two inserts: %s", got)
		}
		c.firewall("DeleteControlPolicy", "AclUuid", a)
		if got := read(c); got != "5d 9e 10b 11c" {
			t.Errorf("after a delete: %s", got)
		}
		if a := c.firewall("DescribePolicyPriorUsed", "Direction", "out"); a.body["Start"] != number("5") || a.body["End"] != number("11") {
			t.Errorf("in use: %s", a.raw)
		}
		c.want("ErrorParametersOldOrder", versionCloudfw, "ModifyControlPolicyPosition", "Direction", "out", "OldOrder", "1", "NewOrder", "2")
		c.firewall("ModifyControlPolicyPosition", "Direction", "out", "OldOrder", "9", "NewOrder", "40")
		if got := read(c); got != "5d 9b 10c 40e" {
			t.Errorf("after a move: %s", got)
		}
		// Reading back the order just asked for is what this reading is about.
		c.want("ErrorParametersNewOrder", versionCloudfw, "ModifyControlPolicyPosition", "Direction", "out", "OldOrder", "9", "NewOrder", "0")
	})
}

// TestOuterOrdersShiftLikeASlice drives the lists of two gateways and two ACL
// groups at random and compares them with plain slices.
func TestOuterOrdersShiftLikeASlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		world := State{
			NATGateways:  []NATGateway{{ID: "ngw-1"}, {ID: "ngw-2"}},
			VPCFirewalls: []VPCFirewall{{ID: "cen-1"}, {ID: "vfw-2"}},
		}
		cloud, err := New(Options{World: &world})
		if err != nil {
			t.Fatal(err)
		}
		twin := map[string][]string{}
		for step := range rapid.IntRange(1, 30).Draw(t, "steps") {
			place := rapid.SampledFrom([]string{"ngw-1", "ngw-2", "cen-1", "vfw-2"}).Draw(t, "place")
			list := twin[place]
			order := rapid.IntRange(1, len(list)+1).Draw(t, "order")
			pick := rapid.IntRange(0, max(0, len(list)-1)).Draw(t, "pick")
			what := rapid.SampledFrom([]string{"add", "add", "move", "delete"}).Draw(t, "what")
			switch {
			case what == "add":
				p := tcpPolicy("", order, fmt.Sprint(step))
				p.Application, p.Applications = "", []string{"ANY"}
				p.setPlace(vpcBorder, place)
				if strings.HasPrefix(place, "ngw") {
					p.VPCFirewall, p.NATGateway, p.Direction = "", place, "out"
				}
				id, err := cloud.AddControlPolicy(p)
				if err != nil {
					t.Fatal(err)
				}
				twin[place] = slices.Insert(slices.Clone(list), order-1, id)
			case len(list) == 0:
			case what == "delete":
				if err := cloud.DeleteControlPolicy(list[pick]); err != nil {
					t.Fatal(err)
				}
				twin[place] = slices.Delete(slices.Clone(list), pick, pick+1)
			case order <= len(list):
				if err := cloud.MoveControlPolicy(list[pick], order); err != nil {
					t.Fatal(err)
				}
				rest := slices.Delete(slices.Clone(list), pick, pick+1)
				twin[place] = slices.Insert(rest, order-1, list[pick])
			}
			if err := cloud.Check(); err != nil {
				t.Fatal(err)
			}
		}
		got := map[string][]string{}
		for _, p := range cloud.Snapshot().Policies {
			got[p.place()] = append(got[p.place()], p.UUID)
		}
		for place, want := range twin {
			if !slices.Equal(got[place], want) {
				t.Fatalf("%s: got %v, want %v", place, got[place], want)
			}
		}
	})
}

func TestBatchIsWholeEvenOverHTTPGet(t *testing.T) {
	_, c := newWorld(t, Options{})
	b := outerBorders[0]
	id := b.add(c, -1, "a")
	c.method = http.MethodGet
	c.want("MissingAclUuidList", versionCloudfw, b.batch, b.place...)
	c.firewall(b.batch, with(b.place, []string{"AclUuidList.1", id})...)
}

// TestPlacesAreApart names the policies of one gateway or group in calls about another.
func TestPlacesAreApart(t *testing.T) {
	world := DefaultWorld()
	world.NATGateways = append(world.NATGateways, NATGateway{ID: "ngw-other"})
	world.VPCFirewalls = append(world.VPCFirewalls, VPCFirewall{ID: "vfw-other"})
	cloud := newCloud(t, Options{World: &world})
	c := serve(t, cloud)
	for i, b := range outerBorders {
		other := with(b.place, []string{b.place[0], []string{"ngw-other", "vfw-other"}[i]})
		id := b.add(c, -1, "here")
		there := c.firewall(b.create, with(other, b.body, []string{"NewOrder", "1", "Description", "there"})...).text("AclUuid")
		before := asJSON(t, cloud.Snapshot())
		c.want("ErrorAclNotExist", versionCloudfw, b.modify, with(other, []string{"AclUuid", id, "Description", "y"})...)
		c.want("ErrorAclNotExist", versionCloudfw, b.remove, with(other, []string{"AclUuid", id})...)
		c.want("ErrorAclNotExist", versionCloudfw, b.batch, with(other, []string{"AclUuidList.1", there, "AclUuidList.2", id})...)
		c.want("ErrorAclNotExist", versionCloudfw, b.move, with(other, []string{"AclUuid", id, "NewOrder", "1"})...)
		if asJSON(t, cloud.Snapshot()) != before {
			t.Errorf("%s: a refused call changed the account", b.name)
		}
		paged := []string{"CurrentPage", "1", "PageSize", "50"}
		gone(t, c.firewall(b.describe, with(other, paged, []string{"AclUuid", id})...).items("Policys"))
		expect(t, only(t, c.firewall(b.describe, with(other, paged)...).items("Policys")), map[string]any{"AclUuid": there, "Order": 1})
		expect(t, only(t, b.read(c)), map[string]any{"AclUuid": id, "Order": 1})
	}
}
