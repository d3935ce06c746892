package simulator

import (
	"crypto/sha256"
	"slices"
	"strings"
)

// keptTokens bounds the memory for client tokens.
const keptTokens = 4096

// tokenUse is what a ClientToken was used for.
type tokenUse struct {
	call [sha256.Size]byte // action and parameters
	body []byte
}

// once runs an action, or repeats its answer if an ECS write comes again with the
// same ClientToken. The same token on another call is refused (reference §3.1).
// For Cloud Firewall a token is accepted and has no effect: that it does anything
// there is unverified. Tokens are not kept in the state file.
func (c *Cloud) once(act action, call *call) ([]byte, error) {
	p := call.params
	token := p.values["ClientToken"]
	if token == "" || p.values["Version"] != versionECS || !act.write {
		return answer(act, call)
	}
	digest := callDigest(p)
	key := call.key + " " + token
	c.mu.Lock()
	use, used := c.tokens[key]
	c.mu.Unlock()
	switch {
	case used && use.call == digest:
		return use.body, nil
	case used:
		return nil, bad("IdempotentParameterMismatch", "The client token was used with other parameters.")
	case len(token) > 64 || strings.ContainsFunc(token, func(r rune) bool { return r > 126 || r < 32 }):
		return nil, bad("InvalidClientToken.ValueNotSupported", "The ClientToken provided is invalid.")
	}
	body, err := answer(act, call)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.tokens) >= keptTokens {
		clear(c.tokens)
	}
	c.tokens[key] = tokenUse{digest, body}
	return body, nil
}

func answer(act action, call *call) ([]byte, error) {
	out, err := act.run(call)
	if err != nil {
		return nil, err
	}
	return encode(out)
}

func callDigest(p *params) [sha256.Size]byte {
	var lines []string
	for name, value := range p.values {
		if !systemParameters[name] || name == "Action" || name == "RegionId" {
			lines = append(lines, percentEncode(name)+"="+percentEncode(value))
		}
	}
	slices.Sort(lines)
	return sha256.Sum256([]byte(strings.Join(lines, "&")))
}
