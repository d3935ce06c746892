package sources_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fwsync/detect"
	"fwsync/detect/sources"
)

// A session's summary counts only what its lines before did not say, also where these
// were read before the log was compressed, and however much lies before them.
func TestASummaryInACompressedLogCountsWhatIsMissing(t *testing.T) {
	const failed = "Nov 23 20:17:51 mx postfix/smtpd[7]: warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: x\n"
	for _, bytesBefore := range []int{0, 1 << 10, 1 << 18, 1<<20 + 17} {
		before := strings.Repeat("Nov 23 20:17:50 mx postfix/anvil[1]: statistics: nothing to see here\n", bytesBefore/69) + failed + failed
		rest := "Nov 23 20:17:52 mx postfix/smtpd[7]: disconnect from unknown[192.0.2.7] ehlo=1 auth=0/3 commands=1/4\n"
		path := write(t, filepath.Join(t.TempDir(), "mail.log"), before)
		_, rep := readAll(t, sources.Source{Path: path, Reference: reference}, sources.Position{})
		for packedAs, bytes := range map[string][]byte{".1.gz": zipped(before + rest), ".1.zst": zstandard(before + rest)} {
			write(t, path+packedAs, string(bytes))
			write(t, path, "Nov 23 20:20:00 mx postfix/anvil[1]: statistics: of the new file\n")
			var got []string
			again, err := sources.Read(t.Context(), sources.Source{Path: path, Reference: reference}, rep.Position, func(signals []detect.Signal) {
				for _, s := range signals {
					got = append(got, fmt.Sprintf("%s %s ×%d in %s line %d byte %d", s.Kind, s.Addr, s.Times(), filepath.Base(s.Source), s.Line, s.Offset))
				}
			})
			want := fmt.Sprintf("[smtp.auth_failed 192.0.2.7 ×1 in mail.log%s line %d byte %d]", packedAs, strings.Count(before, "\n")+1, len(before))
			if err != nil || fmt.Sprint(got) != want || !again.Health.OK {
				t.Errorf("with %d bytes before: %v, %v, %v, want %s", len(before), got, err, again.Health, want)
			}
			if err := os.Remove(path + packedAs); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Whoever follows may be stopped in the middle of a compressed log, also of one that it
// had never seen as it was, and goes on there, even if that is called otherwise by then.
func TestFollowGoesOnInTheMiddleOfACompressedLog(t *testing.T) {
	const perFile = 8_000 // many batches
	path := filepath.Join(t.TempDir(), "mail.log")
	text := func(file int) string {
		var b strings.Builder
		for n := file * perFile; n < (file+1)*perFile; n++ {
			b.WriteString(numbered(n))
		}
		return b.String()
	}
	begun := strings.Join(strings.SplitAfter(text(0), "\n")[:100], "")
	write(t, path, begun)
	_, rep := readAll(t, sources.Source{Path: path}, sources.Position{})
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write(t, path+".3.gz", string(zipped(text(0))))
	write(t, path+".2.zst", string(zstandard(text(1))))
	write(t, path+".1.gz", string(zipped(text(2))))
	write(t, path, text(3))

	kept := newFollowing()
	for n := range 100 {
		kept.numbers[path] = append(kept.numbers[path], n)
	}
	position, stopped, stops := rep.Position, errors.New("stopped"), 0
	for len(kept.numbers[path]) < 4*perFile {
		if stops++; stops > 100 {
			t.Fatal("it does not go on")
		}
		synctest.Test(t, func(t *testing.T) {
			batches := 0 // each run is stopped by its fourth batch, which is then lost
			kept.fail = func() error {
				if batches++; batches == 4 {
					return stopped
				}
				return nil
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			if err := sources.Follow(ctx, []sources.Source{{Path: path}}, map[string]sources.Position{path: position}, kept.emit); err != nil && !errors.Is(err, stopped) {
				t.Fatal(err)
			}
			position = kept.positions[path]
		})
		if stops == 3 { // the next rotation
			for n := 3; n > 0; n-- {
				for _, suffix := range []string{".gz", ".zst"} {
					_ = os.Rename(fmt.Sprintf("%s.%d%s", path, n, suffix), fmt.Sprintf("%s.%d%s", path, n+1, suffix)) // one of them is there
				}
			}
		}
	}
	kept.wantRow(t, path, 0, 4*perFile)
	if stops < 10 {
		t.Errorf("it was stopped only %d times", stops)
	}
}
