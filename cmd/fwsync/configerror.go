package main

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// secretURL is a text that may have a password in it.
var secretURL = regexp.MustCompile(`(postgres(?:ql)?://).*`)

var unknownField = regexp.MustCompile(`unknown field "([^"]+)"`)

var (
	wrongType  = regexp.MustCompile(`^cannot unmarshal (\S+)(?: \{\})? into .* of type (\S+)$`)
	wrongShape = regexp.MustCompile(`^(\w+) was used where (\w+) is expected$`)
)

// wrongTime is the library's error that tells no place.
var wrongTime = regexp.MustCompile(`^time: .*"([^"]*)"$`)

// lineOf is the first place of a value in a text: the file alone if it is not found.
func lineOf(path, text, value string) string {
	for i, line := range strings.Split(text, "\n") {
		if at := strings.Index(line, value); at >= 0 && value != "" {
			return fmt.Sprintf("%s:%d:%d", path, i+1, at+1)
		}
	}
	return path
}

// inWords is a kind of value as people call it.
func inWords(kind string) string {
	switch kind {
	case "string":
		return "text"
	case "int", "int64", "uint64":
		return "a whole number"
	case "float64":
		return "a number"
	case "bool", "boolean":
		return "true or false"
	case "time.Duration":
		return "a time such as 30m"
	case "sequence", "[]interface", "[]string":
		return "a list"
	case "mapping", "map":
		return "keys with values"
	}
	return "a " + kind
}

// configError turns the YAML library's error into file:line:column, the line with
// a caret, and a hint.
func configError(path, text string, err error) error {
	var located yaml.Error
	if !errors.As(err, &located) || located.GetToken() == nil {
		if m := wrongTime.FindStringSubmatch(err.Error()); m != nil {
			return withHint(fmt.Errorf("%s: here belongs a time such as 30m, not %q", lineOf(path, text, m[1]), m[1]), "write 30s, 10m or 24h; the keys are described in docs/configuration.md")
		}
		return fmt.Errorf("reading %s: %s", path, secretURL.ReplaceAllString(err.Error(), "$1…"))
	}
	at := located.GetToken().Position
	message := secretURL.ReplaceAllString(located.GetMessage(), "$1…")
	hint := "the keys are described in docs/configuration.md"
	if m := unknownField.FindStringSubmatch(message); m != nil {
		message = "unknown key " + strconv.Quote(m[1])
		if near := nearest(m[1], yamlKeys(reflect.TypeFor[Config]())); near != "" {
			hint = "did you mean " + strconv.Quote(near) + "?"
		}
	}
	if m := wrongType.FindStringSubmatch(message); m != nil {
		message = fmt.Sprintf("here belongs %s, not %s", inWords(m[2]), inWords(m[1]))
	}
	if m := wrongShape.FindStringSubmatch(message); m != nil {
		message = fmt.Sprintf("here belongs %s, not %s", inWords(m[2]), inWords(m[1]))
	}
	line := ""
	if lines := strings.Split(text, "\n"); at.Line >= 1 && at.Line <= len(lines) {
		line = secretURL.ReplaceAllString(lines[at.Line-1], "$1…")
	}
	return withHint(fmt.Errorf("%s:%d:%d: %s\n%5d | %s\n      | %s^", path, at.Line, at.Column, message, at.Line, line, strings.Repeat(" ", max(at.Column-1, 0))), "%s", hint)
}

// yamlKeys lists every key of a configuration type.
func yamlKeys(t reflect.Type) []string {
	var keys []string
	for field := range t.Fields() {
		if !field.IsExported() {
			continue
		}
		keys = append(keys, field.Tag.Get("yaml"))
		inner := field.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			keys = append(keys, yamlKeys(inner)...)
		}
	}
	return keys
}

func flagNames(cmd *cobra.Command) []string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	cmd.InheritedFlags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// nearest returns the candidate that is at most two edits away, or "".
func nearest(word string, candidates []string) string {
	best, distance := "", 3
	for _, c := range candidates {
		if d := editDistance(word, c); d < distance {
			best, distance = c, d
		}
	}
	return best
}

// editDistance counts insertions, deletions and replacements.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			above := row[j+1]
			if a[i] == b[j] {
				row[j+1] = diagonal
			} else {
				row[j+1] = 1 + min(diagonal, above, row[j])
			}
			diagonal = above
		}
	}
	return row[len(b)]
}

func quote(s string) string { return strconv.Quote(s) }
