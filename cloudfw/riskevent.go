package cloudfw

import (
	"net/netip"
	"time"
)

// RiskEvent is one group of intrusion attempts as the firewall's own detection saw
// them (reference §2.7).
type RiskEvent struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"` // as the vendor words it, in English
	Source      netip.Addr `json:"source"`
	Destination netip.Addr `json:"destination,omitzero"` // zero when the vendor names none
	Direction   Direction  `json:"direction"`            // In or Out
	Attack      int        `json:"attack"`               // the vendor's type of attack, 1 to 13
	Level       int        `json:"level"`                // 1 low to 3 high
	Count       int64      `json:"count"`                // attempts between First and Last
	First       time.Time  `json:"first"`                // UTC
	Last        time.Time  `json:"last"`
	Blocked     bool       `json:"blocked"` // the firewall stopped it; otherwise it only reported it

	// SourceTag is set when the source is a service of the cloud that fetches on
	// behalf of others, such as a CDN: such an address must not be blocked.
	SourceTag string `json:"source_tag,omitempty"`
}
