package reconcile

import (
	"fmt"
	"net/netip"

	"fwsync/detect"
	"fwsync/ledger"
	"fwsync/policies"
)

// Reading is how logs are read, beside what the policy says. The zero value keeps
// evidence in full and knows no countries.
type Reading struct {
	// Redactor leaves out of evidence what tells of people, before it is kept.
	Redactor detect.Redactor
	// Countries opens what tells the country of an address, "" if it has none. It is
	// called once, and only for a policy that counts countries.
	Countries func() (func(netip.Addr) string, error)
}

// Engine returns a detection engine with the policy's detections.
func (r Reading) Engine(policy *policies.Policy) (*detect.Engine, error) {
	engine, err := newEngine(policy)
	if err != nil {
		return nil, err
	}
	if r.Redactor != nil {
		engine.Redact(r.Redactor)
	}
	for _, d := range policy.Detections {
		if d.Distinct != "countries" {
			continue
		}
		if r.Countries == nil {
			return nil, &NoCountriesError{d.Name, d.Declared}
		}
		country, err := r.Countries()
		if err != nil {
			return nil, err
		}
		engine.Locate(country)
		break
	}
	return engine, nil
}

// NoCountriesError is a detection that counts countries where no database of them is
// configured.
type NoCountriesError struct{ Detection, Declared string }

func (e *NoCountriesError) Error() string {
	return fmt.Sprintf("%s: detection %s counts countries, and no database tells the country of an address", e.Declared, e.Detection)
}

// Hint says what to do.
func (e *NoCountriesError) Hint() string {
	return "name one as geo.database in the configuration, such as GeoLite2-Country.mmdb, or count networks"
}

// redact changes the evidence that decisions were stored with before.
func (r Reading) redact(decisions []ledger.Decision) {
	if r.Redactor == nil {
		return
	}
	for i := range decisions {
		decisions[i] = Redact(decisions[i], r.Redactor)
	}
}

// Redact returns a decision whose evidence tells nothing of people.
func Redact(d ledger.Decision, by detect.Redactor) ledger.Decision {
	if d.Counters != nil {
		c := *d.Counters
		c.Account = by.Account(c.Account)
		d.Counters = &c
	}
	lines := make([]ledger.Evidence, len(d.Evidence))
	for i, e := range d.Evidence {
		e.Text = by.Line([]byte(e.Text), netip.Addr{})
		lines[i] = e
	}
	d.Evidence = lines
	return d
}
