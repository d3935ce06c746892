package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fwsync/detect"
	"fwsync/detect/sources"
	"fwsync/sync/reconcile"
)

const lineSchema = "fwsync.line/v1"

// lineAnswer is what one log line means. Without a signal only Why is there.
type lineAnswer struct {
	Schema  string      `json:"schema"`
	Signal  string      `json:"signal,omitempty"`
	Meaning string      `json:"meaning,omitempty"`
	Address *netip.Addr `json:"address,omitempty"`
	Account string      `json:"account,omitempty"`
	Time    time.Time   `json:"time,omitzero"`
	Count   int         `json:"count,omitempty"`
	Why     string      `json:"why,omitempty"`  // it is no signal
	Line    string      `json:"line,omitempty"` // what may be kept of it, where that is asked
}

// explainLine reads the line as every source is read: alone, so that a summary counts
// whatever lines before it may have said.
func explainLine(cmd *cobra.Command, g *global, line string, redact bool) error {
	policy, _, err := detectionPolicy(g, "")
	if err != nil {
		return err
	}
	declared, err := reconcile.Declared(policy)
	if err != nil {
		return err
	}
	names := declared.Catalogue()
	reading, err := readingHere(g, redact)
	if err != nil {
		return err
	}
	a := lineAnswer{Schema: lineSchema}
	log := sources.Source{Path: "the line", Reader: strings.NewReader(line + "\n"), Reference: time.Now(), Final: true, Declared: declared}
	report, err := sources.Read(cmd.Context(), log, sources.Position{}, func(signals []detect.Signal) {
		s := signals[0]
		a.Signal, a.Meaning, a.Address, a.Account, a.Time, a.Count = names.Name(s.Kind), names.Meaning(s.Kind), &s.Addr, fmt.Sprintf("%.100s", s.Account), s.Time, s.Times()
	})
	if err != nil {
		return err
	}
	if reading.Redactor != nil {
		a.Account, a.Line = reading.Redactor.Account(a.Account), reading.Redactor.Line([]byte(line), netip.Addr{})
	}
	switch stats := report.Stats; {
	case a.Signal != "":
	case stats.Lines > 1:
		return withHint(fmt.Errorf("%d lines are more than one", stats.Lines), "fwsync detect reads whole logs")
	case stats.BadAddress > 0:
		a.Why = "it says something of a client, but names no address that can be trusted where the daemon writes it"
	case stats.Malformed+stats.Overlong > 0:
		a.Why = "it does not begin as a line of a log: no stamp, no host"
	default:
		a.Why = "it says nothing that counts for or against anybody"
	}
	return answer(cmd, g, a, func(s *screen) {
		if a.Signal == "" {
			s.line("no signal: %s", a.Why)
			if a.Line != "" {
				s.line("  kept as  %s", a.Line)
			}
			return
		}
		s.line("%s: %s", a.Signal, cmp.Or(a.Meaning, "declared by the policy"))
		rows := [][]string{{"address", a.Address.String()}, {"time", a.Time.Format(time.RFC3339)}, {"events", fmt.Sprint(a.Count)}}
		if a.Account != "" {
			rows = append(rows, []string{"account", fmt.Sprintf("%q", a.Account)})
		}
		if a.Line != "" {
			rows = append(rows, []string{"kept as", a.Line})
		}
		for _, r := range rows {
			s.line("  %-8s %s", r[0], r[1])
		}
	})
}
