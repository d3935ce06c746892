package policies

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"slices"
	"time"

	"fwsync/cloudfw"
)

// Policy is what the policy files mean, checked as a whole. It is read-only and
// safe for concurrent use; its slices are shared with what Compile returns.
type Policy struct {
	Groups     map[string][]netip.Prefix // ascending, nested groups resolved, no prefix within another
	Allowlist  []cloudfw.Exempt          // the reason is the group's name, "allowlist" for literals
	Signals    []Signal                  `json:",omitempty"` // as declared, files in the order of their names
	Detections []Detection               // likewise
	Rules      []cloudfw.Rule            // likewise; first match wins
	Targets    []cloudfw.Target          // likewise; at least one
	Incidents  []Incident                // likewise
	Collateral cloudfw.Collateral        `json:",omitzero"` // zero: nothing declared
}

// Detection is a threshold over the signals of a source address, or of what By says.
// The numbers are within the bounds of detect.Rule.
type Detection struct {
	Name                string
	Signals             []string // sorted
	By                  string   `json:",omitzero"` // network, account or site; empty: address
	Distinct            string   `json:",omitzero"` // accounts, addresses, networks or countries; empty: signals
	Threshold           int
	Members             int `json:",omitzero"` // of a network
	IPv4Bits            int `json:",omitzero"` // likewise; 0: left to detect
	IPv6Bits            int `json:",omitzero"`
	Weight              int `json:",omitzero"` // 0: 1
	Within              time.Duration
	LegitimateThreshold int      // 0: left to detect
	Block               *Penalty // nil: report only
	Declared            string   // file:line, for messages
}

// Penalty is how long a detection blocks.
type Penalty struct {
	For      time.Duration
	Escalate []time.Duration // empty, or begins with For and never gets shorter
	Forget   time.Duration   `json:",omitzero"` // 0: DefaultForget
	CoolDown time.Duration   `json:",omitzero"` // 0: DefaultCoolDown
}

// What a penalty comes to that does not say.
const (
	DefaultForget   = 30 * day
	DefaultCoolDown = time.Hour
)

// Forgets is how long after a block's end the escalation falls back by one step.
func (p Penalty) Forgets() time.Duration { return cmp.Or(p.Forget, DefaultForget) }

// CoolsDown is for how long after a person's unblock nothing automatic is decided.
func (p Penalty) CoolsDown() time.Duration { return cmp.Or(p.CoolDown, DefaultCoolDown) }

// Duration is the length of the attempt-th block of the same source, counted from 1.
// Attempts beyond the last step of the escalation get the last step.
func (p Penalty) Duration(attempt int) time.Duration {
	if len(p.Escalate) == 0 {
		return p.For
	}
	return p.Escalate[min(max(attempt, 1), len(p.Escalate))-1]
}

// Incident is a prepared overlay of rules. Its rules are checked like the others
// but are not part of what Compile returns.
type Incident struct {
	Name    string
	Summary string
	Rules   []cloudfw.Rule
}

// Incident returns the declared incident of that name.
func (p *Policy) Incident(name string) (Incident, bool) {
	i := slices.IndexFunc(p.Incidents, func(i Incident) bool { return i.Name == name })
	if i < 0 {
		return Incident{}, false
	}
	return p.Incidents[i], true
}

// Hash is the SHA-256 of the policy's meaning in hex. Comments, layout, the names
// of files, the order of keys and of everything whose order means nothing do not
// change it; the order of rules does.
func (p *Policy) Hash() string {
	meaning := Policy{
		Groups:     p.Groups,
		Allowlist:  slices.Clone(p.Allowlist),
		Signals:    p.Signals,
		Detections: slices.Clone(p.Detections),
		Rules:      undeclared(p.Rules),
		Targets:    slices.Clone(p.Targets),
		Incidents:  slices.Clone(p.Incidents),
		Collateral: p.Collateral,
	}
	slices.SortFunc(meaning.Allowlist, compareExempts)
	slices.SortFunc(meaning.Detections, func(a, b Detection) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(meaning.Targets, func(a, b cloudfw.Target) int { return cmp.Compare(a.Name(), b.Name()) })
	slices.SortFunc(meaning.Incidents, func(a, b Incident) int { return cmp.Compare(a.Name, b.Name) })
	for i := range meaning.Detections {
		meaning.Detections[i].Declared = ""
	}
	for i := range meaning.Incidents {
		meaning.Incidents[i].Rules = undeclared(meaning.Incidents[i].Rules)
	}
	text, err := json.Marshal(meaning)
	if err != nil {
		// Strings, numbers and prefixes cannot fail to marshal.
		panic("policies: hashing: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func undeclared(rules []cloudfw.Rule) []cloudfw.Rule {
	rules = slices.Clone(rules)
	for i := range rules {
		rules[i].Declared = ""
	}
	return rules
}

func compareExempts(a, b cloudfw.Exempt) int {
	return cmp.Or(cloudfw.ComparePrefixes(a.Prefix, b.Prefix), cmp.Compare(a.Reason, b.Reason))
}

// In is the part of the policy that concerns one cloud: its targets, and those that
// name none. All else is shared with the whole.
func (p *Policy) In(cloud string) *Policy {
	part := *p
	part.Targets = slices.DeleteFunc(slices.Clone(p.Targets), func(t cloudfw.Target) bool {
		return t.Cloud != "" && t.Cloud != cloud
	})
	return &part
}

// Scope is what must be observed for the targets.
func (p *Policy) Scope() cloudfw.Scope {
	var scope cloudfw.Scope
	for _, t := range p.Targets {
		switch {
		case !t.Firewall():
			scope.Groups = append(scope.Groups, t.GroupID)
		case t.Border.Kind() != cloudfw.InternetBorder:
			scope.Borders = append(scope.Borders, t.Border)
		}
	}
	return scope
}
