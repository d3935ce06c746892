package conformance

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The suite and the wrappers know the model and the standard library, no vendor and
// no simulator.
func TestSuiteAndWrappersKnowTheModelOnly(t *testing.T) {
	for _, folder := range []string{".", "../wrap"} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		read := 0
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			read++
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range parsed.Imports {
				path, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				first, _, _ := strings.Cut(path, "/")
				if path != "fwsync/cloudfw" && (first == "fwsync" || strings.Contains(first, ".")) {
					t.Errorf("%s imports %s", file, path)
				}
			}
		}
		if read < 5 {
			t.Errorf("%s: only %d files", folder, read)
		}
	}
}
