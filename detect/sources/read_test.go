package sources_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"fwsync/detect"
	"fwsync/detect/maillog"
	"fwsync/detect/sources"
)

var reference = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

// failure is a line of one SASL failure, some 100 bytes.
func failure(n int) string {
	return fmt.Sprintf("Nov 23 20:%02d:%02d mail postfix/smtpd[%d]: warning: unknown[192.0.2.%d]: SASL LOGIN authentication failed: UGFzc3dvcmQ6\n", n/60%60, n%60, n, n%200+1)
}

func failures(from, to int) string {
	var b strings.Builder
	for n := from; n < to; n++ {
		b.WriteString(failure(n))
		if n%3 == 0 {
			b.WriteString("Nov 23 20:00:00 mail postfix/qmgr[1]: 47548B63D7: removed\n")
		}
	}
	return b.String()
}

func write(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func appendTo(t testing.TB, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

type seen struct {
	source       string
	line, offset int64
	text         string
}

func readAll(t testing.TB, src sources.Source, from sources.Position) ([]seen, sources.Report) {
	t.Helper()
	src.Reference = reference
	var out []seen
	rep, err := sources.Read(t.Context(), src, from, func(ss []detect.Signal) {
		for _, s := range ss {
			out = append(out, seen{s.Source, s.Line, s.Offset, string(s.Raw)})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, rep
}

// check compares signals with what a plain reading of the text finds.
func check(t testing.TB, got []seen, text string) {
	t.Helper()
	p := maillog.New(maillog.Options{Reference: reference})
	i, offset := 0, 0
	for n, line := range strings.SplitAfter(text, "\n") {
		bare := strings.TrimSuffix(line, "\n")
		if len(bare) <= sources.MaxLine {
			if _, v := p.Parse([]byte(bare)); v == maillog.Signal {
				if i == len(got) {
					t.Fatalf("%d signals only, line %d is missing", len(got), n+1)
				}
				if g := got[i]; g.line != int64(n+1) || g.offset != int64(offset) || g.text != bare {
					t.Fatalf("signal %d is %+v, want line %d offset %d %q", i, g, n+1, offset, bare)
				}
				i++
			}
		}
		offset += len(line)
	}
	if i != len(got) {
		t.Fatalf("%d signals, want %d", len(got), i)
	}
}

func TestSignalsComeInOrderWhateverTheReadsAndWorkers(t *testing.T) {
	text := failures(0, 40_000) // some 5 MB
	for _, workers := range []int{1, 2, 7} {
		got, rep := readAll(t, sources.Source{Path: write(t, filepath.Join(t.TempDir(), "mail.log"), text), Workers: workers}, sources.Position{})
		check(t, got, text)
		if rep.Stats.Bytes != int64(len(text)) || rep.Stats.Lines != int64(strings.Count(text, "\n")) || rep.Stats.Signals != 40_000 || !rep.Health.OK || len(rep.Health.Notes) > 0 {
			t.Errorf("report %+v", rep)
		}
		if rep.LastLineTime.IsZero() || rep.Position.Offset != int64(len(text)) || rep.Position.Line != rep.Stats.Lines {
			t.Errorf("report %+v", rep)
		}
	}
	small := failures(0, 200)
	for name, r := range map[string]io.Reader{
		"one byte at a time": iotest.OneByteReader(strings.NewReader(small)),
		"half of each read":  iotest.HalfReader(strings.NewReader(small)),
		"data and EOF":       iotest.DataErrReader(strings.NewReader(small)),
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := readAll(t, sources.Source{Path: "-", Reader: r}, sources.Position{})
			check(t, got, small)
		})
	}
}

func TestTheNextRunReadsOnWhereverTheFileEnded(t *testing.T) {
	text := failures(0, 12)
	path := filepath.Join(t.TempDir(), "mail.log")
	for cut := 0; cut <= len(text); cut += 7 {
		write(t, path, text[:cut])
		first, rep := readAll(t, sources.Source{Path: path}, sources.Position{})
		whole := strings.LastIndex(text[:cut], "\n") + 1
		check(t, first, text[:whole])
		if rep.Position.Offset != int64(whole) {
			t.Fatalf("cut at %d: position %+v", cut, rep.Position)
		}
		appendTo(t, path, text[cut:])
		second, rep := readAll(t, sources.Source{Path: path}, rep.Position)
		check(t, append(first, second...), text)
		if len(rep.Health.Notes) > 0 {
			t.Fatalf("cut at %d: %v", cut, rep.Health.Notes)
		}
		third, _ := readAll(t, sources.Source{Path: path}, rep.Position)
		check(t, third, "")
	}
}

func TestAnUnfinishedLastLineIsReadOnlyWhenFinal(t *testing.T) {
	text := strings.TrimSuffix(failures(1, 3), "\n")
	path := write(t, filepath.Join(t.TempDir(), "mail.log"), text)
	if got, _ := readAll(t, sources.Source{Path: path}, sources.Position{}); len(got) != 1 {
		t.Errorf("not final: %+v", got)
	}
	got, rep := readAll(t, sources.Source{Path: path, Final: true}, sources.Position{})
	check(t, got, text)
	if rep.Position.Offset != int64(len(text)) || rep.Stats.Lines != 2 {
		t.Errorf("report %+v", rep)
	}
}

func TestOverlongLinesAreSkippedAndCounted(t *testing.T) {
	for _, c := range []struct {
		name     string
		length   int
		overlong int64
	}{
		{"exactly the limit is a line", sources.MaxLine, 0},
		{"one byte more is not", sources.MaxLine + 1, 1},
		{"a line as long as several chunks", 5*sources.MaxLine + 17, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			long := failure(7)
			long = strings.TrimSuffix(long, "\n") + strings.Repeat("x", c.length-len(long)+1) + "\n"
			text := failures(0, 9000) + long + failures(0, 500) + long + long + failures(0, 20)
			path := write(t, filepath.Join(t.TempDir(), "mail.log"), text)
			got, rep := readAll(t, sources.Source{Path: path}, sources.Position{})
			check(t, got, text)
			if rep.Stats.Overlong != 3*c.overlong || rep.Stats.Lines != int64(strings.Count(text, "\n")) || rep.Stats.Bytes != int64(len(text)) {
				t.Errorf("stats %+v", rep.Stats)
			}
			if rep.Position.Line != rep.Stats.Lines || rep.Position.Offset != int64(len(text)) {
				t.Errorf("position %+v", rep.Position)
			}
		})
	}
}

// endless is a line without an end.
type endless struct{ left int64 }

func (e *endless) Read(b []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(b)), e.left))
	for i := range b[:n] {
		b[i] = 'x'
	}
	e.left -= int64(n)
	return n, nil
}

func TestALineOf300MBIsNotHeldInMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, rep := readAll(t, sources.Source{Path: "-", Reader: &endless{300 << 20}, Final: true}, sources.Position{})
	runtime.ReadMemStats(&after)
	if grew := (after.TotalAlloc - before.TotalAlloc) >> 20; grew > 40 {
		t.Errorf("%d MiB allocated", grew)
	}
	if rep.Stats.Overlong != 1 || rep.Stats.Lines != 1 || rep.Stats.Bytes != 300<<20 || rep.Health.OK {
		t.Errorf("report %+v", rep)
	}
}

func TestAnUnfinishedOverlongLineIsLeftForTheNextRun(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "mail.log"), failure(1)+strings.Repeat("x", 3<<20))
	got, rep := readAll(t, sources.Source{Path: path}, sources.Position{})
	if len(got) != 1 || rep.Stats.Overlong != 0 || rep.Position.Offset != int64(len(failure(1))) {
		t.Fatalf("report %+v", rep)
	}
	appendTo(t, path, "\n"+failure(2))
	got, rep = readAll(t, sources.Source{Path: path}, rep.Position)
	if len(got) != 1 || got[0].line != 3 || rep.Stats.Overlong != 1 {
		t.Errorf("%+v, report %+v", got, rep)
	}
}

func TestWhatIsNoLogIsSaidToBeSick(t *testing.T) {
	binary := make([]byte, 3<<20)
	for i := range binary {
		binary[i] = byte(i * i >> 3)
	}
	for _, c := range []struct {
		name, text string
		ok         bool
		note       string
	}{
		{"binary", string(binary), false, "not syslog lines"},
		{"prose", strings.Repeat("It was a dark and stormy night.\n", 50), false, "50 of 50 lines are not syslog lines"},
		{"a hole of NUL bytes, as after a power cut", failures(0, 9) + strings.Repeat("\x00", 4096) + failures(0, 9), true, "1 lines contain NUL bytes"},
		{"clients without addresses", failures(0, 9) + "Nov 23 20:00:00 mail postfix/smtpd[1]: lost connection after CONNECT from unknown[unknown]\n", true, "1 lines name no client address"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, filepath.Join(t.TempDir(), "mail.log"), c.text)
			_, rep := readAll(t, sources.Source{Path: path, Final: true}, sources.Position{})
			if rep.Health.OK != c.ok || !strings.Contains(strings.Join(rep.Health.Notes, "\n"), c.note) {
				t.Errorf("health %+v", rep.Health)
			}
		})
	}
}

func TestWhatCannotBeReadIsAnErrorThatNamesThePath(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		dir:                           "is a directory, not a log",
		filepath.Join(dir, "nothing"): "no such file or directory",
	} {
		_, err := sources.Read(t.Context(), sources.Source{Path: path}, sources.Position{}, func([]detect.Signal) {})
		if err == nil || err.Error() != fmt.Sprintf("reading log %q: %s", path, want) {
			t.Errorf("error %v", err)
		}
	}
	_, err := sources.Read(t.Context(), sources.Source{Path: filepath.Join(dir, "nothing")}, sources.Position{}, func([]detect.Signal) {})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v is not os.ErrNotExist", err)
	}
	broken := errors.New("the disk is gone")
	got := 0
	rep, err := sources.Read(t.Context(), sources.Source{Path: "-", Reader: io.MultiReader(strings.NewReader(failures(0, 5)), iotest.ErrReader(broken)), Reference: reference}, sources.Position{}, func(ss []detect.Signal) { got += len(ss) })
	if !errors.Is(err, broken) || got != 5 || rep.Stats.Signals != 5 {
		t.Errorf("error %v after %d signals", err, got)
	}
}

func TestACancelledReadStopsBetweenChunksAtAPositionToGoOnFrom(t *testing.T) {
	text := failures(0, 60_000)
	path := write(t, filepath.Join(t.TempDir(), "mail.log"), text)
	ctx, cancel := context.WithCancel(t.Context())
	var got []seen
	rep, err := sources.Read(ctx, sources.Source{Path: path, Reference: reference}, sources.Position{}, func(ss []detect.Signal) {
		cancel()
		for _, s := range ss {
			got = append(got, seen{s.Source, s.Line, s.Offset, string(s.Raw)})
		}
	})
	if !errors.Is(err, context.Canceled) || rep.Position.Offset == 0 || rep.Position.Offset == int64(len(text)) {
		t.Fatalf("error %v, position %+v", err, rep.Position)
	}
	rest, _ := readAll(t, sources.Source{Path: path}, rep.Position)
	check(t, append(got, rest...), text)
}

func TestAGzipFileIsReadUnpacked(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	io.WriteString(w, failures(0, 100))
	w.Close()
	path := write(t, filepath.Join(t.TempDir(), "mail.log.2.gz"), z.String())
	got, _ := readAll(t, sources.Source{Path: path}, sources.Position{})
	check(t, got, failures(0, 100))
	write(t, path, z.String()[:z.Len()/2])
	if _, err := sources.Read(t.Context(), sources.Source{Path: path}, sources.Position{}, func([]detect.Signal) {}); !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), path) {
		t.Errorf("a damaged one: %v", err)
	}
}

func TestPerLineSaysOneThingAboutEveryLine(t *testing.T) {
	text := failures(0, 20_000) + strings.Repeat("y", 2*sources.MaxLine) + "\nnonsense\n\n" + failure(8) + "Nov 23 20:00:00 mail postfix/qmgr[1]: 47548B63D7: removed"
	var out bytes.Buffer
	rep, err := sources.PerLine(t.Context(), sources.Source{Path: "-", Reader: strings.NewReader(text), Reference: reference, Final: true}, &out)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text, "\n")
	p := maillog.New(maillog.Options{Reference: reference})
	d := json.NewDecoder(&out)
	for i, line := range lines {
		var got struct {
			Line       int
			IP, Signal *string
		}
		if err := d.Decode(&got); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		s, v := p.Parse([]byte(line))
		if got.Line != i+1 || (v == maillog.Signal) != (got.IP != nil) || (v == maillog.Signal) != (got.Signal != nil) {
			t.Fatalf("line %d: %+v", i+1, got)
		}
		if v == maillog.Signal && (*got.IP != s.Addr.String() || *got.Signal != s.Kind.String()) {
			t.Fatalf("line %d: %s %s", i+1, *got.IP, *got.Signal)
		}
	}
	if d.More() || rep.Stats.Lines != int64(len(lines)) {
		t.Errorf("more output than lines, or %+v", rep.Stats)
	}
	full := errors.New("the pipe is closed")
	if _, err := sources.PerLine(t.Context(), sources.Source{Path: "-", Reader: strings.NewReader(text), Reference: reference}, failingWriter{full}); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// A worker that consumes must not wait for itself when what it calls ends in a panic.
func TestAPanicOfWhoObservesComesThrough(t *testing.T) {
	defer func() {
		if got := recover(); got != "enough" {
			t.Errorf("recovered %v", got)
		}
	}()
	_, err := sources.Read(t.Context(), sources.Source{Path: "log", Reader: strings.NewReader(failures(0, 10)), Workers: 1, Final: true}, sources.Position{}, func([]detect.Signal) { panic("enough") })
	t.Errorf("no panic, %v", err)
}
