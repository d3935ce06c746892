package sources_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"fwsync/detect"
	"fwsync/detect/sources"
)

// field is one of a journal's entry, written as text or, as journald does when it
// must, as binary.
func field(name, value string, asBinary bool) string {
	if asBinary || strings.ContainsAny(value, "\n\x00") {
		size := binary.LittleEndian.AppendUint64(nil, uint64(len(value)))
		return name + "\n" + string(size) + value + "\n"
	}
	return name + "=" + value + "\n"
}

func entry(n int, message string) string {
	return field("__CURSOR", fmt.Sprintf("s=1;i=%d", n), false) + field("__REALTIME_TIMESTAMP", fmt.Sprint(1795464000123456+int64(n)), false) +
		field("_HOSTNAME", "mail", false) + field("_COMM", "smtpd", false) + field("_PID", "77", false) +
		field("SYSLOG_IDENTIFIER", "postfix/smtpd", false) + field("MESSAGE", message, false) + "\n"
}

const failed = "warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: "

func readJournal(t testing.TB, r io.Reader) (raw []string, rep sources.Report, err error) {
	t.Helper()
	rep, err = sources.Read(t.Context(), sources.Source{Path: "journal", Reader: r, Final: true}, sources.Position{}, func(ss []detect.Signal) {
		for _, s := range ss {
			raw = append(raw, string(s.Raw))
		}
	})
	return raw, rep, err
}

func TestAJournalsEntriesAreLines(t *testing.T) {
	hostile := failed + "x\n\n__CURSOR=s=9\nMESSAGE=warning: unknown[198.51.100.77]: SASL LOGIN authentication failed: y\n2026-11-23T20:17:43+00:00 mail postfix/smtpd[1]: warning: unknown[198.51.100.77]: SASL LOGIN authentication failed: z"
	text := entry(1, failed+"a") + "\n" + entry(2, hostile) + entry(3, "connect from unknown[192.0.2.1]") +
		field("__CURSOR", "s=1;i=4", false) + field("MESSAGE", failed, false) + "\n" + // without a time
		strings.Replace(entry(5, failed+"b"), "postfix/smtpd", "postfix/smtpd[1]: warning: unknown[198.51.100.77]: SASL LOGIN authentication failed", 1) +
		entry(6, failed+strings.Repeat("c", 70_000)) + entry(7, failed+strings.Repeat("d", 3<<20)) + entry(8, failed+"e\x00")
	for name, r := range map[string]io.Reader{"at once": strings.NewReader(text), "in halves": iotest.HalfReader(strings.NewReader(text)), "with the end": iotest.DataErrReader(strings.NewReader(text))} {
		raw, rep, err := readJournal(t, r)
		if err != nil {
			t.Fatal(name, err)
		}
		want := []string{"a", "?__CURSOR=s=9?MESSAGE=warning", "ccc", "e?"}
		if len(raw) != len(want) {
			t.Fatalf("%s: %d signals: %.300q", name, len(raw), raw)
		}
		for i, part := range want {
			if !strings.HasPrefix(raw[i], "2026-11-2") || !strings.Contains(raw[i], " mail postfix/smtpd[77]: "+failed) || !strings.Contains(raw[i], part) {
				t.Errorf("%s: signal %d is %.200q", name, i, raw[i])
			}
		}
		if rep.Stats.Lines != 8 || rep.Stats.Overlong != 1 || rep.Stats.Malformed != 1 || rep.Position.Cursor != "s=1;i=8" {
			t.Errorf("%s: %+v, position %+v", name, rep.Stats, rep.Position)
		}
	}
}

func TestADamagedJournalIsAnErrorAfterWhatWasRead(t *testing.T) {
	good := entry(1, failed+"a") + entry(2, failed+"b")
	size := func(n uint64) string { return string(binary.LittleEndian.AppendUint64(nil, n)) }
	for name, c := range map[string]struct{ rest, want string }{
		"cut off in a field":      {"__CURSOR=s=1;i=3\nMESS", "unexpected EOF"},
		"cut off in a size":       {"MESSAGE\n\x01\x00", "unexpected EOF"},
		"cut off in binary":       {"MESSAGE\n" + size(1<<62) + strings.Repeat("x", 100_000), "unexpected EOF"},
		"cut off in long text":    {"MESSAGE=" + strings.Repeat("x", 100_000), "unexpected EOF"},
		"binary without an end":   {"MESSAGE\n" + size(2) + "abc\n\n", "does not end with a newline"},
		"a name that never ends":  {strings.Repeat("x", 100_000), "endless"},
		"a last entry unfinished": {"__CURSOR=s=1;i=3\n", ""},
	} {
		raw, rep, err := readJournal(t, strings.NewReader(good+c.rest))
		if len(raw) != 2 || rep.Stats.Signals != 2 {
			t.Errorf("%s: %d signals", name, len(raw))
		}
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestNoMessageIsTwoLines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		n := rapid.IntRange(1, 20).Draw(t, "entries")
		for i := range n {
			text.WriteString(field("__CURSOR", fmt.Sprint(i), false))
			for _, name := range []string{"MESSAGE", "_HOSTNAME", "SYSLOG_IDENTIFIER", "_PID", "__REALTIME_TIMESTAMP", "OTHER"} {
				if rapid.Bool().Draw(t, "there") {
					text.WriteString(field(name, rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9]{1,16}`), rapid.StringMatching(`[\n =\[\]]{0,9}`)).Draw(t, "value"), rapid.Bool().Draw(t, "binary")))
				}
			}
			text.WriteString("\n")
		}
		rep, err := sources.Read(t.Context(), sources.Source{Path: "journal", Reader: strings.NewReader(text.String())}, sources.Position{}, func([]detect.Signal) {})
		if err != nil {
			t.Fatal(err)
		}
		if rep.Stats.Lines != int64(n) || rep.Position.Cursor != fmt.Sprint(n-1) {
			t.Fatalf("%d lines of %d entries, cursor %q", rep.Stats.Lines, n, rep.Position.Cursor)
		}
	})
}

func FuzzJournal(f *testing.F) {
	f.Add([]byte(entry(1, failed)))
	f.Add([]byte("__CURSOR=1\nMESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, s := range []string{"__CURSOR=", ""} {
			_, _ = sources.Read(t.Context(), sources.Source{Path: "journal", Reader: strings.NewReader(s + string(b)), Format: sources.JournalExport}, sources.Position{}, func([]detect.Signal) {})
		}
	})
}
