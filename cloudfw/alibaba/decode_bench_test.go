package alibaba

import (
	"encoding/json"
	"fmt"
	"testing"
)

// The benchmarks read the answers of the account that scale_test.go observes, as
// the service sends them, up to the model: 5,000 policies, 300 books of 2,000
// addresses, 200 groups of 200 rules. One operation is the whole account's.

type wire = map[string]any

// bodies are answers with the items, so many on each.
func bodies(b *testing.B, perBody int, items []wire, wrap func(page []wire) wire) [][]byte {
	var all [][]byte
	for len(items) > 0 {
		n := min(perBody, len(items))
		body := wrap(items[:n])
		body["RequestId"] = "51300000-0000-4000-8000-000000000001"
		raw, err := json.Marshal(body)
		if err != nil {
			b.Fatal(err)
		}
		all, items = append(all, raw), items[n:]
	}
	return all
}

// decodeAll judges each body and converts it.
func decodeAll[T any, A interface {
	*T
	answer
}](b *testing.B, api API, all [][]byte, convert func(A)) {
	size := 0
	for _, body := range all {
		size += len(body)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, body := range all {
			var into A = new(T)
			if failure := judge(api, "", outcome{asked: true, connected: true, status: 200, body: body}, into); failure != nil {
				b.Fatal(failure)
			}
			convert(into)
		}
	}
}

func BenchmarkDecodePolicies(b *testing.B) {
	items := make([]wire, full.policies)
	for i := range items {
		items[i] = wire{
			"AclUuid": fmt.Sprintf("a0000000-0000-4000-8000-%012d", i), "Direction": "in", "Order": i + 1, "AclAction": "accept",
			"Source": addressOf(i/2000, i%2000) + "/32", "SourceType": "net", "SourceGroupType": "", "SourceGroupCidrs": []string{},
			"Destination": "192.0.2.0/24", "DestinationType": "net", "DestinationGroupType": "", "DestinationGroupCidrs": []string{},
			"DestPort": "25/25", "DestPortType": "port", "DestPortGroup": "", "DestPortGroupPorts": []string{}, "Proto": "TCP",
			"ApplicationName": "", "ApplicationId": "", "ApplicationNameList": []string{"SMTP"}, "Description": fmt.Sprintf("rule %d, written by hand", i),
			"Release": "true", "IpVersion": 4, "HitTimes": i, "HitLastTime": 1_700_000_000, "CreateTime": 1_700_000_000, "ModifyTime": 1_700_000_000,
			"SpreadCnt": 1, "DnsResult": "", "DnsResultTime": 0, "DomainResolveType": "", "RepeatType": "Permanent", "RepeatDays": []int{},
			"RepeatStartTime": "", "RepeatEndTime": "", "StartTime": 0, "EndTime": 0,
		}
	}
	all := bodies(b, pageSize, items, func(page []wire) wire {
		return wire{"PageNo": "1", "PageSize": "50", "TotalCount": "5000", "Policys": page}
	})
	decodeAll(b, describeControlPolicy, all, func(a *policiesAnswer) {
		for i := range a.Policys {
			if _, err := a.Policys[i].rule(keys4); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeBooks(b *testing.B) {
	items := make([]wire, full.books)
	for i := range items {
		var list []string
		var notes []wire
		for j := range full.addresses {
			list = append(list, addressOf(i, j)+"/32")
			notes = append(notes, wire{"Address": addressOf(i, j) + "/32", "Note": ""})
		}
		items[i] = wire{
			"GroupUuid": fmt.Sprintf("b0000000-0000-4000-8000-%012d", i), "GroupName": fmt.Sprintf("book-%04d", i), "GroupType": "ip", "Description": "one of many",
			"AddressList": list, "Addresses": notes, "AddressListCount": len(list), "ReferenceCount": 1, "AutoAddTagEcs": 0, "TagRelation": "", "TagList": []wire{},
		}
	}
	all := bodies(b, pageSize, items, func(page []wire) wire {
		return wire{"PageNo": "1", "PageSize": "50", "TotalCount": "300", "Acls": page}
	})
	decodeAll(b, describeAddressBook, all, func(a *booksAnswer) {
		for i := range a.Acls {
			if _, unreadable := a.Acls[i].book(); unreadable > 0 {
				b.Fatal(unreadable)
			}
		}
	})
}

func BenchmarkDecodeGroups(b *testing.B) {
	items := make([]wire, full.groups*full.rules)
	for i := range items {
		items[i] = wire{
			"SecurityGroupRuleId": fmt.Sprintf("sgr-%08d", i), "Direction": "ingress", "IpProtocol": "TCP", "PortRange": "25/25", "SourcePortRange": "",
			"Policy": "Drop", "Priority": "1", "NicType": "intranet", "SourceCidrIp": addressOf(i/2000, i%2000) + "/32", "Ipv6SourceCidrIp": "",
			"SourceGroupId": "", "SourceGroupName": "", "SourceGroupOwnerAccount": "", "SourcePrefixListId": "", "SourcePrefixListName": "",
			"DestCidrIp": "", "Ipv6DestCidrIp": "", "DestGroupId": "", "DestGroupName": "", "DestGroupOwnerAccount": "", "DestPrefixListId": "",
			"DestPrefixListName": "", "Description": "d", "CreateTime": "2026-01-05T08:00:00Z",
		}
	}
	all := bodies(b, full.rules, items, func(page []wire) wire {
		return wire{"SecurityGroupId": "sg-1", "InnerAccessPolicy": "Accept", "NextToken": "", "Permissions": wire{"Permission": page}}
	})
	decodeAll(b, describeSecurityGroupAttribute, all, func(a *permissionsAnswer) {
		for i := range a.Permissions.Permission {
			if _, err := a.Permissions.Permission[i].rule(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
