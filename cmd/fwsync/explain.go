package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"fwsync/cloudfw"
	"fwsync/sync/reconcile"
)

func newExplain(g *global) *cobra.Command {
	var flags packetFlags
	var redact bool
	cmd := &cobra.Command{
		Use:   "explain ADDRESS | LINE | --from ADDRESS --to ADDRESS [--proto PROTOCOL] [--port PORT]",
		Short: "show who decided on an address, what a log line means, or what becomes of a packet",
		Long: `With ADDRESS: everything that is known about it: the decisions, their evidence, the
live rules that enforce them, and until when.

With LINE, a whole line of a log in quotes: which signal it is, of whom, and why it is
none.

With --from and --to: what each target does with such a packet, now and after the plan
of the moment, by which rule, whose rule it is and where it was declared. Along the
path from the internet border to the security group the first drop decides. What a
packet's header does not tell, such as a domain, is named where it would matter;
--when says that it holds. Nothing is changed.`,
		Example: `  fwsync explain 198.51.100.7
  fwsync explain 2001:db8:bad::1 -o json
  fwsync explain 'Nov 23 20:17:51 mx postfix/smtpd[1]: warning: non-SMTP command from unknown[203.0.113.9]: GET / HTTP/1.1'
  fwsync explain --from 203.0.113.9 --to 192.0.2.25 --port 587
  fwsync explain --from 203.0.113.9 --to 192.0.2.25 --port 25 --application SMTP
  fwsync explain --direction out --from 192.0.2.25 --to 198.51.100.7 --port 443 --when domain:example.com`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(g); err != nil {
				return err
			}
			if flags.given(cmd) {
				if len(args) > 0 {
					return withHint(errors.New("explain takes an address or a packet, not both"), "write --from %s to ask about a packet", args[0])
				}
				packet, err := flags.packet(cmd)
				if err != nil {
					return err
				}
				return explainPacket(cmd, g, packet)
			}
			if len(args) == 0 {
				return withHint(errors.New("nothing to explain"), "name an address, or a packet with --from and --to")
			}
			if strings.ContainsAny(strings.TrimSpace(args[0]), " \t") { // no address holds a blank
				return explainLine(cmd, g, args[0], redact)
			}
			return explainAddress(cmd, g, args[0], redact)
		},
	}
	flags.register(cmd)
	redactFlag(cmd, &redact)
	return cmd
}

func explainAddress(cmd *cobra.Command, g *global, text string, redact bool) error {
	p, err := cloudfw.ParsePrefix(text)
	if err != nil {
		return withHint(err, "explain takes one address, such as 198.51.100.7")
	}
	reading, err := readingHere(g, redact)
	if err != nil {
		return err
	}
	return looking(cmd.Context(), g, func(look *reconcile.Look, several bool) error {
		look.Reading = reading
		e, err := look.Explain(cmd.Context(), p.Addr())
		if err != nil && !several {
			return err
		}
		return errors.Join(answer(cmd, g, e, func(s *screen) { renderExplanation(s, e) }), err)
	})
}

func explainPacket(cmd *cobra.Command, g *global, p reconcile.Packet) error {
	return looking(cmd.Context(), g, func(look *reconcile.Look, several bool) error {
		e, err := look.ExplainPacket(cmd.Context(), p)
		unknown, isUnknown := errors.AsType[*reconcile.UnknownConditionError](err)
		if isUnknown {
			return unknown
		}
		if err != nil && !several {
			return err
		}
		return errors.Join(answer(cmd, g, e, func(s *screen) { renderPacket(s, e) }), err)
	})
}

// looking opens what a command needs that only looks. One of several clouds may fail.
func looking(ctx context.Context, g *global, do func(look *reconcile.Look, several bool) error) error {
	w, err := open(ctx, g, false)
	if err != nil {
		return err
	}
	defer w.close()
	look, err := w.look((&limitFlags{}).limits(w.config.Limits))
	if err != nil {
		return err
	}
	return do(&look, len(w.clouds) > 1)
}
