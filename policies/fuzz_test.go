package policies

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzParse holds what is true of every file: it is a policy or a list of findings
// with places, at once; and a policy fits the schema, hashes and compiles.
func FuzzParse(f *testing.F) {
	seeds, err := filepath.Glob(filepath.Join("testdata", "bad", "*.yaml"))
	if err != nil || len(seeds) == 0 {
		f.Fatal("no seeds: ", err)
	}
	for _, path := range append(seeds, "smtp.yaml") {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(two))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			t.Skip()
		}
		start := time.Now()
		p, err := Parse([]File{{"p.yaml", data}}, strict)
		if took := time.Since(start); took > 5*time.Second {
			t.Fatalf("took %s", took)
		}
		if err != nil {
			refused, ok := errors.AsType[*Error](err)
			if !ok || len(refused.Findings) == 0 || p != nil {
				t.Fatalf("got %v, %v", p, err)
			}
			for _, finding := range refused.Findings {
				checkCaret(t, finding)
			}
			return
		}
		again, err := Parse([]File{{"again.yaml", data}}, strict)
		if err != nil || again.Hash() != p.Hash() {
			t.Fatalf("parsed again: %v, other hash", err)
		}
		if err := validate(t, data); err != nil {
			t.Fatalf("accepted, but not by the schema: %v", err)
		}
		if _, err := p.Compile(nil, "test", now); err != nil {
			t.Fatal(err)
		}
	})
}
