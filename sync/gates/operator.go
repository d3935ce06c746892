package gates

import (
	"fmt"
	"slices"

	"fwsync/cloudfw"
	"fwsync/sync/plan"
)

// operatorCut evaluates the declared rules, as they would be live, on the very
// connection that the command was started from.
func operatorCut(in Input) Finding {
	o := in.Operator
	if !o.Client.IsValid() || !o.Server.IsValid() {
		return Finding{LookedAt: "nothing: the command did not come over SSH"}
	}
	if in.Plan.Kind == plan.Release {
		return Finding{LookedAt: "nothing: what is given up stays as it is"}
	}
	f := Finding{LookedAt: fmt.Sprintf("the connection from %s to %s port %d", o.Client, o.Server, o.Port)}
	rule, cut := cuts(in.Intent, o)
	if !cut || in.Limits.OperatorCut || !in.Plan.Changes() {
		f.Passed = 1
		return f
	}
	f.Withheld = []Withheld{{
		What: fmt.Sprintf("rule %q (%s)", rule.Name, rule.Declared),
		Why:  fmt.Sprintf("it would cut the connection this command was started from: %s to %s port %d", o.Client, o.Server, o.Port),
		Hint: "add an accept rule for it above, or pass --allow-operator-cut", Flag: "--allow-operator-cut",
	}}
	return f
}

func cuts(intent cloudfw.Intent, o Operator) (cloudfw.Rule, bool) {
	for _, r := range intent.Rules {
		if r.Direction != cloudfw.In || r.From.Blocked || !r.From.Covers(o.Client) || !r.To.Covers(o.Server) {
			continue
		}
		if r.Protocol != cloudfw.TCP && r.Protocol != cloudfw.AnyProtocol {
			continue
		}
		onPort := func(p cloudfw.PortRange) bool { return p.AllPorts() || p.First <= o.Port && o.Port <= p.Last }
		if len(r.Ports) > 0 && !slices.ContainsFunc(r.Ports, onPort) {
			continue
		}
		return r, r.Action == cloudfw.Drop
	}
	return cloudfw.Rule{}, false
}
