package simulator

// DefaultWorld returns a small realistic account for first use: one security
// group with two rules that somebody made by hand, two public mail addresses, one
// foreign firewall policy and one foreign address book; and a NAT gateway and a VPC
// firewall without policies. Every call returns a fresh value.
func DefaultWorld() State {
	const created, createdText = 1767600000, "2026-01-05T08:00:00Z"
	s := State{
		AddressBooks: []AddressBook{{
			Name: "partners", Type: "ip", Description: "partner networks, kept by the sales team",
			Addresses: []string{"198.51.100.0/24 courier", "203.0.113.128/25 bank"},
		}},
		Policies: []Policy{{
			Direction: "in", Action: "accept",
			SourceType: "net", Source: "0.0.0.0/0",
			DestinationType: "net", Destination: "192.0.2.25/32",
			Proto: "TCP", DestPort: "443/443", Applications: []string{"ANY"},
			Description: "web console, added by hand",
			CreateTime:  created, ModifyTime: created,
		}},
		Assets: []Asset{
			{InternetAddress: "192.0.2.25", IntranetAddress: "172.16.0.25", Name: "mail-1", RegionID: "cn-hangzhou",
				ResourceType: "EIP", ResourceInstanceID: "eip-mail1", BindInstanceID: "i-mail1", ProtectStatus: "open"},
			{InternetAddress: "192.0.2.26", IntranetAddress: "172.16.0.26", Name: "mail-2", RegionID: "cn-hangzhou",
				ResourceType: "EIP", ResourceInstanceID: "eip-mail2", BindInstanceID: "i-mail2", ProtectStatus: "open"},
		},
		SecurityGroups: []SecurityGroup{{
			ID: "sg-mail", Name: "mail", Description: "mail servers", VPCID: "vpc-mail", Type: "normal", CreationTime: createdText,
			Rules: []SecurityRule{
				{Direction: "ingress", Protocol: "TCP", PortRange: "22/22", Policy: "Accept", Priority: 10,
					SourceCIDR: "203.0.113.0/24", Description: "office ssh", CreateTime: createdText},
				{Direction: "ingress", Protocol: "TCP", PortRange: "25/25", Policy: "Accept", Priority: 50,
					SourceCIDR: "0.0.0.0/0", Description: "mail from everywhere", CreateTime: createdText},
			},
		}},
		NATGateways: []NATGateway{{
			ID: "ngw-office", Name: "office", RegionID: "cn-hangzhou", VPCID: "vpc-mail", VPCName: "mail", ProxyID: "proxy-nat-office",
		}},
		VPCFirewalls: []VPCFirewall{{ID: "cen-office", Name: "office"}},
	}
	s.complete()
	return s
}
