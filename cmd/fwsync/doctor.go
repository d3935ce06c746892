package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fwsync/cloudfw"
	"fwsync/feeds"
	"fwsync/policies"
)

const doctorSchema = "fwsync.doctor/v1"

// check is one thing that doctor looked at.
type check struct {
	Cloud  string `json:"cloud,omitempty"` // absent with a single cloud, and for what is here
	What   string `json:"what"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"`
}

// examination is all of them.
type examination struct {
	Schema string  `json:"schema"`
	Failed int     `json:"failed"`
	Checks []check `json:"checks"`
}

func (e *examination) good(cloud, what, detail string, args ...any) {
	e.Checks = append(e.Checks, check{cloud, what, true, fmt.Sprintf(detail, args...), ""})
}

func (e *examination) bad(cloud, what string, err error) {
	e.Failed++
	e.Checks = append(e.Checks, check{cloud, what, false, strings.TrimSpace(err.Error()), hintFor(err)})
}

func newDoctor(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "check everything that fwsync depends on, and say what to mend",
		Long: `Looks at the configuration, the policies, the ledger, every source, and for each
cloud at the credentials, the clock, the targets and every permission that fwsync
needs. Nothing is changed: whether a writing call is permitted is found out by
making it with values that the service has to refuse.

Exit codes: 0 all is well, 1 something is not.`,
		Example: `  fwsync doctor
  fwsync doctor -o json | jq '.checks[] | select(.ok | not)'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(g); err != nil {
				return err
			}
			e := &examination{Schema: doctorSchema, Checks: []check{}}
			examine(cmd.Context(), g, e)
			if err := answer(cmd, g, e, func(s *screen) { renderExamination(s, e) }); err != nil {
				return err
			}
			if e.Failed > 0 {
				return &outcome{exitError, plural(e.Failed, "check") + " failed", ""}
			}
			return nil
		},
	}
}

func examine(ctx context.Context, g *global, e *examination) {
	config, err := loadConfig(g.config)
	if err != nil {
		e.bad("", "configuration", err)
		return
	}
	e.good("", "configuration", "%s, owner %s", config.file, config.Owner)
	policy, err := loadPolicy(config.Policies, config.cloudNames()...)
	if err != nil {
		e.bad("", "policies", err)
	} else {
		e.good("", "policies", "%s: %s, %s", config.Policies, plural(len(policy.Rules), "rule"), plural(len(policy.Targets), "target"))
	}
	if store, err := openLedger(ctx, config); err != nil {
		e.bad("", "ledger", err)
	} else {
		e.good("", "ledger", "%s", ledgerPlace(config))
		_ = store.Close()
	}
	for _, s := range config.Sources {
		e.source(s)
	}
	e.feeds(ctx, config)
	if config.Geo.Database != "" {
		if _, err := config.Geo.countries(); err != nil {
			e.bad("", "countries", err)
		} else {
			e.good("", "countries", "%s", config.Geo.Database)
		}
	}
	var shared paces
	for _, c := range config.Clouds {
		opened, err := openCloud(ctx, config, c, &shared)
		if err != nil {
			e.bad(c.Name, "credentials", err)
			continue
		}
		e.cloud(ctx, opened, policy)
		opened.close()
	}
}

func (e *examination) source(s SourceConfig) {
	what := "source " + s.Name
	if s.File == "-" {
		e.good("", what, "standard input")
		return
	}
	file, err := os.Open(s.File)
	if err != nil {
		e.bad("", what, err)
		return
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		e.bad("", what, err)
	case info.IsDir():
		e.bad("", what, withHint(fmt.Errorf("%s is a folder", s.File), "name the log file itself"))
	default:
		e.good("", what, "%s, last written %s", s.File, info.ModTime().UTC().Format(time.DateTime+"Z"))
	}
}

// feeds reads each feed once, and stores nothing.
func (e *examination) feeds(ctx context.Context, config *Config) {
	for _, f := range config.feeds(false) {
		if r := f.Refresh(ctx, time.Now(), feeds.State{}); r.Sick != "" {
			e.bad("", "feed "+f.Name, errors.New(r.Sick))
		} else {
			e.good("", "feed "+f.Name, "%s: %d entries", f.From.Place(), r.Used)
		}
	}
}

// cloud looks at one account: who we are there, what we may do, what is there.
func (e *examination) cloud(ctx context.Context, c *cloud, policy *policies.Policy) {
	name := c.config.Name
	who, err := c.vendor.Identity(ctx)
	if err != nil {
		e.bad(name, "credentials", err)
		return
	}
	e.good(name, "credentials", "%s: account %s, %s", c.vendor.CredentialsFrom(), who.AccountID, who.ARN)
	var scope cloudfw.Scope
	if policy != nil {
		scope = policy.In(name).Scope()
	}
	if !e.permissions(ctx, c, scope) {
		return
	}
	live, err := c.account.Observe(ctx, scope)
	if err != nil {
		e.bad(name, "targets", err)
		return
	}
	e.good(name, "targets", "%s, %s, %s", plural(len(live.Rules), "rule"), plural(len(live.Books), "address book"), plural(len(live.Groups), "security group"))
	counts, err := c.vendor.RuleCounts(ctx)
	switch internet := internetRules(live); {
	case err != nil:
		e.bad(name, "rule count", err)
	case counts.InternetIn+counts.InternetOut != internet:
		e.bad(name, "rule count", fmt.Errorf("the account counts %d rules at the internet border, %d were read", counts.InternetIn+counts.InternetOut, internet))
	default:
		e.good(name, "rule count", "%d at the internet border, as read", internet)
	}
}

func internetRules(live cloudfw.Snapshot) int {
	n := 0
	for _, r := range live.Rules {
		if r.Border.Kind() == cloudfw.InternetBorder {
			n++
		}
	}
	return n
}

// permissions asks for every call, and reports whether all reading ones are granted.
func (e *examination) permissions(ctx context.Context, c *cloud, scope cloudfw.Scope) bool {
	grants, err := c.vendor.Grants(ctx, scope)
	if err != nil {
		e.bad(c.config.Name, "permissions", err)
		return false
	}
	readable := true
	granted := 0
	for _, g := range grants {
		if g.Granted {
			granted++
			continue
		}
		readable = readable && g.API.Write
		failure := fmt.Errorf("could not be told: %w", g.Err)
		if errors.Is(g.Err, cloudfw.Denied) {
			failure = g.Err
		}
		e.bad(c.config.Name, "permission "+g.API.Permission(), failure)
	}
	e.good(c.config.Name, "permissions", "%d of %d calls are permitted", granted, len(grants))
	return readable
}

func renderExamination(s *screen, e *examination) {
	var rows [][]string
	for _, c := range e.Checks {
		result := s.good("ok")
		if !c.OK {
			result = s.bad("failed")
		}
		what := c.What
		if c.Cloud != "" {
			what = c.Cloud + ": " + what
		}
		rows = append(rows, []string{result, what, c.Detail})
		if c.Hint != "" {
			rows = append(rows, []string{"", "", "hint: " + c.Hint})
		}
	}
	s.columns([]string{"RESULT", "CHECK", "WHAT WAS SEEN"}, rows)
}
