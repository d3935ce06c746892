package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/policies"
	"fwsync/sync/reconcile"
)

// decisionAnswer is what block, unblock and allow print.
type decisionAnswer struct {
	Schema    string            `json:"schema"`
	Command   string            `json:"command"`
	Decisions []ledger.Decision `json:"decisions"`
	Report    *reconcile.Report `json:"report,omitempty"` // of --now
}

const decisionSchema = "fwsync.decisions/v1"

// personScore is above what a detection reaches in practice: when a target is full,
// what a person blocked stays.
const personScore = 1_000_000

type decisionFlags struct {
	duration string
	reason   string
	now      bool
	yes      bool
}

func newBlock(g *global) *cobra.Command {
	var f decisionFlags
	cmd := &cobra.Command{
		Use:   "block ADDRESS|CIDR|-…",
		Short: "decide to block addresses until a time",
		Long: `Stores a block decision for each address or prefix; - reads them from stdin, one a
line. The next reconcile enforces it; with --now this command does, by a pass that
reads no log and goes through the same gates. What is blocked with --now for a day or
less lapses at the firewall itself too, at the half hour after its end, even if fwsync is
gone by then; security groups know no end. Protected addresses (private and reserved
space, the allowlist) are refused, all or none.

With --now nothing else is changed: what is pending of other addresses stays so.`,
		Example: `  fwsync block 198.51.100.7 --for 2h --reason "floods port 25"
  fwsync block 198.51.100.7 --for 2h --now
  fwsync block 203.0.113.0/28 2001:db8:bad::/64 --reason "see ticket 4711"
  fwsync block - --for 1d --reason feed < addresses.txt`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.decide(cmd, g, ledger.Block, args)
		},
	}
	f.register(cmd, "24h")
	return cmd
}

func newAllow(g *global) *cobra.Command {
	var f decisionFlags
	cmd := &cobra.Command{
		Use:   "allow ADDRESS|CIDR|-…",
		Short: "decide never to block addresses until a time",
		Long: `Stores an allow decision: whatever detects or blocks the address, it is not blocked
while the decision lasts, and existing blocks are lifted at the next reconcile. It
opens nothing: the declared rules still apply.`,
		Example: `  fwsync allow 192.0.2.44 --for 7d --reason "partner migrates"`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.decide(cmd, g, ledger.Allow, args)
		},
	}
	f.register(cmd, "24h")
	return cmd
}

func (f *decisionFlags) register(cmd *cobra.Command, duration string) {
	cmd.Flags().StringVar(&f.duration, "for", duration, "how `long`, such as 30m, 2h, 7d, or forever")
	cmd.Flags().StringVar(&f.reason, "reason", "", "why, for the record")
	registerNow(cmd, &f.now, &f.yes)
}

func registerNow(cmd *cobra.Command, now, yes *bool) {
	cmd.Flags().BoolVar(now, "now", false, "enforce it at once, and nothing else, and read it back")
	cmd.Flags().BoolVar(yes, "yes", false, "with --now: do not ask where pending steps about rules cannot be left out")
}

func (f *decisionFlags) decide(cmd *cobra.Command, g *global, verdict ledger.Verdict, args []string) error {
	if err := checkOutput(g); err != nil {
		return err
	}
	prefixes, places, err := readPrefixes(cmd.InOrStdin(), args)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	var end time.Time
	if f.duration != "forever" {
		duration, err := policies.ParseDuration(f.duration)
		if err != nil || duration <= 0 {
			return withHint(fmt.Errorf("--for %q is not a time to come", f.duration), "write 30m, 2h, 7d or forever")
		}
		end = now.Add(duration)
	}
	config, err := loadConfig(g.config)
	if err != nil {
		return err
	}
	policy, err := loadPolicy(config.Policies, config.cloudNames()...)
	if err != nil {
		return err
	}
	if verdict == ledger.Block {
		if err := mayBlock(prefixes, places, policy, config); err != nil {
			return err
		}
	}
	var decisions []ledger.Decision
	for _, p := range prefixes {
		d := ledger.Decision{Verdict: verdict, Prefix: p, Start: now, End: end, Reason: f.reason, Author: author(), Attempt: 1}
		if verdict == ledger.Block {
			d.Score = personScore
			d.Lapses = f.now && !end.IsZero() && end.Sub(now) <= ledger.LongestLapse
		}
		decisions = append(decisions, d)
	}
	store, err := openLedger(cmd.Context(), config)
	if err != nil {
		return err
	}
	defer store.Close()
	stored, err := store.Add(cmd.Context(), decisions)
	if err != nil {
		return err
	}
	if f.now {
		return enforceNow(cmd, g, decisionAnswer{Schema: decisionSchema, Command: cmd.Name(), Decisions: stored}, f.yes)
	}
	tellRun(cmd.Context(), config)
	return printDecisions(cmd, g, stored)
}

// mayBlock refuses what no gate would let pass later, with the place and the reason,
// before it is in the ledger.
func mayBlock(prefixes []netip.Prefix, places map[netip.Prefix]string, policy *policies.Policy, config *Config) error {
	protected := slices.Clone(policy.Allowlist)
	for _, a := range operator(config).Addresses {
		protected = append(protected, cloudfw.Exempt{Prefix: cloudfw.HostPrefix(a), Reason: "the operator's own address"})
	}
	ranges, err := protectedRanges(config.Protect, false)
	if err != nil {
		return err
	}
	protected = append(protected, ranges...)
	limits := (&limitFlags{}).limits(config.Limits)
	for _, p := range prefixes {
		if why, ok := cloudfw.Reserved(p); ok {
			return withHint(fmt.Errorf("%s%s must not be blocked: %s", places[p], p, why), "only public addresses of others can be blocked; nothing was stored")
		}
		for _, e := range protected {
			if e.Prefix.Overlaps(p) {
				return withHint(fmt.Errorf("%s%s must not be blocked: %s", places[p], p, e.Reason), "change the allowlist in the policies first if that is wrong; nothing was stored")
			}
		}
		shortest := limits.WidestIPv4
		if cloudfw.FamilyOf(p) == cloudfw.IPv6 {
			shortest = limits.WidestIPv6
		}
		if p.Bits() < shortest {
			return withHint(fmt.Errorf("%s%s is wider than /%d, the widest that may be blocked", places[p], p, shortest), "name narrower prefixes, or change limits.widest_ipv4 or limits.widest_ipv6; nothing was stored")
		}
	}
	return nil
}

func newUnblock(g *global) *cobra.Command {
	var reason string
	var now, yes bool
	cmd := &cobra.Command{
		Use:   "unblock ADDRESS|CIDR|-…",
		Short: "take block decisions back",
		Long: `Ends every active block decision of exactly these addresses or prefixes. The next
reconcile removes them from the cloud and nothing else. Detections hold back for their
cool_down; if it goes on after that, they block the address again; fwsync allow
prevents that.`,
		Example: `  fwsync unblock 198.51.100.7 --reason "customer, fixed"`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(g); err != nil {
				return err
			}
			prefixes, _, err := readPrefixes(cmd.InOrStdin(), args)
			if err != nil {
				return err
			}
			config, err := loadConfig(g.config)
			if err != nil {
				return err
			}
			store, err := openLedger(cmd.Context(), config)
			if err != nil {
				return err
			}
			defer store.Close()
			ended, err := store.Revoke(cmd.Context(), ledger.Revocation{Prefixes: prefixes, Verdict: ledger.Block, At: time.Now().UTC(), By: author(), Reason: reason})
			if err != nil {
				return err
			}
			if len(ended) == 0 {
				return withHint(fmt.Errorf("no active block of %s", list(prefixes)), "fwsync explain ADDRESS shows what covers an address; a wider prefix must be named as it was blocked")
			}
			if now {
				return enforceNow(cmd, g, decisionAnswer{Schema: decisionSchema, Command: cmd.Name(), Decisions: ended}, yes)
			}
			tellRun(cmd.Context(), config)
			return printDecisions(cmd, g, ended)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record")
	registerNow(cmd, &now, &yes)
	return cmd
}

func printDecisions(cmd *cobra.Command, g *global, decisions []ledger.Decision) error {
	value := decisionAnswer{Schema: decisionSchema, Command: cmd.Name(), Decisions: decisions}
	return answer(cmd, g, value, func(s *screen) {
		renderDecisions(s, value)
		s.line("next: fwsync reconcile")
	})
}

func renderDecisions(s *screen, value decisionAnswer) {
	for _, d := range value.Decisions {
		if !d.RevokedAt.IsZero() {
			s.line("%s %s: decision %d taken back", d.Verdict, d.Prefix, d.ID)
			continue
		}
		s.line("%s %s %s (decision %d)", d.Verdict, d.Prefix, until(d.End), d.ID)
	}
}

// readPrefixes reads addresses and prefixes from the arguments and, for "-", from
// stdin, one a line, with # comments. Any bad one refuses all. The places say where on
// stdin a prefix first stood, as messages begin with it.
func readPrefixes(stdin io.Reader, args []string) (prefixes []netip.Prefix, places map[netip.Prefix]string, err error) {
	places = map[netip.Prefix]string{}
	add := func(where, text string) error {
		p, err := cloudfw.ParsePrefix(text)
		if err != nil {
			return withHint(fmt.Errorf("%s%w", where, err), "write an address such as 198.51.100.7 or a prefix such as 203.0.113.0/28; nothing was stored")
		}
		prefixes = append(prefixes, p)
		if _, seen := places[p]; !seen {
			places[p] = where
		}
		return nil
	}
	for _, arg := range args {
		if arg != "-" {
			if err := add("", arg); err != nil {
				return nil, nil, err
			}
			continue
		}
		lines := bufio.NewScanner(stdin)
		for n := 1; lines.Scan(); n++ {
			text, _, _ := strings.Cut(lines.Text(), "#")
			if text = strings.TrimSpace(text); text == "" {
				continue
			}
			if err := add(fmt.Sprintf("stdin:%d: ", n), text); err != nil {
				return nil, nil, err
			}
		}
		if err := lines.Err(); err != nil {
			return nil, nil, fmt.Errorf("reading addresses from stdin: %w", err)
		}
	}
	if len(prefixes) == 0 {
		return nil, nil, withHint(errors.New("no address given"), "name at least one, or - and send them to stdin")
	}
	return cloudfw.SortPrefixes(prefixes), places, nil
}

func list(prefixes []netip.Prefix) string {
	var texts []string
	for _, p := range prefixes {
		texts = append(texts, p.String())
	}
	return strings.Join(texts, ", ")
}
