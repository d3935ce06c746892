package simulator

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// RiskEvent is one group of intrusion events as the firewall saw them (reference
// §2.7). Times are unix seconds.
type RiskEvent struct {
	ID            string   `json:"id,omitempty"`
	Name          string   `json:"name"`
	Firewall      string   `json:"firewall,omitempty"` // InternetFirewall (also empty) | VpcFirewall
	Direction     string   `json:"direction"`          // in | out
	SrcIP         string   `json:"srcIp"`
	SrcIPTag      string   `json:"srcIpTag,omitempty"` // set on cloud back-to-origin addresses
	SrcPrivateIPs []string `json:"srcPrivateIps,omitempty"`
	SrcNetwork    string   `json:"srcNetwork,omitempty"` // network instance id
	DstIP         string   `json:"dstIp"`
	DstNetwork    string   `json:"dstNetwork,omitempty"`
	// AssetIPs are the private addresses of the resource attacked.
	AssetIPs       []string `json:"assetIps,omitempty"`
	ResourceType   string   `json:"resourceType,omitempty"`
	AttackType     int      `json:"attackType"` // 1 to 13
	AttackApp      string   `json:"attackApp,omitempty"`
	RuleID         string   `json:"ruleId,omitempty"`
	RuleResult     int      `json:"ruleResult"` // 1 alert | 2 block
	RuleSource     int      `json:"ruleSource"` // 1 basic | 2 virtual patch | 4 threat intelligence
	VulLevel       int      `json:"vulLevel"`   // 1 to 3
	FirstEventTime int64    `json:"firstEventTime"`
	LastEventTime  int64    `json:"lastEventTime"`
	EventCount     int      `json:"eventCount"`
	Description    string   `json:"description,omitempty"`
	Location       Location `json:"location,omitzero"`
	Tag            string   `json:"tag,omitempty"`
}

// Location is where an address is thought to be.
type Location struct {
	CountryID   string `json:"countryId,omitempty"`
	CountryName string `json:"countryName,omitempty"`
	CityID      string `json:"cityId,omitempty"`
	CityName    string `json:"cityName,omitempty"`
}

// InvadeEvent is one sign that an asset of the account is compromised; the
// addresses are the asset's (reference §2.7). Times are unix seconds.
type InvadeEvent struct {
	Key           string `json:"key,omitempty"`
	UUID          string `json:"uuid,omitempty"`
	Name          string `json:"name"`
	Source        string `json:"source,omitempty"`
	RiskLevel     int    `json:"riskLevel"`     // 1 low | 2 middle | 3 high, assumed
	ProcessStatus int    `json:"processStatus"` // as answered; its values are not published
	Ignored       bool   `json:"ignored,omitempty"`
	PublicIP      string `json:"publicIp,omitempty"`
	PublicIPType  string `json:"publicIpType,omitempty"`
	PrivateIP     string `json:"privateIp,omitempty"`
	AssetID       string `json:"assetId,omitempty"`
	AssetName     string `json:"assetName,omitempty"`
	AssetType     string `json:"assetType,omitempty"`
	MemberUID     string `json:"memberUid,omitempty"` // empty is the account
	FirstTime     int64  `json:"firstTime"`
	LastTime      int64  `json:"lastTime"`
}

func (s *State) completeEvents() {
	for i := range s.RiskEvents {
		e := &s.RiskEvents[i]
		if e.ID == "" {
			e.ID = s.newID("e1500000-0000-4000-8000-%012d")
		}
		if e.Firewall == "" {
			e.Firewall = "InternetFirewall"
		}
	}
	for i := range s.InvadeEvents {
		e := &s.InvadeEvents[i]
		if e.Key == "" {
			e.Key = s.newID("e2500000-0000-4000-8000-%012d")
		}
		e.UUID = cmp.Or(e.UUID, e.Key)
	}
}

func (s *State) checkEvents(report reporter) {
	within := func(id, field string, value int, allowed ...int) {
		if !slices.Contains(allowed, value) {
			report("event %q has %s %d", id, field, value)
		}
	}
	for _, e := range s.RiskEvents {
		for _, text := range []string{e.SrcIP, e.DstIP} {
			if _, err := netip.ParseAddr(text); err != nil {
				report("event %q has the address %q", e.ID, text)
			}
		}
		if e.Direction != "in" && e.Direction != "out" {
			report("event %q has the direction %q", e.ID, e.Direction)
		}
		if e.Firewall != "InternetFirewall" && e.Firewall != "VpcFirewall" {
			report("event %q is of the firewall %q", e.ID, e.Firewall)
		}
		if e.AttackType < 1 || e.AttackType > 13 {
			report("event %q has attackType %d", e.ID, e.AttackType)
		}
		within(e.ID, "ruleResult", e.RuleResult, 1, 2)
		within(e.ID, "ruleSource", e.RuleSource, 1, 2, 4)
		within(e.ID, "vulLevel", e.VulLevel, 1, 2, 3)
		if e.FirstEventTime > e.LastEventTime {
			report("event %q ends before it begins", e.ID)
		}
	}
	for _, e := range s.InvadeEvents {
		within(e.Key, "riskLevel", e.RiskLevel, 1, 2, 3)
		if e.FirstTime > e.LastTime {
			report("event %q ends before it begins", e.Key)
		}
	}
}

// AddRiskEvents appends intrusion events, as a test or an operator's rehearsal
// plays an attack. Ids may be left out. Malformed events refuse the whole call.
func (c *Cloud) AddRiskEvents(events ...RiskEvent) error {
	return c.update(func(e *edit) error {
		for _, event := range events {
			event.SrcPrivateIPs, event.AssetIPs = slices.Clone(event.SrcPrivateIPs), slices.Clone(event.AssetIPs)
			e.RiskEvents = append(e.RiskEvents, event)
		}
		e.completeEvents()
		var problems []error
		report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
		e.checkEvents(report)
		e.checkUnique(report)
		return errors.Join(problems...)
	})
}
