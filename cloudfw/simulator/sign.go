package simulator

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxSkew is how far a Timestamp may be from the server's time (reference §1.3).
const maxSkew = 15 * time.Minute

// keptNonces bounds the nonces remembered: at thousands of calls a second the oldest
// fall out before their time.
const keptNonces = 1 << 18

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
	for len(g.queue) > 0 && (len(g.queue) >= keptNonces || now.Sub(g.queue[0].at) > 2*maxSkew) {
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
	if !c.opt.SkipSignature {
		if err := c.signed(method, values); err != nil {
			return err
		}
	}
	if !c.opt.SkipTimestamp {
		if err := c.inTime(values["Timestamp"], 0); err != nil {
			return err
		}
	}
	if !c.opt.SkipNonce {
		nonce, now := values["SignatureNonce"], c.opt.Clock()
		if nonce == "" {
			return missingAtGateway("SignatureNonce")
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.guard.first(values["AccessKeyId"]+" "+nonce, now) {
			return bad("SignatureNonceUsed", "Specified signature nonce was used already.")
		}
	}
	return nil
}

// signed checks key, token and signature.
func (c *Cloud) signed(method string, values map[string]string) error {
	for _, name := range []string{"AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion"} {
		if values[name] == "" {
			return missingAtGateway(name)
		}
	}
	id := values["AccessKeyId"]
	secret, lasting := c.opt.Keys[id]
	if !lasting {
		var err error
		if secret, err = c.borrowed(id, values["SecurityToken"]); err != nil {
			return err
		}
	}
	if slices.Contains(c.opt.InactiveKeys, id) {
		return bad("InvalidAccessKeyId.Inactive", "Specified access key is disabled.")
	}
	if values["SignatureMethod"] != "HMAC-SHA1" || values["SignatureVersion"] != "1.0" || values["SignatureType"] != "" {
		return bad("InvalidSignatureMethod", "The simulator knows HMAC-SHA1, version 1.0, without a signature type.")
	}
	text := stringToSign(method, values)
	if !hmac.Equal([]byte(values["Signature"]), []byte(signature(secret, text))) {
		// The SDK compares this text with its own to tell a wrong secret from a bug.
		return bad("SignatureDoesNotMatch", "Specified signature is not matched with our calculation. server string to sign is:%s", text)
	}
	return nil
}

// borrowed returns the secret of a temporary key, whose token must come with it.
// A lasting key may come with any token: the reference leaves that open.
func (c *Cloud) borrowed(id, given string) (secret string, err error) {
	secret, token, expires, known := c.temporaryKey(id)
	switch {
	case !known:
		return "", refuse(http.StatusNotFound, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
	case given == "":
		return "", missingAtGateway("SecurityToken")
	case given != token && !looksLikeToken(given, token):
		return "", bad("InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed.")
	case given != token:
		return "", bad("InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken is not matched with the AccessKeyId.")
	case !c.opt.Clock().Before(expires):
		return "", bad("InvalidSecurityToken.Expired", "Specified SecurityToken is expired.")
	}
	return secret, nil
}

// looksLikeToken tells a token of another key from a text that was never a token:
// it is as long as a real one, in the same letters.
func looksLikeToken(given, real string) bool {
	return len(given) == len(real) && !strings.ContainsFunc(given, func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < '2' || r > '7')
	})
}

// stringToSign covers every parameter but the signature itself (reference §1.2).
func stringToSign(method string, values map[string]string) string {
	names := make([]string, 0, len(values))
	size := 0
	for name, value := range values {
		if name != "Signature" {
			names = append(names, name)
			size += len(name) + len(value) + 2
		}
	}
	slices.Sort(names)
	query := make([]byte, 0, size+size/2)
	for i, name := range names {
		if i > 0 {
			query = append(query, '&')
		}
		query = append(appendEncoded(query, name), '=')
		query = appendEncoded(query, values[name])
	}
	out := make([]byte, 0, len(query)+len(query)/2+len(method)+len("&%2F&"))
	return string(appendEncoded(append(append(out, method...), "&%2F&"...), string(query)))
}

func signature(secret, text string) string {
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// percentEncode is RFC 3986.
func percentEncode(s string) string { return string(appendEncoded(nil, s)) }

func appendEncoded(out []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		switch b := s[i]; {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '-', b == '_', b == '.', b == '~':
			out = append(out, b)
		default:
			out = append(out, '%', digits[b>>4], digits[b&15])
		}
	}
	return out
}
