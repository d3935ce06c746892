package alibaba

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"fwsync/cloudfw"
)

// advise adds to a failure what to do about it, as far as the answer tells. keys
// names the source of the credentials, asked is when the call was made.
func advise(failure *cloudfw.Error, api API, out outcome, keys string, asked time.Time) {
	code := failure.Code
	switch {
	case strings.HasPrefix(code, "InvalidTimeStamp"):
		failure.Message = strings.TrimSpace(failure.Message + clockError(out.header, asked))
		failure.Advice = "set the clock of this machine, for example with: timedatectl set-ntp true"
	case code == "InvalidAccessKeyId.Inactive":
		failure.Advice = fmt.Sprintf("the access key of %s is switched off: switch it on in the RAM console, or use another one", keys)
	case strings.HasPrefix(code, "InvalidAccessKeyId"):
		failure.Advice = fmt.Sprintf("the access key of %s does not exist, or no longer: make a new one in the RAM console", keys)
	case code == "SignatureDoesNotMatch" || code == "IncompleteSignature":
		failure.Advice = fmt.Sprintf("the secret of %s does not belong to its access key id: copy both once more", keys)
	case expired(failure):
		failure.Advice = fmt.Sprintf("the temporary key of %s has ended and there is no newer one: get new ones, or let fwsync assume the role itself", keys)
	case strings.HasPrefix(code, "InvalidSecurityToken") || code == "MissingSecurityToken":
		failure.Advice = fmt.Sprintf("the security token of %s does not belong to its access key: copy id, secret and token of one and the same session", keys)
	case strings.HasPrefix(code, "EntityNotExist.Role"):
		failure.Advice = "make the role in the RAM console (terraform/ has one), or mend its ARN"
	case api == assumeRole && failure.Kind == cloudfw.Denied:
		failure.Advice = fmt.Sprintf("let the trust policy of %s name the identity of %s, and grant that identity %s on the role", failure.Subject, keys, api.Permission())
	case noFirewall[code]:
		failure.Advice = "buy or renew Cloud Firewall for this account, or check that the account and its site (china, international) are the right ones"
	case failure.Kind == cloudfw.Denied && out.asked && code != "":
		failure.Advice = fmt.Sprintf("grant %s to the identity of %s (terraform/ has the least that fwsync needs)", missingPermission(api, out.body), keys)
	}
}

// noFirewall are the codes of an account without the product. None is published for
// it (reference §9); these are the nearest, and one that is assumed.
var noFirewall = map[string]bool{"ErrorAliUid": true, "ErrorParametersUid": true, "ErrorFirewallNotPurchased": true}

// clockError says by how much this machine's clock is wrong, as the answer bears the
// time of the service.
func clockError(header http.Header, asked time.Time) string {
	theirs, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return ""
	}
	off := asked.Sub(theirs).Round(time.Second)
	switch {
	case off > time.Second:
		return fmt.Sprintf(" This machine's clock is %s ahead of the service's.", off)
	case off < -time.Second:
		return fmt.Sprintf(" This machine's clock is %s behind the service's.", -off)
	}
	return ""
}

// missingPermission is the action that the service says is missing (reference §1.3,
// AccessDeniedDetail), else the one of the call.
func missingPermission(api API, body []byte) string {
	var e struct {
		AccessDeniedDetail struct{ AuthAction text }
	}
	if json.Unmarshal(body, &e) == nil && e.AccessDeniedDetail.AuthAction != "" {
		return oneLine(redact(string(e.AccessDeniedDetail.AuthAction)))
	}
	return api.Permission()
}
