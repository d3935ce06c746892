package sqlite

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fwsync/ledger"
	"fwsync/ledger/storetest"

	"maps"
	"math/rand/v2"
)

// folder reads all files beside path, by name. SQLite may leave its shared index
// and an empty log behind, which hold nothing of their own.
func folder(t *testing.T, path string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), "-shm") {
			continue
		}
		content, err := os.ReadFile(filepath.Join(filepath.Dir(path), e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if len(content) == 0 && strings.HasSuffix(e.Name(), "-wal") {
			continue
		}
		files[e.Name()] = string(content)
	}
	return files
}

// healthy is the content of a closed ledger with 500 decisions.
func healthy(t testing.TB) []byte {
	t.Helper()
	path := newPath(t)
	s := open(t, path)
	if _, err := s.Add(t.Context(), storetest.Many(500)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func random(n int) []byte {
	b := make([]byte, n)
	source := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(source.Uint32())
	}
	return b
}

func TestADamagedFileIsReportedAndLeftAsItIs(t *testing.T) {
	good := healthy(t)
	scribbled := bytes.Clone(good)
	copy(scribbled, "not a database!!")
	for _, tc := range []struct {
		name    string
		content []byte
		log     []byte
	}{
		{"random bytes", random(100_000), nil},
		{"a few random bytes", random(10), nil},
		{"text", []byte("hello\n"), nil},
		{"a header that is overwritten", scribbled, nil},
		{"cut off in the middle", good[:len(good)/2], nil},
		{"cut off in the middle of a page", good[:len(good)/2+1000], nil},
		{"cut off in the header", good[:50], nil},
		{"only the first page", good[:4096], nil},
		{"emptied", nil, nil},
		{"emptied, with a log", nil, random(5000)},
		{"random bytes, with a log", random(100_000), random(5000)},
		{"cut off, with a log", good[:len(good)/2], random(5000)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := newPath(t)
			if err := os.WriteFile(path, tc.content, 0o600); err != nil {
				t.Fatal(err)
			}
			if tc.log != nil {
				if err := os.WriteFile(path+"-wal", tc.log, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			before := folder(t, path)
			_, err := Open(t.Context(), path, Options{})
			if !errors.Is(err, ledger.ErrCorrupt) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want ErrCorrupt with the path", err)
			}
			if after := folder(t, path); !maps.Equal(after, before) {
				t.Error("the files were changed")
			}
		})
	}
}

func TestADamagedFileWithARealLogKeepsBoth(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	if _, err := s.Add(t.Context(), storetest.Many(500)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil { // moves the log into the file
		t.Fatal(err)
	}
	s = open(t, path)
	if _, err := s.Add(t.Context(), storetest.Many(3)); err != nil {
		t.Fatal(err)
	}
	crashed := filepath.Join(t.TempDir(), "ledger.db")
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if suffix == "" {
			copy(content, "not a database!!")
		}
		if err := os.WriteFile(crashed+suffix, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := folder(t, crashed)
	_, err := Open(t.Context(), crashed, Options{})
	if !errors.Is(err, ledger.ErrCorrupt) {
		t.Errorf("error %v, want ErrCorrupt", err)
	}
	if after := folder(t, crashed); !maps.Equal(after, before) {
		t.Error("the files were changed")
	}
}

func TestALostFileWithItsLogStillThereIsNotReplaced(t *testing.T) {
	path := newPath(t)
	if err := os.WriteFile(path+"-wal", random(5000), 0o600); err != nil {
		t.Fatal(err)
	}
	before := folder(t, path)
	_, err := Open(t.Context(), path, Options{})
	if !errors.Is(err, ledger.ErrCorrupt) || !strings.Contains(err.Error(), "missing") {
		t.Errorf("error %v, want ErrCorrupt that says what is missing", err)
	}
	if after := folder(t, path); !maps.Equal(after, before) {
		t.Error("the files were changed")
	}
}

func TestDamageDeepInTheFileIsNamedWhenAQueryMeetsIt(t *testing.T) {
	content := healthy(t)
	copy(content[len(content)/2:], random(len(content)/2)) // all but the schema
	path := newPath(t)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, path) // the first page is fine
	_, err := s.Decisions(t.Context(), time.Time{})
	if !errors.Is(err, ledger.ErrCorrupt) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "quick check: ") {
		t.Errorf("error %v, want ErrCorrupt with the path and what the check found", err)
	}
}

func TestARowThatMeansNothingIsDamage(t *testing.T) {
	for name, statement := range map[string]string{
		"a prefix that is none":     `UPDATE decisions SET prefix = 'office'`,
		"evidence of another shape": `UPDATE decisions SET evidence = '{"a":1}'`,
		"evidence that is not JSON": `PRAGMA ignore_check_constraints = 1; UPDATE decisions SET evidence = 'x'`,
	} {
		s := open(t, newPath(t))
		if _, err := s.Add(t.Context(), []ledger.Decision{storetest.Full()}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.writer.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Decisions(t.Context(), time.Time{}); !errors.Is(err, ledger.ErrCorrupt) || !strings.Contains(err.Error(), "decision 1") {
			t.Errorf("%s: error %v, want ErrCorrupt naming decision 1", name, err)
		}
	}
}

func TestADatabaseOfAnotherProgramIsRefusedAndLeftAsItIs(t *testing.T) {
	path := newPath(t)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('x')`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before := folder(t, path)
	_, err = Open(t.Context(), path, Options{})
	if err == nil || !strings.Contains(err.Error(), "another program") || errors.Is(err, ledger.ErrCorrupt) {
		t.Errorf("error %v, want it to say that the file is another program's", err)
	}
	if after := folder(t, path); !maps.Equal(after, before) {
		t.Error("the file was changed")
	}
}

// FuzzOpen overwrites a piece of a healthy ledger: whatever comes of it is an
// answer or an error, never a panic.
func FuzzOpen(f *testing.F) {
	good := healthy(f)
	f.Add(uint32(0), []byte("SQLite format 4\x00"))
	f.Add(uint32(16), []byte{0, 1})
	f.Add(uint32(28), []byte{0xff, 0xff, 0xff, 0xff})
	f.Add(uint32(100), random(200))
	f.Add(uint32(8192), random(4096))
	f.Fuzz(func(t *testing.T, at uint32, piece []byte) {
		content := bytes.Clone(good)
		copy(content[int(at)%len(content):], piece)
		path := newPath(t)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), path, Options{BusyTimeout: time.Millisecond})
		if err != nil {
			return
		}
		defer s.Close()
		all, _ := s.Decisions(t.Context(), time.Time{}) // the error is the other good answer
		for _, d := range all {
			if !d.Prefix.IsValid() {
				t.Errorf("a decision without a prefix got through: %+v", d)
			}
		}
		s.Add(t.Context(), []ledger.Decision{storetest.Block("192.0.2.1")})
	})
}

// What is written into a file that was removed or replaced would be lost without a word.
func TestAFileThatIsTakenAwayIsNotWrittenAnyMore(t *testing.T) {
	for _, c := range []struct {
		what string
		take func(path string) error
	}{
		{"removed", os.Remove},
		{"replaced", func(path string) error {
			copied, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return errors.Join(os.Remove(path), os.WriteFile(path, copied, 0o600))
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			s, err := Open(t.Context(), path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			lease, err := s.Acquire(t.Context(), ledger.Claim{Holder: "a"})
			if err != nil {
				t.Fatal(err)
			}
			defer lease.Close()
			kept := path + ".kept"
			if err := os.Link(path, kept); err != nil {
				t.Fatal(err)
			}
			if err := c.take(path); err != nil {
				t.Fatal(err)
			}
			const words = "was removed or replaced while it was open"
			if _, err := s.TakeIn(t.Context(), ledger.Intake{Windows: []byte("x")}); err == nil || !strings.Contains(err.Error(), words) {
				t.Errorf("taking in: %v", err)
			}
			if err := lease.Held(t.Context()); err == nil || !strings.Contains(err.Error(), words) {
				t.Errorf("asking for the lease: %v", err)
			}
			if err := os.Rename(kept, path); err != nil {
				t.Fatal(err)
			}
			if _, err := s.TakeIn(t.Context(), ledger.Intake{Windows: []byte("x")}); err != nil {
				t.Errorf("after it was put back: %v", err)
			}
		})
	}
}
