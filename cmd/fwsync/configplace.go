package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// place says where a value of the configuration comes from, as messages begin with it: the
// file with line and column, or the variable that overrides it. key is written as in
// messages: limits.new_blocks, sources[1].name, feeds.partner.column. The file alone, if
// the value stands nowhere.
func (c *Config) place(key string) string {
	if name := "FWSYNC_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_")); os.Getenv(name) != "" {
		return name
	}
	file, err := parser.ParseBytes(c.text, 0)
	if err != nil || len(file.Docs) == 0 {
		return c.file
	}
	at := file.Docs[0].Body
	for _, part := range strings.FieldsFunc(key, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		next := inside(at, part)
		if next == nil {
			break // a key that is missing is missed where it belongs
		}
		at = next
	}
	if at == nil || at == file.Docs[0].Body {
		return c.file
	}
	p := at.GetToken().Position
	return fmt.Sprintf("%s:%d:%d", c.file, p.Line, p.Column)
}

// inside is what a node has under a key, a number from 0, or the name of one of a list.
func inside(n ast.Node, key string) ast.Node {
	switch n := n.(type) {
	case *ast.MappingValueNode:
		if n.Key.GetToken().Value == key {
			return n.Value
		}
	case *ast.MappingNode:
		for _, value := range n.Values {
			if found := inside(value, key); found != nil {
				return found
			}
		}
	case *ast.SequenceNode:
		if i, err := strconv.Atoi(key); err == nil && i < len(n.Values) {
			return n.Values[i]
		}
		for _, each := range n.Values {
			if name := inside(each, "name"); name != nil && name.GetToken().Value == key {
				return each
			}
		}
	}
	return nil
}
