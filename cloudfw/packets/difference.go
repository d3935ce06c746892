package packets

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"fwsync/cloudfw"
)

// Difference is a box of packets that lists decide differently, readable for
// people: an empty field means any.
type Difference struct {
	Source      []string `json:"source,omitempty"` // prefixes and ranges
	Destination []string `json:"destination,omitempty"`
	Service     []string `json:"service,omitempty"`     // "tcp 25", "udp 53-60", "icmp"
	Application []string `json:"application,omitempty"` // "unrecognised" and "others" are not names
	When        []string `json:"when,omitempty"`        // opaque conditions that hold, or "not …"
	// Verdicts are those of the lists compared, in their order, and the rules that
	// they come from; an empty rule is the fallback.
	Verdicts []cloudfw.Action `json:"verdicts"`
	Rules    []string         `json:"rules"`
}

// String is the box and the verdicts in one line.
func (d Difference) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "from %s to %s", some(d.Source), some(d.Destination))
	for _, part := range [][]string{d.Service, d.Application, d.When} {
		if len(part) > 0 {
			b.WriteString(" " + strings.Join(part, ", "))
		}
	}
	for i, v := range d.Verdicts {
		by := "no rule"
		if d.Rules[i] != "" {
			by = "rule " + d.Rules[i]
		}
		word := ", then"
		if i == 0 {
			word = ":"
		}
		fmt.Fprintf(&b, "%s %s (%s)", word, v, by)
	}
	return b.String()
}

const mostRanges = 6

func some(ranges []string) string {
	switch {
	case len(ranges) == 0:
		return "any"
	case len(ranges) > mostRanges:
		return fmt.Sprintf("%s and %d more", strings.Join(ranges[:mostRanges], ", "), len(ranges)-mostRanges)
	}
	return strings.Join(ranges, ", ")
}

// boxes lists the paths of a diagram.
func (w *walk) boxes(n *node, most int) []Difference {
	var all []Difference
	chosen := make([][]int32, len(w.lines)) // atoms per dimension; nil for all
	var follow func(*node)
	follow = func(n *node) {
		if n == nil || len(all) >= most {
			return
		}
		if n.leaf != nil {
			all = append(all, w.box(chosen, n.leaf))
			return
		}
		for _, way := range n.ways {
			chosen[n.dim] = way.atoms
			follow(way.to)
		}
		chosen[n.dim] = nil
	}
	follow(n)
	return all
}

func (w *walk) box(chosen [][]int32, by []int32) Difference {
	d := Difference{
		Source:      w.addresses(bySource, chosen[bySource]),
		Destination: w.addresses(byDestination, chosen[byDestination]),
		Service:     w.services(chosen[byService]),
		Application: w.named(chosen[byApplication]),
	}
	for i, condition := range w.conditions {
		switch points := w.points(byCondition+i, chosen[byCondition+i]); {
		case len(points) == 0 || points[0].first != points[0].last:
		case points[0].first.lo == 1:
			d.When = append(d.When, condition)
		default:
			d.When = append(d.When, "not "+condition)
		}
	}
	for t, r := range by {
		pass, rule := w.tables[t].pass, ""
		if r >= 0 {
			pass = w.rules[r].pass
			at := w.tables[t].at[slices.Index(w.tables[t].rules, r)]
			rule = w.tables[t].list.rules[at].id
		}
		d.Verdicts, d.Rules = append(d.Verdicts, action(pass)), append(d.Rules, rule)
	}
	return d
}

// points are the points of atoms; nothing for all of the dimension.
func (w *walk) points(dim int, atoms []int32) set {
	if atoms == nil || len(atoms) == len(w.lines[dim].members) {
		return nil
	}
	var spans []span
	for _, atom := range atoms {
		spans = append(spans, w.lines[dim].spans[atom]...)
	}
	return newSet(spans)
}

func (w *walk) addresses(dim int, atoms []int32) []string {
	var texts []string
	family := w.family()
	for _, s := range w.points(dim, atoms) {
		first, last := addressOf(s.first, family), addressOf(s.last, family)
		if p, ok := onePrefix(first, last); ok {
			texts = append(texts, strings.TrimSuffix(strings.TrimSuffix(p.String(), "/32"), "/128"))
		} else {
			texts = append(texts, first.String()+"-"+last.String())
		}
	}
	return texts
}

// onePrefix is the prefix that holds just the range, if there is one.
func onePrefix(first, last netip.Addr) (netip.Prefix, bool) {
	for bits := first.BitLen(); bits >= 0; bits-- {
		p := netip.PrefixFrom(first, bits).Masked()
		if p.Addr() != first {
			return netip.Prefix{}, false
		}
		if s := prefixSpan(p); s.last == address(last) {
			return p, true
		}
	}
	return netip.Prefix{}, false
}

func (w *walk) services(atoms []int32) []string {
	var texts []string
	for _, s := range w.points(byService, atoms) {
		for first := s.first.lo; first <= s.last.lo; {
			text, last := serviceText(first, s.last.lo)
			texts = append(texts, text)
			first = last + 1
		}
	}
	return texts
}

// serviceText names the services from the first point on, and the last point that the
// name covers.
func serviceText(first, last uint64) (string, uint64) {
	for _, block := range []struct {
		protocol string
		base     uint64
	}{{"tcp", tcpBase}, {"udp", udpBase}} {
		if first < block.base || first >= block.base+1<<16 {
			continue
		}
		last = min(last, block.base+1<<16-1)
		from, to := first-block.base, last-block.base
		switch {
		case from == 0 && to == 1<<16-1:
			return block.protocol, last
		case from == to:
			return fmt.Sprintf("%s %d", block.protocol, from), last
		}
		return fmt.Sprintf("%s %d-%d", block.protocol, from, to), last
	}
	return map[uint64]string{icmpAt: "icmp", icmpv6At: "icmpv6", greAt: "gre", otherAt: "other protocols"}[first], first
}

func (w *walk) named(atoms []int32) []string {
	var texts []string
	for _, s := range w.points(byApplication, atoms) {
		for at := s.first.lo; at <= s.last.lo; at++ {
			switch {
			case at == uint64(len(w.applications)):
				texts = append(texts, "other applications")
			case w.applications[at] == "":
				texts = append(texts, "unrecognised")
			default:
				texts = append(texts, w.applications[at])
			}
		}
	}
	return texts
}
