package policies

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of one file. The parser's memory grows with the marks and the nesting and
// its time with the square of the keys, so they are counted before it runs.
const (
	MaxFileBytes = 4 << 20

	maxMarks   = 500_000 // line ends, commas, brackets, dashes, colons
	maxKeys    = 10_000
	maxAnchors = 1_000
	maxNesting = 32
)

// parse turns a file's text into a document. It complains about what it cannot
// read and returns what it can.
func parse(src *source, data []byte, rep *report) *document {
	doc := &document{}
	newReader(src, rep).document(data, doc)
	return doc
}

func newReader(src *source, rep *report) *reader {
	return &reader{src: src, report: rep, anchors: map[string]ast.Node{}}
}

// document reads a file's text into what doc points at. It is false if there is nothing
// in it, or nothing that can be read.
func (r *reader) document(data []byte, doc any) bool {
	before := len(r.report.found)
	root := r.tree(data)
	if len(r.report.found) > before {
		r.report.incomplete = true
		return false
	}
	if root != nil {
		r.value(root, doc, "the file")
	}
	return root != nil
}

// tree parses the text to its one document's node; nil for an empty file and when
// there is a finding.
func (r *reader) tree(data []byte) ast.Node {
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	if len(data) > MaxFileBytes {
		r.report.about(r.src.name, r.src.index, "split it into several files", "the file has more than %d MiB", MaxFileBytes>>20)
		return nil
	}
	if !utf8.Valid(data) || bytes.ContainsRune(data, 0) {
		r.report.about(r.src.name, r.src.index, "", "the file is not UTF-8 text")
		return nil
	}
	text := string(data)
	r.src.lines = strings.Split(text, "\n")
	if marks(text) > maxMarks {
		r.report.about(r.src.name, r.src.index, "split it into several files", "the file has more than %d lines and list entries", maxMarks)
		return nil
	}
	file, err := r.parse(text)
	if err != nil {
		r.syntax(err)
		return nil
	}
	if file == nil {
		return nil
	}
	var root ast.Node
	for i, d := range file.Docs {
		if i > 0 {
			at := place{r.src, 1, 1}
			if d.Start != nil {
				at = r.token(d.Start)
			} else if d.Body != nil {
				at = r.place(d.Body)
			}
			r.report.at(at, "put it into a file of its own", "a policy file holds one document, a second one begins here")
			return nil
		}
		root = d.Body
	}
	switch root.(type) {
	case *ast.CommentGroupNode, *ast.NullNode:
		return nil
	case *ast.DirectiveNode:
		r.report.at(r.place(root), "leave it out", "YAML directives are not supported")
		return nil
	case nil:
		return nil
	}
	ast.Walk(anchorVisitor{r}, root)
	return root
}

// parse runs the YAML parser on a text that is within bounds. Without error and
// file there is a finding.
func (r *reader) parse(text string) (file *ast.File, err error) {
	defer func() {
		// The parser gives up on some broken texts with a panic.
		if p := recover(); p != nil {
			file, err = nil, errors.New("the file cannot be read as YAML")
		}
	}()
	tokens := lexer.Tokenize(text)
	if !r.bounded(tokens) {
		return nil, nil
	}
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

// syntax reports what the YAML parser refused.
func (r *reader) syntax(err error) {
	var positioned yaml.Error
	if errors.As(err, &positioned) && positioned.GetToken() != nil {
		hint := ""
		if at := r.token(positioned.GetToken()); at.line <= len(r.src.lines) && strings.Contains(r.src.lines[at.line-1], "\t") {
			hint = "YAML indents with spaces, not with tabs"
		}
		r.report.at(r.token(positioned.GetToken()), hint, "not valid YAML: %s", printable(strings.ReplaceAll(positioned.GetMessage(), "\t", `\t`)))
		return
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	r.report.about(r.src.name, r.src.index, "", "not valid YAML: %s", printable(first))
}

// marks counts what may become a token.
func marks(text string) int {
	n := 0
	for i := range len(text) {
		switch text[i] {
		case '\n', ',', '[', ']', '{', '}', '&', '*', '!':
			n++
		case '-', ':', '?':
			if i+1 == len(text) || text[i+1] == ' ' {
				n++
			}
		}
	}
	return n
}

// bounded reports whether the parser can take the tokens on.
func (r *reader) bounded(tokens token.Tokens) bool {
	keys, anchors, brackets, dashes, line := 0, 0, 0, 0, 0
	refuse := func(t *token.Token, format string, args ...any) bool {
		r.report.at(r.token(t), "", "%s", fmt.Sprintf(format, args...))
		return false
	}
	for _, t := range tokens {
		if t.Position != nil && t.Position.Line != line {
			line, dashes = t.Position.Line, 0
		}
		switch t.Type {
		case token.MappingValueType, token.MappingKeyType:
			keys++
			if t.Type == token.MappingKeyType {
				dashes++
			}
		case token.AnchorType, token.AliasType, token.TagType, token.DirectiveType:
			anchors++
		case token.SequenceStartType, token.MappingStartType:
			brackets++
		case token.SequenceEndType, token.MappingEndType:
			brackets = max(brackets-1, 0)
		case token.SequenceEntryType:
			dashes++
		}
		switch {
		case keys > maxKeys:
			return refuse(t, "the file has more than %d keys", maxKeys)
		case anchors > maxAnchors:
			return refuse(t, "the file has more than %d anchors, aliases and tags", maxAnchors)
		case brackets > maxNesting || dashes > maxNesting:
			return refuse(t, "the file is nested deeper than %d levels", maxNesting)
		}
	}
	return true
}

// anchorVisitor collects anchors.
type anchorVisitor struct{ r *reader }

// Visit implements ast.Visitor.
func (v anchorVisitor) Visit(n ast.Node) ast.Visitor {
	if a, ok := n.(*ast.AnchorNode); ok && a.Name != nil {
		name := a.Name.GetToken().Value
		if _, again := v.r.anchors[name]; again {
			v.r.report.at(v.r.place(a), "", "anchor %q is written twice", name)
		}
		v.r.anchors[name] = a.Value
	}
	return v
}
