package policies

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"fwsync/cloudfw"
)

// The values that documents are made of. Each reads itself from a node, complains
// when it cannot, and is nowhere (at.known() is false) when it was not written or
// not readable.

// spot is embedded in structures that were a mapping. It tells where they begin,
// which keys were written, readable or not, and whether that is all of them.
type spot struct {
	at    place
	keys  map[string]place
	whole bool
}

func (s *spot) mark(at place, keys map[string]place, whole bool) { *s = spot{at, keys, whole} }

// lacks reports whether none of the keys was written.
func (s *spot) lacks(keys ...string) bool {
	for _, k := range keys {
		if _, ok := s.keys[k]; ok {
			return false
		}
	}
	return s.whole
}

// word is a piece of text.
type word struct {
	text string
	at   place
}

func (w *word) read(r *reader, n ast.Node, what string) {
	switch n := n.(type) {
	case *ast.StringNode:
		*w = word{n.Value, r.place(n)}
	case *ast.LiteralNode:
		*w = word{strings.TrimSpace(n.Value.Value), r.place(n)}
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		raw := n.GetToken().Value
		r.report.at(r.place(n), fmt.Sprintf("quote it: %q", raw), "%s must be text, not %s", what, describe(n))
	default:
		r.report.at(r.place(n), "", "%s must be text, not %s", what, describe(n))
	}
}

// words is a list of texts.
type words []word

func (ws *words) read(r *reader, n ast.Node, what string) { *ws = list[word](r, n, what) }

// members is a list of groups, addresses and prefixes.
type members words

func (ms *members) read(r *reader, n ast.Node, what string) { *ms = list[word](r, n, what) }

// choices is one name or a list of them.
type choices words

func (c *choices) read(r *reader, n ast.Node, what string) { (*sides)(c).read(r, n, what) }

// sides is one word or a list of them: a side of a rule.
type sides words

func (s *sides) read(r *reader, n ast.Node, what string) {
	if _, several := n.(*ast.SequenceNode); several {
		*s = list[word](r, n, what)
		return
	}
	var w word
	w.read(r, n, what)
	*s = sides{w}
}

// number is a whole number.
type number struct {
	n  int
	at place
}

func (v *number) read(r *reader, n ast.Node, what string) {
	if _, ok := n.(*ast.IntegerNode); ok {
		raw := n.GetToken().Value
		if i, err := strconv.Atoi(raw); err == nil {
			*v = number{i, r.place(n)}
			return
		}
		r.report.at(r.place(n), "", "%s must be a whole number in decimal digits, not %s", what, printable(raw))
		return
	}
	r.report.at(r.place(n), "", "%s must be a whole number, not %s", what, describe(n))
}

// truth is true or false.
type truth struct {
	yes bool
	at  place
}

func (v *truth) read(r *reader, n ast.Node, what string) {
	b, ok := n.(*ast.BoolNode)
	if !ok {
		r.report.at(r.place(n), "", "%s must be true or false, not %s", what, describe(n))
		return
	}
	*v = truth{b.Value, r.place(n)}
}

// span is a duration.
type span struct {
	d  time.Duration
	at place
}

func (v *span) read(r *reader, n ast.Node, what string) {
	switch n := n.(type) {
	case *ast.StringNode:
		d, err := ParseDuration(n.Value)
		if err != nil {
			r.report.at(r.place(n), "", "%s: %v", what, err)
			return
		}
		*v = span{d, r.place(n)}
	case *ast.IntegerNode:
		raw := n.GetToken().Value
		r.report.at(r.place(n), fmt.Sprintf("add the unit: %ss for seconds, %sm for minutes", raw, raw), "%s must be a duration such as 10m or 7d, not a number", what)
	default:
		r.report.at(r.place(n), "", "%s must be a duration such as 10m or 7d, not %s", what, describe(n))
	}
}

// spans is a list of durations.
type spans []span

func (ss *spans) read(r *reader, n ast.Node, what string) { *ss = list[span](r, n, what) }

// portRange is a port or a range of ports.
type portRange struct {
	cloudfw.PortRange
	at place
}

// ports is a list of them.
type ports []portRange

func (ps *ports) read(r *reader, n ast.Node, what string) { *ps = list[portRange](r, n, what) }

func (p *portRange) read(r *reader, n ast.Node, what string) {
	raw := ""
	switch n := n.(type) {
	case *ast.StringNode:
		raw = n.Value
	case *ast.IntegerNode:
		raw = n.GetToken().Value
	default:
		r.report.at(r.place(n), "", `%s must be a port such as 25 or a range such as "6000-6100", not %s`, what, describe(n))
		return
	}
	parsed, err := cloudfw.ParsePortRange(raw)
	switch {
	case err != nil, raw == "0":
		r.report.at(r.place(n), "", "%q is not a port or a range of ports between 1 and 65535", raw)
		return
	case parsed.AllPorts():
		r.report.at(r.place(n), `leave "ports" out for every port`, "%q is not a port", raw)
		return
	}
	*p = portRange{parsed, r.place(n)}
}

// records is a list of structures.
type records[T any] []T

func (rs *records[T]) read(r *reader, n ast.Node, what string) { *rs = list[T](r, n, what) }

// named is a mapping from names that the author chooses, in the order as written.
type named[T any] struct{ entries []entry[T] }

type entry[T any] struct {
	name  word
	value T
}

func (m *named[T]) read(r *reader, n ast.Node, what string) {
	pairs, _ := r.mapping(n, what)
	for _, pair := range pairs {
		var value T
		r.value(pair.value, &value, strconv.Quote(pair.key.text))
		m.entries = append(m.entries, entry[T]{pair.key, value})
	}
}
