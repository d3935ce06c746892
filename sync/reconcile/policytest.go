package reconcile

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"fwsync/detect/sources"
	"fwsync/ledger"
	"fwsync/policies"
)

// TestResult is what a policy's test comes to.
type TestResult struct {
	Name        string       `json:"name"`
	Declared    string       `json:"declared"` // file:line
	OK          bool         `json:"ok"`
	Lines       int64        `json:"lines"`
	Signals     int64        `json:"signals"`
	Decisions   int          `json:"decisions"`
	Differences []Difference `json:"differences"`
	Notes       []string     `json:"notes,omitempty"` // of the log
}

// Difference is one thing that is not as a test wants it.
type Difference struct {
	What     string `json:"what"` // missing, unexpected, different, never, or log: the lines cannot be read
	Prefix   string `json:"prefix,omitempty"`
	Rule     string `json:"rule,omitempty"`
	Want     string `json:"want,omitempty"`
	Got      string `json:"got,omitempty"`
	Declared string `json:"declared,omitempty"` // file:line of what is expected
}

// RunTest decides on the lines of a test as a replay does and compares. The error is of
// a log that cannot be read.
func RunTest(ctx context.Context, policy *policies.Policy, reading Reading, test policies.Test) (TestResult, error) {
	result := TestResult{Name: test.Name, Declared: test.Declared, Differences: []Difference{}}
	declared, err := Declared(policy)
	if err != nil {
		return result, err
	}
	replay, err := NewReplay(policy, ReplayOptions{Reading: reading})
	if err != nil {
		return result, err
	}
	log := sources.Source{
		Path: test.Log, Final: true, Declared: declared,
		// Stamps without a year are at most a day after this: they get the year in which they are not before the start.
		Reference: test.Start.AddDate(1, 0, -2),
	}
	if test.Log == "" {
		log.Path, log.Reader = "the lines", strings.NewReader(test.Lines+"\n")
	}
	read, err := sources.Read(ctx, log, sources.Position{}, replay.Observe)
	if err != nil {
		return result, fmt.Errorf("%s: test %q: %w", test.Declared, test.Name, err)
	}
	report := replay.Report()
	result.Lines, result.Signals, result.Decisions, result.Notes = read.Stats.Lines, read.Stats.Signals, len(report.Decisions), read.Health.Notes
	if bad := read.Stats.Malformed + read.Stats.Overlong; test.Log == "" && bad > 0 || !read.Health.OK {
		result.Differences = append(result.Differences, Difference{What: "log", Got: fmt.Sprintf("%d of %d lines do not begin as lines of a log", bad, read.Stats.Lines)})
		result.Notes = nil // they say the same
	}
	result.compare(test, report.Decisions)
	result.OK = len(result.Differences) == 0
	return result, nil
}

// compare finds the differences between what a test wants and what was decided.
func (r *TestResult) compare(test policies.Test, decided []ledger.Decision) {
	left := slices.Clone(decided)
	for _, x := range test.Expect {
		at := slices.IndexFunc(left, func(d ledger.Decision) bool {
			return d.Prefix == x.Prefix && d.Rule == x.Rule && d.Attempt == x.Attempt
		})
		if at < 0 {
			r.Differences = append(r.Differences, Difference{What: "missing", Prefix: x.Prefix.String(), Rule: x.Rule, Want: attempt(x.Attempt), Declared: x.Declared})
			continue
		}
		d := left[at]
		left = slices.Delete(left, at, at+1)
		differs := func(want, got string) {
			r.Differences = append(r.Differences, Difference{What: "different", Prefix: x.Prefix.String(), Rule: x.Rule, Want: want, Got: got, Declared: x.Declared})
		}
		if lasts := d.End.Sub(d.LastSeen); x.For != 0 && lasts != x.For {
			differs("for "+policies.FormatDuration(x.For), "for "+policies.FormatDuration(lasts))
		}
		if !x.Until.IsZero() && !d.End.Equal(x.Until) {
			differs("until "+x.Until.Format(time.RFC3339), "until "+d.End.Format(time.RFC3339))
		}
	}
	for _, d := range left {
		if test.Exact {
			r.Differences = append(r.Differences, Difference{What: "unexpected", Prefix: d.Prefix.String(), Rule: d.Rule, Got: described(d)})
		}
	}
	for _, never := range test.Never {
		for _, d := range decided {
			if d.Prefix.Overlaps(never) {
				r.Differences = append(r.Differences, Difference{What: "never", Prefix: d.Prefix.String(), Rule: d.Rule, Want: "never " + shortest(never), Got: described(d)})
			}
		}
	}
}

func described(d ledger.Decision) string {
	return fmt.Sprintf("%s, %s to %s, for %s after %d signals", attempt(d.Attempt), d.Start.Format(time.RFC3339), d.End.Format(time.RFC3339), policies.FormatDuration(d.End.Sub(d.LastSeen)), d.Count)
}

func attempt(n int) string { return fmt.Sprintf("block %d", n) }

// shortest writes a prefix of one address as the address.
func shortest(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}
