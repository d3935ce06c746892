package simulator

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestGateway(t *testing.T) {
	_, c := newWorld(t, Options{})
	if a := c.want("InvalidAction.NotFound", versionCloudfw, "DescribeNothing"); a.status != http.StatusNotFound {
		t.Errorf("got status %d for an unknown action", a.status)
	}
	c.want("InvalidAction.NotFound", versionECS, "DescribeControlPolicy", "CurrentPage", "1")
	c.want("MissingAction", versionCloudfw, "")
	c.want("MissingVersion", "", "DescribeAddressBook")
	c.want("MissingDirection", versionCloudfw, "DescribePolicyPriorUsed")
	c.want("MissingDirection", versionCloudfw, "DescribePolicyPriorUsed", "Direction", "")
	c.want("MissingParameter", versionECS, "DescribeSecurityGroupAttribute")
	a := c.want("InvalidParameter", versionCloudfw, "DescribePolicyPriorUsed", "Direction", "in", "Directoin", "out")
	if !strings.Contains(a.text("Message"), "Directoin") {
		t.Errorf("the refusal %q does not name the parameter", a.text("Message"))
	}
	c.override = map[string]string{"RegionId": ""}
	c.want("MissingParameter", versionECS, "DescribeSecurityGroups")
	c.override = map[string]string{"Format": "XML"}
	c.want("InvalidParameter.Format", versionCloudfw, "DescribeAddressBook")
	c.override = nil
	c.method = http.MethodPut
	c.want("UnsupportedHTTPMethod", versionCloudfw, "DescribeAddressBook")
}

func TestBodyAndParameterLimits(t *testing.T) {
	_, c := newWorld(t, Options{Limits: Limits{BodyBytes: 1000}})
	c.inForm = true
	if a := c.want("RequestBodyTooLarge", versionCloudfw, "DescribeAddressBook", "Query", strings.Repeat("a", 1000)); a.status != http.StatusRequestEntityTooLarge {
		t.Errorf("got status %d", a.status)
	}
	c.want("", versionCloudfw, "DescribeAddressBook", "Query", strings.Repeat("a", 900))
	for _, query := range []string{"Action=%zz", "Action=a&Action=b"} {
		resp, err := http.Get(c.base + "/?" + query)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !strings.Contains(string(raw), `"Code":"InvalidParameter.Format"`) {
			t.Errorf("query %q: got %s, %v", query, raw, err)
		}
	}
}

func TestEveryReadActionAnswersTheDefaultWorld(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	list, err := cloud.CreatePrefixList(PrefixList{Name: "blocked", Family: "IPv4", MaxEntries: 10})
	if err != nil {
		t.Fatal(err)
	}
	const role = "acs:ram::1000000000000001:role/reader"
	s := cloud.Snapshot()
	s.Roles = []Role{{ARN: role}}
	if err := cloud.Load(s); err != nil {
		t.Fatal(err)
	}
	arguments := map[string][]string{
		"AssumeRole":                         {"RoleArn", role, "RoleSessionName", "test"},
		"DescribeNatFirewallControlPolicy":   {"NatGatewayId", "ngw-office", "Direction", "out"},
		"DescribeNatFirewallPolicyPriorUsed": {"NatGatewayId", "ngw-office", "Direction", "out"},
		"DescribeVpcFirewallControlPolicy":   {"VpcFirewallId", "cen-office", "CurrentPage", "1", "PageSize", "50"},
		"DescribeVpcFirewallPolicyPriorUsed": {"VpcFirewallId", "cen-office"},
		"DescribeRiskEventGroup":             {"StartTime", "0", "EndTime", "1767600000", "DataType", "session"},
		"ListTagResources":                   {"ResourceType", "securitygroup", "ResourceId.1", "sg-mail"},
		"DescribeControlPolicy":              {"CurrentPage", "1", "PageSize", "50", "Direction", "in"},
		"DescribePolicyPriorUsed":            {"Direction", "in"},
		"DescribeAssetList":                  {"CurrentPage", "1", "PageSize", "50"},
		"DescribeSecurityGroupAttribute":     {"SecurityGroupId", "sg-mail"},
		"DescribePrefixListAttributes":       {"PrefixListId", list},
		"DescribePrefixListAssociations":     {"PrefixListId", list},
	}
	reads := 0
	for at, act := range actions {
		if !act.write {
			c.want("", at.version, at.action, arguments[at.action]...)
			reads++
		}
	}
	if reads != 22 {
		t.Errorf("%d read actions ran", reads)
	}
	for _, call := range cloud.Calls() {
		if call.Write || call.Code != "" {
			t.Errorf("logged %+v", call)
		}
	}
}

func TestCallerIdentityAndSwitches(t *testing.T) {
	_, c := newWorld(t, Options{})
	a := c.want("", versionSTS, "GetCallerIdentity")
	if a.text("AccountId") != "1000000000000001" || a.text("Arn") != "acs:ram::1000000000000001:root" {
		t.Errorf("got %s", a.raw)
	}
	if a := c.firewall("DescribePolicyAdvancedConfig"); a.text("InternetSwitch") != "off" {
		t.Errorf("got %s", a.raw)
	}
	a = c.firewall("DescribeAclRuleCount")
	if n := a.body["InternetInAclCount"]; n != number("1") || a.body["TotalAclCount"] != number("1") {
		t.Errorf("got %s", a.raw)
	}
	a = c.firewall("DescribeAssetList", "CurrentPage", "1", "PageSize", "1")
	if a.body["TotalCount"] != number("2") || len(a.items("Assets")) != 1 || a.items("Assets")[0]["InternetAddress"] != "192.0.2.25" {
		t.Errorf("got %s", a.raw)
	}
}

func TestCallsLogHoldsNoSecrets(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	c.override = map[string]string{"SecurityToken": "hush"}
	c.firewall("AddControlPolicy", policyArgs()...)
	c.want("ErrorParametersProto", versionCloudfw, "AddControlPolicy", policyArgs("Proto", "SCTP")...)
	calls := cloud.Calls()
	if len(calls) != 2 || !calls[0].Write || calls[0].Code != "" || calls[1].Code != "ErrorParametersProto" || !calls[0].Time.Equal(noon) {
		t.Fatalf("got %+v", calls)
	}
	if calls[0].Params["Source"] != "198.51.100.7/32" || calls[0].Params["RegionId"] != "cn-hangzhou" {
		t.Errorf("got parameters %v", calls[0].Params)
	}
	for name, value := range calls[0].Params {
		if strings.Contains(name, "Signature") || name == "AccessKeyId" || name == "SecurityToken" || value == "hush" {
			t.Errorf("the log holds %s=%s", name, value)
		}
	}
	cloud.ResetCalls()
	if n := len(cloud.Calls()); n != 0 {
		t.Errorf("%d calls after the reset", n)
	}
}

func TestCallsLogIsBounded(t *testing.T) {
	cloud := newCloud(t, Options{})
	for range keptCalls + 5 {
		cloud.record("", "A", "", false, nil)
	}
	if n := len(cloud.Calls()); n != keptCalls {
		t.Errorf("%d calls are kept", n)
	}
}
