package detect

import (
	"errors"
	"fmt"
	"time"
)

// Bounds of a rule's numbers.
const (
	MaxThreshold = 4096
	MaxWithin    = 31 * 24 * time.Hour
)

// SuccessMemory is how long, in log time, a success speaks for an address.
const SuccessMemory = 24 * time.Hour

// Rule is a threshold over signals of one source address.
type Rule struct {
	// Name is unique among the rules of one engine.
	Name string
	// Signals are the kinds that count; at least one, none of them a success.
	Signals []Kind
	// Threshold signals, 1 to MaxThreshold, within a closed window of Within
	// (last minus first <= Within, 1s to MaxWithin) make a detection.
	Threshold int
	Within    time.Duration
	// LegitimateThreshold replaces Threshold for an address with a success in
	// the last 24 hours of log time: Threshold to 4×MaxThreshold, 0 means
	// 4×Threshold.
	LegitimateThreshold int
}

// Limits bound the engine's memory, whatever the log says.
type Limits struct {
	// MaxSources is the most (address, rule) pairs and success marks that are
	// tracked at a time; 0 means 1,000,000 (about 100 to 170 MB when full).
	MaxSources int
	// MaxEvidence is the most pairs that hold samples of their lines, up to
	// 3 × 300 bytes each; 0 means 20,000. Crossings come first.
	MaxEvidence int
}

func (r *Rule) legitimate() int {
	if r.LegitimateThreshold == 0 {
		return 4 * r.Threshold
	}
	return r.LegitimateThreshold
}

func (r *Rule) check() error {
	if r.Name == "" {
		return errors.New("name is empty")
	}
	if len(r.Signals) == 0 {
		return errors.New("signals are empty")
	}
	for i, k := range r.Signals {
		if !k.Valid() {
			return fmt.Errorf("signal %d is not a known kind", i+1)
		}
		if k.Success() {
			return fmt.Errorf("signal %s speaks for an address and cannot be counted against it", k)
		}
	}
	if r.Threshold < 1 || r.Threshold > MaxThreshold {
		return fmt.Errorf("threshold %d is not between 1 and %d", r.Threshold, MaxThreshold)
	}
	if r.Within < time.Second || r.Within > MaxWithin {
		return fmt.Errorf("within %s is not between 1s and %s", r.Within, MaxWithin)
	}
	if l := r.LegitimateThreshold; l != 0 && (l < r.Threshold || l > 4*MaxThreshold) {
		return fmt.Errorf("legitimate threshold %d is not between the threshold %d and %d", l, r.Threshold, 4*MaxThreshold)
	}
	return nil
}

func (l Limits) filled() (Limits, error) {
	if l.MaxSources == 0 {
		l.MaxSources = 1_000_000
	}
	if l.MaxEvidence == 0 {
		l.MaxEvidence = 20_000
	}
	if l.MaxSources < 16 || l.MaxSources > 100_000_000 {
		return l, fmt.Errorf("max sources %d is not between 16 and 100000000", l.MaxSources)
	}
	if l.MaxEvidence < 0 {
		return l, fmt.Errorf("max evidence %d is negative", l.MaxEvidence)
	}
	return l, nil
}
