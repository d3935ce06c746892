package policies

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed *.yaml
var presetFiles embed.FS

//go:embed policy.schema.json
var schema []byte

// SchemaFile is the name by which the shipped policy files refer to the schema.
const SchemaFile = "policy.schema.json"

// Schema returns the JSON Schema of policy files. It checks the form; Load checks
// the meaning too.
func Schema() []byte { return slices.Clone(schema) }

// Presets are the names of the embedded policies, sorted.
func Presets() []string {
	entries, err := presetFiles.ReadDir(".")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

// Preset returns the text of an embedded policy. An unknown name is an error that
// lists the known ones.
func Preset(name string) ([]byte, error) {
	if data, err := presetFiles.ReadFile(name + ".yaml"); err == nil {
		return data, nil
	}
	return nil, fmt.Errorf("unknown preset %q, known: %s", name, strings.Join(Presets(), ", "))
}
