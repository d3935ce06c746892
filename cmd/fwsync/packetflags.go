package main

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"fwsync/cloudfw"
	"fwsync/sync/reconcile"
)

// packetFlags describe one packet.
type packetFlags struct {
	from, to, proto, port, application, direction string
	when                                          []string
}

func (f *packetFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "source `address` of a packet")
	flags.StringVar(&f.to, "to", "", "destination `address` of a packet")
	flags.StringVar(&f.proto, "proto", "tcp", "`protocol` of a packet: tcp, udp, icmp, icmpv6 or gre")
	flags.StringVar(&f.port, "port", "", "destination `port` of a tcp or udp packet")
	flags.StringVar(&f.application, "application", "", "the `application` that the firewall recognises, such as SMTP")
	flags.StringVar(&f.direction, "direction", "in", "`way` of a packet: in, out or between")
	flags.StringArrayVar(&f.when, "when", nil, "a `condition` that holds, as explain names it; may be repeated")
	_ = cmd.RegisterFlagCompletionFunc("proto", cobra.FixedCompletions([]string{"tcp", "udp", "icmp", "icmpv6", "gre"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("direction", cobra.FixedCompletions([]string{"in", "out", "between"}, cobra.ShellCompDirectiveNoFileComp))
}

// given reports whether a packet is asked about.
func (f *packetFlags) given(cmd *cobra.Command) bool {
	return slices.ContainsFunc([]string{"from", "to", "proto", "port", "application", "direction", "when"}, cmd.Flags().Changed)
}

var applicationPattern = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

// packet checks the flags.
func (f *packetFlags) packet(cmd *cobra.Command) (reconcile.Packet, error) {
	p := reconcile.Packet{Direction: cloudfw.Direction(f.direction), Protocol: cloudfw.Protocol(strings.ToLower(f.proto)), Application: strings.ToUpper(f.application), When: f.when}
	var err error
	if p.From, err = oneAddress("from", f.from); err != nil {
		return p, err
	}
	if p.To, err = oneAddress("to", f.to); err != nil {
		return p, err
	}
	switch {
	case p.From.Is4() != p.To.Is4():
		return p, withHint(fmt.Errorf("--from %s and --to %s are of different families", p.From, p.To), "a packet has two IPv4 addresses or two IPv6 addresses")
	case !slices.Contains([]cloudfw.Direction{cloudfw.In, cloudfw.Out, cloudfw.Between}, p.Direction):
		return p, withHint(fmt.Errorf("--direction is %q", f.direction), "in from the internet, out to it, or between your own networks")
	case p.Direction == cloudfw.Between && !p.From.Is4():
		return p, withHint(errors.New("no border sees IPv6 between networks"), "a VPC firewall sees IPv4 only")
	}
	if p.Protocol == cloudfw.AnyProtocol {
		p.Protocol = cloudfw.TCP
	}
	if !slices.Contains([]cloudfw.Protocol{cloudfw.TCP, cloudfw.UDP, cloudfw.ICMP, "icmpv6", "gre"}, p.Protocol) {
		return p, withHint(fmt.Errorf("--proto is %q", f.proto), "one of tcp, udp, icmp, icmpv6 and gre")
	}
	ported := p.Protocol == cloudfw.TCP || p.Protocol == cloudfw.UDP
	switch {
	case ported && f.port == "":
		return p, withHint(fmt.Errorf("%s packets have a port", p.Protocol), "add --port, such as --port 25")
	case !ported && f.port != "":
		return p, withHint(fmt.Errorf("%s packets have no port", p.Protocol), "leave --port out")
	case ported:
		n, err := strconv.ParseUint(f.port, 10, 16)
		if err != nil || n == 0 {
			return p, withHint(fmt.Errorf("--port is %q", f.port), "one port between 1 and 65535")
		}
		p.Port = uint16(n)
	}
	switch {
	case cmd.Flags().Changed("application") && !applicationPattern.MatchString(f.application):
		return p, withHint(fmt.Errorf("--application is %q", f.application), "one name, such as SMTP; leave it out for one that is not recognised")
	case p.Application == "ANY":
		p.Application = ""
	case p.Application != "" && p.Protocol != cloudfw.TCP:
		return p, withHint(fmt.Errorf("--application goes with tcp, not %s", p.Protocol), "leave one of the two out")
	}
	return p, nil
}

// oneAddress reads one address; IPv4-mapped IPv6 is IPv4.
func oneAddress(flag, text string) (netip.Addr, error) {
	if text == "" {
		return netip.Addr{}, withHint(fmt.Errorf("--%s is missing", flag), "a packet has --from and --to, one address each")
	}
	p, err := cloudfw.ParsePrefix(text)
	if err != nil {
		return netip.Addr{}, withHint(fmt.Errorf("--%s: %w", flag, err), "one address, such as 198.51.100.7")
	}
	if !p.IsSingleIP() {
		return netip.Addr{}, withHint(fmt.Errorf("--%s %s is not one address", flag, text), "a packet has one; try %s", p.Addr())
	}
	return p.Addr(), nil
}
