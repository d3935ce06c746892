package gates

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"fwsync/cloudfw"
)

// ownership holds the planner to promise P1: every object that a step changes bears
// our marker in the live state, and no name that a step creates is taken. There is
// no override: a refusal here is a name clash or a defect.
func ownership(in Input) []Refusal {
	owner := in.Plan.Owner
	var foreign []string
	bookNames, listNames := map[string]cloudfw.AddressBook{}, map[string]cloudfw.PrefixList{}
	for _, b := range in.Live.Books {
		bookNames[b.Name] = b
	}
	for _, l := range in.Live.Lists {
		listNames[l.Name] = l
	}
	for _, s := range in.Plan.Steps {
		ok := true
		switch s.Op {
		case cloudfw.CreateBook:
			_, taken := bookNames[s.Book.Name]
			ok = !taken && owner.OwnsBook(*s.Book)
		case cloudfw.AppendAddresses, cloudfw.RemoveAddresses, cloudfw.DeleteBook:
			b, there := bookNames[s.Book.Name]
			ok = there && b.ID == s.Book.ID && owner.OwnsBook(b)
		case cloudfw.InsertRule:
			ok = owner.Owns("rule", s.Rule.Description)
		case cloudfw.MoveRule, cloudfw.DeleteRule:
			ok = slices.ContainsFunc(in.Live.Rules, func(r cloudfw.FirewallRule) bool {
				return r.ID == s.Rule.ID && owner.Owns("rule", r.Description)
			})
		case cloudfw.CreateList:
			_, taken := listNames[s.List.Name]
			ok = !taken && owner.OwnsList(*s.List)
		case cloudfw.EditList, cloudfw.DeleteList:
			l, there := listNames[s.List.Name]
			ok = there && l.ID == s.List.ID && owner.OwnsList(l)
		case cloudfw.AuthoriseRules, cloudfw.RevokeRules:
			ok = !slices.ContainsFunc(s.GroupRules, func(r cloudfw.GroupRule) bool { return !owner.Owns("rule", r.Description) })
		}
		if !ok {
			foreign = append(foreign, fmt.Sprintf("%s %s", s.Op, s.Subject()))
		}
	}
	// Names that the intent needs and somebody else has: the planner leaves those out,
	// which would be a silent gap.
	for _, b := range in.Live.Books {
		if strings.HasPrefix(b.Name, owner.BookName("blocked")) && !owner.OwnsBook(b) {
			foreign = append(foreign, fmt.Sprintf("the address book %s exists and is not ours (description %q)", b.Name, b.Description))
		}
	}
	for _, l := range in.Live.Lists {
		if strings.HasPrefix(l.Name, owner.BookName("blocked")) && !owner.OwnsList(l) {
			foreign = append(foreign, fmt.Sprintf("the prefix list %s exists and is not ours (description %q)", l.Name, l.Description))
		}
	}
	if len(foreign) == 0 {
		return nil
	}
	return []Refusal{{"ownership", "the plan would need objects that are not ours: " + some(foreign), "rename or remove them in the cloud, or set another owner in fwsync.yaml"}}
}

// protected is promise P3 on the final plan: what is never blocked, both families,
// whether inside a wider block or around a narrower one.
func protected(in Input, blocked []netip.Prefix) []Refusal {
	var hits []string
	hit := func(p netip.Prefix, why string) { hits = append(hits, fmt.Sprintf("%s (%s)", p, why)) }
	for _, p := range blocked {
		if why, ok := cloudfw.Reserved(p); ok {
			hit(p, why)
		}
		for _, a := range in.Live.Assets {
			if p.Contains(a.Address) {
				hit(p, "our own address "+a.Address.String())
			}
		}
		for _, e := range in.Intent.Allowed {
			if p.Overlaps(e.Prefix) {
				hit(p, e.Reason)
			}
		}
		for _, a := range in.Operator.Addresses {
			if p.Contains(a) {
				hit(p, "the operator's own address "+a.String())
			}
		}
	}
	if len(hits) == 0 {
		return nil
	}
	return []Refusal{{"never-block", "the plan would block protected addresses: " + some(hits), "see who blocks them: fwsync explain ADDRESS; take a decision back: fwsync unblock ADDRESS"}}
}

// width refuses blocks that are wider than anybody means.
func width(in Input, blocked []netip.Prefix) []Refusal {
	var wide []string
	for _, p := range blocked {
		shortest := in.Limits.WidestIPv4
		if cloudfw.FamilyOf(p) == cloudfw.IPv6 {
			shortest = in.Limits.WidestIPv6
		}
		if p.Bits() < shortest {
			wide = append(wide, p.String())
		}
	}
	if len(wide) == 0 {
		return nil
	}
	return []Refusal{{"prefix-width", fmt.Sprintf("the plan would block prefixes wider than /%d (IPv4) or /%d (IPv6): %s", in.Limits.WidestIPv4, in.Limits.WidestIPv6, some(wide)),
		"raise limits.widest_ipv4 or limits.widest_ipv6 in fwsync.yaml, or pass --widest-ipv4 or --widest-ipv6"}}
}

// operatorCut evaluates the declared rules, as they would be live, on the very
// connection that the command was started from.
func operatorCut(in Input) []Refusal {
	o := in.Operator
	if !o.Client.IsValid() || !o.Server.IsValid() || in.Limits.OperatorCut || !in.Plan.Changes() {
		return nil
	}
	rule, cut := cuts(in.Intent, o)
	if !cut {
		return nil
	}
	return []Refusal{{"operator", fmt.Sprintf("rule %q (%s) would cut the connection this command was started from: %s to %s port %d", rule.Name, rule.Declared, o.Client, o.Server, o.Port),
		"add an accept rule for it above, or pass --allow-operator-cut"}}
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

// some shows the first few of many.
func some(items []string) string {
	const most = 5
	if len(items) <= most {
		return strings.Join(items, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(items[:most], ", "), len(items)-most)
}
