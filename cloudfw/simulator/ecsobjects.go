package simulator

// SecurityGroup is one ECS security group with its rules (reference §3.1).
type SecurityGroup struct {
	ID              string         `json:"id,omitempty"`
	Region          string         `json:"region,omitempty"` // empty is every region
	Name            string         `json:"name"`
	Description     string         `json:"description,omitempty"`
	VPCID           string         `json:"vpcId"`
	Type            string         `json:"type"` // normal | enterprise
	ResourceGroupID string         `json:"resourceGroupId,omitempty"`
	ServiceManaged  bool           `json:"serviceManaged,omitempty"`
	InnerAccess     string         `json:"innerAccess,omitempty"` // Accept (also empty) | Drop
	CreationTime    string         `json:"creationTime,omitempty"`
	Tags            []Tag          `json:"tags,omitempty"`
	Rules           []SecurityRule `json:"rules"`
}

// SecurityRule is one rule of a security group. Peer fields that do not apply are empty.
type SecurityRule struct {
	ID                 string `json:"id,omitempty"`
	Direction          string `json:"direction"`          // ingress | egress
	Protocol           string `json:"protocol"`           // TCP | UDP | ICMP | ICMPv6 | GRE | ALL
	PortRange          string `json:"portRange"`          // 22/22, or -1/-1 without ports
	Policy             string `json:"policy,omitempty"`   // Accept (also empty) | Drop
	Priority           int    `json:"priority,omitempty"` // 1 (also 0) to 100, 1 is the highest
	SourceCIDR         string `json:"sourceCidr,omitempty"`
	IPv6SourceCIDR     string `json:"ipv6SourceCidr,omitempty"`
	SourceGroupID      string `json:"sourceGroupId,omitempty"`
	SourcePrefixListID string `json:"sourcePrefixListId,omitempty"`
	SourcePortRange    string `json:"sourcePortRange,omitempty"`
	DestCIDR           string `json:"destCidr,omitempty"`
	IPv6DestCIDR       string `json:"ipv6DestCidr,omitempty"`
	DestGroupID        string `json:"destGroupId,omitempty"`
	DestPrefixListID   string `json:"destPrefixListId,omitempty"`
	Description        string `json:"description,omitempty"`
	CreateTime         string `json:"createTime,omitempty"`
}

// PrefixList is one ECS prefix list (reference §3.2).
type PrefixList struct {
	ID           string        `json:"id,omitempty"`
	Region       string        `json:"region,omitempty"` // empty is every region
	Name         string        `json:"name"`
	Description  string        `json:"description,omitempty"`
	Family       string        `json:"family"` // IPv4 | IPv6
	MaxEntries   int           `json:"maxEntries"`
	Entries      []PrefixEntry `json:"entries"`
	CreationTime string        `json:"creationTime,omitempty"`
}

// PrefixEntry is one CIDR of a prefix list.
type PrefixEntry struct {
	CIDR        string `json:"cidr"`
	Description string `json:"description,omitempty"`
}
