package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"fwsync/policies"
	"fwsync/sync/reconcile"
)

// policyTestAnswer is what policy test prints.
type policyTestAnswer struct {
	Schema  string                 `json:"schema"`
	Policy  string                 `json:"policy"`
	OK      bool                   `json:"ok"`
	Failed  int                    `json:"failed"`
	Tests   []reconcile.TestResult `json:"tests"`
	Signals []signalTested         `json:"signals"` // declared ones; a line that fails is an error of the policy
}

type signalTested struct {
	Name     string `json:"name"`
	Declared string `json:"declared"`
	Lines    int    `json:"lines"`
}

func newPolicy(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "work on policies: test what they decide",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPolicyTest(g))
	return cmd
}

func newPolicyTest(g *global) *cobra.Command {
	var policyPath string
	cmd := &cobra.Command{
		Use:   "test [PATH…]",
		Short: "run a policy's tests: log lines beside the decisions that they must lead to",
		Long: `Runs the tests of the policy, by default the *.yaml in the folder tests beside its
files: log lines, what the policy must decide on them, and whom it must never block. It
decides as replay does, as reconcile would, run once a minute. The test lines of declared
signals are run as well. Nothing is stored and no cloud is asked.

The exit code is 0 if all tests are ok, else 1; also if there are none.
docs/detection.md shows how tests are written.`,
		Example: `  fwsync policy test
  fwsync policy test --policies stricter.yaml policies/tests/smtp.yaml
  fwsync policy test -o json | jq '.tests[] | select(.ok | not)'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(g); err != nil {
				return err
			}
			policy, name, err := detectionPolicy(g, policyPath)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				args = []string{testsBeside(name)}
			}
			tests, err := policy.LoadTests(args...)
			if err != nil {
				return err
			}
			reading, err := readingHere(g, false)
			if err != nil {
				return err
			}
			value := policyTestAnswer{Schema: "fwsync.policytest/v1", Policy: name, Tests: []reconcile.TestResult{}, Signals: []signalTested{}}
			for _, s := range policy.Signals {
				value.Signals = append(value.Signals, signalTested{s.Name, s.Declared, len(s.Tests)})
			}
			for _, t := range tests {
				result, err := reconcile.RunTest(cmd.Context(), policy, reading, t)
				if err != nil {
					return err
				}
				if !result.OK {
					value.Failed++
				}
				value.Tests = append(value.Tests, result)
			}
			if len(value.Tests)+len(value.Signals) == 0 {
				return withHint(fmt.Errorf("no tests found in %s", args[0]), "docs/detection.md shows how tests are written, policies/tests/smtp.yaml has some")
			}
			value.OK = value.Failed == 0
			if err := answer(cmd, g, value, func(s *screen) { renderPolicyTest(s, value) }); err != nil {
				return err
			}
			if !value.OK {
				return &outcome{code: exitError, say: fmt.Sprintf("%s of %d failed", plural(value.Failed, "test"), len(value.Tests))}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&policyPath, "policies", "", "policy `file` or folder to test")
	return cmd
}

// testsBeside is the folder of the tests of the policy at a path.
func testsBeside(path string) string {
	if info, err := os.Stat(path); err == nil && !info.IsDir() || errors.Is(err, os.ErrNotExist) {
		path = filepath.Dir(path)
	}
	return filepath.Join(path, policies.TestsFolder)
}

func renderPolicyTest(s *screen, v policyTestAnswer) {
	for _, t := range v.Signals {
		s.line("%s    signal %s (%s): %s", s.good("ok"), t.Name, t.Declared, plural(t.Lines, "line"))
	}
	for _, t := range v.Tests {
		verdict := s.good("ok") + "  "
		if !t.OK {
			verdict = s.bad("FAIL")
		}
		s.line("%s  %s (%s): %s, %s, %s", verdict, t.Name, t.Declared, plural(int(t.Lines), "line"), plural(int(t.Signals), "signal"), plural(t.Decisions, "decision"))
		for _, d := range t.Differences {
			renderDifference(s, d)
		}
		for _, note := range t.Notes {
			s.line("        note: %s", note)
		}
	}
	s.line("%s: %s", v.Policy, ended(v))
}

func renderDifference(s *screen, d reconcile.Difference) {
	about := d.Prefix + " by " + d.Rule
	switch d.What {
	case "missing":
		s.line("        missing     %s, %s (%s)", about, d.Want, d.Declared)
	case "different":
		s.line("        different   %s: want %s, got %s (%s)", about, d.Want, d.Got, d.Declared)
	case "never":
		s.line("        %s: %s, %s", d.Want, about, d.Got)
	case "log":
		s.line("        log         %s", d.Got)
	default:
		s.line("        %-10s  %s, %s", d.What, about, d.Got)
	}
}

func ended(v policyTestAnswer) string {
	if v.OK {
		return fmt.Sprintf("all ok, %s and %s", plural(len(v.Tests), "test"), plural(len(v.Signals), "declared signal"))
	}
	return fmt.Sprintf("%d of %s failed", v.Failed, plural(len(v.Tests), "test"))
}
