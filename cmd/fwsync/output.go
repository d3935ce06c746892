package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
)

// checkOutput refuses a format that the command does not know.
func checkOutput(g *global, more ...string) error {
	for _, known := range append([]string{"table", "json", "yaml"}, more...) {
		if g.output == known {
			return nil
		}
	}
	return withHint(fmt.Errorf("unknown output format %q", g.output), "use -o table, json or yaml")
}

// answer prints the value in the asked format; table is the renderer for people.
func answer(cmd *cobra.Command, g *global, value any, table func(*screen)) error {
	w := cmd.OutOrStdout()
	switch g.output {
	case "json":
		if own, ok := value.(interface{ writeJSON(io.Writer) error }); ok {
			return own.writeJSON(w)
		}
		return writeJSON(w, value)
	case "yaml":
		if own, ok := value.(interface{ writeYAML(io.Writer) error }); ok {
			return own.writeYAML(w)
		}
		return writeYAML(w, value)
	default:
		s := newScreen(w)
		table(s)
		return s.flush()
	}
}

func writeJSON(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(value)
}

// writeYAML writes what the value is in JSON.
func writeYAML(w io.Writer, value any) error {
	var text bytes.Buffer
	if err := writeJSON(&text, value); err != nil {
		return err
	}
	converted, err := toYAML(text.Bytes())
	if err != nil {
		return err
	}
	_, err = w.Write(converted)
	return err
}

func toYAML(text []byte) ([]byte, error) {
	converted, err := yaml.JSONToYAML(text)
	if err != nil {
		return nil, fmt.Errorf("writing yaml: %w", err)
	}
	return converted, nil
}
