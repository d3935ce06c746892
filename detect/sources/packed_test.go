package sources_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"fwsync/detect"
	"fwsync/detect/sources"
)

func zipped(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text)) // a buffer takes all
	_ = z.Close()
	return b.Bytes()
}

func zstandard(text string) []byte {
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	return enc.EncodeAll([]byte(text), nil)
}

func TestPackedFiles(t *testing.T) {
	frame := zstandard
	one, two := failures(0, 9_000), failures(9_000, 18_000)
	half := func(b []byte) []byte { return b[:len(b)/2] }
	for _, c := range []struct {
		name  string
		bytes []byte
		least int64 // lines
		want  string
	}{
		{"gzip, two members", append(zipped(one), zipped(two)...), 24_000, ""},
		{"zstd, two frames", append(frame(one), frame(two)...), 24_000, ""},
		{"gzip of a journal", zipped(entry(1, failed) + entry(2, failed)), 2, ""},
		{"gzip, cut off", half(zipped(one + two)), 1_000, "unexpected EOF"},
		{"gzip, garbage behind", append(zipped(one), "garbage of some length"...), 12_000, "gzip: invalid header"},
		{"gzip, only its start", []byte{0x1f, 0x8b, 8}, 0, "unexpected EOF"},
		{"zstd, cut off", half(append(frame(one), frame(two)...)), 1_000, "unexpected EOF"},
		{"zstd, garbage behind", append(frame(one), "garbage"...), 12_000, "magic number mismatch"},
		{"zstd, only its start", []byte{0x28, 0xb5, 0x2f, 0xfd}, 0, "unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, filepath.Join(t.TempDir(), "mail.log"), string(c.bytes))
			rep, err := sources.Read(t.Context(), sources.Source{Path: path, Reference: reference}, sources.Position{}, func([]detect.Signal) {})
			if rep.Stats.Lines < c.least || (c.want == "" && rep.Stats.Lines != c.least) {
				t.Errorf("%d lines, want %d", rep.Stats.Lines, c.least)
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestAHoleOfAGigabyteIsReadWithoutHoldingIt(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a gigabyte")
	}
	path := write(t, filepath.Join(t.TempDir(), "mail.log"), failures(0, 3))
	if err := os.Truncate(path, 1<<30); err != nil {
		t.Fatal(err)
	}
	appendTo(t, path, "\n"+failures(3, 6))
	got, rep := readAll(t, sources.Source{Path: path}, sources.Position{})
	if len(got) != 6 || rep.Stats.Overlong != 1 || rep.Position.Offset <= 1<<30 {
		t.Errorf("%d signals, %+v, %+v", len(got), rep.Stats, rep.Position)
	}
}

func TestBinaryGarbageIsNoLog(t *testing.T) {
	garbage := make([]byte, 1<<20)
	for i := range garbage {
		garbage[i] = byte(i*i>>3 ^ i>>7)
	}
	_, rep := readAll(t, sources.Source{Path: write(t, filepath.Join(t.TempDir(), "mail.log"), string(garbage))}, sources.Position{})
	if rep.Health.OK || !strings.Contains(strings.Join(rep.Health.Notes, " "), "not a mail log") {
		t.Errorf("health %+v", rep.Health)
	}
}

func TestFollowAFIFOThroughItsWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.pipe")
	makeFIFO(t, path)
	got, ctx := newFollowing(), t.Context()
	ctx, cancel := context.WithCancel(ctx)
	arrived := make(chan int)
	done := make(chan error)
	go func() {
		done <- sources.Follow(ctx, []sources.Source{{Path: path}}, nil, func(b sources.Batch) error {
			for range b.Signals {
				arrived <- 1
			}
			return got.emit(b)
		})
	}()
	for n := range 3 { // each by a writer of its own
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(numbered(n)); err != nil {
			t.Fatal(err)
		}
		f.Close()
		<-arrived
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	got.wantRow(t, path, 0, 3)
}
