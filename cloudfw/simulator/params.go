package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// systemParameters go with every call and are no business of the actions
// (reference §1.1, §1.5).
var systemParameters = nameSet("AccessKeyId", "Action", "BearerToken", "Format", "RegionId", "SecureTransport",
	"SecurityToken", "Signature", "SignatureMethod", "SignatureNonce", "SignatureType", "SignatureVersion",
	"SourceIp", "Timestamp", "Version")

func nameSet(names ...string) map[string]bool {
	set := map[string]bool{}
	for _, n := range names {
		set[n] = true
	}
	return set
}

// params hands out the parameters of one call and remembers which were asked
// for: reading a name declares it, and done refuses all others. A parameter that
// is present but empty counts as absent.
type params struct {
	action  string
	values  map[string]string
	prefix  string          // of a list element, such as "Permissions.1."
	known   map[string]bool // full names asked for
	problem *error          // first problem met
	missing func(name string) error
}

func newParams(action string, values map[string]string, missing func(string) error) *params {
	return &params{action: action, values: values, known: map[string]bool{}, problem: new(error), missing: missing}
}

func (p *params) fail(err error) {
	if *p.problem == nil {
		*p.problem = err
	}
}

// text returns the value, empty if absent.
func (p *params) text(name string) string {
	p.known[p.prefix+name] = true
	return p.values[p.prefix+name]
}

func (p *params) required(name string) string {
	v := p.text(name)
	if v == "" {
		p.fail(p.missing(p.prefix + name))
	}
	return v
}

// number returns the value, or fallback if absent; a value outside low..high is refused.
func (p *params) number(name string, fallback, low, high int64) int64 {
	v := p.text(name)
	if v == "" {
		return fallback
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < low || n > high {
		p.fail(bad("Invalid"+p.prefix+name, "Specified parameter %s is not valid.", p.prefix+name))
		return fallback
	}
	return n
}

// flag reads true or false in any case; absent is false.
func (p *params) flag(name string) bool {
	switch strings.ToLower(p.text(name)) {
	case "true":
		return true
	case "", "false":
		return false
	}
	p.fail(bad("Invalid"+name, "Specified parameter %s is not valid.", name))
	return false
}

// set stores the value in *to if the parameter is present.
func (p *params) set(name string, to *string) {
	if v := p.text(name); v != "" {
		*to = v
	}
}

// list returns Name.1, Name.2, … in the order of their numbers; nil if absent.
func (p *params) list(name string) []string {
	var out []string
	for _, n := range p.numbers(name, false) {
		if v := p.text(fmt.Sprintf("%s.%d", name, n)); v != "" {
			out = append(out, v)
		}
	}
	return out
}

// each calls read with a view of every element of a list of structures, such as
// Permissions.1.IpProtocol, and returns how many there were.
func (p *params) each(name string, read func(item *params)) int {
	numbers := p.numbers(name, true)
	for _, n := range numbers {
		item := *p
		item.prefix = fmt.Sprintf("%s%s.%d.", p.prefix, name, n)
		read(&item)
	}
	return len(numbers)
}

// numbers collects the N of Name.N, or of Name.N.Field for structures.
func (p *params) numbers(name string, structures bool) []int {
	found := map[int]bool{}
	for full := range p.values {
		rest, ok := strings.CutPrefix(full, p.prefix+name+".")
		if !ok {
			continue
		}
		number, _, deeper := strings.Cut(rest, ".")
		// Atoi also takes "01" and "+1", which would be read back under another name.
		if n, err := strconv.Atoi(number); err == nil && n > 0 && strconv.Itoa(n) == number && deeper == structures {
			found[n] = true
		}
	}
	out := make([]int, 0, len(found))
	for n := range found {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// ignore declares parameters that are accepted and have no effect.
func (p *params) ignore(names ...string) {
	for _, n := range names {
		p.known[p.prefix+n] = true
	}
}

// done returns the first problem, or a refusal of a parameter the action does not have.
func (p *params) done() error {
	if *p.problem != nil {
		return *p.problem
	}
	var unknown []string
	for name := range p.values {
		if !p.known[name] && !systemParameters[name] {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return bad("InvalidParameter", "%s has no parameter %s.", p.action, strings.Join(unknown, ", "))
	}
	return nil
}

func missingAtGateway(name string) error {
	return bad("Missing"+name, "%s is mandatory for this action.", name)
}

func missingInECS(name string) error {
	return refuse(http.StatusBadRequest, "MissingParameter", "The input parameter %q that is mandatory for processing this request is not supplied.", name)
}
