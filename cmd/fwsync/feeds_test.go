package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
)

// What fail2ban would run with its placeholders filled in.
func TestTheActionOfFail2banBlocksAndUnblocks(t *testing.T) {
	t.Parallel()
	binary := build(t)
	cloud, url := serveWorld(t, nil)
	run := quickstart(t, binary, url)
	s := &service{t: t, start: run, cloud: cloud, dir: run().Dir}
	s.write("fwsync.yaml", "policies: policies\n")
	action, err := os.ReadFile("../../examples/fail2ban/action.d/fwsync.conf")
	if err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("<config>", "fwsync.yaml", "<ip>", "198.51.100.7", "<bantime>", "3600", "<name>", "postfix-sasl", "<failures>", "5")
	for _, step := range []struct {
		key     string
		blocked []string
	}{{"actionban = ", []string{"198.51.100.7"}}, {"actionunban = ", nil}} {
		_, command, found := strings.Cut(string(action), "\n"+step.key)
		if !found {
			t.Fatalf("no %s", step.key)
		}
		command, _, _ = strings.Cut(command, "\n")
		sh := run()
		sh.Path, sh.Args = "/bin/sh", []string{"sh", "-c", fill.Replace(command)}
		sh.Env = append(sh.Env, "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"))
		if out, err := sh.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
		reportOf(t, run("reconcile", "-o", "json"))
		s.expectBlocked(step.blocked...)
	}
}

// fwsync run reads a list behind an address on the list's own clock.
func TestRunReadsFeeds(t *testing.T) {
	t.Parallel()
	var list atomic.Value
	list.Store("198.51.100.1\n198.51.100.2\n")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, list.Load()) }))
	defer server.Close()
	s := newService(t, build(t))
	s.write("fwsync.yaml", "policies: policies\nlisten: 127.0.0.1:0\nfeeds:\n  - { name: partner, url: \""+server.URL+"/list?token=hidden\", every: 1s, block: 24h }\n")
	s.run()
	s.until("msg=pass", "decisions=2", "gaps=0")
	s.expectBlocked("198.51.100.1", "198.51.100.2")
	list.Store("198.51.100.2\n198.51.100.3\n")
	s.until("msg=\"feed read\"", "new=1", "gone=1")
	s.until("msg=pass", "feed partner", "decisions=2", "gaps=0")
	s.expectBlocked("198.51.100.2", "198.51.100.3")
	list.Store("<html>down for maintenance</html>")
	if line := s.until("msg=\"feed read\"", "healthy=false"); strings.Contains(line, "hidden") {
		t.Errorf("the token is logged: %s", line)
	}
	out, err := s.start("block", "192.0.2.200", "--for", "1h", "--reason", "test").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.until("msg=pass", "decisions=3", "gaps=0") // others go on
	if _, text := s.get("/metrics"); !strings.Contains(text, `fwsync_source_healthy{source="partner"} 0`) {
		t.Errorf("/metrics:\n%s", text)
	}
	s.stop()
}

// The example of the page is a configuration that is taken.
func TestTheExampleOfThePageOnFeedsIsValid(t *testing.T) {
	page, err := os.ReadFile("../../docs/feeds.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(page), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	path := filepath.Join(t.TempDir(), "fwsync.yaml")
	if err := os.WriteFile(path, []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CROWDSEC_KEY", "x")
	c, err := loadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	if all := c.feeds(true); len(all) != 4 {
		t.Errorf("%d feeds", len(all))
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[FeedConfig]()) {
		if !strings.Contains(string(page), "`"+f.Tag.Get("yaml")+"`") {
			t.Errorf("the page does not name %s", f.Tag.Get("yaml"))
		}
	}
}
