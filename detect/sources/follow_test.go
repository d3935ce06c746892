package sources_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fwsync/detect/sources"
)

// numbered is a line that says which it is.
func numbered(n int) string {
	return fmt.Sprintf("Nov 23 20:17:43 mail postfix/smtpd[%d]: warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: UGFzc3dvcmQ6\n", n)
}

func numberIn(raw []byte) (n int) {
	_, rest, _ := bytes.Cut(raw, []byte("["))
	fmt.Sscanf(string(rest[:min(len(rest), 10)]), "%d", &n)
	return n
}

// following is what a test keeps of the batches; emit is called by one goroutine
// at a time, and the test looks while all are asleep.
type following struct {
	numbers   map[string][]int
	positions map[string]sources.Position
	notes     map[string]string
	well      map[string]bool
	ended     map[string]bool
	fail      func() error
}

func newFollowing() *following {
	return &following{map[string][]int{}, map[string]sources.Position{}, map[string]string{}, map[string]bool{}, map[string]bool{}, func() error { return nil }}
}

func (f *following) emit(b sources.Batch) error {
	if err := f.fail(); err != nil {
		return err
	}
	for _, s := range b.Signals {
		f.numbers[b.Source] = append(f.numbers[b.Source], numberIn(s.Raw))
	}
	f.positions[b.Source] = b.Position
	f.notes[b.Source] += strings.Join(b.Health.Notes, "\n")
	f.well[b.Source] = b.Health.OK
	f.ended[b.Source] = b.Ended
	return nil
}

// wantRow fails unless the numbers are from … to-1, each once and in order.
func (f *following) wantRow(t *testing.T, path string, from, to int) {
	t.Helper()
	got := f.numbers[path]
	for i, n := range got {
		if n != from+i {
			t.Fatalf("signal %d is of line %d, want %d (%d signals)", i, n, from+i, len(got))
		}
	}
	if len(got) != to-from {
		t.Fatalf("%d signals, want %d", len(got), to-from)
	}
}

func TestFollowLosesNothingThroughRotations(t *testing.T) {
	const burst, perFile = 500, 7_000
	lines := 100_000
	if testing.Short() {
		lines = 30_000
	}
	rename := func(t *testing.T, path string, f *os.File) *os.File {
		for n := 8; n > 0; n-- {
			_ = os.Rename(fmt.Sprintf("%s.%d", path, n), fmt.Sprintf("%s.%d", path, n+1)) // the first ones are not there
		}
		if err := os.Rename(path, path+".1"); err != nil {
			t.Error(err)
		}
		f.Close()
		return opened(t, path)
	}
	copyTruncate := func(t *testing.T, path string, f *os.File) *os.File {
		all, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path+".1", all, 0o600)
		}
		if err == nil {
			err = f.Truncate(0)
		}
		if err != nil {
			t.Error(err)
		}
		return f
	}
	for _, c := range []struct {
		name   string
		rotate func(*testing.T, string, *os.File) *os.File
		pause  time.Duration
	}{
		{"renamed", rename, 25 * time.Millisecond},
		{"renamed more often than it is looked at", rename, time.Millisecond},
		{"copied and truncated", copyTruncate, 25 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "mail.log")
				f := opened(t, path)
				got := newFollowing()
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error)
				go func() { done <- sources.Follow(ctx, []sources.Source{{Path: path}}, nil, got.emit) }()
				synctest.Wait()
				for n := 0; n < lines; {
					var text strings.Builder
					for range burst {
						text.WriteString(numbered(n))
						n++
					}
					// A line may be written in two pieces.
					half := text.Len() / 2
					for _, piece := range []string{text.String()[:half], text.String()[half:]} {
						if _, err := f.WriteString(piece); err != nil {
							t.Fatal(err)
						}
						time.Sleep(c.pause)
					}
					if n%perFile == 0 {
						f = c.rotate(t, path, f)
					}
				}
				f.Close()
				time.Sleep(time.Second)
				cancel()
				if err := <-done; err != nil {
					t.Fatal(err)
				}
				got.wantRow(t, path, 0, lines)
			})
		})
	}
}

func opened(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFollowGoesOnAfterARestartAnywhere(t *testing.T) {
	const lines = 30_000
	path := filepath.Join(t.TempDir(), "mail.log")
	kept := newFollowing()
	stopped := errors.New("stopped")
	n := 0
	for run := 0; len(kept.numbers[path]) < lines; run++ {
		if run == 100 {
			t.Fatal("it does not go on")
		}
		synctest.Test(t, func(t *testing.T) {
			// Each run is stopped by its third batch, which is then lost.
			batches := 0
			kept.fail = func() error {
				if batches++; batches == 3 {
					return stopped
				}
				return nil
			}
			f := opened(t, path)
			defer f.Close()
			for range min(2_000, lines-n) {
				if _, err := f.WriteString(numbered(n)); err != nil {
					t.Fatal(err)
				}
				n++
			}
			if run%3 == 1 {
				if err := os.Rename(path, path+".1"); err != nil {
					t.Fatal(err)
				}
				defer opened(t, path).Close()
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			if err := sources.Follow(ctx, []sources.Source{{Path: path}}, map[string]sources.Position{path: kept.positions[path]}, kept.emit); err != nil && !errors.Is(err, stopped) {
				t.Fatal(err)
			}
		})
	}
	kept.wantRow(t, path, 0, lines)
}

func TestFollowSurvivesWhatBecomesOfAFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		sick, well := filepath.Join(dir, "sick.log"), filepath.Join(dir, "well.log")
		got := newFollowing()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- sources.Follow(ctx, []sources.Source{{Path: sick}, {Path: well}}, nil, got.emit)
		}()
		n := 0
		step := func(name string, do func() error, ok bool, note string) {
			t.Helper()
			got.notes[sick] = ""
			if err := do(); err != nil {
				t.Fatal(err)
			}
			appendTo(t, well, numbered(n))
			n++
			time.Sleep(3 * time.Second)
			synctest.Wait()
			got.wantRow(t, well, 0, n)
			if got.well[sick] != ok || !strings.Contains(got.notes[sick], note) || (note == "") != (got.notes[sick] == "") {
				t.Errorf("%s: ok %v, notes %q", name, got.well[sick], got.notes[sick])
			}
		}
		put := func(from, to int) func() error {
			return func() error {
				for i := from; i < to; i++ {
					appendTo(t, sick, numbered(i))
				}
				return nil
			}
		}
		step("it is not there yet", func() error { return nil }, false, "no such file")
		step("it appears", put(0, 3), true, "")
		step("an unfinished line waits", func() error { appendTo(t, sick, numbered(3)[:40]); return nil }, true, "")
		got.wantRow(t, sick, 0, 3)
		step("it is finished", func() error { appendTo(t, sick, numbered(3)[40:]); return nil }, true, "")
		got.wantRow(t, sick, 0, 4)
		step("it vanishes", func() error { return os.Remove(sick) }, false, "no such file")
		step("it comes back", put(4, 6), true, "going on with the new file")
		step("it is a directory", func() error { return errors.Join(os.Remove(sick), os.Mkdir(sick, 0o700)) }, false, "is a directory")
		step("it is a log again", func() error { return errors.Join(os.Remove(sick), put(6, 8)()) }, true, "going on")
		step("it is emptied", func() error { return os.Truncate(sick, 0) }, true, "is lost")
		step("it grows again", put(8, 20), true, "")
		got.wantRow(t, sick, 0, 20)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

func TestFollowEndsWithItsStreams(t *testing.T) {
	a, b := numbered(0)+numbered(1)+"no syslog\n", numbered(0)+strings.TrimSuffix(numbered(1), "\n")
	got := newFollowing()
	logs := []sources.Source{{Path: "a", Reader: strings.NewReader(a)}, {Path: "b", Reader: io.MultiReader(strings.NewReader(b), iotestErr{})}}
	if err := sources.Follow(t.Context(), logs, nil, got.emit); err != nil {
		t.Fatal(err)
	}
	got.wantRow(t, "a", 0, 2)
	if !got.ended["a"] || !got.well["a"] || !strings.Contains(got.notes["a"], "1 of 3 lines") {
		t.Errorf("ended %v, well %v, notes %q", got.ended["a"], got.well["a"], got.notes["a"])
	}
	got.wantRow(t, "b", 0, 1)
	if !got.ended["b"] || got.well["b"] || !strings.Contains(got.notes["b"], "the cable") {
		t.Errorf("ended %v, well %v, notes %q", got.ended["b"], got.well["b"], got.notes["b"])
	}
	full := errors.New("the ledger is full")
	got.fail = func() error { return full }
	if err := sources.Follow(t.Context(), []sources.Source{{Path: "a", Reader: strings.NewReader(a)}}, nil, got.emit); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	if err := sources.Follow(t.Context(), []sources.Source{{Path: "a"}, {Path: "a"}}, nil, got.emit); err == nil {
		t.Error("one log twice is no error")
	}
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, errors.New("the cable was pulled") }
