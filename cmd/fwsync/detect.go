package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"fwsync/detect"
	"fwsync/detect/sources"
	"fwsync/policies"
	"fwsync/sync/reconcile"
)

// mostAddresses bounds the per-address counts of one report.
const mostAddresses = 200_000

// detectAnswer is what detect prints.
type detectAnswer struct {
	Schema     string                          `json:"schema"`
	Policy     string                          `json:"policy"`
	Sources    []reconcile.SourceReport        `json:"sources"`
	Signals    map[string]int64                `json:"signals"`
	Detections rows[reconcile.DetectionReport] `json:"detections"`
	Withheld   rows[reconcile.DetectionReport] `json:"withheld"` // of sources for which a success speaks
	Phases     []phaseAnswer                   `json:"phases"`
	Addresses  rows[addressAnswer]             `json:"addresses"`
	Others     int64                           `json:"others,omitempty"` // signals of addresses beyond the first 200,000
}

// phaseAnswer is one phase of the attack.
type phaseAnswer struct {
	Phase   string           `json:"phase"`
	Start   time.Time        `json:"start"`
	End     time.Time        `json:"end"`
	Ongoing bool             `json:"ongoing,omitempty"` // when the logs ended
	Count   int64            `json:"count"`
	Signals map[string]int64 `json:"signals"`
	Peak    int64            `json:"peak_per_minute"`
	PeakAt  time.Time        `json:"peak_at"`
	Sources int              `json:"sources"`
	Exact   bool             `json:"sources_exact"` // else within some percent
}

type addressAnswer struct {
	Address   netip.Addr `json:"address"`
	Signals   kindCounts `json:"signals"`
	FirstSeen time.Time  `json:"first_seen"`
	LastSeen  time.Time  `json:"last_seen"`
	Detected  []string   `json:"detected,omitempty"`
}

func newDetect(g *global) *cobra.Command {
	var perLine, redact bool
	var zone, policyPath string
	cmd := &cobra.Command{
		Use:   "detect LOG…",
		Short: "analyse mail logs only: who attacks, how, since when, with evidence",
		Long: `Reads logs of Postfix, Dovecot, Exim, sendmail and sshd (files, also packed with gzip
or zstd, or exported by journalctl -o export; - for stdin) from the start and
prints the attackers that the policy's detections find. It stores nothing and talks
to no cloud. Without a policies folder here it uses the built-in SMTP policy.

--per-line prints one JSON object for every input line instead.`,
		Example: `  fwsync detect /var/log/mail.log
  fwsync detect -o json examples/postfix.log | jq '.detections[].prefix'
  fwsync detect --per-line -o jsonl examples/postfix.log`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(g, "jsonl"); err != nil {
				return err
			}
			if (g.output == "jsonl") != perLine {
				return withHint(errors.New("--per-line and -o jsonl go together"), "write: fwsync detect --per-line -o jsonl %s", args[0])
			}
			location, err := time.LoadLocation(zone)
			if err != nil {
				return withHint(fmt.Errorf("unknown --zone %q", zone), "write a zone such as UTC or Asia/Shanghai")
			}
			policy, name, err := detectionPolicy(g, policyPath)
			if err != nil {
				return err
			}
			declared, err := reconcile.Declared(policy)
			if err != nil {
				return err
			}
			var logs []sources.Source
			for _, path := range args {
				logs = append(logs, sources.Source{Path: path, Location: location, Final: true, Declared: declared})
			}
			if perLine {
				return eachLine(cmd, logs)
			}
			reading, err := readingHere(g, redact)
			if err != nil {
				return err
			}
			garbage := quietGarbage(sizeOf(args))
			defer garbage.end()
			value, err := analysis{
				policy: policy, names: declared.Catalogue(), reading: reading, logs: logs,
				addresses: g.output != "table", eachChunk: garbage.look,
			}.run(cmd.Context())
			if err != nil {
				return err
			}
			value.Policy = name
			if err := answer(cmd, g, &value, func(s *screen) { renderDetections(s, value) }); err != nil {
				return err
			}
			return ending(reconcile.Report{Sources: value.Sources})
		},
	}
	cmd.Flags().BoolVar(&perLine, "per-line", false, "print one JSON object per input line (with -o jsonl)")
	redactFlag(cmd, &redact)
	cmd.Flags().StringVar(&zone, "zone", "UTC", "time `zone` of stamps that name none")
	cmd.Flags().StringVar(&policyPath, "policies", "", "policy `file` or folder to use")
	return cmd
}

func eachLine(cmd *cobra.Command, logs []sources.Source) error {
	for _, log := range logs {
		if _, err := sources.PerLine(cmd.Context(), log, cmd.OutOrStdout()); err != nil {
			return err
		}
	}
	return nil
}

// detectionPolicy chooses the policy: as named, else as configured here, else the
// built-in one.
func detectionPolicy(g *global, path string) (*policies.Policy, string, error) {
	var clouds []string
	if path == "" {
		config, err := loadConfig(g.config)
		switch {
		case err == nil:
			path, clouds = config.Policies, config.cloudNames()
		case g.config == "" && errors.Is(statConfig(), fs.ErrNotExist):
			text, err := policies.Preset("smtp")
			if err != nil {
				return nil, "", err
			}
			policy, err := policies.Parse([]policies.File{{Name: "smtp.yaml (built in)", Data: text}}, policyOptions())
			return policy, "built-in smtp", err
		default:
			return nil, "", err
		}
	}
	policy, err := loadPolicy(path, clouds...)
	return policy, path, err
}

func statConfig() error {
	_, err := os.Stat("fwsync.yaml")
	return err
}

// analysis is one detection engine over all logs.
type analysis struct {
	policy    *policies.Policy
	names     *detect.Catalogue
	reading   reconcile.Reading
	logs      []sources.Source
	addresses bool   // count by address too, which the table does not show
	eachChunk func() // called after each piece of the logs
}

func (a analysis) run(ctx context.Context) (detectAnswer, error) {
	value := detectAnswer{Schema: "fwsync.detections/v1", Signals: map[string]int64{}, Phases: []phaseAnswer{}}
	engine, err := a.reading.Engine(a.policy)
	if err != nil {
		return value, err
	}
	tally := detect.NewTally(mostAddresses)
	for _, log := range a.logs {
		read, err := sources.Read(ctx, log, sources.Position{}, func(signals []detect.Signal) {
			if a.addresses {
				tally.ObserveAll(signals)
			}
			engine.ObserveAll(signals)
			a.eachChunk()
		})
		if err != nil {
			return value, err
		}
		value.Sources = append(value.Sources, reconcile.Sourced(log.Path, read))
	}
	for kind, n := range engine.Signals() {
		value.Signals[a.names.Name(kind)] = n
	}
	counted := make(chan []detect.AddressCount, 1)
	go func() { counted <- tally.Addresses() }()
	// A report is long: its rows are put together while it is written, and need no memory.
	found := engine.Found()
	detected := detectedIn(found, a.addresses)
	value.Detections, value.Withheld = reported(found, detected.acting), reported(found, detected.withheld)
	for _, p := range engine.Phases() {
		one := phaseAnswer{Phase: p.Phase.String(), Start: p.Start, End: p.End, Ongoing: p.Ongoing, Count: p.Signals, Signals: map[string]int64{}, Peak: p.Peak, PeakAt: p.PeakAt, Sources: p.Sources, Exact: p.Exact}
		for kind, n := range p.Kinds {
			one.Signals[a.names.Name(kind)] = n
		}
		value.Phases = append(value.Phases, one)
	}
	counts := <-counted
	value.Addresses = rows[addressAnswer]{n: len(counts), at: func(i int) addressAnswer {
		c := &counts[i]
		return addressAnswer{c.Addr, kindCounts{a.names, c.Signals}, c.FirstSeen, c.LastSeen, detected.of(c.Addr)}
	}}
	value.Others = tally.Others
	return value, nil
}

// reported are some of what was found.
func reported(found detect.Found, which []int) rows[reconcile.DetectionReport] {
	return rows[reconcile.DetectionReport]{
		n:    len(which),
		at:   func(i int) reconcile.DetectionReport { return reconcile.Detected(found.At(which[i])) },
		bare: func(i int) reconcile.DetectionReport { return reconcile.Detected(found.Bare(which[i])) },
	}
}

// detected are the numbers of what was found, and the rules that detected an address, or a
// network that holds it, and are not withheld; nil where nobody asks for these.
type detected struct {
	acting, withheld []int
	rules            map[netip.Prefix][]string
	widths           []int
}

// verdict is what is asked of each detection before any is shown.
type verdict struct {
	prefix   netip.Prefix
	rule     string
	withheld bool
}

func detectedIn(found detect.Found, asked bool) *detected {
	by := &detected{}
	if asked {
		by.rules = map[netip.Prefix][]string{}
	}
	all := make([]verdict, found.Len())
	inParts(len(all), func(i int) {
		d := found.Bare(i)
		all[i] = verdict{d.Prefix, d.Rule, d.Withheld}
	})
	for i, v := range all {
		if v.withheld {
			by.withheld = append(by.withheld, i)
			continue
		}
		by.acting = append(by.acting, i)
		if by.rules != nil && v.prefix.IsValid() {
			by.rules[v.prefix] = append(by.rules[v.prefix], v.rule)
			if width := v.prefix.Bits(); !slices.Contains(by.widths, width) {
				by.widths = append(by.widths, width)
			}
		}
	}
	slices.Sort(by.widths)
	return by
}

func (by *detected) of(addr netip.Addr) (rules []string) {
	for _, bits := range slices.Backward(by.widths) {
		if p, err := addr.Prefix(bits); err == nil {
			rules = append(rules, by.rules[p]...)
		}
	}
	return rules
}
