package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// FaultSpec is a Fault as it stands in a fault file and on the admin endpoint.
// Durations are texts such as "2s".
type FaultSpec struct {
	Kind        FaultKind `json:"kind"`
	Action      string    `json:"action,omitempty"`
	Writes      bool      `json:"writes,omitempty"`
	Skip        int       `json:"skip,omitempty"`
	Count       int       `json:"count,omitempty"`
	Probability float64   `json:"probability,omitempty"`
	AfterEffect bool      `json:"afterEffect,omitempty"`
	RetryAfter  string    `json:"retryAfter,omitempty"`
	Code        string    `json:"code,omitempty"`
	Skew        string    `json:"skew,omitempty"`
	// Limits maps a name of LimitNames to its new value.
	Limits map[string]int64 `json:"limits,omitempty"`
	Spare  string           `json:"spare,omitempty"`
}

// ParseFaults reads a fault file: a JSON list of FaultSpec, or one alone. Unknown
// fields, kinds and actions are refused, and an error names the fault by its place.
func ParseFaults(raw []byte) ([]Fault, error) {
	var specs []FaultSpec
	var into any = &specs
	one := FaultSpec{}
	if text := bytes.TrimSpace(raw); len(text) > 0 && text[0] == '{' {
		into = &one
	}
	if err := decodeStrictly(raw, into); err != nil {
		return nil, err
	}
	if into == any(&one) {
		specs = []FaultSpec{one}
	}
	faults := make([]Fault, len(specs))
	for i, s := range specs {
		var err error
		if faults[i], err = s.Fault(); err != nil {
			return nil, fmt.Errorf("fault %d: %w", i+1, err)
		}
	}
	return faults, nil
}

// ParseFault reads a fault from one line: the kind and then name=value fields by
// commas, as in "throttle,action=ModifyAddressBook,count=2,retry-after=200ms" or
// "reset-after,writes,p=0.2". The names are those of FaultSpec with hyphens, p for
// the probability, and limit=NAME:N which may come again.
func ParseFault(line string) (Fault, error) {
	kind, rest, _ := strings.Cut(line, ",")
	s := FaultSpec{Kind: FaultKind(strings.TrimSpace(kind))}
	for field := range strings.SplitSeq(rest, ",") {
		if field = strings.TrimSpace(field); field == "" {
			continue
		}
		name, value, _ := strings.Cut(field, "=")
		if err := s.setField(name, value); err != nil {
			return Fault{}, fmt.Errorf("fault %q: %w", line, err)
		}
	}
	f, err := s.Fault()
	if err != nil {
		return Fault{}, fmt.Errorf("fault %q: %w", line, err)
	}
	return f, nil
}

func (s *FaultSpec) setField(name, value string) (err error) {
	switch name {
	case "action":
		s.Action = value
	case "writes":
		s.Writes, err = parseSwitch(value)
	case "after-effect":
		s.AfterEffect, err = parseSwitch(value)
	case "skip":
		s.Skip, err = strconv.Atoi(value)
	case "count":
		s.Count, err = strconv.Atoi(value)
	case "p", "probability":
		s.Probability, err = strconv.ParseFloat(value, 64)
	case "retry-after":
		s.RetryAfter = value
	case "code":
		s.Code = value
	case "skew":
		s.Skew = value
	case "spare":
		s.Spare = value
	case "limit":
		limit, n, _ := strings.Cut(value, ":")
		var number int64
		if number, err = strconv.ParseInt(n, 10, 32); err == nil {
			if s.Limits == nil {
				s.Limits = map[string]int64{}
			}
			s.Limits[limit] = number
		}
	default:
		return fmt.Errorf("unknown field %q, want action=, writes, after-effect, skip=, count=, p=, retry-after=, code=, skew=, limit=NAME:N or spare=", name)
	}
	if err != nil {
		return fmt.Errorf("field %q has the value %q: want %s", name, value, wantedIn(name))
	}
	return nil
}

func wantedIn(field string) string {
	switch field {
	case "writes", "after-effect":
		return "nothing, true or false"
	case "limit":
		return "NAME:NUMBER, such as AddressesPerBook:10"
	}
	return "a number"
}

func parseSwitch(value string) (bool, error) {
	if value == "" {
		return true, nil
	}
	return strconv.ParseBool(value)
}

// Fault checks the spec and returns the fault it describes.
func (s FaultSpec) Fault() (Fault, error) {
	f := Fault{Kind: s.Kind, Action: s.Action, Writes: s.Writes, Skip: s.Skip, Count: s.Count, Probability: s.Probability,
		AfterEffect: s.AfterEffect, Code: s.Code, Spare: s.Spare}
	if _, err := ParseFaultKind(string(s.Kind)); err != nil {
		return f, err
	}
	if s.Kind == FaultInterfere {
		return f, errors.New("interfere runs Go code and cannot be named here, use editor")
	}
	if s.Action != "" && !served(s.Action) {
		return f, fmt.Errorf("there is no action %q", s.Action)
	}
	if s.Probability < 0 || s.Probability >= 1 {
		return f, fmt.Errorf("probability %v is not between 0 and 1; leave it out to break every call", s.Probability)
	}
	if s.Skip < 0 {
		return f, fmt.Errorf("skip %d is negative", s.Skip)
	}
	var err error
	if f.RetryAfter, err = parseSpan("retryAfter", s.RetryAfter); err != nil {
		return f, err
	}
	if f.RetryAfter < 0 {
		return f, fmt.Errorf("retryAfter %q is negative", s.RetryAfter)
	}
	if f.Skew, err = parseSpan("skew", s.Skew); err != nil {
		return f, err
	}
	for name, n := range s.Limits {
		l, err := ParseLimit(name + "=" + strconv.FormatInt(n, 10))
		if err != nil {
			return f, err
		}
		f.Limits = f.Limits.over(l)
	}
	switch {
	case s.Kind == FaultCode && s.Code == "":
		return f, errors.New(`kind code needs a code, such as "-200142"`)
	case (s.Kind == FaultClockSkew) != (f.Skew != 0):
		return f, errors.New("kind clock-skew needs a skew other than 0, and no other kind has one")
	case (s.Kind == FaultLimit) != (len(s.Limits) > 0):
		return f, errors.New("kind limit needs limits, and no other kind has them")
	case s.Spare != "" && s.Kind != FaultEditor:
		return f, errors.New("only kind editor has spare")
	case s.RetryAfter != "" && s.Kind != FaultThrottle:
		return f, errors.New("only kind throttle has retryAfter")
	}
	return f, nil
}

// Spec returns the fault as it would stand in a fault file; Do has no place there.
func (f Fault) Spec() FaultSpec {
	s := FaultSpec{Kind: f.Kind, Action: f.Action, Writes: f.Writes, Skip: f.Skip, Count: f.Count, Probability: f.Probability,
		AfterEffect: f.AfterEffect, Code: f.Code, Spare: f.Spare}
	if f.RetryAfter != 0 {
		s.RetryAfter = f.RetryAfter.String()
	}
	if f.Skew != 0 {
		s.Skew = f.Skew.String()
	}
	for name, v := range f.Limits.fields() {
		if v.Int() != 0 {
			if s.Limits == nil {
				s.Limits = map[string]int64{}
			}
			s.Limits[name] = v.Int()
		}
	}
	return s
}

func served(action string) bool {
	for r := range actions {
		if r.action == action {
			return true
		}
	}
	return false
}

// parseSpan reads a duration, empty for 0.
func parseSpan(name, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf(`%s %q is not a duration such as "200ms" or "2s"`, name, text)
	}
	return d, nil
}

// decodeStrictly reads one JSON value into v: no unknown fields, nothing after it.
func decodeStrictly(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return atLine(raw, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more text after the end of the value")
	}
	return nil
}
