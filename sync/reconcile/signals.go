package reconcile

import (
	"errors"
	"fmt"
	"time"

	"fwsync/detect"
	"fwsync/detect/maillog"
	"fwsync/policies"
)

// Declared prepares the signals that a policy declares, for reading logs; nil without any.
func Declared(policy *policies.Policy) (*maillog.Declared, error) {
	d, err := maillog.Declare(declarations(policy.Signals))
	if at := (*maillog.DeclarationError)(nil); errors.As(err, &at) {
		return nil, fmt.Errorf("%s: %w", policy.Signals[at.Index].Declared, err)
	}
	return d, err
}

func declarations(signals []policies.Signal) []maillog.Declaration {
	var list []maillog.Declaration
	for _, s := range signals {
		list = append(list, maillog.Declaration{
			Declaration: detect.Declaration{Name: s.Name, Meaning: s.Meaning, Phase: phases[s.Phase]},
			Program:     s.Program, Pattern: s.Pattern,
		})
	}
	return list
}

// What the policy files call the phases of detect.
var phases = map[string]detect.Phase{
	"": detect.NoPhase, "probing": detect.Probing, "brute-force": detect.BruteForce,
	"exploitation": detect.Exploitation, "harassment": detect.Harassment,
}

// testYear dates the stamps without a year of the lines that signals are tested with:
// it has a 29th of February.
var testYear = time.Date(2028, time.December, 31, 0, 0, 0, 0, time.UTC)

// CheckSignals says what is wrong with the patterns of signals and which of their tests
// fail, read together with all others. It is policies.Options.CheckSignals.
func CheckSignals(signals []policies.Signal) []policies.SignalFault {
	var faults []policies.SignalFault
	list := declarations(signals)
	for i := range list {
		if err := list[i].Check(); err != nil {
			faults = append(faults, patternFault(i, err))
		}
	}
	if faults != nil {
		return faults
	}
	declared, err := maillog.Declare(list)
	if err != nil {
		at := &maillog.DeclarationError{}
		errors.As(err, &at)
		return []policies.SignalFault{patternFault(at.Index, err)}
	}
	for i, s := range signals {
		for j, t := range s.Tests {
			if message, hint := try(declared, s, t); message != "" {
				faults = append(faults, policies.SignalFault{Signal: i, Test: j, Message: message, Hint: hint})
			}
		}
	}
	return faults
}

func patternFault(i int, err error) policies.SignalFault {
	f := policies.SignalFault{Signal: i, Test: -1, Message: err.Error()}
	if p := (*maillog.PatternError)(nil); errors.As(err, &p) {
		f.At, f.Message, f.Hint = p.At, p.Message, p.Hint
	}
	return f
}

// try reads the line of a test. The message is empty if it is as expected.
func try(declared *maillog.Declared, signal policies.Signal, test policies.SignalTest) (message, hint string) {
	got, verdict := maillog.New(maillog.Options{Reference: testYear, Declared: declared}).Parse([]byte(test.Line))
	name := declared.Catalogue().Name(got.Kind)
	if !test.Address.IsValid() {
		if verdict == maillog.Signal && name == signal.Name {
			return fmt.Sprintf("the line is to be no %s, and is one of %s", name, got.Addr), ""
		}
		return "", ""
	}
	switch {
	case verdict == maillog.BadAddress:
		return fmt.Sprintf("the line is no %s: it names no address that can be believed", signal.Name), "an address must end within the first 900 bytes of a message, and be one"
	case verdict == maillog.Malformed:
		return fmt.Sprintf("the line is no %s: it does not begin as a line of a log", signal.Name), "a test has the whole line, with its stamp, host and tag"
	case verdict != maillog.Signal && signal.Program == "":
		return fmt.Sprintf("the line is no %s: its message does not read as the pattern does", signal.Name), "a signal without a program is for logs whose messages stand right behind the stamp"
	case verdict != maillog.Signal:
		return fmt.Sprintf("the line is no %s: it is not of %s, or its message does not read as the pattern does", signal.Name, signal.Program), ""
	case name != signal.Name:
		return fmt.Sprintf("the line is a %s already", name), "a line is one signal: a built-in one first, then the first one declared"
	case got.Addr != test.Address:
		return fmt.Sprintf("the address of the line is %s, not %s", got.Addr, test.Address), ""
	case test.Account != "" && string(got.Account) != test.Account:
		return fmt.Sprintf("the account of the line is %q, not %q", got.Account, test.Account), ""
	}
	return "", ""
}
