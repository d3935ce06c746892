package simulator

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxSkew is how far a Timestamp may be from the server's time (reference §1.3).
const maxSkew = 15 * time.Minute

// guard remembers nonces for as long as a replay could still be in time.
type guard struct {
	seen  map[string]bool
	queue []seenNonce
}

type seenNonce struct {
	nonce string
	at    time.Time
}

func (g *guard) first(nonce string, now time.Time) bool {
	for len(g.queue) > 0 && now.Sub(g.queue[0].at) > 2*maxSkew {
		delete(g.seen, g.queue[0].nonce)
		g.queue = g.queue[1:]
	}
	if g.seen[nonce] {
		return false
	}
	if g.seen == nil {
		g.seen = map[string]bool{}
	}
	g.seen[nonce] = true
	g.queue = append(g.queue, seenNonce{nonce, now})
	return true
}

// authenticate checks the system parameters of a call (reference §1.1 to §1.3).
func (c *Cloud) authenticate(method string, values map[string]string) error {
	secret, known := c.opt.Keys[values["AccessKeyId"]]
	if !c.opt.SkipSignature {
		for _, name := range []string{"AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion"} {
			if values[name] == "" {
				return bad("Missing"+name, "%s is mandatory for this action.", name)
			}
		}
		if !known {
			return refuse(http.StatusNotFound, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
		}
		if values["SignatureMethod"] != "HMAC-SHA1" || values["SignatureVersion"] != "1.0" || values["SignatureType"] != "" {
			return bad("InvalidSignatureMethod", "The simulator knows HMAC-SHA1, version 1.0, without a signature type.")
		}
		text := stringToSign(method, values)
		if !hmac.Equal([]byte(values["Signature"]), []byte(signature(secret, text))) {
			// The SDK compares this text with its own to tell a wrong secret from a bug.
			return bad("SignatureDoesNotMatch", "Specified signature is not matched with our calculation. server string to sign is:%s", text)
		}
	}
	now := c.opt.Clock().UTC()
	if !c.opt.SkipTimestamp {
		at, err := time.Parse("2006-01-02T15:04:05Z", values["Timestamp"])
		if err != nil {
			return bad("InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.")
		}
		if skew := now.Sub(at); skew > maxSkew || skew < -maxSkew {
			return bad("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
		}
	}
	if !c.opt.SkipNonce {
		nonce := values["SignatureNonce"]
		if nonce == "" {
			return bad("MissingSignatureNonce", "SignatureNonce is mandatory for this action.")
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.guard.first(values["AccessKeyId"]+" "+nonce, now) {
			return bad("SignatureNonceUsed", "Specified signature nonce was used already.")
		}
	}
	return nil
}

// stringToSign covers every parameter but the signature itself (reference §1.2).
func stringToSign(method string, values map[string]string) string {
	names := make([]string, 0, len(values))
	for name := range values {
		if name != "Signature" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var query strings.Builder
	for i, name := range names {
		if i > 0 {
			query.WriteByte('&')
		}
		query.WriteString(percentEncode(name) + "=" + percentEncode(values[name]))
	}
	return method + "&%2F&" + percentEncode(query.String())
}

func signature(secret, text string) string {
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// percentEncode is RFC 3986; url.QueryEscape differs in the space only.
func percentEncode(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
