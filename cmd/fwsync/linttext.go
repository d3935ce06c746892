package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"fwsync/cloudfw"
	"fwsync/sync/lint"
)

// lintText finds out where the policy files at path, which have been validated, say
// what they say. A file that is gone or has changed by now has no places.
func lintText(path string) lint.Text {
	text := lint.Text{Root: path, Places: map[lint.Subject]lint.Place{}, Mentions: map[string]bool{}}
	for _, name := range policyFiles(path) {
		data, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		source := strings.ReplaceAll(strings.TrimPrefix(string(data), "\uFEFF"), "\r\n", "\n")
		file, err := parser.ParseBytes([]byte(source), 0)
		if err != nil || len(file.Docs) == 0 {
			continue
		}
		w := written{text: text, file: name, lines: strings.Split(source, "\n"), anchors: map[string]ast.Node{}}
		w.mention(file.Docs[0].Body)
		w.document(file.Docs[0].Body)
	}
	return text
}

// policyFiles are the files that policies.Load reads.
func policyFiles(path string) []string {
	entries, err := os.ReadDir(path)
	if err != nil {
		return []string{path}
	}
	var names []string
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); !strings.HasPrefix(e.Name(), ".") && !e.IsDir() && (ext == ".yaml" || ext == ".yml") {
			names = append(names, filepath.Join(path, e.Name()))
		}
	}
	slices.Sort(names)
	return names
}

// written walks one policy file.
type written struct {
	text    lint.Text
	file    string
	lines   []string
	anchors map[string]ast.Node
}

func (w *written) document(root ast.Node) {
	for _, part := range w.pairs(root) {
		switch key(part) {
		case "groups":
			for _, g := range w.pairs(part.Value) {
				w.place(lint.GroupKind, key(g), g)
			}
		case "allowlist":
			for _, entry := range w.entries(part.Value) {
				name := w.plain(entry).GetToken().Value
				if p, err := cloudfw.ParsePrefix(name); err == nil {
					name = p.String()
				}
				w.place(lint.AllowKind, name, entry)
			}
		case "rules":
			w.named(lint.RuleKind, "", part.Value)
		case "signals":
			w.named(lint.SignalKind, "", part.Value)
		case "detections":
			w.named(lint.DetectionKind, "", part.Value)
		case "targets":
			for _, entry := range w.entries(part.Value) {
				w.target(entry)
			}
		case "incidents":
			for _, incident := range w.pairs(part.Value) {
				for _, in := range w.pairs(incident.Value) {
					if key(in) == "rules" {
						w.named(lint.IncidentRuleKind, key(incident)+"/", in.Value)
					}
				}
			}
		}
	}
}

// named places the entries of a list by their names.
func (w *written) named(kind lint.Kind, before string, list ast.Node) {
	for _, entry := range w.entries(list) {
		for _, pair := range w.pairs(entry) {
			if key(pair) == "name" {
				w.place(kind, before+w.plain(pair.Value).GetToken().Value, w.plain(entry))
			}
		}
	}
}

// target places a target under the name that cloudfw.Target gives it.
func (w *written) target(entry ast.Node) {
	for _, pair := range w.pairs(entry) {
		name := key(pair)
		for _, field := range w.pairs(pair.Value) {
			if key(field) == "id" {
				name += " " + w.plain(field.Value).GetToken().Value
			}
		}
		w.place(lint.TargetKind, name, pair)
	}
}

// mention notes every text that is a value, and the anchors.
func (w *written) mention(n ast.Node) {
	switch n := n.(type) {
	case *ast.StringNode:
		w.text.Mentions[n.Value] = true
	case *ast.AnchorNode:
		w.anchors[n.Name.GetToken().Value] = n.Value
		w.mention(n.Value)
	case *ast.SequenceNode:
		for _, entry := range n.Values {
			w.mention(entry)
		}
	case *ast.MappingNode, *ast.MappingValueNode:
		for _, pair := range w.pairs(n) {
			w.mention(pair.Value)
		}
	}
}

// plain follows anchors and aliases to the value.
func (w *written) plain(n ast.Node) ast.Node {
	for range 8 {
		switch node := n.(type) {
		case *ast.AnchorNode:
			n = node.Value
		case *ast.AliasNode:
			if target, ok := w.anchors[node.Value.GetToken().Value]; ok {
				n = target
			}
		}
	}
	return n
}

func (w *written) pairs(n ast.Node) []*ast.MappingValueNode {
	switch n := w.plain(n).(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

func (w *written) entries(n ast.Node) []ast.Node {
	if list, ok := w.plain(n).(*ast.SequenceNode); ok {
		return list.Values
	}
	return nil
}

func key(pair *ast.MappingValueNode) string {
	if k := ast.Node(pair.Key); k.GetToken() != nil {
		return k.GetToken().Value
	}
	return ""
}

// place keeps the first place of a subject.
func (w *written) place(kind lint.Kind, name string, n ast.Node) {
	at := begin(n)
	about := lint.Subject{Kind: kind, Name: name}
	if _, again := w.text.Places[about]; again || at == nil || at.Position == nil || at.Position.Line > len(w.lines) {
		return
	}
	line := at.Position.Line
	w.text.Places[about] = lint.Place{File: w.file, Line: line, Column: at.Position.Column, Source: w.lines[line-1]}
}

// begin is the token with which a node begins, as validation counts it.
func begin(n ast.Node) *token.Token {
	switch node := n.(type) {
	case *ast.MappingNode:
		if !node.IsFlowStyle && len(node.Values) > 0 {
			return begin(node.Values[0])
		}
		return node.Start
	case *ast.MappingValueNode:
		return ast.Node(node.Key).GetToken()
	}
	return n.GetToken()
}
