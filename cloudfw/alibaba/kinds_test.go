package alibaba

import (
	"testing"

	"fwsync/cloudfw"
)

func TestCodesAndStatusesBecomeKinds(t *testing.T) {
	for _, c := range []struct {
		status      int
		code        string
		read, write cloudfw.Kind
	}{
		{400, "Throttling.User", cloudfw.Throttled, cloudfw.Throttled},
		{400, "Throttling", cloudfw.Throttled, cloudfw.Throttled},
		{403, "Rejected.Throttling", cloudfw.Throttled, cloudfw.Throttled},
		{503, "Throttling.Api", cloudfw.Throttled, cloudfw.Throttled},
		{429, "", cloudfw.Throttled, cloudfw.Throttled},

		{404, "ErrorAddressGroupNotExist", cloudfw.NotFound, cloudfw.NotFound},
		{400, "ErrorAclNotExist", cloudfw.NotFound, cloudfw.NotFound},
		{404, "InvalidSecurityGroupId.NotFound", cloudfw.NotFound, cloudfw.NotFound},
		{404, "InvalidPrefixListId.NotFound", cloudfw.NotFound, cloudfw.NotFound},
		{400, "InvalidParam.SecurityGroupRuleId", cloudfw.NotFound, cloudfw.NotFound},

		{400, "ErrorAddressGroupExist", cloudfw.Conflict, cloudfw.Conflict},
		{400, "ErrorAddressGroupReference", cloudfw.Conflict, cloudfw.Conflict},
		{400, "ErrorParametersNewOrder", cloudfw.Conflict, cloudfw.Conflict},
		{400, "IdempotentParameterMismatch", cloudfw.Conflict, cloudfw.Conflict},

		{400, "ErrorAddressCountExceed", cloudfw.Quota, cloudfw.Quota},
		{400, "ErrorAclExtendedCountExceed", cloudfw.Quota, cloudfw.Quota},
		{400, "ErrorAddressGroupCountExceed", cloudfw.Quota, cloudfw.Quota},
		{403, "AuthorizationLimitExceed", cloudfw.Quota, cloudfw.Quota},
		{400, "LimitExceed.Entry", cloudfw.Quota, cloudfw.Quota},
		{404, "LimitExceed.PrefixListPerRegion", cloudfw.Quota, cloudfw.Quota},

		{403, "", cloudfw.Denied, cloudfw.Denied},
		{401, "ErrorAuthentication", cloudfw.Denied, cloudfw.Denied},
		{403, "Forbidden.RAM", cloudfw.Denied, cloudfw.Denied},
		{403, "SomethingNew", cloudfw.Denied, cloudfw.Denied},
		{400, "NoPermission", cloudfw.Denied, cloudfw.Denied},
		{404, "InvalidAccessKeyId.NotFound", cloudfw.Denied, cloudfw.Denied},
		{400, "InvalidAccessKeyId.Inactive", cloudfw.Denied, cloudfw.Denied},
		{400, "SignatureDoesNotMatch", cloudfw.Denied, cloudfw.Denied},
		{400, "InvalidSecurityToken.Expired", cloudfw.Denied, cloudfw.Denied},

		{404, "InvalidAction.NotFound", cloudfw.Invalid, cloudfw.Invalid},
		{404, "InvalidRegionId.NotFound", cloudfw.Invalid, cloudfw.Invalid},
		{403, "MissingParameter", cloudfw.Invalid, cloudfw.Invalid},
		{403, "InvalidParamter.Conflict", cloudfw.Invalid, cloudfw.Invalid},
		{400, "ErrorParametersSource", cloudfw.Invalid, cloudfw.Invalid},
		{400, "InvalidTimeStamp.Expired", cloudfw.Invalid, cloudfw.Invalid},
		{400, "-200142", cloudfw.Invalid, cloudfw.Invalid},
		{413, "", cloudfw.Invalid, cloudfw.Invalid},

		{500, "InternalError", cloudfw.Unavailable, cloudfw.UnknownOutcome},
		{503, "ServiceUnavailable", cloudfw.Unavailable, cloudfw.UnknownOutcome},
		{400, "ServiceUnavailable", cloudfw.Unavailable, cloudfw.UnknownOutcome},
		{400, "ErrorDBSelect", cloudfw.Unavailable, cloudfw.UnknownOutcome},
		{400, "ErrorRecordLog", cloudfw.Unavailable, cloudfw.UnknownOutcome},
		{400, "SignatureNonceUsed", cloudfw.Unavailable, cloudfw.UnknownOutcome},
		{502, "", cloudfw.Unavailable, cloudfw.UnknownOutcome},
		{504, "ErrorAddressGroupExist", cloudfw.Unavailable, cloudfw.UnknownOutcome},
		{302, "", cloudfw.Unavailable, cloudfw.UnknownOutcome},
	} {
		if got := kindOf(c.status, c.code, false); got != c.read {
			t.Errorf("reading, %d %q: %s, want %s", c.status, c.code, got, c.read)
		}
		if got := kindOf(c.status, c.code, true); got != c.write {
			t.Errorf("writing, %d %q: %s, want %s", c.status, c.code, got, c.write)
		}
	}
}

func TestTheTableOfCallsIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, api := range APIs() {
		if seen[api.Name] {
			t.Errorf("%s is there twice", api.Name)
		}
		seen[api.Name] = true
		if reads := len(api.Name) > 8 && api.Name[:8] == "Describe"; reads == api.Write {
			t.Errorf("%s: write=%v", api.Name, api.Write)
		}
		if api.Product != "yundun-cloudfirewall" && api.Product != "ecs" {
			t.Errorf("%s: product %q", api.Name, api.Product)
		}
	}
	if api := APIs()[0]; api.Permission() != "yundun-cloudfirewall:DescribeControlPolicy" {
		t.Errorf("permission %q", api.Permission())
	}
}

// Only the firewall's own refusal of what a call says is judged: a gateway's, a number or
// a conflict proves nothing about the values.
func TestOnlyTheServicesOwnWordIsJudged(t *testing.T) {
	for code, want := range map[string]bool{
		`"ErrorParameters"`: true, `"ErrorParametersSource"`: true, `"ErrorParametersNewOrder"`: false, `"ErrorDBSelect"`: false,
		`"InvalidTimeStamp.Expired"`: false, `"MissingParameter"`: false, `-200142`: false, `{}`: false,
	} {
		out := outcome{asked: true, connected: true, status: 400, body: []byte(`{"RequestId":"R","Code":` + code + `,"Message":"no"}`)}
		if failure := judge(addControlPolicy, "", out, &done{}); failure.Judged != want {
			t.Errorf("%s: %+v", code, failure)
		}
	}
}
