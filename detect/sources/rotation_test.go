package sources_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fwsync/detect/sources"
)

func TestRotation(t *testing.T) {
	before, rest, after := failures(0, 30), failures(30, 50), failures(100, 120)
	type file = func(t *testing.T, path string)
	rename := func(to string) file {
		return func(t *testing.T, path string) {
			appendTo(t, path, rest)
			if err := os.Rename(path, path+to); err != nil {
				t.Fatal(err)
			}
			write(t, path, after)
		}
	}
	copyTruncate := func(t *testing.T, path string) {
		appendTo(t, path, rest)
		all, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path+".1", string(all))
		write(t, path, after)
	}
	replace := func(t *testing.T, path, text string) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		write(t, path+".new", text)
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	packed := func(to string, pack func(string) []byte) file {
		return func(t *testing.T, path string) {
			write(t, path+to, string(pack(before+rest)))
			replace(t, path, after)
		}
	}
	for _, c := range []struct {
		name   string
		rotate file
		want   string // nil is: rest, then after
		ok     bool
		note   string
	}{
		{"renamed to .1", rename(".1"), rest + after, true, ".1 was read first"},
		{"renamed to a date", rename("-20261124"), rest + after, true, "-20261124 was read first"},
		{"a wrong .1 beside the right date", func(t *testing.T, path string) {
			write(t, path+".1", failures(500, 560))
			rename("-20261124")(t, path)
		}, rest + after, true, "-20261124 was read first"},
		{"copied and truncated, then grown beyond the position", func(t *testing.T, path string) {
			copyTruncate(t, path)
			appendTo(t, path, failures(120, 200))
		}, rest + after + failures(120, 200), true, "the file was truncated"},
		{"copied and truncated", copyTruncate, rest + after, true, ".1 was read first"},
		{"rotated twice", func(t *testing.T, path string) {
			appendTo(t, path, rest)
			for _, names := range [][2]string{{"", ".1"}, {".1", ".2"}} {
				if err := os.Rename(path+names[0], path+names[1]); err != nil {
					t.Fatal(err)
				}
			}
			write(t, path+".1", failures(60, 90))
			write(t, path, after)
		}, rest + failures(60, 90) + after, true, ".1 was read first"},
		{"compressed", packed(".1.gz", zipped), rest + after, true, ".1.gz was read first"},
		{"compressed with zstd", packed(".1.zst", zstandard), rest + after, true, ".1.zst was read first"},
		{"compressed with a date", packed("-20261124.gz", zipped), rest + after, true, "-20261124.gz was read first"},
		{"compressed, the last line unfinished", func(t *testing.T, path string) {
			write(t, path+".1.gz", string(zipped(strings.TrimSuffix(before+rest, "\n"))))
			replace(t, path, after)
		}, rest + after, true, ".1.gz was read first"},
		{"rotated twice, all compressed", func(t *testing.T, path string) {
			write(t, path+".2.gz", string(zipped(before+rest)))
			write(t, path+".1.gz", string(zipped(failures(60, 90))))
			replace(t, path, after)
		}, rest + failures(60, 90) + after, true, ".1.gz was read first"},
		{"rotated twice, the first compressed", func(t *testing.T, path string) {
			write(t, path+".2.zst", string(zstandard(before+rest)))
			write(t, path+".1", failures(60, 90))
			replace(t, path, after)
		}, rest + failures(60, 90) + after, true, ".1 was read first"},
		{"being compressed", func(t *testing.T, path string) {
			rename(".1")(t, path)
			write(t, path+".1.gz", string(zipped(before + rest)[:40]))
		}, rest + after, true, ".1 was read first"},
		{"twice, the second being compressed", func(t *testing.T, path string) {
			write(t, path+".2.gz", string(zipped(before+rest)))
			write(t, path+".1", failures(60, 90))
			write(t, path+".1.gz", string(zipped(failures(60, 90))[:40]))
			replace(t, path, after)
		}, rest + failures(60, 90) + after, true, ".1 was read first"},
		{"another one compressed", func(t *testing.T, path string) {
			write(t, path+".1.gz", string(zipped(failures(500, 560))))
			replace(t, path, after)
		}, after, false, "is lost"},
		{"compressed, and cut off before the position", func(t *testing.T, path string) {
			write(t, path+".1.gz", string(zipped(failures(0, 20))))
			replace(t, path, after)
		}, after, false, "is damaged, what it got after byte"},
		{"compressed, and damaged", func(t *testing.T, path string) {
			all := zstandard(before + rest)
			write(t, path+".1.zst", string(append(all, "garbage"...)))
			replace(t, path, after)
		}, rest + after, false, ".1.zst is damaged"},
		{"renamed to nowhere", func(t *testing.T, path string) { replace(t, path, after) }, after, false, "is lost"},
		{"renamed, and the new file is empty", func(t *testing.T, path string) {
			rename(".1")(t, path)
			write(t, path, "")
		}, rest, true, ".1 was read first"},
		{"renamed, its last line unfinished", func(t *testing.T, path string) {
			appendTo(t, path, strings.TrimSuffix(rest, "\n"))
			if err := os.Rename(path, path+".1"); err != nil {
				t.Fatal(err)
			}
			write(t, path, after)
		}, rest + after, true, ".1 was read first"},
		{"the same start but shorter than the position", func(t *testing.T, path string) {
			if err := os.Truncate(path, int64(len(failures(0, 20)))); err != nil {
				t.Fatal(err)
			}
		}, failures(0, 20), true, "the file shrank"},
		{"moved to another file system and back", func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			write(t, path, before+rest)
		}, rest, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, filepath.Join(t.TempDir(), "mail[1].log"), before)
			_, rep := readAll(t, sources.Source{Path: path}, sources.Position{})
			c.rotate(t, path)
			got, rep := readAll(t, sources.Source{Path: path}, rep.Position)
			var texts, want strings.Builder
			for _, s := range got {
				texts.WriteString(s.text + "\n")
			}
			for line := range strings.Lines(c.want) {
				if strings.Contains(line, "SASL") {
					want.WriteString(line)
				}
			}
			if texts.String() != want.String() {
				t.Errorf("got %d signals, want %d:\n%s", len(got), strings.Count(want.String(), "\n"), texts.String())
			}
			notes := strings.Join(rep.Health.Notes, "\n")
			if rep.Health.OK != c.ok || !strings.Contains(notes, c.note) || (c.note == "" && notes != "") {
				t.Errorf("health %+v, want %q", rep.Health, c.note)
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if rep.Position.Offset != info.Size() {
				t.Errorf("position %+v, the file has %d bytes", rep.Position, info.Size())
			}
			again, rep := readAll(t, sources.Source{Path: path}, rep.Position)
			if len(again) > 0 || len(rep.Health.Notes) > 0 {
				t.Errorf("a run without news: %+v, %v", again, rep.Health.Notes)
			}
		})
	}
}

func TestAPositionInAnEmptyFileIsItsStart(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "mail.log"), "")
	_, rep := readAll(t, sources.Source{Path: path}, sources.Position{})
	appendTo(t, path, failures(0, 4))
	got, rep := readAll(t, sources.Source{Path: path}, rep.Position)
	check(t, got, failures(0, 4))
	if len(rep.Health.Notes) > 0 {
		t.Errorf("notes %v", rep.Health.Notes)
	}
}

func TestAPositionOfAnotherPathIsNotUsed(t *testing.T) {
	dir := t.TempDir()
	_, rep := readAll(t, sources.Source{Path: write(t, filepath.Join(dir, "a.log"), failures(0, 30))}, sources.Position{})
	got, rep := readAll(t, sources.Source{Path: write(t, filepath.Join(dir, "b.log"), failures(40, 50))}, rep.Position)
	check(t, got, failures(40, 50))
	if len(rep.Health.Notes) > 0 {
		t.Errorf("notes %v", rep.Health.Notes)
	}
}
