package simulator

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// TestOrdersShiftLikeASlice drives the cloud and a plain slice with the same
// random inserts, moves and deletes and compares them after each.
func TestOrdersShiftLikeASlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cloud, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		type key struct {
			direction string
			version   int
		}
		twin := map[key][]string{}
		for step := range rapid.IntRange(1, 40).Draw(t, "steps") {
			k := key{rapid.SampledFrom([]string{"in", "out"}).Draw(t, "direction"), rapid.SampledFrom([]int{4, 6}).Draw(t, "version")}
			list := twin[k]
			order := rapid.IntRange(-2, len(list)+2).Draw(t, "order")
			pick := rapid.IntRange(0, max(0, len(list)-1)).Draw(t, "pick")
			switch what := rapid.SampledFrom([]string{"add", "add", "move", "position", "delete"}).Draw(t, "what"); {
			case what == "add":
				p := tcpPolicy(k.direction, order, fmt.Sprint(step))
				if k.version == 6 {
					p.IPVersion, p.Source, p.Destination = 6, "2001:db8::1/128", "::/0"
				}
				uuid, err := cloud.AddControlPolicy(p)
				valid := order == -1 || order >= 1 && order <= len(list)+1
				if want := map[bool]string{false: "ErrorParametersNewOrder"}[valid]; code(err) != want {
					t.Fatalf("adding at %d of %d: %v", order, len(list), err)
				}
				if valid {
					at := order - 1
					if order == -1 {
						at = len(list)
					}
					twin[k] = slices.Insert(slices.Clone(list), at, uuid)
				}
			case len(list) == 0:
			case what == "delete":
				if err := cloud.DeleteControlPolicy(list[pick]); err != nil {
					t.Fatal(err)
				}
				twin[k] = slices.Delete(slices.Clone(list), pick, pick+1)
			default:
				byPosition := what == "position" && k.version == 4
				var err error
				if byPosition {
					err = cloud.update(func(e *edit) error { return e.movePosition(k.direction, pick+1, order) })
				} else {
					err = cloud.MoveControlPolicy(list[pick], order)
				}
				valid := order == -1 && !byPosition || order >= 1 && order <= len(list)
				if want := map[bool]string{false: "ErrorParametersNewOrder"}[valid]; code(err) != want {
					t.Fatalf("moving %d to %d of %d: %v", pick+1, order, len(list), err)
				}
				if valid {
					at := order - 1
					if order == -1 {
						at = len(list) - 1
					}
					rest := slices.Delete(slices.Clone(list), pick, pick+1)
					twin[k] = slices.Insert(rest, at, list[pick])
				}
			}
			if err := cloud.Check(); err != nil {
				t.Fatal(err)
			}
			state := cloud.Snapshot()
			for k, want := range twin {
				var got []string
				for i, p := range state.list(k.direction, k.version) {
					got = append(got, p.UUID)
					if p.Order != i+1 {
						t.Fatalf("place %d has order %d", i+1, p.Order)
					}
				}
				if !slices.Equal(got, want) {
					t.Fatalf("%v: got %v, want %v", k, got, want)
				}
			}
		}
	})
}

func TestPolicyReadsBackAsWritten(t *testing.T) {
	_, c := newWorld(t, Options{})
	uuid := c.firewall("AddControlPolicy", policyArgs("NewOrder", "1")...).text("AclUuid")
	a := c.firewall("DescribeControlPolicy", "AclUuid", uuid, "CurrentPage", "1", "PageSize", "50")
	items := a.items("Policys")
	if len(items) != 1 || a.body["TotalCount"] != "1" || a.body["PageNo"] != "1" || a.body["PageSize"] != "50" {
		t.Fatalf("got %s", a.raw)
	}
	want := map[string]any{
		"AclUuid": uuid, "Order": number("1"), "Direction": "in", "AclAction": "drop", "Source": "198.51.100.7/32", "DestPort": "25/25",
		"DestPortType": "port", "Release": "true", "IpVersion": number("4"), "SpreadCnt": number("1"), "ApplicationName": "",
		"CreateTime": number(strconv.FormatInt(noon.Unix(), 10)), "RepeatType": "Permanent", "HitLastTime": number("0"),
	}
	for name, value := range want {
		if items[0][name] != value {
			t.Errorf("%s: got %#v, want %#v", name, items[0][name], value)
		}
	}
	for _, name := range []string{"ApplicationNameList", "RepeatDays", "SourceGroupCidrs", "DestinationGroupCidrs", "DestPortGroupPorts"} {
		if _, array := items[0][name].([]any); !array {
			t.Errorf("%s is not an array: %v", name, items[0][name])
		}
	}
	c.firewall("DeleteControlPolicy", "AclUuid", uuid, "Direction", "in")
	if a := c.firewall("DescribeControlPolicy", "AclUuid", uuid, "CurrentPage", "1", "PageSize", "50"); a.items("Policys") == nil || len(a.items("Policys")) != 0 {
		t.Errorf("a deleted policy must answer an empty array: %s", a.raw)
	}
}

func TestPolicyListing(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	six := tcpPolicy("in", -1, "six")
	six.IPVersion, six.Source, six.Destination = 6, "2001:db8::/64", "::/0"
	uuid, err := cloud.AddControlPolicy(six)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		if _, err := cloud.AddControlPolicy(tcpPolicy("in", -1, fmt.Sprintf("rule %d", i))); err != nil {
			t.Fatal(err)
		}
	}
	list := func(pairs ...string) wireAnswer { return c.firewall("DescribeControlPolicy", pairs...) }
	if a := list("Direction", "in", "CurrentPage", "2", "PageSize", "50"); len(a.items("Policys")) != 11 || a.text("TotalCount") != "61" {
		t.Errorf("page 2: got %d items of %s", len(a.items("Policys")), a.text("TotalCount"))
	}
	if a := list("Direction", "in", "CurrentPage", "9", "PageSize", "50"); len(a.items("Policys")) != 0 || a.items("Policys") == nil {
		t.Errorf("behind the end: got %s", a.raw)
	}
	if a := list("Direction", "in", "IpVersion", "6", "CurrentPage", "1", "PageSize", "50"); len(a.items("Policys")) != 1 {
		t.Errorf("IPv6: got %s", a.raw)
	}
	if a := list("AclUuid", uuid, "CurrentPage", "1", "PageSize", "50"); len(a.items("Policys")) != 1 || a.items("Policys")[0]["IpVersion"] != number("6") {
		t.Errorf("a lookup by uuid must ignore direction and family: got %s", a.raw)
	}
	if a := list("Direction", "in", "Description", "rule 5", "CurrentPage", "1", "PageSize", "50"); a.text("TotalCount") != "11" {
		t.Errorf("description filter: got %s", a.text("TotalCount"))
	}
	if a := list("Direction", "in", "AclAction", "accept", "Release", "true", "Proto", "TCP", "CurrentPage", "1", "PageSize", "50"); a.text("TotalCount") != "1" {
		t.Errorf("action filter: got %s", a.text("TotalCount"))
	}
	c.want("ErrorParametersDirection", versionCloudfw, "DescribeControlPolicy", "CurrentPage", "1", "PageSize", "50")
	c.want("ErrorParametersPageSizeOrNo", versionCloudfw, "DescribeControlPolicy", "Direction", "in", "CurrentPage", "1", "PageSize", "51")
	c.want("ErrorParametersPageSizeOrNo", versionCloudfw, "DescribeControlPolicy", "Direction", "in", "CurrentPage", "0", "PageSize", "50")
	c.want("ErrorParametersPageSizeOrNo", versionCloudfw, "DescribeControlPolicy", "Direction", "in")
	c.want("ErrorParameterIpVersion", versionCloudfw, "DescribeControlPolicy", "Direction", "in", "IpVersion", "5", "CurrentPage", "1", "PageSize", "50")
	if a := c.firewall("DescribePolicyPriorUsed", "Direction", "in"); a.body["Start"] != number("1") || a.body["End"] != number("61") {
		t.Errorf("got %s", a.raw)
	}
	if a := c.firewall("DescribePolicyPriorUsed", "Direction", "out", "IpVersion", "6"); a.body["Start"] != number("0") || a.body["End"] != number("0") {
		t.Errorf("got %s", a.raw)
	}
}

func TestPolicyRefusals(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	for _, b := range []AddressBook{
		{Name: "six", Type: "ipv6", Description: "v6 book", Addresses: []string{"2001:db8::1"}},
		{Name: "ports", Type: "port", Description: "mail ports", Addresses: []string{"25", "465/587"}},
		{Name: "names", Type: "domain", Description: "some names", Addresses: []string{"*.example.com"}},
	} {
		if _, err := cloud.AddAddressBook(b); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, code string
		args       []string
	}{
		{"a bad direction", "ErrorParametersDirection", []string{"Direction", "up"}},
		{"a bad action", "ErrorParametersAction", []string{"AclAction", "reject"}},
		{"a bad protocol", "ErrorParametersProto", []string{"Proto", "tcp"}},
		{"a source without a mask", "ErrorParametersSource", []string{"Source", "198.51.100.7"}},
		{"a source with host bits", "ErrorParametersSource", []string{"Source", "198.51.100.7/24"}},
		{"a bad destination", "ErrorParametersDestination", []string{"Destination", "mail"}},
		{"an inbound domain", "ErrorParametersDestination", []string{"DestinationType", "domain", "Destination", "example.com"}},
		{"an outbound source location", "ErrorParametersSource", []string{"Direction", "out", "SourceType", "location", "Source", `["BJ11"]`}},
		{"an IPv6 source in an IPv4 policy", "ErrorParameterIpVersion", []string{"Source", "2001:db8::/32"}},
		{"an IPv4 source in an IPv6 policy", "ErrorParameterIpVersion", []string{"IpVersion", "6"}},
		{"a bad IP version", "ErrorParameterIpVersion", []string{"IpVersion", "5"}},
		{"an IPv6 book in an IPv4 policy", "ErrorParameterIpVersion", []string{"SourceType", "group", "Source", "six"}},
		{"an unknown book", "ErrorAddressGroupNotExist", []string{"SourceType", "group", "Source", "nobody"}},
		{"a port book as source", "ErrorParametersSource", []string{"SourceType", "group", "Source", "ports"}},
		{"a domain book inbound", "ErrorParametersDestination", []string{"DestinationType", "group", "Destination", "names"}},
		{"an address book for ports", "ErrorParametersGroupPort", []string{"DestPortType", "group", "DestPortGroup", "partners"}},
		{"an unknown port book", "ErrorAddressGroupNotExist", []string{"DestPortType", "group", "DestPortGroup", "nobody"}},
		{"a bad port", "ErrorParametersDestPort", []string{"DestPort", "65536"}},
		{"a port range upside down", "ErrorParametersDestPort", []string{"DestPort", "25/24"}},
		{"a port for ICMP", "ErrorParametersDestPort", []string{"Proto", "ICMP", "ApplicationNameList.1", "ANY"}},
		{"an application for UDP", "ErrorParametersApplicationNameList", []string{"Proto", "UDP"}},
		{"an unknown application", "ErrorParametersApplicationNameList", []string{"ApplicationNameList.1", "Quake"}},
		{"an order of 0", "ErrorParametersNewOrder", []string{"NewOrder", "0"}},
		{"an order beyond the end", "ErrorParametersNewOrder", []string{"NewOrder", "3"}},
		{"an order in words", "ErrorParametersNewOrder", []string{"NewOrder", "last"}},
		{"an empty description", "MissingDescription", []string{"Description", ""}},
		{"a bad release", "InvalidRelease", []string{"Release", "yes"}},
		{"a schedule without times", "ErrorParameters", []string{"RepeatType", "None"}},
		{"a time off the half hour", "ErrorParameters", []string{"RepeatType", "None", "StartTime", "1767600001", "EndTime", "1767609000"}},
		{"a dry run", "InvalidDryRun", []string{"DryRun", "true"}},
	} {
		t.Run(tt.name, func(t *testing.T) { c.want(tt.code, versionCloudfw, "AddControlPolicy", policyArgs(tt.args...)...) })
	}
	for _, tt := range []struct {
		name string
		args []string
	}{
		{"a location source", []string{"SourceType", "location", "Source", `["BJ11","ZB"]`}},
		{"an outbound domain", []string{"Direction", "out", "DestinationType", "domain", "Destination", "*.example.com"}},
		{"a port book", []string{"DestPortType", "group", "DestPortGroup", "ports", "DestPort", ""}},
		{"all ports", []string{"DestPort", "0/0"}},
		{"the other clients' parameters", []string{"MessageType", "x", "Lang", "en", "SourceIp", "203.0.113.9", "ClientToken", "abc"}},
		{"a native expiry", []string{"RepeatType", "None", "StartTime", "1767600000", "EndTime", "1767603600"}},
		{"a weekly schedule", []string{"RepeatType", "Weekly", "StartTime", "1767600000", "EndTime", "1767603600", "RepeatDays.1", "0",
			"RepeatStartTime", "08:00", "RepeatEndTime", "18:30"}},
	} {
		t.Run(tt.name+" is accepted", func(t *testing.T) { c.firewall("AddControlPolicy", policyArgs(tt.args...)...) })
	}
	if n := len(cloud.Snapshot().Policies); n != 8 {
		t.Errorf("%d policies, want the one of the world and the seven accepted", n)
	}
}

func TestModifyPolicy(t *testing.T) {
	args := func(uuid string, more ...string) []string { return append([]string{"AclUuid", uuid}, more...) }
	t.Run("fields left out keep their values", func(t *testing.T) {
		cloud, c := newWorld(t, Options{})
		uuid := c.firewall("AddControlPolicy", policyArgs()...).text("AclUuid")
		c.firewall("ModifyControlPolicy", args(uuid, "Description", "renamed", "Release", "false")...)
		got := cloud.Snapshot().Policies[1]
		if got.Description != "renamed" || !got.Disabled || got.Source != "198.51.100.7/32" || got.Order != 2 || got.Applications[0] != "SMTP" {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("fields left out are cleared under the other reading", func(t *testing.T) {
		_, c := newWorld(t, Options{Assume: Assumptions{OmittedFieldsClear: true}})
		uuid := c.firewall("AddControlPolicy", policyArgs()...).text("AclUuid")
		c.want("ErrorParametersAction", versionCloudfw, "ModifyControlPolicy", args(uuid, "Description", "renamed")...)
	})
	t.Run("an application name replaces the list", func(t *testing.T) {
		cloud, c := newWorld(t, Options{})
		uuid := c.firewall("AddControlPolicy", policyArgs()...).text("AclUuid")
		c.firewall("ModifyControlPolicy", args(uuid, "ApplicationName", "ANY")...)
		if got := cloud.Snapshot().Policies[1]; got.Application != "ANY" || len(got.Applications) != 0 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("a plain port clears the port book", func(t *testing.T) {
		cloud, c := newWorld(t, Options{})
		if _, err := cloud.AddAddressBook(AddressBook{Name: "ports", Type: "port", Description: "mail ports", Addresses: []string{"25"}}); err != nil {
			t.Fatal(err)
		}
		uuid := c.firewall("AddControlPolicy", policyArgs("DestPortType", "group", "DestPortGroup", "ports", "DestPort", "")...).text("AclUuid")
		a := c.firewall("DescribeControlPolicy", "AclUuid", uuid, "CurrentPage", "1", "PageSize", "1")
		if ports := fmt.Sprint(a.items("Policys")[0]["DestPortGroupPorts"]); ports != "[25/25]" {
			t.Errorf("got ports %s", ports)
		}
		c.firewall("ModifyControlPolicy", args(uuid, "DestPortType", "port")...)
		a = c.firewall("DescribeControlPolicy", "AclUuid", uuid, "CurrentPage", "1", "PageSize", "1")
		if got := a.items("Policys")[0]; got["DestPortGroup"] != "" || got["DestPort"] != "0/0" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("direction, order and family stay", func(t *testing.T) {
		_, c := newWorld(t, Options{})
		uuid := c.firewall("AddControlPolicy", policyArgs()...).text("AclUuid")
		c.want("ErrorParametersDirection", versionCloudfw, "ModifyControlPolicy", args(uuid, "Direction", "out")...)
		c.want("InvalidParameter", versionCloudfw, "ModifyControlPolicy", args(uuid, "NewOrder", "1")...)
		c.want("InvalidParameter", versionCloudfw, "ModifyControlPolicy", args(uuid, "IpVersion", "6")...)
	})
	t.Run("an unknown policy is refused", func(t *testing.T) {
		_, c := newWorld(t, Options{})
		c.want("ErrorAclNotExist", versionCloudfw, "ModifyControlPolicy", args("nobody", "Description", "x")...)
		c.want("ErrorAclNotExist", versionCloudfw, "DeleteControlPolicy", "AclUuid", "nobody")
		c.want("ErrorAclNotExist", versionCloudfw, "ModifyControlPolicyPriority", "AclUuid", "nobody", "Order", "1")
	})
	t.Run("deleting an unknown policy succeeds under the other reading", func(t *testing.T) {
		_, c := newWorld(t, Options{Assume: Assumptions{DeleteUnknownPolicySucceeds: true}})
		c.firewall("DeleteControlPolicy", "AclUuid", "nobody")
	})
}

func TestMovePolicyOnTheWire(t *testing.T) {
	order := func(cloud *Cloud) string {
		text := ""
		for _, p := range cloud.Snapshot().Policies {
			text += p.Description
		}
		return text
	}
	scene := func(t *testing.T, o Options) (*Cloud, *client) {
		cloud := newCloud(t, o)
		for _, name := range []string{"a", "b", "c", "d"} {
			if _, err := cloud.AddControlPolicy(tcpPolicy("in", -1, name)); err != nil {
				t.Fatal(err)
			}
		}
		return cloud, serve(t, cloud)
	}
	cloud, c := scene(t, Options{})
	c.firewall("ModifyControlPolicyPosition", "Direction", "in", "OldOrder", "1", "NewOrder", "3")
	if got := order(cloud); got != "bcad" {
		t.Errorf("after the position call: %s", got)
	}
	uuid := cloud.Snapshot().Policies[0].UUID
	c.firewall("ModifyControlPolicyPriority", "AclUuid", uuid, "Direction", "in", "Order", "-1")
	if got := order(cloud); got != "cadb" {
		t.Errorf("after the priority call: %s", got)
	}
	c.want("ErrorParametersOldOrder", versionCloudfw, "ModifyControlPolicyPosition", "Direction", "in", "OldOrder", "5", "NewOrder", "1")
	c.want("ErrorParametersNewOrder", versionCloudfw, "ModifyControlPolicyPosition", "Direction", "in", "OldOrder", "1", "NewOrder", "5")
	c.want("ErrorParametersNewOrder", versionCloudfw, "ModifyControlPolicyPriority", "AclUuid", uuid, "Order", "5")
	c.want("ErrorParametersDirection", versionCloudfw, "ModifyControlPolicyPosition", "Direction", "up", "OldOrder", "1", "NewOrder", "2")

	cloud, c = scene(t, Options{Assume: Assumptions{BeyondEndAppends: true}})
	c.firewall("ModifyControlPolicyPriority", "AclUuid", cloud.Snapshot().Policies[0].UUID, "Order", "99")
	if got := order(cloud); got != "bcda" {
		t.Errorf("beyond the end under the other reading: %s", got)
	}
}

func TestSpreadQuota(t *testing.T) {
	cloud, c := newWorld(t, Options{Limits: Limits{SpreadUnits: 10}})
	book, err := cloud.AddAddressBook(AddressBook{Name: "blocked", Type: "ip", Description: "blocked", Addresses: []string{"198.51.100.1", "198.51.100.2"}})
	if err != nil {
		t.Fatal(err)
	}
	// 2 sources × 1 destination × 1 port range × 3 applications = 6, and 1 of the world.
	uuid := c.firewall("AddControlPolicy", policyArgs("SourceType", "group", "Source", "blocked", "ApplicationNameList.2", "SMTPS", "ApplicationNameList.3", "SSL")...).text("AclUuid")
	a := c.firewall("DescribeControlPolicy", "AclUuid", uuid, "CurrentPage", "1", "PageSize", "1")
	if got := a.items("Policys")[0]["SpreadCnt"]; got != number("6") {
		t.Errorf("got spread %v", got)
	}
	c.firewall("AddControlPolicy", policyArgs()...)
	c.firewall("AddControlPolicy", policyArgs("SourceType", "group", "Source", "blocked")...)
	c.want("ErrorAclExtendedCountExceed", versionCloudfw, "AddControlPolicy", policyArgs()...)
	if err := cloud.EditAddresses(book, ModeAppend, "198.51.100.3"); code(err) != "ErrorAclExtendedCountExceed" {
		t.Errorf("growing a referenced book: %v", err)
	}
	if err := cloud.EditAddresses(book, ModeDelete, "198.51.100.2"); err != nil {
		t.Errorf("shrinking a referenced book: %v", err)
	}
}
