package alibaba

import (
	"net/http"
	"strings"

	"fwsync/cloudfw"
)

// kindOf maps the vendor's answer to what a caller can do about it. The code
// decides before the status, as statuses vary between products (reference §1.3).
// What may have changed something without saying so is UnknownOutcome for a write
// and Unavailable, worth a repeat, for a read.
func kindOf(status int, code string, write bool) cloudfw.Kind {
	unsettled := cloudfw.Unavailable
	if write {
		unsettled = cloudfw.UnknownOutcome
	}
	throttled := strings.Contains(code, "Throttling") || code == "" && status == http.StatusTooManyRequests
	switch {
	case throttled:
		return cloudfw.Throttled
	case status < 400 || status >= 500 || unsettledCodes[code]:
		return unsettled
	case code != "":
		if kind := kindOfCode(code); kind != "" {
			return kind
		}
	}
	switch status {
	case http.StatusRequestTimeout:
		return unsettled
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return cloudfw.Denied
	}
	return cloudfw.Invalid
}

// unsettledCodes come with 4xx statuses although they are the service's own
// trouble, some of it after the work was done. A used nonce means that somebody
// between delivered our request twice.
var unsettledCodes = map[string]bool{
	"InternalError": true, "ServiceUnavailable": true, "SignatureNonceUsed": true,
	"ErrorDBSelect": true, "ErrorDBInsert": true, "ErrorDBDelete": true, "ErrorDBUpdate": true,
	"ErrorRecordLog": true, "ErrorUnmarshalJSON": true, "ErrorUUIDNew": true,
}

// unsettledNumbers are codes without a published meaning after which other clients
// make the same call again (reference §2.6). Whether it was done is not known.
var unsettledNumbers = map[API]string{createNATPolicy: "-200142", modifyNATPolicy: "-200511"}

// codeKinds are exact codes (reference §1.3, §2.1, §2.4, §3.1, §3.2).
var codeKinds = map[string]cloudfw.Kind{
	"ErrorAddressGroupNotExist":        cloudfw.NotFound,
	"ErrorAclNotExist":                 cloudfw.NotFound,
	"InvalidParam.SecurityGroupRuleId": cloudfw.NotFound,

	"ErrorAddressGroupExist":      cloudfw.Conflict,
	"ErrorAddressGroupReference":  cloudfw.Conflict,
	"ErrorParametersNewOrder":     cloudfw.Conflict, // positions moved under us (reference §2.1)
	"IdempotentParameterMismatch": cloudfw.Conflict,

	"ErrorAddressCountExceed":      cloudfw.Quota,
	"ErrorAclExtendedCountExceed":  cloudfw.Quota,
	"ErrorAddressGroupCountExceed": cloudfw.Quota,
	"ErrorAclDomainAnyCountExceed": cloudfw.Quota,
	"AuthorizationLimitExceed":     cloudfw.Quota,

	"ErrorAuthentication":       cloudfw.Denied,
	"ErrorAliUid":               cloudfw.Denied, // an account without the product, as far as is known
	"ErrorParametersUid":        cloudfw.Denied,
	"ErrorFirewallNotPurchased": cloudfw.Denied,
	"SignatureDoesNotMatch":     cloudfw.Denied,
	"IncompleteSignature":       cloudfw.Denied,
	"MissingSecurityToken":      cloudfw.Denied,
	"NoPermission":              cloudfw.Denied,
	"InvalidAction.NotFound":    cloudfw.Invalid,
	"InvalidApi.NotFound":       cloudfw.Invalid,
	"InvalidRegionId.NotFound":  cloudfw.Invalid,
}

// codeFamilies are codes by how they begin, after the exact ones.
var codeFamilies = []struct {
	prefix string
	kind   cloudfw.Kind
}{
	{"InvalidAccessKeyId", cloudfw.Denied},
	{"InvalidSecurityToken", cloudfw.Denied},
	{"Forbidden", cloudfw.Denied},
	{"NoPermission", cloudfw.Denied},
	{"LimitExceed", cloudfw.Quota},
	{"QuotaExceed", cloudfw.Quota},
	{"DependencyViolation", cloudfw.Conflict},
}

func kindOfCode(code string) cloudfw.Kind {
	if kind, ok := codeKinds[code]; ok {
		return kind
	}
	for _, family := range codeFamilies {
		if strings.HasPrefix(code, family.prefix) {
			return family.kind
		}
	}
	if strings.HasPrefix(code, "Invalid") {
		if strings.HasSuffix(code, ".NotFound") {
			return cloudfw.NotFound
		}
		return cloudfw.Invalid // ECS answers 403 to some plain mistakes (reference §3.1)
	}
	if strings.Contains(code, "NotExist") {
		return cloudfw.NotFound // the codes of unknown gateways and groups are not published
	}
	if strings.HasPrefix(code, "Missing") {
		return cloudfw.Invalid
	}
	return ""
}
