package simulator

import (
	"fmt"
	"strings"
	"testing"
)

// bookOf adds a book of a type and returns its uuid.
func bookOf(c *client, kind string, pairs ...string) string {
	c.t.Helper()
	return c.firewall("AddAddressBook", with([]string{"GroupName", "a " + kind, "GroupType", kind, "Description", "some"}, pairs)...).text("GroupUuid")
}

// modifyBook sends the three parameters that every change needs, and more.
func modifyBook(c *client, code, uuid, kind string, pairs ...string) {
	c.t.Helper()
	c.want(code, versionCloudfw, "ModifyAddressBook", with([]string{"GroupUuid", uuid, "GroupName", "a " + kind, "Description", "some"}, pairs)...)
}

// TestModesOfListedBooks plays Cover, Append and Delete on every type that holds a list.
func TestModesOfListedBooks(t *testing.T) {
	for _, tt := range []struct{ kind, first, second, third, bad, code string }{
		{"ip", "198.51.100.1", "198.51.100.0/24", "203.0.113.5", "198.51.100.300", "ErrorParametersGroupAddress"},
		{"ipv6", "2001:db8::1", "2001:db8:1::/48", "2001:db8::5", "198.51.100.1", "ErrorParametersGroupAddress"},
		{"domain", "example.com", "*.example.net", "mail.example.org", "example", "ErrorParamDomain"},
		{"port", "25", "100/200", "465/465", "70000", "ErrorParametersGroupPort"},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			_, c := newWorld(t, Options{})
			id := bookOf(c, tt.kind, "AddressList", tt.first+" the first,"+tt.second)
			modifyBook(c, "", id, tt.kind, "ModifyMode", "Append", "AddressList", tt.third+","+tt.first)
			if got, want := c.addresses(id), fmt.Sprintf("[%s %s %s]", tt.first, tt.second, tt.third); got != want {
				t.Errorf("after appending: %s, want %s", got, want)
			}
			modifyBook(c, tt.code, id, tt.kind, "ModifyMode", "Append", "AddressList", tt.bad)
			modifyBook(c, "", id, tt.kind, "ModifyMode", "Delete", "AddressList", tt.second)
			if got, want := c.addresses(id), fmt.Sprintf("[%s %s]", tt.first, tt.third); got != want {
				t.Errorf("after deleting: %s, want %s", got, want)
			}
			a := c.firewall("DescribeAddressBook", "GroupUuid", id, "GroupType", tt.kind)
			if got := fmt.Sprint(a.items("Acls")[0]["Addresses"]); !strings.HasPrefix(got, fmt.Sprintf("[map[Address:%s Note:the first]", tt.first)) {
				t.Errorf("notes: %s", got)
			}
			modifyBook(c, "", id, tt.kind, "ModifyMode", "Cover", "AddressList", tt.second+" new")
			if got, want := c.addresses(id), "["+tt.second+"]"; got != want {
				t.Errorf("after covering: %s, want %s", got, want)
			}
			c.firewall("DeleteAddressBook", "GroupUuid", id)
		})
	}
}

func TestBooksWithoutAListTakeNoMode(t *testing.T) {
	for _, tt := range []struct {
		kind       string
		args       []string
		field      string
		want, next string
		change     []string
	}{
		{"tag", []string{"TagList.1.TagKey", "role", "TagList.1.TagValue", "mail"}, "TagList",
			"[map[TagKey:role TagValue:mail]]", "[map[TagKey:zone TagValue:]]", []string{"TagList.1.TagKey", "zone"}},
		{"ack", []string{"AckClusterConnectorId", "ac-1", "AckNamespaces.1", "default", "AckLabels.1.Key", "app", "AckLabels.1.Value", "mail"}, "AckNamespaces",
			"[default]", "[mail web]", []string{"AckNamespaces.1", "mail", "AckNamespaces.2", "web"}},
		{"asset", []string{"AssetMemberUids", "[11, 12]", "AssetRegionResourceTypes", `[{"RegionId":"cn-hangzhou"}]`}, "AssetMemberUids",
			"[11 12]", "[13]", []string{"AssetMemberUids", "[13]"}},
		{"assetIpv6", []string{"AssetMemberUids", "[11]"}, "AssetMemberUids", "[11]", "[]", []string{"AssetMemberUids", "[]"}},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			_, c := newWorld(t, Options{})
			id := bookOf(c, tt.kind, tt.args...)
			read := func() string {
				b := c.firewall("DescribeAddressBook", "GroupType", tt.kind).items("Acls")[0]
				if list, array := b["AddressList"].([]any); !array || len(list) != 0 {
					t.Errorf("AddressList: %v", b["AddressList"])
				}
				return fmt.Sprint(b[tt.field])
			}
			if got := read(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			modifyBook(c, "ErrorParameters", id, tt.kind, "ModifyMode", "Cover")
			modifyBook(c, "ErrorParameters", id, tt.kind, "AddressList", "198.51.100.1")
			modifyBook(c, "", id, tt.kind, tt.change...)
			if got := read(); got != tt.next {
				t.Errorf("after the change: got %s, want %s", got, tt.next)
			}
			modifyBook(c, "", id, tt.kind)
			if got := read(); got != tt.next {
				t.Errorf("what is left out must stay: got %s, want %s", got, tt.next)
			}
		})
	}
	_, c := newWorld(t, Options{})
	bookOf(c, "ack", "AckClusterConnectorId", "ac-1", "AckLabels.1.Key", "app", "AckLabels.1.Value", "mail")
	b := only(t, c.firewall("DescribeAddressBook", "GroupType", "ack").items("Acls"))
	expect(t, b, map[string]any{"AckClusterConnectorId": "ac-1", "AckLabels": "[map[Key:app Value:mail]]"})
	c.want("InvalidAssetMemberUids", versionCloudfw, "AddAddressBook", "GroupName", "xx", "GroupType", "asset", "Description", "some", "AssetMemberUids", "11")
	c.want("InvalidAutoAddTagEcs", versionCloudfw, "AddAddressBook", "GroupName", "xx", "GroupType", "tag", "Description", "some", "AutoAddTagEcs", "2")
	var labels []string
	for i := range 11 {
		labels = append(labels, fmt.Sprintf("AckNamespaces.%d", i+1), "n")
	}
	c.want("ErrorParameters", versionCloudfw, "AddAddressBook", with([]string{"GroupName", "xx", "GroupType", "ack", "Description", "some"}, labels)...)
}

func TestBuiltInBooksAreUsedButNotChanged(t *testing.T) {
	world := DefaultWorld()
	world.AddressBooks = append(world.AddressBooks,
		AddressBook{Name: "Malicious downloads", Type: "threat", Description: "built in", Addresses: []string{"198.51.100.66"}},
		AddressBook{Name: "Cloud addresses", Type: "allCloud", Description: "built in"})
	cloud := newCloud(t, Options{World: &world})
	c := serve(t, cloud)
	for _, b := range cloud.Snapshot().AddressBooks[1:] {
		a := c.firewall("DescribeAddressBook", "GroupType", b.Type)
		if items := a.items("Acls"); len(items) != 1 || items[0]["GroupUuid"] != b.UUID {
			t.Errorf("%s: %s", b.Type, a.raw)
		}
		c.want("ErrorParametersGroupType", versionCloudfw, "ModifyAddressBook", "GroupUuid", b.UUID, "GroupName", b.Name, "Description", "mine")
		c.want("ErrorParametersGroupType", versionCloudfw, "DeleteAddressBook", "GroupUuid", b.UUID)
		c.want("ErrorParametersGroupType", versionCloudfw, "AddAddressBook", "GroupName", "another", "GroupType", b.Type, "Description", "some")
		id := c.firewall("AddControlPolicy", policyArgs("SourceType", "group", "Source", b.Name)...).text("AclUuid")
		policy := c.firewall("DescribeControlPolicy", "AclUuid", id, "CurrentPage", "1", "PageSize", "1").items("Policys")[0]
		if policy["SourceGroupType"] != b.Type {
			t.Errorf("the policy says %v", policy["SourceGroupType"])
		}
	}
	// Unset, the type means ip and tag books only.
	if items := c.firewall("DescribeAddressBook").items("Acls"); len(items) != 1 {
		t.Errorf("got %v", items)
	}
}

// TestListReadings plays both readings of what the reference leaves open (§2.4, §9).
func TestListReadings(t *testing.T) {
	scene := func(t *testing.T, a Assumptions) (*client, string) {
		_, c := newWorld(t, Options{Assume: a, Limits: Limits{AddressesPerBook: 3}})
		return c, bookOf(c, "ip", "AddressList", "198.51.100.1,198.51.100.2")
	}
	for _, tt := range []struct {
		name                     string
		a                        Assumptions
		mode, list, code, result string
	}{
		{"an existing address is ignored", Assumptions{}, "Append", "198.51.100.1,198.51.100.3", "", "[198.51.100.1 198.51.100.2 198.51.100.3]"},
		{"an existing address fails", Assumptions{AppendExistingFails: true}, "Append", "198.51.100.3,198.51.100.1", "ErrorParametersGroupAddress", "[198.51.100.1 198.51.100.2]"},
		{"twice in one call fails too", Assumptions{AppendExistingFails: true}, "Cover", "198.51.100.3,198.51.100.3", "ErrorParametersGroupAddress", "[198.51.100.1 198.51.100.2]"},
		{"a missing address is ignored", Assumptions{}, "Delete", "198.51.100.1,198.51.100.9", "", "[198.51.100.2]"},
		{"a missing address fails", Assumptions{DeleteMissingFails: true}, "Delete", "198.51.100.1,198.51.100.9", "ErrorParametersGroupAddress", "[198.51.100.1 198.51.100.2]"},
		{"one bad address fails all", Assumptions{}, "Append", "bad,198.51.100.3", "ErrorParametersGroupAddress", "[198.51.100.1 198.51.100.2]"},
		{"one bad address is skipped", Assumptions{BadAddressesSkipped: true}, "Append", "bad,198.51.100.3", "", "[198.51.100.1 198.51.100.2 198.51.100.3]"},
		{"one bad address is skipped in a delete", Assumptions{BadAddressesSkipped: true}, "Delete", "bad,198.51.100.1", "", "[198.51.100.2]"},
		{"nothing but bad ones fails", Assumptions{BadAddressesSkipped: true}, "Cover", "bad,worse", "ErrorParametersGroupAddress", "[198.51.100.1 198.51.100.2]"},
		{"too many have no effect", Assumptions{}, "Append", "198.51.100.3,198.51.100.4", "ErrorAddressCountExceed", "[198.51.100.1 198.51.100.2]"},
		{"too many fill the book", Assumptions{OverflowKeepsWhatFits: true}, "Append", "198.51.100.3,198.51.100.4", "ErrorAddressCountExceed", "[198.51.100.1 198.51.100.2 198.51.100.3]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, id := scene(t, tt.a)
			modifyBook(c, tt.code, id, "ip", "ModifyMode", tt.mode, "AddressList", tt.list)
			if got := c.addresses(id); got != tt.result {
				t.Errorf("got %s, want %s", got, tt.result)
			}
		})
	}
	// A book that does not fit is not made under either reading: nobody would know its uuid.
	c, _ := scene(t, Assumptions{OverflowKeepsWhatFits: true})
	c.want("ErrorAddressCountExceed", versionCloudfw, "AddAddressBook", "GroupName", "xx", "GroupType", "ip", "Description", "some",
		"AddressList", "192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4")
	if items := c.firewall("DescribeAddressBook").items("Acls"); len(items) != 2 {
		t.Errorf("got %v", items)
	}
}
