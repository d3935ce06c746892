package simulator

import "encoding/json"

// Policy is one access control policy (reference §2.1, §2.5, §2.6). It stands on
// the internet border unless it names a NAT gateway or a VPC firewall. Times are
// unix seconds.
type Policy struct {
	UUID              string   `json:"uuid,omitempty"`
	NATGateway        string   `json:"natGateway,omitempty"`  // id in State.NATGateways
	VPCFirewall       string   `json:"vpcFirewall,omitempty"` // id in State.VPCFirewalls
	MemberUID         string   `json:"memberUid,omitempty"`   // VPC border; empty is the account
	Direction         string   `json:"direction,omitempty"`   // in | out; NAT border: out; VPC border: empty
	IPVersion         int      `json:"ipVersion,omitempty"`   // 4 (also 0) | 6; 4 only but on the internet border
	Order             int      `json:"order,omitempty"`       // 1 is the highest priority
	Action            string   `json:"action"`                // accept | drop | log
	SourceType        string   `json:"sourceType"`
	Source            string   `json:"source"` // CIDR, book name or JSON array of regions
	DestinationType   string   `json:"destinationType"`
	Destination       string   `json:"destination"`
	Proto             string   `json:"proto"`
	Applications      []string `json:"applications,omitempty"` // ApplicationNameList
	Application       string   `json:"application,omitempty"`  // ApplicationName, unused beside Applications
	DestPortType      string   `json:"destPortType,omitempty"` // port (also empty) | group
	DestPort          string   `json:"destPort,omitempty"`     // empty reads back as 0/0
	DestPortGroup     string   `json:"destPortGroup,omitempty"`
	Description       string   `json:"description"`
	Disabled          bool     `json:"disabled,omitempty"` // Release=false
	DomainResolveType string   `json:"domainResolveType,omitempty"`
	RepeatType        string   `json:"repeatType,omitempty"` // empty is Permanent
	RepeatDays        []int    `json:"repeatDays,omitempty"`
	RepeatStartTime   string   `json:"repeatStartTime,omitempty"`
	RepeatEndTime     string   `json:"repeatEndTime,omitempty"`
	StartTime         int64    `json:"startTime,omitempty"`
	EndTime           int64    `json:"endTime,omitempty"`
	CreateTime        int64    `json:"createTime,omitempty"`
	ModifyTime        int64    `json:"modifyTime,omitempty"`
	HitTimes          int64    `json:"hitTimes,omitempty"`
	HitLastTime       int64    `json:"hitLastTime,omitempty"`
}

// AddressBook is one address book (reference §2.3, §2.4).
type AddressBook struct {
	UUID        string `json:"uuid,omitempty"`
	Name        string `json:"name"`
	Type        string `json:"type"` // ip | ipv6 | domain | port | tag | ack | asset | assetIpv6 | threat | allCloud
	Description string `json:"description"`
	// Addresses are the entries; a note may follow the address after a space.
	Addresses                []string        `json:"addresses,omitempty"`
	Tags                     []Tag           `json:"tags,omitempty"`
	TagRelation              string          `json:"tagRelation,omitempty"`
	AutoAddTagECS            bool            `json:"autoAddTagEcs,omitempty"`
	AssetMemberUIDs          json.RawMessage `json:"assetMemberUids,omitempty"`
	AssetRegionResourceTypes json.RawMessage `json:"assetRegionResourceTypes,omitempty"`
	AckClusterConnectorID    string          `json:"ackClusterConnectorId,omitempty"`
	AckNamespaces            []string        `json:"ackNamespaces,omitempty"`
	AckLabels                []Tag           `json:"ackLabels,omitempty"`
}

// Tag is a key and a value.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Asset is one public address of the account (reference §2.7).
type Asset struct {
	InternetAddress    string `json:"internetAddress"`
	IntranetAddress    string `json:"intranetAddress,omitempty"`
	Name               string `json:"name,omitempty"`
	RegionID           string `json:"regionId"`
	ResourceType       string `json:"resourceType"`
	ResourceInstanceID string `json:"resourceInstanceId,omitempty"`
	BindInstanceID     string `json:"bindInstanceId,omitempty"`
	ProtectStatus      string `json:"protectStatus"` // open | opening | closed | closing
}
