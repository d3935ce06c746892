package policies

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// maxVisits bounds the nodes that one file may make the reader look at, which
// aliases of aliases could otherwise multiply without end.
const maxVisits = 1_000_000

// reader turns the nodes of one file into a document. The document's types say what
// is expected, so no mistake in a file can lead it astray.
type reader struct {
	src     *source
	report  *report
	anchors map[string]ast.Node
	visits  int
}

// readable is a value that reads itself.
type readable interface {
	read(r *reader, n ast.Node, what string)
}

// value reads a node into what the pointer points at. What is the name of the
// value in complaints.
func (r *reader) value(n ast.Node, into any, what string) {
	if r.visits++; r.visits > maxVisits {
		if r.visits == maxVisits+1 {
			r.report.incomplete = true
			r.report.at(r.place(n), "", "the aliases of this file stand for more than %d values", maxVisits)
		}
		return
	}
	n, ok := r.settle(n, what)
	if !ok {
		r.report.incomplete = true
		return
	}
	if custom, ok := into.(readable); ok {
		custom.read(r, n, what)
		return
	}
	v := reflect.ValueOf(into).Elem()
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	r.structure(n, v, what)
}

// settle follows anchors and aliases to the node that holds the value.
func (r *reader) settle(n ast.Node, what string) (ast.Node, bool) {
	for hops := 0; ; hops++ {
		switch node := n.(type) {
		case *ast.AnchorNode:
			n = node.Value
		case *ast.AliasNode:
			name := node.Value.GetToken().Value
			target, ok := r.anchors[name]
			if !ok || hops > 8 {
				r.report.at(r.place(node), "", "alias %q leads nowhere", name)
				return nil, false
			}
			n = target
		case *ast.TagNode:
			r.report.at(r.place(node), "leave it out, the keys say what is expected", "tag %s is not supported", printable(node.GetToken().Value))
			return nil, false
		case *ast.NullNode:
			r.report.at(r.place(node), "", "%s has no value", what)
			return nil, false
		case nil:
			r.report.at(place{r.src, 1, 1}, "", "%s has no value", what)
			return nil, false
		default:
			return n, true
		}
	}
}

// structure reads a mapping with known keys.
func (r *reader) structure(n ast.Node, v reflect.Value, what string) {
	fields := fieldsOf(v.Type())
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	pairs, whole := r.mapping(n, what)
	meant := map[string]bool{} // keys that unknown ones seem to be meant for
	given := map[string]place{}
	if pairs == nil {
		return
	}
	if m, ok := v.Addr().Interface().(interface {
		mark(place, map[string]place, bool)
	}); ok {
		m.mark(r.place(n), given, whole)
	}
	for _, pair := range pairs {
		first, again := given[pair.key.text]
		if again {
			r.report.at(pair.key.at, "", "key %q is written twice, first at %s", pair.key.text, first)
			continue
		}
		given[pair.key.text] = pair.key.at
		known := false
		for _, f := range fields {
			if f.key == pair.key.text {
				known = true
				field := v.Field(f.index)
				r.value(pair.value, field.Addr().Interface(), strconv.Quote(f.key))
				f.constrain(r, field.Addr().Interface())
			}
		}
		if !known {
			hint := "known here: " + strings.Join(keys, ", ")
			if key := closest(pair.key.text, keys); key != "" {
				meant[key], hint = true, didYouMean(pair.key.text, keys)
			}
			if _, root := v.Interface().(document); root {
				r.report.incomplete = true
			}
			r.report.at(pair.key.at, hint, "unknown key %q", pair.key.text)
		}
	}
	for _, f := range fields {
		if _, ok := given[f.key]; ok {
			continue
		}
		if f.required && whole && !meant[f.key] {
			r.report.at(r.place(n), "", "%s has no %q", what, f.key)
		}
		f.fill(v.Field(f.index).Addr().Interface())
	}
}

// pair is one key of a mapping with its value.
type pair struct {
	key   word
	value ast.Node
}

// mapping reads the keys of a mapping; it is false when it
// could not read them all, and they are nil when the node is none.
func (r *reader) mapping(n ast.Node, what string) ([]pair, bool) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		r.report.incomplete = true
		r.report.at(r.place(n), "", "%s must be a mapping, not %s", what, describe(n))
		return nil, false
	}
	pairs, whole := make([]pair, 0, len(values)), true
	for _, v := range values {
		key := ast.Node(v.Key)
		if a, ok := key.(*ast.AnchorNode); ok {
			key = a.Value
		}
		switch key.(type) {
		case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
			pairs = append(pairs, pair{word{key.GetToken().Value, r.place(key)}, v.Value})
		case *ast.MergeKeyNode:
			whole, r.report.incomplete = false, true
			r.report.at(r.place(key), "write the keys out", "merge keys (<<) are not supported")
		default:
			whole, r.report.incomplete = false, true
			r.report.at(r.place(key), "", "a key must be plain text")
		}
	}
	return pairs, whole
}

// list reads a list's entries one by one; nil when the node is none.
func list[T any](r *reader, n ast.Node, what string) []T {
	sequence, ok := n.(*ast.SequenceNode)
	if !ok {
		r.report.incomplete = true
		hint := ""
		switch n.(type) {
		case *ast.StringNode, *ast.IntegerNode:
			if text := n.GetToken().Value; len(text) <= 80 {
				hint = fmt.Sprintf("write [%s]", printable(text))
			}
		}
		r.report.at(r.place(n), hint, "%s must be a list, not %s", what, describe(n))
		return nil
	}
	items := make([]T, len(sequence.Values))
	for i, entry := range sequence.Values {
		r.value(entry, &items[i], fmt.Sprintf("entry %d of %s", i+1, what))
	}
	return items
}

// place is where a node begins.
func (r *reader) place(n ast.Node) place {
	for {
		switch node := n.(type) {
		case *ast.MappingNode:
			if !node.IsFlowStyle && len(node.Values) > 0 {
				n = node.Values[0].Key
				continue
			}
			return r.token(node.Start)
		case *ast.MappingValueNode:
			n = node.Key
			continue
		case *ast.LiteralNode:
			return r.token(node.Start)
		case nil:
			return place{r.src, 1, 1}
		}
		return r.token(n.GetToken())
	}
}

func (r *reader) token(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{r.src, 1, 1}
	}
	return place{r.src, t.Position.Line, t.Position.Column}
}

func describe(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.IntegerNode:
		return "a number"
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a fraction"
	case *ast.BoolNode:
		return "true or false"
	}
	return "this"
}
