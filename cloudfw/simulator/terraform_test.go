package simulator

import (
	"fmt"
	"net/http"
	"testing"
)

// The tests in this file and in terraform_ecs_test.go play, per Terraform resource,
// the calls of its whole life (reference §7.1) in the shape recorded on the wire
// (reference §10): POST, system parameters in the query, Format in lower case, no
// SignatureType, the rest in the form body.

// terraform returns a client that shapes its calls like the provider.
func terraform(t *testing.T, o Options) (*Cloud, *client) {
	t.Helper()
	cloud, c := newWorld(t, o)
	c.inForm = true
	c.override = map[string]string{"Format": "json", "SignatureType": "", "RegionId": ""}
	return cloud, c
}

// expect compares some fields of an item.
func expect(t *testing.T, item map[string]any, want map[string]any) {
	t.Helper()
	for name, value := range want {
		if got := item[name]; fmt.Sprint(got) != fmt.Sprint(value) {
			t.Errorf("%s: got %#v, want %#v", name, got, value)
		}
	}
}

// only returns the single element of a list.
func only(t *testing.T, items []map[string]any) map[string]any {
	t.Helper()
	if len(items) != 1 {
		t.Fatalf("got %d items: %v", len(items), items)
	}
	return items[0]
}

func gone(t *testing.T, items []map[string]any) {
	t.Helper()
	if items == nil || len(items) != 0 {
		t.Errorf("what is gone must be an empty array, not %v", items)
	}
}

func TestTerraformControlPolicy(t *testing.T) {
	for _, direction := range []string{"in", "out"} {
		for _, six := range []bool{false, true} {
			t.Run(fmt.Sprint(direction, " six=", six), func(t *testing.T) {
				cloud, c := terraform(t, Options{})
				create := []string{
					"Direction", direction, "AclAction", "accept", "Description", "made by terraform", "SourceType", "net", "Source", "198.51.100.0/24",
					"DestinationType", "net", "Destination", "192.0.2.25/32", "Proto", "ANY", "ApplicationName", "ANY", "NewOrder", "-1", "Lang", "zh",
				}
				if six {
					create = with(create, []string{"Source", "2001:db8::/32", "Destination", "::/0", "IpVersion", "6"})
				}
				id := c.firewall("AddControlPolicy", create...).text("AclUuid")
				// Release is set by a change after the creation, which sends the full set.
				full := with(create, []string{"AclUuid", id, "NewOrder", "", "IpVersion", "", "Release", "false"})
				c.firewall("ModifyControlPolicy", full...)
				// Neither direction nor version: the uuid finds it (reference §10).
				read := func() []map[string]any {
					return c.firewall("DescribeControlPolicy", "AclUuid", id, "CurrentPage", "1", "PageSize", "50").items("Policys")
				}
				expect(t, only(t, read()), map[string]any{
					"Direction": direction, "Release": "false", "ApplicationName": "ANY", "ApplicationNameList": []any{}, "DestPort": "0/0",
					"DestPortType": "port", "Source": with(create, nil)[9],
				})
				book := bookOf(c, "port", "AddressList", "25,465/465")
				tcp := with(full, []string{"Proto", "TCP", "DestPortType", "group", "DestPortGroup", "a port", "ApplicationName", "",
					"ApplicationNameList.1", "SMTP", "ApplicationNameList.2", "SMTPS", "Release", "true"})
				c.firewall("ModifyControlPolicy", tcp...)
				expect(t, only(t, read()), map[string]any{
					"ApplicationName": "", "ApplicationNameList": []any{"SMTP", "SMTPS"}, "DestPortGroup": "a port", "DestPort": "",
					"DestPortGroupPorts": []any{"25/25", "465/465"}, "Release": "true", "SpreadCnt": 4,
				})
				c.firewall("ModifyControlPolicy", with(tcp, []string{"DestPortType", "port", "DestPortGroup", "", "DestPort", "25/25"})...)
				expect(t, only(t, read()), map[string]any{"DestPortGroup": "", "DestPort": "25/25", "DestPortGroupPorts": []any{}})
				c.firewall("DeleteAddressBook", "GroupUuid", book)
				c.firewall("DeleteControlPolicy", "AclUuid", id, "Direction", direction)
				gone(t, read())
				if n := len(cloud.Snapshot().Policies); n != 1 {
					t.Errorf("%d policies are left", n)
				}
			})
		}
	}
}

func TestTerraformControlPolicyOrder(t *testing.T) {
	cloud, c := terraform(t, Options{})
	id := c.firewall("AddControlPolicy", policyArgs()...).text("AclUuid")
	c.firewall("ModifyControlPolicyPriority", "AclUuid", id, "Direction", "in", "Order", "1")
	item := only(t, c.firewall("DescribeControlPolicy", "AclUuid", id, "CurrentPage", "1", "PageSize", "50").items("Policys"))
	expect(t, item, map[string]any{"Order": 1})
	c.firewall("ModifyControlPolicyPriority", "AclUuid", id, "Direction", "in", "Order", "-1")
	if p := cloud.Snapshot().Policies[1]; p.UUID != id || p.Order != 2 {
		t.Errorf("the policy is not last: %+v", p)
	}
}

func TestTerraformAddressBook(t *testing.T) {
	for _, tt := range []struct {
		kind           string
		create, change []string
		read, changed  map[string]any
	}{
		{"ip", []string{"AddressList", "198.51.100.2,198.51.100.1"}, []string{"AddressList", "198.51.100.3/32"},
			map[string]any{"AddressList": []any{"198.51.100.2", "198.51.100.1"}, "TagList": []any{}}, map[string]any{"AddressList": []any{"198.51.100.3/32"}}},
		{"tag", []string{"TagRelation", "and", "AutoAddTagEcs", "0", "TagList.1.TagKey", "a", "TagList.1.TagValue", "1"}, []string{"TagRelation", "or", "AutoAddTagEcs", "1"},
			map[string]any{"TagRelation": "and", "AutoAddTagEcs": 0, "AddressList": []any{}}, map[string]any{"TagRelation": "or", "AutoAddTagEcs": 1}},
		{"asset", []string{"AssetMemberUids", "[1000000000000001]", "AssetRegionResourceTypes", `[{"AssetRegionId":"cn-hangzhou"}]`}, []string{"AssetMemberUids", "[]"},
			map[string]any{"AssetMemberUids": []any{"1000000000000001"}}, map[string]any{"AssetMemberUids": []any{}}},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			_, c := terraform(t, Options{})
			id := bookOf(c, tt.kind, tt.create...)
			read := func() map[string]any {
				t.Helper()
				// No id: the client looks for it on the pages.
				for _, b := range c.firewall("DescribeAddressBook", "GroupType", "all", "CurrentPage", "1", "PageSize", "50").items("Acls") {
					for _, list := range []string{"AddressList", "TagList"} {
						if _, array := b[list].([]any); !array {
							t.Errorf("%s is not an array", list)
						}
					}
					if b["GroupUuid"] == id {
						return b
					}
				}
				return nil
			}
			expect(t, read(), tt.read)
			modifyBook(c, "", id, tt.kind, tt.change...)
			expect(t, read(), tt.changed)
			modifyBook(c, "", id, tt.kind, "GroupName", "renamed in place", "Description", "new words")
			expect(t, read(), tt.changed)
			expect(t, read(), map[string]any{"GroupName": "renamed in place", "Description": "new words"})
			c.firewall("DeleteAddressBook", "GroupUuid", id)
			if read() != nil {
				t.Error("the book is still listed")
			}
		})
	}
}

func TestTerraformNATPolicy(t *testing.T) {
	_, c := terraform(t, Options{})
	c.inQuery = []string{"NatGatewayId", "Direction", "AclUuid"}
	place := []string{"NatGatewayId", "ngw-office", "Direction", "out"}
	body := []string{
		"AclAction", "accept", "Description", "made by terraform", "DestPort", "443/443", "Destination", "198.51.100.0/24", "DestinationType", "net",
		"Proto", "TCP", "Source", "172.16.0.0/24", "SourceType", "net", "NewOrder", "-1", "DestPortType", "port", "Release", "true",
		"DomainResolveType", "0", "IpVersion", "4", "RepeatType", "Permanent", "StartTime", "0", "ApplicationNameList.1", "ANY",
	}
	other := c.firewall("CreateNatFirewallControlPolicy", with(place, body)...).text("AclUuid")
	id := c.firewall("CreateNatFirewallControlPolicy", with(place, body)...).text("AclUuid")
	// The id is AclUuid:NatGatewayId:Direction, and reading sends nothing but these.
	read := func() []map[string]any {
		return c.firewall("DescribeNatFirewallControlPolicy", with(place, []string{"AclUuid", id})...).items("Policys")
	}
	expect(t, only(t, read()), map[string]any{
		"Order": 2, "AclUuid": id, "DomainResolveType": 0, "ApplicationNameList": []any{"ANY"}, "Release": "true", "NatGatewayId": "ngw-office",
		"RepeatDays": []any{}, "DestPort": "443/443", "RepeatType": "Permanent",
	})
	c.firewall("ModifyNatFirewallControlPolicy", with(place, body, []string{"AclUuid", id, "NewOrder", "", "IpVersion", "", "AclAction", "drop",
		"RepeatType", "Weekly", "RepeatDays.1", "1", "RepeatDays.2", "5", "RepeatStartTime", "08:00", "RepeatEndTime", "18:00",
		"StartTime", "1767600000", "EndTime", "1767679200"})...)
	expect(t, only(t, read()), map[string]any{"AclAction": "drop", "RepeatDays": []any{1, 5}, "RepeatStartTime": "08:00", "Order": 2})
	c.firewall("ModifyNatFirewallControlPolicyPosition", with(place, []string{"AclUuid", id, "NewOrder", "1"})...)
	expect(t, only(t, read()), map[string]any{"Order": 1})
	c.firewall("DeleteNatFirewallControlPolicy", with(place, []string{"AclUuid", id})...)
	gone(t, read())
	id = other
	expect(t, only(t, read()), map[string]any{"Order": 1})
}

func TestTerraformVPCPolicy(t *testing.T) {
	_, c := terraform(t, Options{})
	place := []string{"VpcFirewallId", "cen-office"}
	body := []string{
		"ApplicationName", "ANY", "Lang", "zh", "Proto", "TCP", "StartTime", "0", "EndTime", "0", "NewOrder", "-1", "Release", "true",
		"DestinationType", "net", "Description", "made by terraform", "DestPort", "22/22", "Destination", "127.0.0.2/32", "DestPortType", "port",
		"AclAction", "accept", "SourceType", "net", "Source", "127.0.0.1/32",
	}
	first := c.firewall("CreateVpcFirewallControlPolicy", with(place, body)...).text("AclUuid")
	id := c.firewall("CreateVpcFirewallControlPolicy", with(place, body, []string{"MemberUid", "1000000000000007"})...).text("AclUuid")
	read := func(uuid string) []map[string]any {
		return c.firewall("DescribeVpcFirewallControlPolicy", with(place, []string{"AclUuid", uuid, "CurrentPage", "1", "PageSize", "50"})...).items("Policys")
	}
	expect(t, only(t, read(first)), map[string]any{"MemberUid": "1000000000000001", "Order": 1, "ApplicationName": "ANY", "ApplicationNameList": []any{}})
	expect(t, only(t, read(id)), map[string]any{"MemberUid": "1000000000000007", "Order": 2, "HitTimes": 0, "CreateTime": noon.Unix()})
	mine := c.firewall("DescribeVpcFirewallControlPolicy", with(place, []string{"MemberUid", "1000000000000007", "CurrentPage", "1", "PageSize", "50"})...)
	expect(t, only(t, mine.items("Policys")), map[string]any{"AclUuid": id})
	bookOf(c, "port", "AddressList", "22")
	c.firewall("ModifyVpcFirewallControlPolicyPosition", with(place, []string{"AclUuid", id, "NewOrder", "1"})...)
	c.firewall("ModifyVpcFirewallControlPolicy", with(place, body, []string{"AclUuid", id, "NewOrder", "", "DestPortType", "group", "DestPortGroup", "a port",
		"DestPort", "", "ApplicationName", "", "ApplicationNameList.1", "SSH"})...)
	expect(t, only(t, read(id)), map[string]any{
		"Order": 1, "DestPortGroup": "a port", "DestPortGroupPorts": []any{"22/22"}, "DestPort": "", "ApplicationName": "", "ApplicationNameList": []any{"SSH"},
		"MemberUid": "1000000000000007",
	})
	c.firewall("ModifyVpcFirewallControlPolicy", with(place, body, []string{"AclUuid", id, "NewOrder", ""})...)
	expect(t, only(t, read(id)), map[string]any{"DestPortGroup": "", "DestPort": "22/22"})
	c.firewall("ModifyVpcFirewallControlPolicyPosition", with(place, []string{"AclUuid", id, "NewOrder", "-1"})...)
	expect(t, only(t, read(id)), map[string]any{"Order": 2})
	for _, uuid := range []string{id, first} {
		c.firewall("DeleteVpcFirewallControlPolicy", with(place, []string{"AclUuid", uuid})...)
		gone(t, read(uuid))
	}
}

// TestVendorCLIShapes plays the third wire shape: everything in the query, by GET
// or by POST with an empty body.
func TestVendorCLIShapes(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		_, c := newWorld(t, Options{})
		c.method = method
		id := c.firewall("AddControlPolicy", policyArgs()...).text("AclUuid")
		item := only(t, c.firewall("DescribeControlPolicy", "AclUuid", id, "CurrentPage", "1", "PageSize", "10", "Direction", "in").items("Policys"))
		expect(t, item, map[string]any{"ApplicationName": "", "ApplicationNameList": []any{"SMTP"}, "DestPort": "25/25"})
		c.firewall("DeleteControlPolicy", "AclUuid", id)
	}
}
