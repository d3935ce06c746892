package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"fwsync/notify"
)

// installation is a folder with the quickstart's files and these keys more.
func installation(t *testing.T, more string) string {
	t.Helper()
	folder := t.TempDir()
	for to, from := range map[string]string{"policies/smtp.yaml": "../../policies/smtp.yaml", "examples/postfix.log": "../../examples/postfix.log", "fwsync.yaml": "../../fwsync.yaml"} {
		data, err := os.ReadFile(from)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(folder, to)), 0o700)
		}
		if err == nil {
			if to == "fwsync.yaml" {
				data = append(data, "\n"+more...)
			}
			err = os.WriteFile(filepath.Join(folder, to), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(folder, "fwsync.yaml")
}

// inProcess is a command in this process: its exit code, stdout and stderr.
func inProcess(t *testing.T, config string, args ...string) (int, string, string) {
	t.Helper()
	var out, talk bytes.Buffer
	root := newRoot()
	root.SetArgs(append(args, "--config", config))
	root.SetOut(&out)
	root.SetErr(&talk)
	code := report(&talk, root.ExecuteContext(t.Context()))
	return code, out.String(), talk.String()
}

const hookSecret = "nobody-sees-this-secret"

func TestAReconcileTellsWhatItDidOnce(t *testing.T) {
	var mu sync.Mutex
	var got []struct {
		Title, Text string
		Events      []notify.Event
	}
	forged := 0
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		mac := hmac.New(sha256.New, []byte(hookSecret))
		mac.Write([]byte(r.Header.Get(notify.TimestampHeader) + "." + string(body)))
		if r.Header.Get(notify.SignatureHeader) != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
			forged++
		}
		got = append(got, struct {
			Title, Text string
			Events      []notify.Event
		}{})
		if err := json.Unmarshal(body, &got[len(got)-1]); err != nil {
			forged++
		}
	}))
	defer hook.Close()
	t.Setenv("HOOK_URL", hook.URL+"/in/0123456789abcdef")
	t.Setenv("HOOK_SECRET", hookSecret)
	config := installation(t, "notices:\n  - { name: hook, kind: webhook, url_env: HOOK_URL, secret_env: HOOK_SECRET }\n")

	if code, out, talk := inProcess(t, config, "notify"); code != exitDone || !strings.Contains(out, "hook: taken") {
		t.Fatalf("notify ended with %d\n%s%s", code, out, talk)
	}
	if code, _, talk := inProcess(t, config, "reconcile"); code != exitDone || strings.Contains(talk, "warning") {
		t.Fatalf("reconcile ended with %d\n%s", code, talk)
	}
	if len(got) != 2 || forged > 0 || got[0].Events[0].Kind != notify.Test {
		t.Fatalf("%d forged, got %+v", forged, got)
	}
	if e := got[1].Events; len(e) == 0 || e[0].Kind != notify.Applied || !strings.Contains(got[1].Text, "applied ") || !strings.Contains(got[1].Title, "fwsync quickstart on ") {
		t.Errorf("told %+v", got[1])
	}
	// Nothing new, nothing told.
	inProcess(t, config, "reconcile")
	if len(got) != 2 {
		t.Errorf("told again: %+v", got[2:])
	}
	// A source that goes sick is told, and when it is well again.
	log := filepath.Join(filepath.Dir(config), "examples/postfix.log")
	if err := os.Rename(log, log+".away"); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := inProcess(t, config, "reconcile"); code != exitSick || len(got) != 3 || got[2].Events[0].Kind != notify.Sick {
		t.Fatalf("ended with %d, told %+v", code, got[2:])
	}
	if err := os.Rename(log+".away", log); err != nil {
		t.Fatal(err)
	}
	if inProcess(t, config, "reconcile"); len(got) != 4 || !got[3].Events[0].Over {
		t.Errorf("told %+v", got[3:])
	}
}

// The chats learn from the next pass that an incident was started, and that it is over.
func TestAReconcileTellsOfIncidents(t *testing.T) {
	var mu sync.Mutex
	var got []notify.Event
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		var notice struct{ Events []notify.Event }
		if err := json.NewDecoder(r.Body).Decode(&notice); err != nil {
			t.Error(err)
		}
		got = append(got, notice.Events...)
	}))
	defer hook.Close()
	t.Setenv("HOOK_URL", hook.URL+"/in/0123456789abcdef")
	config := installation(t, "notices:\n  - { name: hook, kind: webhook, url_env: HOOK_URL, events: [incident-start, incident-end] }\n")
	for _, args := range [][]string{
		{"incident", "start", "smtp-storm", "--for", "2h", "--reason", "ticket 4711", "--yes"}, {"reconcile"}, {"reconcile"},
		{"incident", "undo", "smtp-storm", "--yes"}, {"reconcile"}, {"reconcile"},
	} {
		if code, _, talk := inProcess(t, config, args...); code != exitDone || strings.Contains(talk, "warning") {
			t.Fatalf("%v ended with %d\n%s", args, code, talk)
		}
	}
	if len(got) != 2 || got[0].Kind != notify.IncidentStart || !strings.Contains(got[0].Text, "ticket 4711") || got[1].Kind != notify.IncidentEnd || got[1].Key != "smtp-storm" {
		t.Errorf("told %+v", got)
	}
}

func TestAHungWebhookCostsItsWaitAndChangesNothing(t *testing.T) {
	release := make(chan struct{})
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer hook.Close()
	defer close(release)
	t.Setenv("HOOK_URL", hook.URL+"/in/0123456789abcdef")
	quiet := installation(t, "")
	began := time.Now()
	inProcess(t, quiet, "reconcile")
	usual := time.Since(began)

	config := installation(t, "notices:\n  - { kind: slack, url_env: HOOK_URL }\nnotify: { wait: 200ms }\n")
	began = time.Now()
	code, _, talk := inProcess(t, config, "reconcile")
	if spent := time.Since(began); code != exitDone || spent > 3*usual+5*time.Second {
		t.Errorf("ended with %d after %s, without notices it takes %s", code, spent, usual)
	}
	if !strings.Contains(talk, "fwsync: warning: notices: slack: ") || strings.Contains(talk, "0123456789abcdef") {
		t.Errorf("talk %q", talk)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(config), ".fwsync/notices.json")); err == nil {
		t.Error("what nobody was told is kept as told")
	}
}

func TestBadChannelsAreRefusedWithoutTheirSecrets(t *testing.T) {
	t.Setenv("PLAIN_URL", "http://example.com/0123456789abcdef")
	for more, want := range map[string]string{
		"notices:\n  - { kind: pigeon, url_env: X }\n":                                                                               `notices[0].kind is "pigeon"`,
		"notices:\n  - { kind: slack }\n":                                                                                            "name the variable (url_env) or the file (url_file)",
		"notices:\n  - { kind: slack, url_env: X, secret_env: Y }\n":                                                                 "slack signs nothing",
		"notices:\n  - { kind: slack, url_env: X, events: [gaps] }\n":                                                                `"gaps" is no event`,
		"notices:\n  - { kind: slack, url_env: X, template: \"{{.No}}\" }\n":                                                         "trying the template",
		"notices:\n  - { kind: slack, url_env: X }\n  - { kind: slack, url_env: X }\n":                                               "a name of its own",
		"notices:\n  - { kind: mail, server: mx.example.com, from: a@example.com, to: [b@example.com] }\n":                           "host:port",
		"notices:\n  - { kind: mail, server: \"mx.example.com:25\", from: a@example.com, to: [b@example.com], unencrypted: true }\n": "only a server on loopback",
		"notices:\n  - { kind: mail, server: \"mx.example.com:25\", from: a@example.com }\n":                                         "no recipient",
		"notices:\n  - { kind: slack, url: X }\n":                                                                                    `unknown key "url"`,
		"notify: { wait: 1h }\n":      "notify.wait",
		"notify: { capacity: 101 }\n": "notify.capacity",
		"notices:\n  - { kind: slack, url_env: FWSYNC_NOT_SET_ANYWHERE }\n": "the environment variable FWSYNC_NOT_SET_ANYWHERE is not set",
		"notices:\n  - { kind: slack, url_env: PLAIN_URL }\n":               "must begin with https://",
	} {
		code, _, talk := inProcess(t, installation(t, more), "notify")
		if code != exitError || !strings.Contains(talk, want) || strings.Contains(talk, "0123456789abcdef") {
			t.Errorf("%s: %d\n%s", more, code, talk)
		}
	}
	if code, _, talk := inProcess(t, installation(t, "notices:\n  - { kind: slack, url_env: PLAIN_URL }\n"), "notify", "chat"); code != exitError || !strings.Contains(talk, "the channels are slack") {
		t.Errorf("%d\n%s", code, talk)
	}
}

// The examples of the page on notices are what a configuration may say.
func TestTheExamplesOfThePageOnNoticesAreValid(t *testing.T) {
	page, err := os.ReadFile("../../docs/notices.md")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		c, err := loadConfig(installation(t, m[1]))
		if err != nil {
			t.Errorf("%s\n%v", m[1], err)
			continue
		}
		for _, n := range c.Notices {
			kinds[n.Kind] = true
		}
	}
	if len(kinds) < 4 {
		t.Errorf("the examples show %v", kinds)
	}
	for _, k := range notify.Kinds() {
		if !strings.Contains(string(page), "`"+string(k)+"`") {
			t.Errorf("the page does not know the event %s", k)
		}
	}
	for k, p := range pace {
		row := regexp.MustCompile("(?m)^\\| `" + k + "`.*$").FindString(string(page))
		if want := plural(int(time.Minute/p.every), "x"); !strings.Contains(row, strings.TrimSuffix(want, " xs")+" a minute, ") {
			t.Errorf("the row of %s does not say %s a minute: %s", k, want, row)
		}
	}
}
