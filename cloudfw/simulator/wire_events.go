package simulator

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// wireRiskEvent is an element of DataList (reference §2.7).
type wireRiskEvent struct {
	EventId               string
	EventName             string
	SrcIP                 string
	SrcIPTag              string
	SrcPrivateIPList      []string
	DstIP                 string
	Direction             string
	AttackType            int
	AttackApp             string
	RuleId                string
	RuleResult            int
	RuleSource            int
	VulLevel              int
	FirstEventTime        int64
	LastEventTime         int64
	EventCount            int
	ResourceType          string
	Description           string
	Tag                   string
	IPLocationInfo        wireLocation
	ResourcePrivateIPList []wireResourceIP
	VpcSrcInfo            wireNetwork
	VpcDstInfo            wireNetwork
}

type wireLocation struct{ CityId, CityName, CountryId, CountryName string }

type wireResourceIP struct{ ResourcePrivateIP, ResourceInstanceId, ResourceInstanceName, RegionNo string }

type wireNetwork struct{ NetworkInstanceId, NetworkInstanceName, EcsInstanceId, EcsInstanceName, RegionNo string }

func describeRiskEventGroup(c *call) (any, error) {
	p := c.params
	number, size := pageNumbers(p, 1, 6, 10)
	from, to := span(p, true)
	if kind := p.required("DataType"); kind != "" && kind != "session" {
		p.fail(bad("InvalidDataType", "Specified parameter DataType is not valid."))
	}
	src, dst, direction, name := p.text("SrcIP"), p.text("DstIP"), p.text("Direction"), p.text("EventName")
	srcNetwork, dstNetwork := p.text("SrcNetworkInstanceId"), p.text("DstNetworkInstanceId")
	attack := int(p.number("AttackType", 0, 1, 13))
	level := int(p.number("VulLevel", 0, 1, 3))
	result := int(p.number("RuleResult", 0, 1, 2))
	source := int(p.number("RuleSource", 0, 1, 4))
	apps, bare := p.list("AttackApp"), p.flag("NoLocation")
	firewall := oneOf(p, "FirewallType", "InternetFirewall", "VpcFirewall")
	// That the newest event comes first is assumed.
	sortBy, order := oneOf(p, "Sort", "LastTime", "VulLevel"), oneOf(p, "Order", "desc", "asc")
	p.ignore("BuyVersion")
	state, err := c.read()
	if err != nil {
		return nil, err
	}
	found := []RiskEvent{}
	for _, e := range state.RiskEvents {
		if e.Firewall == firewall && e.FirstEventTime <= to && e.LastEventTime >= from && matches(src, e.SrcIP) && matches(dst, e.DstIP) &&
			matches(direction, e.Direction) && matches(name, e.Name) && matches(srcNetwork, e.SrcNetwork) && matches(dstNetwork, e.DstNetwork) &&
			matchesNumber(attack, e.AttackType) && matchesNumber(level, e.VulLevel) && matchesNumber(result, e.RuleResult) && matchesNumber(source, e.RuleSource) &&
			(apps == nil || slices.Contains(apps, e.AttackApp)) {
			found = append(found, e)
		}
	}
	slices.SortStableFunc(found, func(a, b RiskEvent) int {
		way := cmp.Compare(a.LastEventTime, b.LastEventTime)
		if sortBy == "VulLevel" {
			way = cmp.Compare(a.VulLevel, b.VulLevel)
		}
		if order == "desc" {
			way = -way
		}
		return way
	})
	items := []wireRiskEvent{}
	for _, e := range numberedPage(found, number, size, c.fault) {
		if bare {
			e.Location = Location{}
		}
		items = append(items, toWireRiskEvent(e))
	}
	return struct {
		TotalCount int // a number here, unlike in the policy lists (reference §0.10)
		DataList   []wireRiskEvent
	}{len(found), items}, nil
}

func toWireRiskEvent(e RiskEvent) wireRiskEvent {
	w := wireRiskEvent{
		EventId: e.ID, EventName: e.Name, SrcIP: e.SrcIP, SrcIPTag: e.SrcIPTag, SrcPrivateIPList: append([]string{}, e.SrcPrivateIPs...),
		DstIP: e.DstIP, Direction: e.Direction, AttackType: e.AttackType, AttackApp: e.AttackApp, RuleId: e.RuleID,
		RuleResult: e.RuleResult, RuleSource: e.RuleSource, VulLevel: e.VulLevel, FirstEventTime: e.FirstEventTime,
		LastEventTime: e.LastEventTime, EventCount: e.EventCount, ResourceType: e.ResourceType, Description: e.Description, Tag: e.Tag,
		IPLocationInfo:        wireLocation{e.Location.CityID, e.Location.CityName, e.Location.CountryID, e.Location.CountryName},
		ResourcePrivateIPList: []wireResourceIP{},
		VpcSrcInfo:            wireNetwork{NetworkInstanceId: e.SrcNetwork}, VpcDstInfo: wireNetwork{NetworkInstanceId: e.DstNetwork},
	}
	for _, ip := range e.AssetIPs {
		w.ResourcePrivateIPList = append(w.ResourcePrivateIPList, wireResourceIP{ResourcePrivateIP: ip})
	}
	return w
}

// wireInvadeEvent is an element of EventList (reference §2.7).
type wireInvadeEvent struct {
	EventKey           string
	EventUuid          string
	EventName          string
	EventSrc           string
	RiskLevel          int
	ProcessStatus      int
	IsIgnore           bool
	PublicIP           string
	PublicIpType       string
	PrivateIP          string
	FirstTime          int64
	LastTime           int64
	AssetsInstanceId   string
	AssetsInstanceName string
	AssetsType         string
	MemberUid          string
}

func describeInvadeEventList(c *call) (any, error) {
	p := c.params
	// Defaults and the highest page size are assumed.
	number, size := pageNumbers(p, 1, 10, 50)
	from, to := span(p, false)
	ip, key, uuid, name := p.text("AssetsIP"), p.text("EventKey"), p.text("EventUuid"), p.text("EventName")
	asset, assetName, member := p.text("AssetsInstanceId"), p.text("AssetsInstanceName"), p.text("MemberUid")
	levels, statuses, status := p.list("RiskLevel"), p.list("ProcessStatusList"), p.text("ProcessStatus")
	ignored := oneOf(p, "IsIgnore", "", "true", "false")
	state, err := c.read()
	if err != nil {
		return nil, err
	}
	found, atLevel := []wireInvadeEvent{}, map[int]int{}
	for _, e := range state.InvadeEvents {
		owner := cmp.Or(e.MemberUID, state.AccountID)
		if e.FirstTime > to || e.LastTime < from || ip != "" && ip != e.PublicIP && ip != e.PrivateIP ||
			levels != nil && !slices.Contains(levels, strconv.Itoa(e.RiskLevel)) ||
			statuses != nil && !slices.Contains(statuses, strconv.Itoa(e.ProcessStatus)) {
			continue
		}
		if matches(key, e.Key) && matches(uuid, e.UUID) && matches(name, e.Name) && matches(asset, e.AssetID) && matches(assetName, e.AssetName) &&
			matches(member, owner) && matches(status, strconv.Itoa(e.ProcessStatus)) && matches(ignored, strconv.FormatBool(e.Ignored)) {
			atLevel[e.RiskLevel]++
			found = append(found, wireInvadeEvent{
				e.Key, e.UUID, e.Name, e.Source, e.RiskLevel, e.ProcessStatus, e.Ignored, e.PublicIP, e.PublicIPType, e.PrivateIP,
				e.FirstTime, e.LastTime, e.AssetID, e.AssetName, e.AssetType, owner,
			})
		}
	}
	percent := func(level int) int { return 100 * atLevel[level] / max(1, len(found)) }
	type pageInfo struct{ CurrentPage, PageSize, TotalCount int }
	return struct {
		HighLevelPercent, MiddleLevelPercent, LowLevelPercent int
		PageInfo                                              pageInfo
		EventList                                             []wireInvadeEvent
	}{percent(3), percent(2), percent(1), pageInfo{int(number), int(size), len(found)}, numberedPage(found, number, size, c.fault)}, nil
}

// span reads StartTime and EndTime, unix seconds; open ends where they may be left out.
func span(p *params, required bool) (from, to int64) {
	if required {
		p.required("StartTime")
		p.required("EndTime")
	}
	return p.number("StartTime", 0, 0, math.MaxInt64), p.number("EndTime", math.MaxInt64, 0, math.MaxInt64)
}

// oneOf reads a value out of a fixed set; the first is the default.
func oneOf(p *params, name string, values ...string) string {
	v := p.text(name)
	if v == "" {
		return values[0]
	}
	if !slices.Contains(values, v) {
		p.fail(bad("Invalid"+name, "Specified parameter %s is not valid.", name))
	}
	return v
}

// matchesNumber tells whether a filter is absent (0) or equal to the value.
func matchesNumber(filter, value int) bool { return filter == 0 || filter == value }
