package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

func TestLinesOfARunBearItsID(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		var text strings.Builder
		log := newLog(&text, slog.LevelInfo, asJSON).With("part", "test")
		ctx := inRun(context.Background())
		log.InfoContext(ctx, "within")
		log.DebugContext(ctx, "not of this level")
		log.Info("outside")
		lines := strings.Split(strings.TrimSpace(text.String()), "\n")
		if len(lines) != 2 || !regexp.MustCompile(`run"?[=:]"?[0-9a-f]{8}\b`).MatchString(lines[0]) || strings.Contains(lines[1], "run") || !strings.Contains(lines[0], "part") {
			t.Errorf("%q", lines)
		}
	}
	if inRun(context.Background()).Value(runKey{}) == inRun(context.Background()).Value(runKey{}) {
		t.Error("two runs have one id")
	}
}

// Everything that a verbose reconcile says of its run bears one id: the calls of the
// vendor, the plan that was applied, what came of it.
func TestAVerboseReconcileIsOneRun(t *testing.T) {
	t.Parallel()
	_, url := serveWorld(t, nil)
	cmd := quickstart(t, build(t), url)("reconcile", "--verbose", "-o", "json")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var report struct {
		Plan struct{ ID string }
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(` run=([0-9a-f]{8})\b`).FindAllStringSubmatch(stderr.String(), -1) {
		ids[m[1]] = true
	}
	if len(ids) != 1 {
		t.Errorf("ids of runs: %v\n%s", ids, stderr.String())
	}
	for _, want := range []string{`msg="vendor call" api=AddAddressBook`, "msg=block prefix=203.0.113.190/32", "msg=applied cloud=\"\" plan=" + report.Plan.ID, "msg=pass"} {
		if !regexp.MustCompile(regexp.QuoteMeta(want) + ".* run=").MatchString(stderr.String()) {
			t.Errorf("no line %q of the run in\n%s", want, stderr.String())
		}
	}
}

// Promise P14: whatever is on the other end of the line, neither a key nor a signature
// gets into what is logged or measured.
func TestP14NothingSecretIsLogged(t *testing.T) {
	t.Parallel()
	binary := build(t)
	const key, keySecret, token = "LTAIkeyOfTheTest", "secretOfTheTest", "tokenOfTheTest"
	secret := regexp.MustCompile(strings.Join([]string{
		key, keySecret, token, `Signature(Nonce)?=[^&\s]`, `"Signature"`,
	}, "|"))
	for name, answer := range map[string]http.HandlerFunc{
		"nobody": nil,
		"hangs up": func(rw http.ResponseWriter, _ *http.Request) {
			if conn, _, err := http.NewResponseController(rw).Hijack(); err == nil {
				conn.Close()
			}
		},
		"repeats the request in its error": func(rw http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			rw.WriteHeader(http.StatusForbidden)
			_ = json.NewEncoder(rw).Encode(map[string]string{
				"Code": "Forbidden", "RequestId": r.Form.Get("Signature"),
				"Message": fmt.Sprintf("not for %s with %s: %s", r.Form.Get("AccessKeyId"), r.Form.Get("SecurityToken"), r.URL),
			})
		},
		"is no service": func(rw http.ResponseWriter, r *http.Request) { fmt.Fprintf(rw, "<html>%s</html>", r.URL) },
		"sends it elsewhere": func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "http://127.0.0.1:1/"+r.URL.RawQuery, http.StatusFound)
		},
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			url := "http://127.0.0.1:1"
			if answer != nil {
				server := httptest.NewServer(answer)
				t.Cleanup(server.Close)
				url = server.URL
			}
			s := &service{t: t, start: quickstart(t, binary, url)}
			s.dir = s.start().Dir
			s.write("fwsync.yaml", "policies: policies\nlisten: 127.0.0.1:0\nalibaba: { call_timeout: 2s }\nsources:\n  - { name: mail, file: mail.log }\n")
			s.write("mail.log", "")
			start := s.start
			s.start = func(args ...string) *exec.Cmd {
				cmd := start(args...)
				cmd.Env = append(cmd.Env, "ALIBABA_CLOUD_ACCESS_KEY_ID="+key, "ALIBABA_CLOUD_ACCESS_KEY_SECRET="+keySecret, "ALIBABA_CLOUD_SECURITY_TOKEN="+token)
				return cmd
			}
			for _, args := range [][]string{{"reconcile", "--verbose"}, {"doctor", "--verbose"}, {"plan", "--verbose", "-o", "json"}} {
				out, err := s.start(args...).CombinedOutput()
				if err == nil {
					t.Errorf("%v: no error\n%s", args, out)
				}
				if found := secret.Find(out); found != nil {
					t.Errorf("%v: %q in\n%s", args, found, out)
				}
			}
			s.run("--verbose")
			failed := s.until("msg=pass", "error=")
			_, metrics := s.get("/metrics")
			_, ready := s.get("/readyz")
			s.signal(syscall.SIGTERM)
			all := failed + metrics + ready
			for line := range s.lines {
				all += line + "\n"
			}
			_ = s.cmd.Wait()
			if found := secret.FindString(all + strings.Join(s.before, "\n")); found != "" {
				t.Errorf("run: %q in\n%s", found, all)
			}
			if !strings.Contains(metrics, `fwsync_runs_total{outcome="error"}`) {
				t.Errorf("the failed run is not counted:\n%s", metrics)
			}
		})
	}
}
