package simulator

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func (c client) addresses(uuid string) string {
	c.t.Helper()
	for _, b := range c.firewall("DescribeAddressBook", "GroupType", "all", "CurrentPage", "1", "PageSize", "50").items("Acls") {
		if b["GroupUuid"] == uuid {
			return fmt.Sprint(b["AddressList"])
		}
	}
	c.t.Fatalf("no book %s", uuid)
	return ""
}

func TestAddressBookModes(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	uuid := c.firewall("AddAddressBook", "GroupName", "blocked", "GroupType", "ip", "Description", "blocked ones",
		"AddressList", "198.51.100.1 first,198.51.100.2/32").text("GroupUuid")
	modify := func(code string, pairs ...string) {
		t.Helper()
		c.want(code, versionCloudfw, "ModifyAddressBook", append([]string{"GroupUuid", uuid, "GroupName", "blocked", "Description", "blocked ones"}, pairs...)...)
	}
	want := func(list string) {
		t.Helper()
		if got := c.addresses(uuid); got != list {
			t.Errorf("got %s, want %s", got, list)
		}
	}
	want("[198.51.100.1 198.51.100.2/32]")
	modify("", "ModifyMode", "Append", "AddressList", "198.51.100.3,198.51.100.1/32")
	want("[198.51.100.1 198.51.100.2/32 198.51.100.3]")
	modify("", "ModifyMode", "Delete", "AddressList", "198.51.100.2,198.51.100.9")
	want("[198.51.100.1 198.51.100.3]")
	modify("", "Description", "new words")
	want("[198.51.100.1 198.51.100.3]")
	modify("", "AddressList", "")
	want("[198.51.100.1 198.51.100.3]")
	modify("ErrorParametersGroupAddress", "ModifyMode", "Append", "AddressList", "198.51.100.4,nonsense")
	want("[198.51.100.1 198.51.100.3]")
	modify("", "ModifyMode", "Cover", "AddressList", "203.0.113.0/24 office")
	want("[203.0.113.0/24]")
	modify("", "AddressList", "203.0.113.1")
	want("[203.0.113.1]")
	modify("InvalidModifyMode", "ModifyMode", "Replace", "AddressList", "203.0.113.1")
	modify("MissingDescription", "Description", "")
	c.want("MissingGroupName", versionCloudfw, "ModifyAddressBook", "GroupUuid", uuid, "Description", "blocked ones")
	c.want("ErrorAddressGroupNotExist", versionCloudfw, "ModifyAddressBook", "GroupUuid", "nobody", "GroupName", "xx", "Description", "xx")
	for _, b := range cloud.Snapshot().AddressBooks {
		if b.Name == "blocked" && b.Description != "blocked ones" {
			t.Errorf("got description %q", b.Description)
		}
	}
}

func TestAddressBookReadings(t *testing.T) {
	scene := func(t *testing.T, a Assumptions) (*client, []string) {
		_, c := newWorld(t, Options{Assume: a})
		uuid := c.firewall("AddAddressBook", "GroupName", "blocked", "GroupType", "ip", "Description", "blocked ones", "AddressList", "198.51.100.1").text("GroupUuid")
		return c, []string{"GroupUuid", uuid, "GroupName", "blocked", "Description", "blocked ones"}
	}
	t.Run("appending an existing address fails", func(t *testing.T) {
		c, args := scene(t, Assumptions{AppendExistingFails: true})
		c.want("ErrorParametersGroupAddress", versionCloudfw, "ModifyAddressBook", append(args, "ModifyMode", "Append", "AddressList", "198.51.100.2,198.51.100.1/32")...)
		if got := c.addresses(args[1]); got != "[198.51.100.1]" {
			t.Errorf("the failed call left %s", got)
		}
	})
	t.Run("deleting a missing address fails", func(t *testing.T) {
		c, args := scene(t, Assumptions{DeleteMissingFails: true})
		c.want("ErrorParametersGroupAddress", versionCloudfw, "ModifyAddressBook", append(args, "ModifyMode", "Delete", "AddressList", "198.51.100.1,198.51.100.2")...)
	})
	t.Run("addresses are normalised", func(t *testing.T) {
		c, args := scene(t, Assumptions{NormaliseAddresses: true})
		c.firewall("ModifyAddressBook", append(args, "ModifyMode", "Append", "AddressList", "203.0.113.77/24")...)
		if got := c.addresses(args[1]); got != "[198.51.100.1/32 203.0.113.0/24]" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("host bits are refused otherwise", func(t *testing.T) {
		c, args := scene(t, Assumptions{})
		c.want("ErrorParametersGroupAddress", versionCloudfw, "ModifyAddressBook", append(args, "ModifyMode", "Append", "AddressList", "203.0.113.77/24")...)
	})
}

func TestAddressBookRefusals(t *testing.T) {
	_, c := newWorld(t, Options{Limits: Limits{Books: 3, AddressesPerBook: 3, PortsPerBook: 2}})
	for _, tt := range []struct {
		name, code string
		args       []string
	}{
		{"a taken name", "ErrorAddressGroupExist", []string{"GroupName", "partners"}},
		{"an unknown type", "ErrorParametersGroupType", []string{"GroupType", "mac"}},
		{"a built-in type", "ErrorParametersGroupType", []string{"GroupType", "threat"}},
		{"no addresses", "ErrorParametersGroupAddress", []string{"AddressList", ""}},
		{"an empty element", "ErrorParametersGroupAddress", []string{"AddressList", "198.51.100.1,"}},
		{"IPv6 in an IPv4 book", "ErrorParametersGroupAddress", []string{"AddressList", "2001:db8::1"}},
		{"IPv4 in an IPv6 book", "ErrorParametersGroupAddress", []string{"GroupType", "ipv6"}},
		{"a mapped address", "ErrorParametersGroupAddress", []string{"GroupType", "ipv6", "AddressList", "::ffff:198.51.100.1"}},
		{"a zone", "ErrorParametersGroupAddress", []string{"GroupType", "ipv6", "AddressList", "fe80::1%eth0"}},
		{"a long note", "ErrorParametersGroupAddress", []string{"AddressList", "198.51.100.1 " + strings.Repeat("n", 65)}},
		{"too many addresses", "ErrorAddressCountExceed", []string{"AddressList", "198.51.100.1,198.51.100.2,198.51.100.3,198.51.100.4"}},
		{"too many ports", "ErrorAddressCountExceed", []string{"GroupType", "port", "AddressList", "25,80,443"}},
		{"a bad port", "ErrorParametersGroupPort", []string{"GroupType", "port", "AddressList", "smtp"}},
		{"a bad domain", "ErrorParamDomain", []string{"GroupType", "domain", "AddressList", "-x.example.com"}},
		{"a list in a tag book", "ErrorParametersGroupAddress", []string{"GroupType", "tag"}},
		{"a short name", "InvalidGroupName", []string{"GroupName", "x"}},
		{"a long name", "InvalidGroupName", []string{"GroupName", strings.Repeat("x", 129)}},
		{"a long description", "InvalidDescription", []string{"Description", strings.Repeat("x", 257)}},
		{"no description", "MissingDescription", []string{"Description", ""}},
		{"no name", "MissingGroupName", []string{"GroupName", ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.want(tt.code, versionCloudfw, "AddAddressBook", append([]string{
				"GroupName", "blocked", "GroupType", "ip", "Description", "blocked ones", "AddressList", "198.51.100.1"}, tt.args...)...)
		})
	}
	for i := range 2 {
		c.firewall("AddAddressBook", "GroupName", fmt.Sprintf("book %d", i), "GroupType", "ip", "Description", "some", "AddressList", "198.51.100.1,198.51.100.2")
	}
	c.want("ErrorAddressGroupCountExceed", versionCloudfw, "AddAddressBook", "GroupName", "one more", "GroupType", "ip", "Description", "some", "AddressList", "198.51.100.1")
}

func TestReferencedBookIsKeptAndCounted(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	uuid := c.firewall("AddAddressBook", "GroupName", "blocked", "GroupType", "ip", "Description", "blocked ones", "AddressList", "198.51.100.1").text("GroupUuid")
	policy := c.firewall("AddControlPolicy", policyArgs("SourceType", "group", "Source", "blocked")...).text("AclUuid")
	a := c.firewall("DescribeAddressBook", "GroupUuid", uuid)
	if b := a.items("Acls")[0]; b["ReferenceCount"] != number("1") || b["AddressListCount"] != number("1") || a.text("PageSize") != "10" {
		t.Errorf("got %s", a.raw)
	}
	c.want("ErrorAddressGroupReference", versionCloudfw, "DeleteAddressBook", "GroupUuid", uuid)
	c.firewall("ModifyAddressBook", "GroupUuid", uuid, "GroupName", "banned", "Description", "blocked ones")
	if got := cloud.Snapshot().Policies[1].Source; got != "banned" {
		t.Errorf("after renaming the book the policy names %q", got)
	}
	c.want("ErrorAddressGroupExist", versionCloudfw, "ModifyAddressBook", "GroupUuid", uuid, "GroupName", "partners", "Description", "blocked ones")
	c.firewall("DeleteControlPolicy", "AclUuid", policy)
	c.firewall("DeleteAddressBook", "GroupUuid", uuid)
	c.want("ErrorAddressGroupNotExist", versionCloudfw, "DeleteAddressBook", "GroupUuid", uuid)
}

func TestAddressBookListing(t *testing.T) {
	_, c := newWorld(t, Options{})
	add := func(pairs ...string) {
		t.Helper()
		c.firewall("AddAddressBook", append(pairs, "Description", "some")...)
	}
	add("GroupName", "six", "GroupType", "ipv6", "AddressList", "2001:db8::/32 lab")
	add("GroupName", "ports", "GroupType", "port", "AddressList", "25,460/590")
	add("GroupName", "tagged", "GroupType", "tag", "TagList.1.TagKey", "role", "TagList.1.TagValue", "mail", "AutoAddTagEcs", "1", "TagRelation", "or")
	add("GroupName", "assets", "GroupType", "asset", "AssetMemberUids", "[1, 2]", "AssetRegionResourceTypes", `[{"RegionId":"cn-hangzhou"}]`)
	names := func(pairs ...string) string {
		t.Helper()
		a := c.firewall("DescribeAddressBook", pairs...)
		var names []string
		for _, b := range a.items("Acls") {
			names = append(names, b["GroupName"].(string))
			for _, field := range []string{"AddressList", "TagList"} {
				if _, array := b[field].([]any); !array {
					t.Errorf("%s of %s is not an array", field, b["GroupName"])
				}
			}
		}
		return strings.Join(names, " ")
	}
	for _, tt := range []struct {
		want string
		args []string
	}{
		{"partners tagged", nil},
		{"partners six ports tagged assets", []string{"GroupType", "all", "CurrentPage", "1", "PageSize", "50"}},
		{"ports tagged", []string{"GroupType", "all", "CurrentPage", "2", "PageSize", "2"}},
		{"six", []string{"GroupType", "ipv6"}},
		{"ports", []string{"GroupType", "port", "ContainPort", "465"}},
		{"", []string{"GroupType", "port", "ContainPort", "80"}},
		{"six", []string{"GroupType", "all", "Query", "2001:"}},
		{"partners", []string{"Query", "part"}},
		{"", []string{"Query", "courier"}},
	} {
		if got := names(tt.args...); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.args, got, tt.want)
		}
	}
	c.want("ErrorParametersGroupType", versionCloudfw, "DescribeAddressBook", "GroupType", "mac")
	c.want("ErrorParametersPageSizeOrNo", versionCloudfw, "DescribeAddressBook", "PageSize", "51")
	a := c.firewall("DescribeAddressBook", "GroupType", "asset")
	if got := fmt.Sprint(a.items("Acls")[0]["AssetMemberUids"], a.items("Acls")[0]["AssetRegionResourceTypes"]); got != "[1 2] [map[RegionId:cn-hangzhou]]" {
		t.Errorf("got %s", got)
	}
	a = c.firewall("DescribeAddressBook", "GroupType", "tag")
	if got := fmt.Sprint(a.items("Acls")[0]["TagList"], a.items("Acls")[0]["AutoAddTagEcs"], a.items("Acls")[0]["TagRelation"]); got != "[map[TagKey:role TagValue:mail]]1or" {
		t.Errorf("got %s", got)
	}
	a = c.firewall("DescribeAddressBook", "GroupType", "ipv6")
	if got := fmt.Sprint(a.items("Acls")[0]["Addresses"], a.items("Acls")[0]["AddressList"]); got != "[map[Address:2001:db8::/32 Note:lab]] [2001:db8::/32]" {
		t.Errorf("got %s", got)
	}
}

// TestBookModesMatchASet compares random Cover, Append and Delete calls with a slice.
func TestBookModesMatchASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cloud, err := New(Options{Limits: Limits{AddressesPerBook: 8}})
		if err != nil {
			t.Fatal(err)
		}
		twin := []string{"198.51.100.0"}
		uuid, err := cloud.AddAddressBook(AddressBook{Name: "book", Type: "ip", Description: "book", Addresses: twin})
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			mode := rapid.SampledFrom([]string{ModeCover, ModeAppend, ModeDelete}).Draw(t, "mode")
			var given []string
			for _, n := range rapid.SliceOfN(rapid.IntRange(0, 11), 1, 10).Draw(t, "addresses") {
				given = append(given, fmt.Sprintf("198.51.100.%d", n))
			}
			var next []string
			switch mode {
			case ModeAppend:
				next = slices.Clone(twin)
				fallthrough
			case ModeCover:
				for _, a := range given {
					if !slices.Contains(next, a) {
						next = append(next, a)
					}
				}
			case ModeDelete:
				next = slices.DeleteFunc(slices.Clone(twin), func(a string) bool { return slices.Contains(given, a) })
			}
			err := cloud.EditAddresses(uuid, mode, given...)
			if len(next) > 8 {
				if code(err) != "ErrorAddressCountExceed" {
					t.Fatalf("%s to %d addresses: %v", mode, len(next), err)
				}
			} else {
				if err != nil {
					t.Fatal(err)
				}
				twin = next
			}
			if got := cloud.Snapshot().AddressBooks[0].Addresses; !slices.Equal(got, twin) {
				t.Fatalf("%s %v: got %v, want %v", mode, given, got, twin)
			}
		}
	})
}

func TestTwoThousandAddressesInOneForm(t *testing.T) {
	_, c := newWorld(t, Options{})
	c.inForm = true
	list := make([]string, 2000)
	for i := range list {
		list[i] = fmt.Sprintf("10.0.%d.%d/32", i/250, i%250)
	}
	uuid := c.firewall("AddAddressBook", "GroupName", "full", "GroupType", "ip", "Description", "full", "AddressList", strings.Join(list, ",")).text("GroupUuid")
	args := []string{"GroupUuid", uuid, "GroupName", "full", "Description", "full", "ModifyMode", "Append", "AddressList", "10.1.0.0/32"}
	c.want("ErrorAddressCountExceed", versionCloudfw, "ModifyAddressBook", args...)
	a := c.firewall("DescribeAddressBook", "GroupUuid", uuid)
	if got := a.items("Acls")[0]["AddressListCount"]; got != number("2000") {
		t.Errorf("got %v addresses", got)
	}
}
