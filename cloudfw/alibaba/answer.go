package alibaba

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"fwsync/cloudfw"
)

// text is a string on a wire that sometimes sends numbers, booleans or null
// instead (reference §0.10). Objects and arrays are refused.
type text string

// UnmarshalJSON reads any scalar.
func (t *text) UnmarshalJSON(raw []byte) error {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0 || raw[0] == '{' || raw[0] == '[':
		return errors.New("an object or array where a text belongs")
	case string(raw) == "null":
		*t = ""
	case raw[0] == '"' && plain(raw):
		raw = raw[1 : len(raw)-1]
		if word, ok := words[string(raw)]; ok {
			*t = word
			return nil
		}
		*t = text(raw)
	case raw[0] == '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		*t = text(s)
	default:
		*t = text(raw)
	}
	return nil
}

// words come again with every policy and rule and are not copied each time.
var words = func() map[string]text {
	all := map[string]text{}
	for _, word := range []text{
		"in", "out", "accept", "drop", "log", "net", "group", "domain", "location", "port", "ANY", "TCP", "UDP", "ICMP", "0/0", "true", "false",
		permanent, "ingress", "egress", "Accept", "Drop", "ALL", "-1/-1", "1/65535", "0.0.0.0/0", "::/0",
	} {
		all[string(word)] = word
	}
	return all
}()

// plain reports whether a JSON text stands for its own bytes.
func plain(raw []byte) bool { return bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) }

// texts is a list of scalars. Books hold thousands of them, so the list is cut up
// in one go instead of value by value.
type texts []text

// UnmarshalJSON reads an array of scalars; null is an empty list. It is given valid
// JSON.
func (ts *texts) UnmarshalJSON(raw []byte) error {
	raw = bytes.TrimSpace(raw)
	if string(raw) == "null" {
		*ts = nil
		return nil
	}
	if len(raw) < 2 || raw[0] != '[' {
		return errors.New("something else where a list of texts belongs")
	}
	raw = raw[1 : len(raw)-1]
	if !plain(raw) {
		return ts.unmarshalSlowly(raw)
	}
	all := string(raw) // the one copy that all texts share
	list := make(texts, 0, strings.Count(all, ",")+1)
	for at := 0; at < len(all); {
		switch all[at] {
		case '"':
			length := strings.IndexByte(all[at+1:], '"')
			list = append(list, text(all[at+1:at+1+length]))
			at += length + 2
		case ',', ' ', '\t', '\r', '\n':
			at++
		default:
			return ts.unmarshalSlowly(raw)
		}
	}
	*ts = list
	return nil
}

// unmarshalSlowly reads what stands between the brackets.
func (ts *texts) unmarshalSlowly(raw []byte) error {
	var list []text
	if err := json.Unmarshal(slices.Concat([]byte("["), raw, []byte("]")), &list); err != nil {
		return err
	}
	*ts = list
	return nil
}

// number is an integer on the same wire: as a number, or as text. Null and the
// empty text are 0.
type number int64

// UnmarshalJSON reads an integer in either form.
func (n *number) UnmarshalJSON(raw []byte) error {
	var t text
	if err := t.UnmarshalJSON(raw); err != nil {
		return err
	}
	if t == "" {
		*n = 0
		return nil
	}
	v, err := strconv.ParseInt(string(t), 10, 64)
	if err != nil {
		return fmt.Errorf("%s where a whole number belongs", oneLine(string(raw)))
	}
	*n = number(v)
	return nil
}

// answer is a complete successful body. Its types embed envelope, so that bodies of
// many megabytes are read once.
type answer interface {
	// head is what the body has in common with all others.
	head() *envelope
	// check reports what the body lacks to be the expected one.
	check() error
}

// done is the answer of calls that return nothing.
type done struct{ envelope }

func (*done) check() error { return nil }

// envelope is what every body has, success or failure. Code and Message take
// whatever comes, so that an odd error is still an error.
type envelope struct {
	RequestID text            `json:"RequestId"`
	Code      json.RawMessage `json:"Code"`
	Message   json.RawMessage `json:"Message"`
}

func (e *envelope) head() *envelope { return e }

func scalar(raw json.RawMessage) string {
	var t text
	if len(raw) > 0 && t.UnmarshalJSON(raw) == nil {
		return string(t)
	}
	return ""
}

// judge turns the outcome of one request into its answer or its failure.
func judge(api API, subject string, out outcome, into answer) *cloudfw.Error {
	fail := func(kind cloudfw.Kind, e envelope, message string) *cloudfw.Error {
		return &cloudfw.Error{
			Op: api.Name, Subject: subject, Kind: kind, Message: message,
			Code:      oneLine(redactValues(scalar(e.Code), out.secrets)),
			RequestID: oneLine(redactValues(string(e.RequestID), out.secrets)),
		}
	}
	unsettled := cloudfw.Unavailable
	if api.Write {
		unsettled = cloudfw.UnknownOutcome
	}
	switch {
	case out.err != nil && !out.asked:
		return fail(cloudfw.Invalid, envelope{}, "the request could not be built: "+oneLine(redactValues(out.err.Error(), out.secrets)))
	case out.err != nil && !out.connected:
		return fail(cloudfw.Unavailable, envelope{}, describe(out.err, out.secrets))
	case out.err != nil:
		return fail(unsettled, envelope{}, describe(out.err, out.secrets))
	}

	if out.status < 200 || out.status > 299 {
		var e envelope
		malformed := json.Unmarshal(out.body, &e) != nil
		message := scalar(e.Message)
		if malformed || scalar(e.Code) == "" {
			message = strings.TrimSpace(fmt.Sprintf("status %d %s %s", out.status, http.StatusText(out.status), message))
		}
		kind := kindOf(out.status, scalar(e.Code), api.Write)
		if code, ok := unsettledNumbers[api]; ok && code == scalar(e.Code) {
			kind = unsettled
		}
		failure := fail(kind, e, oneLine(redactValues(message, out.secrets)))
		// The firewall's own codes begin so, the gateway's and numbers do not (reference §2.1).
		failure.Judged = kind == cloudfw.Invalid && strings.HasPrefix(failure.Code, "Error")
		return failure
	}
	wrong := json.Unmarshal(out.body, into)
	e := *into.head()
	if wrong != nil {
		e = envelope{}
		if json.Unmarshal(out.body, &e) != nil {
			return fail(unsettled, envelope{}, fmt.Sprintf("status %d without a JSON object", out.status))
		}
	}
	switch strings.ToLower(scalar(e.Code)) {
	case "", "200", "0", "ok", "success":
	default:
		if strings.Contains(scalar(e.Code), "Throttling") {
			unsettled = cloudfw.Throttled
		}
		return fail(unsettled, e, fmt.Sprintf("status %d with an error inside: %s", out.status, oneLine(redactValues(scalar(e.Message), out.secrets))))
	}
	if e.RequestID == "" {
		return fail(unsettled, e, fmt.Sprintf("status %d with a body that is not the service's: no RequestId", out.status))
	}
	if wrong == nil {
		wrong = into.check()
	}
	if wrong != nil {
		return fail(unsettled, e, "unexpected answer: "+oneLine(redactValues(wrong.Error(), out.secrets)))
	}
	return nil
}

// longestQuiet bounds what the vendor may ask for in one throttled answer.
const longestQuiet = time.Minute

// retryAfter is the pause that a throttled answer asks for, in milliseconds in its
// header (reference §1.3); 0 without one.
func retryAfter(header http.Header) time.Duration {
	ms, err := strconv.ParseInt(strings.TrimSpace(header.Get("x-acs-retry-after")), 10, 64)
	if err != nil || ms <= 0 {
		return 0
	}
	return time.Duration(min(ms, longestQuiet.Milliseconds())) * time.Millisecond
}
