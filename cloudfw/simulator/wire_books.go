package simulator

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// wireBook is an element of Acls (reference §2.4). AddressList and TagList are
// never null: other clients assert that they are arrays.
type wireBook struct {
	GroupUuid                string
	GroupName                string
	GroupType                string
	Description              string
	AddressList              []string
	Addresses                []wireAddress
	AddressListCount         int
	ReferenceCount           int
	AutoAddTagEcs            int
	TagRelation              string
	TagList                  []wireTag
	AssetMemberUids          json.RawMessage `json:",omitempty"`
	AssetRegionResourceTypes json.RawMessage `json:",omitempty"`
	AckClusterConnectorId    string          `json:",omitempty"`
	AckNamespaces            []string        `json:",omitempty"`
	AckLabels                []wireAckLabel  `json:",omitempty"`
}

type wireAckLabel struct{ Key, Value string }

type wireAddress struct{ Address, Note string }

type wireTag struct{ TagKey, TagValue string }

func toWireBook(b *AddressBook, references int, assume Assumptions) wireBook {
	w := wireBook{
		GroupUuid: b.UUID, GroupName: b.Name, GroupType: b.Type, Description: b.Description,
		AddressList: make([]string, len(b.Addresses)), Addresses: make([]wireAddress, len(b.Addresses)),
		AddressListCount: len(b.Addresses), ReferenceCount: references, TagRelation: b.TagRelation, TagList: []wireTag{},
		AssetMemberUids: b.AssetMemberUIDs, AssetRegionResourceTypes: b.AssetRegionResourceTypes,
		AckClusterConnectorId: b.AckClusterConnectorID, AckNamespaces: b.AckNamespaces,
	}
	for _, l := range b.AckLabels {
		w.AckLabels = append(w.AckLabels, wireAckLabel(l))
	}
	for i, text := range b.Addresses {
		address, note := splitEntry(text)
		if entry, err := parseEntry(b.Type, text, assume); err == nil {
			address = entry.address
		}
		w.AddressList[i], w.Addresses[i] = address, wireAddress{address, note}
	}
	for _, t := range b.Tags {
		w.TagList = append(w.TagList, wireTag{t.Key, t.Value})
	}
	if b.AutoAddTagECS {
		w.AutoAddTagEcs = 1
	}
	return w
}

func describeAddressBook(c *call) (any, error) {
	p := c.params
	number, size := pageNumbers(p, 1, 10, maxPolicyPage)
	query, kind, port, uuid := p.text("Query"), p.text("GroupType"), p.text("ContainPort"), p.text("GroupUuid")
	state, err := c.read()
	if err != nil {
		return nil, err
	}
	kinds := []string{kind}
	switch kind {
	case "":
		kinds = []string{"ip", "tag"}
	case "all":
		kinds = nil
	case "ip", "ipv6", "domain", "port", "tag", "allCloud", "threat", "ack", "asset", "assetIpv6":
	default:
		return nil, bad("ErrorParametersGroupType", "The address group type %q is invalid.", kind)
	}
	var found []*AddressBook
	for i := range state.AddressBooks {
		b := &state.AddressBooks[i]
		if kinds != nil && !slices.Contains(kinds, b.Type) || !matches(uuid, b.UUID) || !b.mentions(query) || !b.containsPort(port) {
			continue
		}
		found = append(found, b)
	}
	references, items := state.references(), []wireBook{}
	for _, b := range numberedPage(found, number, size, c.fault) {
		items = append(items, toWireBook(b, references[b.Name], c.cloud.opt.Assume))
	}
	return struct {
		PageNo, PageSize, TotalCount string // strings, as the vendor's (reference §0.10)
		Acls                         []wireBook
	}{decimal(number), decimal(size), strconv.Itoa(len(found)), items}, nil
}

// mentions tells whether name or an address contains the text.
func (b *AddressBook) mentions(text string) bool {
	return strings.Contains(b.Name, text) || slices.ContainsFunc(b.Addresses, func(a string) bool {
		address, _ := splitEntry(a)
		return strings.Contains(address, text)
	})
}

// containsPort tells whether a port book holds the port; an empty port fits all.
func (b *AddressBook) containsPort(port string) bool {
	if port == "" {
		return true
	}
	want, err := strconv.Atoi(port)
	return err == nil && b.Type == "port" && slices.ContainsFunc(b.plainAddresses(), func(a string) bool {
		low, high, _ := strings.Cut(portPair(a), "/")
		l, errL := strconv.Atoi(low)
		h, errH := strconv.Atoi(high)
		return errL == nil && errH == nil && l <= want && want <= h
	})
}

func addAddressBook(c *call) (any, error) {
	p := c.params
	b := AddressBook{Name: p.required("GroupName"), Type: p.required("GroupType"), Description: p.required("Description")}
	b.Addresses = splitList(p.text("AddressList"))
	readBookOptions(p, &b)
	if err := p.done(); err != nil {
		return nil, err
	}
	uuid, err := c.cloud.AddAddressBook(b)
	return struct{ GroupUuid string }{uuid}, err
}

func modifyAddressBook(c *call) (any, error) {
	p := c.params
	uuid, name, description := p.required("GroupUuid"), p.required("GroupName"), p.required("Description")
	mode, addresses := p.text("ModifyMode"), splitList(p.text("AddressList"))
	readBookOptions(p, &AddressBook{})
	return c.change(func(e *edit) error {
		return e.modifyBook(uuid, mode, addresses, func(b *AddressBook) {
			if mode != ModeAppend && mode != ModeDelete || !e.assume.ModesKeepTexts {
				b.Name, b.Description = name, description
			}
			readBookOptions(p, b)
		})
	})
}

func readBookOptions(p *params, b *AddressBook) {
	var tags []Tag
	if p.each("TagList", func(item *params) {
		tags = append(tags, Tag{item.text("TagKey"), item.text("TagValue")})
	}) > 0 {
		b.Tags = tags
	}
	p.set("TagRelation", &b.TagRelation)
	// The parameters of ack books are named in the vendor's newer SDK only.
	p.set("AckClusterConnectorId", &b.AckClusterConnectorID)
	if namespaces := p.list("AckNamespaces"); namespaces != nil {
		b.AckNamespaces = namespaces
	}
	var labels []Tag
	if p.each("AckLabels", func(item *params) {
		labels = append(labels, Tag{item.text("Key"), item.text("Value")})
	}) > 0 {
		b.AckLabels = labels
	}
	switch p.text("AutoAddTagEcs") {
	case "":
	case "0":
		b.AutoAddTagECS = false
	case "1":
		b.AutoAddTagECS = true
	default:
		p.fail(bad("InvalidAutoAddTagEcs", "Specified parameter AutoAddTagEcs is not valid."))
	}
	// Sent as JSON text and answered as arrays (reference §10).
	for name, to := range map[string]*json.RawMessage{"AssetMemberUids": &b.AssetMemberUIDs, "AssetRegionResourceTypes": &b.AssetRegionResourceTypes} {
		text := p.text(name)
		if text == "" {
			continue
		}
		var list []json.RawMessage
		if json.Unmarshal([]byte(text), &list) != nil || list == nil {
			p.fail(bad("Invalid"+name, "Specified parameter %s is not valid.", name))
			continue
		}
		*to = json.RawMessage(text)
	}
}

// splitList cuts an AddressList at its commas; an empty text is no list.
func splitList(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

func deleteAddressBook(c *call) (any, error) {
	uuid := c.params.required("GroupUuid")
	return c.change(func(e *edit) error { return e.deleteBook(uuid) })
}
