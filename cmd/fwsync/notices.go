package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fwsync/notify"
	"fwsync/sync/reconcile"
)

// notifyAnswer is what fwsync notify prints.
type notifyAnswer struct {
	Schema   string          `json:"schema"`
	Channels []notifyOutcome `json:"channels"`
}

type notifyOutcome struct {
	Name  string `json:"name"`
	Taken bool   `json:"taken"`
	Error string `json:"error,omitempty"`
}

const notifySchema = "fwsync.notify/v1"

func newNotify(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "notify [CHANNEL…]",
		Short: "send a test notice to the channels of notices",
		Long: `Sends a test notice to the named channels of notices in fwsync.yaml, or to all, and
says which of them took it.

Exit codes: 0 all took it, 1 one did not.`,
		Example: `  fwsync notify
  fwsync notify ops on-call`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(g); err != nil {
				return err
			}
			config, err := loadConfig(g.config)
			if err != nil {
				return err
			}
			var known []string
			for _, n := range config.Notices {
				known = append(known, n.Name)
			}
			if len(known) == 0 {
				return withHint(errors.New("there is no channel"), "declare one in notices; docs/notices.md has examples")
			}
			for _, name := range args {
				if !slices.Contains(known, name) {
					return withHint(fmt.Errorf("there is no channel %q", name), "the channels are %s", strings.Join(known, ", "))
				}
			}
			return try(cmd, g, config, args)
		},
	}
}

// try sends a test notice to the channels of these names, or to all.
func try(cmd *cobra.Command, g *global, config *Config, names []string) error {
	routes, opening := config.routes(names...)
	sender := notify.Start(routes, notify.Options{Origin: origin(config)})
	sender.Notify(notify.Event{Kind: notify.Test, Key: "test", Text: "this is a test of " + author(), At: time.Now(), Count: 1})
	ctx, cancel := context.WithTimeout(cmd.Context(), 4*config.Notify.Wait)
	defer cancel()
	value := notifyAnswer{notifySchema, []notifyOutcome{}}
	failed := 0
	for _, o := range sender.Close(ctx) {
		r := notifyOutcome{Name: o.Name, Taken: o.Sent > 0}
		if err := notify.Err([]notify.Outcome{o}); err != nil {
			r.Error = strings.TrimPrefix(err.Error(), o.Name+": ")
			failed++
		}
		value.Channels = append(value.Channels, r)
	}
	if err := answer(cmd, g, value, func(s *screen) {
		for _, c := range value.Channels {
			if c.Taken {
				s.line("%s: %s", c.Name, s.good("taken"))
			} else {
				s.line("%s: %s %s", c.Name, s.bad("failed:"), c.Error)
			}
		}
	}); err != nil {
		return err
	}
	if opening != nil {
		return opening
	}
	if failed > 0 {
		return &outcome{exitError, plural(failed, "channel") + " did not take the notice", "compare the address and the secret with what the chat shows; docs/notices.md says how"}
	}
	return nil
}

func origin(c *Config) notify.Origin {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return notify.Origin{Owner: c.Owner, Host: host}
}

// tell sends the notices of a run. It takes notify.wait at most, and what goes wrong is
// said on stderr and changes nothing else: how a run ends is not up to a chat.
func tell(cmd *cobra.Command, config *Config, r reconcile.Report) {
	if len(config.Notices) == 0 || r.Schema == "" {
		return
	}
	warn := func(err error) { fmt.Fprintf(cmd.ErrOrStderr(), "fwsync: warning: notices: %s\n", err) }
	file := filepath.Join(config.State, "notices.json")
	told, err := readTold(file)
	if err != nil {
		warn(err)
	}
	events, next := notify.Raise(facts(r), told, config.noticeRules())
	if len(events) > 0 {
		routes, err := config.routes()
		if err != nil {
			warn(err)
		}
		sender := notify.Start(routes, notify.Options{Origin: origin(config)})
		for _, e := range events {
			sender.Notify(e)
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), config.Notify.Wait)
		defer cancel()
		outcomes := sender.Close(ctx)
		if err := notify.Err(outcomes); err != nil {
			warn(err)
		}
		if !slices.ContainsFunc(outcomes, func(o notify.Outcome) bool { return o.Sent > 0 }) &&
			slices.ContainsFunc(outcomes, func(o notify.Outcome) bool { return o.Failed+o.Waiting > 0 }) {
			return // nobody was told: the next run tells it
		}
	}
	if err := keepTold(file, next); err != nil {
		warn(err)
	}
}

func (c *Config) noticeRules() notify.Rules {
	return notify.Rules{Repeat: c.Notify.Repeat, GapAfter: c.Notify.GapAfter, Capacity: c.Notify.Capacity}
}

// facts are what a report comes to for notices.
func facts(r reconcile.Report) notify.Facts {
	f := notify.Facts{At: r.At, Blocks: r.Decisions.Active}
	for _, d := range r.Detections {
		if d.Prefix == "" {
			f.Storms = append(f.Storms, notify.Fact{Key: d.Rule, Text: fmt.Sprintf("detection %s: %d signals by all sources, at the most %d within its window", d.Rule, d.Count, d.Peak)})
		}
	}
	for _, s := range r.Sources {
		if !s.Health.OK {
			f.Sick = append(f.Sick, notify.Fact{Key: s.Name, Text: "source " + s.Name + ": " + strings.Join(s.Health.Notes, "; ")})
		}
	}
	for _, i := range r.Incidents {
		f.Incidents = append(f.Incidents, notify.Fact{Key: i.Name, Text: fmt.Sprintf("incident %s %s, by %s: %s", i.Name, until(i.Until), i.Author, i.Reason)})
	}
	for _, c := range r.Each() {
		in := ""
		if c.Name != "" {
			in = "cloud " + c.Name + ": "
		}
		if c.Applied != nil {
			f.Steps += c.Applied.Done
		}
		if c.Failed != "" {
			f.Failures = append(f.Failures, notify.Fact{Key: c.Name, Text: in + c.Failed})
			f.Unknown = append(f.Unknown, notify.Refused, notify.Gap, notify.Capacity)
		}
		for _, refusal := range c.Refusals {
			f.Refusals = append(f.Refusals, notify.Fact{Key: c.Name + "/" + refusal.Gate, Text: in + refusal.Gate + ": " + refusal.Message})
		}
		for _, u := range c.Capacity {
			f.Capacity = append(f.Capacity, notify.Use{What: in + u.What, Used: u.After, Limit: u.Limit})
		}
		if c.Verification == nil {
			f.Unknown = append(f.Unknown, notify.Gap)
			continue
		}
		for _, g := range c.Verification.Gaps {
			f.Gaps = append(f.Gaps, notify.AgedGap{Key: c.Name + "/" + g.Target + "/" + g.Subject, Text: in + g.String(), Age: time.Duration(g.AgeSeconds) * time.Second})
		}
	}
	return f
}

// readTold reads what earlier runs told. What is damaged is forgotten: at worst
// something is told once more.
func readTold(file string) (notify.Told, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return notify.Told{}, nil
	}
	told := notify.Told{}
	if err == nil {
		err = json.Unmarshal(data, &told)
	}
	if err != nil {
		return notify.Told{}, fmt.Errorf("what was told before is not known: %w", err)
	}
	return told, nil
}

// keepTold replaces the file, whole or not at all.
func keepTold(file string, told notify.Told) error {
	data, err := json.MarshalIndent(told, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", append(data, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
