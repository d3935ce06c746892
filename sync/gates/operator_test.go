package gates

import (
	"net/netip"
	"testing"

	"fwsync/cloudfw"
)

func TestTheOperatorsConnectionIsNotCut(t *testing.T) {
	in := Input{Intent: intentOf(), Operator: Operator{Client: netip.MustParseAddr("198.51.100.200"), Server: netip.MustParseAddr("192.0.2.25"), Port: 22}}
	server := cloudfw.Side{Prefixes: prefixes("192.0.2.25/32")}
	rest := cloudfw.Rule{Name: "rest", Direction: cloudfw.In, From: cloudfw.Side{Any: true}, To: server, Protocol: cloudfw.AnyProtocol, Application: "ANY", Action: cloudfw.Drop, Declared: "smtp.yaml:9"}
	in.Intent.Rules = append(in.Intent.Rules, rest)
	expect(t, check(t, in), "operator", `"rest" (smtp.yaml:9)`)

	in.Limits = DefaultLimits()
	in.Limits.OperatorCut = true
	if got := check(t, in); len(got) > 0 {
		t.Errorf("with the flag: %v", got)
	}
	in.Limits = Limits{}

	admin := cloudfw.Rule{Name: "admin", Direction: cloudfw.In, From: cloudfw.Side{Any: true}, To: server, Protocol: cloudfw.TCP, Ports: []cloudfw.PortRange{{First: 22, Last: 22}}, Application: "ANY", Action: cloudfw.Accept}
	in.Intent.Rules = []cloudfw.Rule{in.Intent.Rules[0], admin, rest}
	if got := check(t, in); len(got) > 0 {
		t.Errorf("with an accept above: %v", got)
	}
}
