package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"fwsync/cloudfw"
	"fwsync/sync/lint"
)

// lintAnswer is what lint says to other programs.
type lintAnswer struct {
	Schema   string         `json:"schema"`
	Policies string         `json:"policies"`
	Live     bool           `json:"live"`
	Errors   int            `json:"errors"`
	Warnings int            `json:"warnings"`
	Notes    int            `json:"notes"`
	Findings []lint.Finding `json:"findings"`
}

func newLint(g *global) *cobra.Command {
	var live, strict bool
	cmd := &cobra.Command{
		Use:   "lint [PATH]",
		Short: "find rules that are valid and probably not meant",
		Long: `Looks for rules that never decide a packet, rules that contradict each other, accepts
that are too wide, and what is declared and never used. Each finding has its place, a
severity and a hint; docs/lint.md lists the checks. With PATH only the policies there
are looked at. With --live the lists of the clouds are looked at too, where other
people's rules and ours stand in each other's way; nothing is changed.

The exit code is 0 without errors, 1 with errors, and with --strict also with warnings.`,
		Example: `  fwsync lint
  fwsync lint policies/smtp.yaml --strict
  fwsync lint --live -o json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(g); err != nil {
				return err
			}
			if live && len(args) == 1 {
				return withHint(errors.New("--live goes with the configured policies, not with a path"), "leave the path out")
			}
			path, in, failed, err := lintInput(cmd.Context(), g, args, live)
			if err != nil {
				return err
			}
			in.Text = lintText(path)
			value := lintAnswer{Schema: "fwsync.lint/v1", Policies: path, Live: live, Findings: lint.Run(in)}
			value.count()
			if err := answer(cmd, g, value, func(s *screen) { renderLint(s, value) }); err != nil || failed != nil {
				return errors.Join(err, failed)
			}
			if value.Errors > 0 || strict && value.Warnings > 0 {
				return &outcome{code: exitError}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&live, "live", false, "look at the rules in the clouds too, other people's among them")
	cmd.Flags().BoolVar(&strict, "strict", false, "exit with 1 for warnings as well")
	return cmd
}

// lintInput reads what lint looks at. The second error is of clouds that could not be
// read; what is known of the others is there.
func lintInput(ctx context.Context, g *global, args []string, live bool) (string, lint.Input, error, error) {
	if len(args) == 1 {
		policy, err := loadPolicy(args[0])
		return args[0], lint.Input{Policy: policy}, nil, err
	}
	if live {
		return lintLive(ctx, g)
	}
	config, err := loadConfig(g.config)
	if err != nil {
		return "", lint.Input{}, nil, err
	}
	policy, err := loadPolicy(config.Policies, config.cloudNames()...)
	return config.Policies, lint.Input{Policy: policy}, nil, err
}

// lintLive observes the clouds. One of several that cannot be read does not keep the
// others from being looked at.
func lintLive(ctx context.Context, g *global) (string, lint.Input, error, error) {
	w, err := open(ctx, g, false)
	if err != nil {
		return "", lint.Input{}, nil, err
	}
	defer w.close()
	in := lint.Input{Policy: w.policy}
	owner, err := cloudfw.ParseOwner(w.config.Owner)
	if err != nil {
		return "", in, nil, err
	}
	var failures []error
	for _, c := range w.clouds {
		seen := c.seen()
		snapshot, err := seen.Reader.Observe(ctx, w.policy.In(seen.Name).Scope())
		switch {
		case err == nil:
			in.Live = append(in.Live, lint.Live{Cloud: seen.Name, Owner: owner, Snapshot: snapshot})
		case len(w.clouds) == 1:
			return "", in, nil, fmt.Errorf("observing the cloud: %w", err)
		default:
			failures = append(failures, fmt.Errorf("cloud %s: observing the cloud: %w", seen.Name, err))
		}
	}
	return w.config.Policies, in, errors.Join(failures...), nil
}

func (a *lintAnswer) count() {
	for _, f := range a.Findings {
		switch f.Severity {
		case lint.Error:
			a.Errors++
		case lint.Warning:
			a.Warnings++
		case lint.Note:
			a.Notes++
		}
	}
}

func renderLint(s *screen, a lintAnswer) {
	for _, f := range a.Findings {
		text := f.String()
		if f.Severity == lint.Error {
			text = strings.Replace(text, ": error: ", ": "+s.bad("error")+": ", 1)
		}
		s.line("%s", text)
	}
	if len(a.Findings) == 0 {
		s.line("%s: nothing to complain about", a.Policies)
		return
	}
	s.line("%s: %s, %s, %s", a.Policies, plural(a.Errors, "error"), plural(a.Warnings, "warning"), plural(a.Notes, "note"))
}
