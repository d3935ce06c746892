package alibaba

import (
	"net/url"
	"regexp"
	"strings"
	"sync"
)

const redacted = "[redacted]"

// Text from outside may repeat what we sent, so it is cleansed twice: of the exact
// secrets of the call (redactValues) and of everything that looks like one.
var (
	namedSecret = lazily(`(?i)((?:AccessKeyId|AccessKeySecret|SecurityToken|BearerToken|OIDCToken|Signature|SignatureNonce)["']?(?:=|%3D|%253D|\s*:\s*)["']?)[^&"'\s,}]+`)
	keyID       = lazily(`\b(?:LTAI|STS\.|TMP\.)[A-Za-z0-9]{8,}`)
	queryPart   = lazily(`\?[^\s"']*=[^\s"']*`)
	userPart    = lazily(`://[^/\s@]*@`)
	signedText  = lazily(`(?is)(server string to sign is:).*`)
)

// lazily compiles an expression when it is first needed: few commands need one.
func lazily(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

// redact takes out of a text everything that looks like a secret: the vendor's
// secret parameters, key ids, the query and the user part of URLs, and the string
// to sign that the vendor repeats in its answer to a wrong signature.
func redact(text string) string {
	text = signedText().ReplaceAllString(text, "$1"+redacted)
	text = namedSecret().ReplaceAllString(text, "$1"+redacted)
	text = userPart().ReplaceAllString(text, "://")
	text = queryPart().ReplaceAllString(text, "?"+redacted)
	return keyID().ReplaceAllString(text, redacted)
}

// redactValues also takes out the given secrets, plain and percent-encoded.
// Values of fewer than four characters protect nothing and stay.
func redactValues(text string, secrets []string) string {
	for _, s := range secrets {
		if len(s) < 4 {
			continue
		}
		once := url.QueryEscape(s)
		for _, form := range []string{url.QueryEscape(once), once, s} {
			text = strings.ReplaceAll(text, form, redacted)
		}
	}
	return redact(text)
}

// oneLine makes foreign text fit for an error message: printable, on one line and
// at most 300 characters long.
func oneLine(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || r == 0xfffd }), " ")
	const most = 300
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
