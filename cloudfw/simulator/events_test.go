package simulator

import (
	"fmt"
	"strings"
	"testing"
)

func riskEvent(name, src string, level int, last int64) RiskEvent {
	return RiskEvent{
		Name: name, Direction: "in", SrcIP: src, DstIP: "192.0.2.25", AttackType: 3, AttackApp: "SMTP", RuleResult: 1, RuleSource: 2,
		VulLevel: level, FirstEventTime: last - 60, LastEventTime: last, EventCount: 9,
		AssetIPs: []string{"172.16.0.25"}, Location: Location{CountryID: "XX", CountryName: "Nowhere"},
	}
}

// names spells the event names of a listing in their order.
func names(items []map[string]any) string {
	var out []string
	for _, item := range items {
		out = append(out, fmt.Sprint(item["EventName"]))
	}
	return strings.Join(out, " ")
}

func TestRiskEvents(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	inside := riskEvent("d", "172.16.5.5", 1, 5000)
	inside.Firewall, inside.DstIP = "VpcFirewall", "172.16.0.25"
	if err := cloud.AddRiskEvents(riskEvent("a", "198.51.100.1", 3, 1000), riskEvent("b", "198.51.100.2", 1, 2000),
		riskEvent("c", "198.51.100.1", 2, 3000), inside); err != nil {
		t.Fatal(err)
	}
	read := func(args ...string) wireAnswer {
		t.Helper()
		return c.firewall("DescribeRiskEventGroup", with([]string{"StartTime", "1", "EndTime", "9000", "DataType", "session"}, args)...)
	}
	for _, tt := range []struct {
		name, want string
		args       []string
	}{
		{"the newest first", "c b a", nil},
		{"the oldest first", "a b c", []string{"Order", "asc"}},
		{"by level", "a c b", []string{"Sort", "VulLevel", "Order", "desc"}},
		{"one source", "c a", []string{"SrcIP", "198.51.100.1"}},
		{"one level", "b", []string{"VulLevel", "1"}},
		{"a time span", "b", []string{"StartTime", "1500", "EndTime", "2500"}},
		{"a span that an event reaches into", "c", []string{"StartTime", "2950", "EndTime", "2970"}},
		{"another direction", "", []string{"Direction", "out"}},
		{"another result", "", []string{"RuleResult", "2"}},
		{"one of two applications", "c b a", []string{"AttackApp.1", "HTTP", "AttackApp.2", "SMTP"}},
		{"another application", "", []string{"AttackApp.1", "HTTP"}},
		{"the VPC border", "d", []string{"FirewallType", "VpcFirewall"}},
		{"the second page", "a", []string{"CurrentPage", "2", "PageSize", "2"}},
		{"a name", "b", []string{"EventName", "b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := names(read(tt.args...).items("DataList")); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	a := read("PageSize", "1")
	item := a.items("DataList")[0]
	if a.body["TotalCount"] != number("3") || item["VulLevel"] != number("2") || item["SrcIP"] != "198.51.100.1" || item["EventId"] == "" {
		t.Errorf("got %s", a.raw)
	}
	if got := fmt.Sprint(item["ResourcePrivateIPList"], item["SrcPrivateIPList"]); !strings.Contains(got, "ResourcePrivateIP:172.16.0.25") || !strings.HasSuffix(got, "[]") {
		t.Errorf("lists: %s", got)
	}
	if got := fmt.Sprint(item["IPLocationInfo"]); !strings.Contains(got, "Nowhere") {
		t.Errorf("location: %s", got)
	}
	if got := fmt.Sprint(read("NoLocation", "true").items("DataList")[0]["IPLocationInfo"]); strings.Contains(got, "Nowhere") {
		t.Errorf("location where none was wanted: %s", got)
	}
	for _, tt := range []struct {
		code string
		args []string
	}{
		{"MissingStartTime", []string{"StartTime", ""}}, {"MissingDataType", []string{"DataType", ""}},
		{"InvalidDataType", []string{"DataType", "flow"}}, {"ErrorParametersPageSizeOrNo", []string{"PageSize", "11"}},
		{"InvalidAttackType", []string{"AttackType", "14"}}, {"InvalidOrder", []string{"Order", "up"}}, {"InvalidStartTime", []string{"StartTime", "now"}},
	} {
		c.want(tt.code, versionCloudfw, "DescribeRiskEventGroup", with([]string{"StartTime", "1", "EndTime", "9000", "DataType", "session"}, tt.args)...)
	}
}

func TestRiskEventPageDefaultsToSix(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	for i := range 7 {
		if err := cloud.AddRiskEvents(riskEvent(fmt.Sprint(i), "198.51.100.1", 1, int64(1000+i))); err != nil {
			t.Fatal(err)
		}
	}
	a := c.firewall("DescribeRiskEventGroup", "StartTime", "1", "EndTime", "9000", "DataType", "session")
	if len(a.items("DataList")) != 6 || a.body["TotalCount"] != number("7") {
		t.Errorf("got %s", a.raw)
	}
}

func TestMalformedRiskEventsAreRefusedAsAWhole(t *testing.T) {
	cloud := newCloud(t, Options{})
	for name, spoil := range map[string]func(*RiskEvent){
		"address":   func(e *RiskEvent) { e.SrcIP = "mail" },
		"direction": func(e *RiskEvent) { e.Direction = "up" },
		"type":      func(e *RiskEvent) { e.AttackType = 0 },
		"result":    func(e *RiskEvent) { e.RuleResult = 3 },
		"source":    func(e *RiskEvent) { e.RuleSource = 3 },
		"level":     func(e *RiskEvent) { e.VulLevel = 4 },
		"times":     func(e *RiskEvent) { e.FirstEventTime = e.LastEventTime + 1 },
		"firewall":  func(e *RiskEvent) { e.Firewall = "NatFirewall" },
	} {
		bad := riskEvent("b", "198.51.100.2", 1, 2000)
		spoil(&bad)
		if err := cloud.AddRiskEvents(riskEvent("a", "198.51.100.1", 1, 1000), bad); err == nil {
			t.Errorf("a bad %s was taken", name)
		}
	}
	if n := len(cloud.Snapshot().RiskEvents); n != 0 {
		t.Errorf("%d events are kept", n)
	}
}

func TestInvadeEvents(t *testing.T) {
	world := DefaultWorld()
	for i, level := range []int{3, 1, 1, 2} {
		world.InvadeEvents = append(world.InvadeEvents, InvadeEvent{
			Name: fmt.Sprint("e", i), RiskLevel: level, ProcessStatus: i % 2, PublicIP: "192.0.2.25", PrivateIP: "172.16.0.25",
			AssetID: "i-mail1", FirstTime: int64(1000 * i), LastTime: int64(1000*i + 500), Ignored: i == 3,
		})
	}
	cloud := newCloud(t, Options{World: &world})
	c := serve(t, cloud)
	a := c.firewall("DescribeInvadeEventList")
	if got := names(a.items("EventList")); got != "e0 e1 e2 e3" {
		t.Errorf("got %s", got)
	}
	if a.body["HighLevelPercent"] != number("25") || a.body["MiddleLevelPercent"] != number("25") || a.body["LowLevelPercent"] != number("50") {
		t.Errorf("levels: %s", a.raw)
	}
	if got := fmt.Sprint(a.body["PageInfo"]); got != "map[CurrentPage:1 PageSize:10 TotalCount:4]" {
		t.Errorf("page: %s", got)
	}
	if item := a.items("EventList")[0]; item["MemberUid"] != "1000000000000001" || item["EventKey"] == "" || item["IsIgnore"] != false {
		t.Errorf("item: %v", item)
	}
	for _, tt := range []struct {
		name, want string
		args       []string
	}{
		{"levels", "e0 e3", []string{"RiskLevel.1", "2", "RiskLevel.2", "3"}},
		{"statuses", "e1 e3", []string{"ProcessStatusList.1", "1"}},
		{"a span", "e1", []string{"StartTime", "1400", "EndTime", "1600"}},
		{"an asset", "", []string{"AssetsIP", "192.0.2.26"}},
		{"its private address", "e0 e1 e2 e3", []string{"AssetsIP", "172.16.0.25"}},
		{"the ignored", "e3", []string{"IsIgnore", "true"}},
		{"a name", "e2", []string{"EventName", "e2"}},
		{"a page", "e2 e3", []string{"CurrentPage", "2", "PageSize", "2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			items := c.firewall("DescribeInvadeEventList", tt.args...).items("EventList")
			if got := names(items); got != tt.want || items == nil {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	c.want("InvalidIsIgnore", versionCloudfw, "DescribeInvadeEventList", "IsIgnore", "maybe")
}
