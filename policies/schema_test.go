package policies

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	generator "github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write the golden files and policy.schema.json")

func TestTheSchemaIsWhatTheTypesSay(t *testing.T) {
	want := generateSchema(t)
	if *update {
		if err := os.WriteFile(SchemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(Schema(), want) {
		t.Errorf("%s is not what document.go says; run go test ./policies -run Schema -update", SchemaFile)
	}
}

func TestEveryKeyOfTheSchemaIsExplained(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	objects := map[string]any{"document": root}
	for name, def := range root["$defs"].(map[string]any) {
		objects[name] = def
	}
	if len(objects) != 13 {
		t.Errorf("%d objects, want 13", len(objects))
	}
	for name, object := range objects {
		if object.(map[string]any)["description"] == nil {
			t.Errorf("%s has no description", name)
		}
		for key, property := range object.(map[string]any)["properties"].(map[string]any) {
			if property.(map[string]any)["description"] == nil {
				t.Errorf("%s.%s has no description", name, key)
			}
		}
	}
}

func TestShippedPoliciesFitTheSchema(t *testing.T) {
	for _, name := range Presets() {
		data, err := Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.HasPrefix(string(data), "# yaml-language-server: $schema="+SchemaFile+"\n") {
			t.Errorf("%s does not tell editors its schema", name)
		}
	}
}

func TestTheSchemaRefusesBadForm(t *testing.T) {
	for _, name := range []string{
		"unknown-keys", "wrong-types", "missing-keys", "choices-and-ranges", "names", "ports", "targets-form",
	} {
		data, err := os.ReadFile(filepath.Join("testdata", "bad", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if validate(t, data) == nil {
			t.Errorf("the schema accepts %s.yaml", name)
		}
	}
}

// validate checks a policy file against the shipped schema.
func validate(t testing.TB, data []byte) error {
	t.Helper()
	doc, err := validator.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := validator.NewCompiler()
	if err := compiler.AddResource(SchemaFile, doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile(SchemaFile)
	if err != nil {
		t.Fatal(err)
	}
	text, err := yaml.YAMLToJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	instance, err := validator.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return compiled.Validate(instance)
}

// generateSchema derives the schema from the document's types, tags and comments.
func generateSchema(t *testing.T) []byte {
	t.Helper()
	const name = `^[a-z0-9][a-z0-9-]{0,39}$`
	text := func() *generator.Schema { return &generator.Schema{Type: "string", MinLength: new(uint64(1))} }
	list := func(items *generator.Schema) *generator.Schema {
		return &generator.Schema{Type: "array", Items: items}
	}
	reference := func(def string) *generator.Schema { return &generator.Schema{Ref: "#/$defs/" + def} }
	duration := func() *generator.Schema {
		return &generator.Schema{Type: "string", Pattern: `^([0-9]+w)?([0-9]+d)?([0-9.]+(h|m|s|ms|us|µs|ns))*$`, MinLength: new(uint64(2)), Examples: []any{"10m", "24h", "7d"}}
	}
	comments := commentsOf(t, "document.go")
	r := &generator.Reflector{
		Anonymous: true, ExpandedStruct: true,
		Namer:         func(t reflect.Type) string { return strings.TrimSuffix(t.Name(), "Entry") },
		LookupComment: func(t reflect.Type, field string) string { return comments[t.Name()+"."+field] },
	}
	r.Mapper = func(t reflect.Type) *generator.Schema {
		switch t {
		case reflect.TypeFor[records[detectionEntry]]():
			return list(reference("detection"))
		case reflect.TypeFor[records[signalEntry]]():
			return list(reference("signal"))
		case reflect.TypeFor[records[signalTestEntry]]():
			s := list(reference("signalTest"))
			s.MinItems = new(uint64(2))
			return s
		case reflect.TypeFor[truth]():
			return &generator.Schema{Type: "boolean"}
		case reflect.TypeFor[records[ruleEntry]]():
			return list(reference("rule"))
		case reflect.TypeFor[records[targetEntry]]():
			return list(reference("target"))
		case reflect.TypeFor[word]():
			return &generator.Schema{Type: "string"}
		case reflect.TypeFor[words]():
			s := list(text())
			s.MinItems, s.UniqueItems = new(uint64(1)), true
			return s
		case reflect.TypeFor[members]():
			return list(text())
		case reflect.TypeFor[sides](), reflect.TypeFor[choices]():
			several := list(text())
			several.MinItems = new(uint64(1))
			return &generator.Schema{OneOf: []*generator.Schema{text(), several}}
		case reflect.TypeFor[number]():
			return &generator.Schema{Type: "integer"}
		case reflect.TypeFor[span]():
			return duration()
		case reflect.TypeFor[spans]():
			return list(duration())
		case reflect.TypeFor[ports]():
			one := &generator.Schema{Type: "integer", Minimum: "1", Maximum: "65535"}
			several := &generator.Schema{Type: "string", Pattern: `^[0-9]{1,5}([-/][0-9]{1,5})?$`, Examples: []any{"6000-6100"}}
			s := list(&generator.Schema{OneOf: []*generator.Schema{one, several}})
			s.MinItems = new(uint64(1))
			return s
		case reflect.TypeFor[named[members]]():
			group := list(text())
			group.MinItems = new(uint64(1))
			return &generator.Schema{Type: "object", AdditionalProperties: group, PropertyNames: &generator.Schema{Pattern: name}}
		case reflect.TypeFor[named[incidentEntry]]():
			return &generator.Schema{Type: "object", AdditionalProperties: reference("incident"), PropertyNames: &generator.Schema{Pattern: name}}
		}
		return nil
	}
	s := r.Reflect(&document{})
	s.Title = "fwsync policy"
	s.Definitions = generator.Definitions{}
	for name, entry := range map[string]any{
		"signal": &signalEntry{}, "signalTest": &signalTestEntry{}, "detection": &detectionEntry{}, "rule": &ruleEntry{}, "target": &targetEntry{}, "incident": &incidentEntry{}, "capacity": &capacityEntry{},
	} {
		def := r.Reflect(entry)
		maps.Copy(s.Definitions, def.Definitions)
		s.Definitions[name] = def
		def.Definitions, def.Version = nil, ""
	}
	s.Definitions["target"].MinProperties, s.Definitions["target"].MaxProperties = new(uint64(1)), new(uint64(1))
	for _, def := range []string{"detection", "rule"} {
		property, _ := s.Definitions[def].Properties.Get("name")
		property.Pattern = name
	}
	property, _ := s.Definitions["signal"].Properties.Get("name")
	property.Pattern = signalName
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

// commentsOf maps "type.field", and "type." for the type itself, to their comments.
func commentsOf(t *testing.T, path string) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	comments := map[string]string{}
	oneLine := func(c *ast.CommentGroup) string { return strings.Join(strings.Fields(c.Text()), " ") }
	for _, decl := range file.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok || d.Tok != token.TYPE {
			continue
		}
		spec := d.Specs[0].(*ast.TypeSpec)
		comments[spec.Name.Name+"."] = oneLine(d.Doc)
		for _, f := range spec.Type.(*ast.StructType).Fields.List {
			for _, n := range f.Names {
				comments[spec.Name.Name+"."+n.Name] = oneLine(f.Doc)
			}
		}
	}
	return comments
}
