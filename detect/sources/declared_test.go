package sources_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"fwsync/detect"
	"fwsync/detect/maillog"
	"fwsync/detect/sources"
)

// Declared signals come from every source, and in one with built-in ones.
func TestDeclaredSignalsComeFromEverySource(t *testing.T) {
	declared, err := maillog.Declare([]maillog.Declaration{{
		Declaration: detect.Declaration{Name: "web.login_failed"}, Program: "myapp", Pattern: "login failed for <account> from <address>",
	}})
	if err != nil {
		t.Fatal(err)
	}
	const line = "2026-11-23T20:17:43+00:00 web myapp[77]: login failed for bob from 192.0.2.1\n"
	journal := strings.Replace(entry(1, "login failed for bob from 192.0.2.1"), "postfix/smtpd", "myapp", 1)
	log := line + failure(1) + line
	var kinds []string
	note := func(signals []detect.Signal) {
		for _, s := range signals {
			kinds = append(kinds, declared.Catalogue().Name(s.Kind)+" "+s.Addr.String()+" "+string(s.Account))
		}
	}
	const want = "web.login_failed 192.0.2.1 bob"
	path := write(t, t.TempDir()+"/web.log", log)
	for name, src := range map[string]sources.Source{
		"a file":   {Path: path, Declared: declared, Final: true},
		"a stream": {Path: "-", Reader: strings.NewReader(log), Declared: declared, Final: true},
	} {
		kinds = nil
		if _, err := sources.Read(t.Context(), src, sources.Position{}, note); err != nil || len(kinds) != 3 || kinds[0] != want || kinds[2] != want || !strings.HasPrefix(kinds[1], "smtp.") {
			t.Errorf("%s: %v, %q", name, err, kinds)
		}
	}
	kinds = nil
	if _, err := sources.Read(t.Context(), sources.Source{Path: "journal", Reader: strings.NewReader(journal), Declared: declared, Final: true}, sources.Position{}, note); err != nil || len(kinds) != 1 || kinds[0] != want {
		t.Errorf("a journal: %v, %q", err, kinds)
	}

	var out strings.Builder
	if _, err := sources.PerLine(t.Context(), sources.Source{Path: path, Declared: declared, Final: true}, &out); err != nil || !strings.HasPrefix(out.String(), `{"line":1,"ip":"192.0.2.1","signal":"web.login_failed"}`+"\n") {
		t.Errorf("%v, %s", err, out.String())
	}

	kinds = nil
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	err = sources.Follow(ctx, []sources.Source{{Path: path, Declared: declared}}, nil, func(b sources.Batch) error {
		if note(b.Signals); len(kinds) >= 3 {
			stop()
		}
		return nil
	})
	if err != nil || len(kinds) != 3 || kinds[0] != want {
		t.Errorf("followed: %v, %q", err, kinds)
	}
}
