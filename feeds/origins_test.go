package feeds

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var now = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func addresses(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "20.1.%d.%d\n", i/256, i%256)
	}
	return b.String()
}

// A list behind an address, first good, then with what can go wrong. None of it may
// look like an empty list, or like a new one.
func TestASickListIsNamedAndNotBelieved(t *testing.T) {
	good := addresses(400)
	sum := sha256.Sum256([]byte(good))
	standing := map[netip.Prefix]time.Time{}
	for line := range strings.Lines(good) {
		p, _ := prefixOf(line)
		standing[p] = time.Time{}
	}
	release := make(chan struct{})
	var answer atomic.Value // of http.HandlerFunc
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer.Load().(http.HandlerFunc)(w, r) }))
	defer server.Close()
	defer close(release)
	text := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }
	}
	for _, c := range []struct {
		name   string
		web    Web
		answer http.HandlerFunc
		sick   string
	}{
		{"as it was", Web{}, text(good), ""},
		{"a little longer", Web{}, text(addresses(420)), ""},
		{"empty", Web{}, text(""), "fewer than 1"},
		{"cut off at half", Web{}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(good)))
			fmt.Fprint(w, good[:len(good)/2])
		}, "reading it"},
		{"half as long", Web{}, text(addresses(150)), "shrunk: 250 of 400 entries went, more than 50 %"},
		{"ten times as long", Web{}, text(addresses(4000)), "grown: 3600 entries came to the 400 that it had, more than 100 %"},
		{"another list of the same length", Web{}, text(strings.ReplaceAll(good, "20.1.", "20.7.")), "shrunk: 400 of 400"},
		{"a web page", Web{}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, good)
		}, "a web page"},
		{"garbage", Web{}, text(strings.Repeat("lorem ipsum\n", 400)), "no entries"},
		{"an error", Web{}, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, good, 500) }, "500"},
		{"too long", Web{MaxBytes: 1000}, text(good), "longer than 1000 bytes"},
		{"hung", Web{Timeout: 50 * time.Millisecond}, func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}, "deadline"},
		{"hung in the middle", Web{Timeout: 200 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, good[:len(good)/2])
			_ = http.NewResponseController(w).Flush()
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}, "deadline"},
		{"redirected to another host", Web{}, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://localhost:1/list", http.StatusFound)
		}, "another host without https"},
		{"that it is unchanged, when nobody asked", Web{}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }, "nothing of it is known"},
		{"the list that was agreed on", Web{Sum: hex.EncodeToString(sum[:])}, text(good), ""},
		{"another list than that", Web{Sum: hex.EncodeToString(sum[:])}, text(addresses(399)), "SHA-256"},
		{"redirected for ever", Web{}, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }, "too many redirects"},
		{"a bomb", Web{MaxBytes: 100_000}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(bytes.Repeat([]byte("198.51.100.7\n"), 1_000_000))
			z.Close()
		}, "longer than 100000 bytes"},
		{"with its checksum", Web{SumURL: server.URL + "/sum"}, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/sum" {
				fmt.Fprintln(w, hex.EncodeToString(sum[:]), " list.txt")
				return
			}
			fmt.Fprint(w, good)
		}, ""},
		{"with another checksum", Web{SumURL: server.URL + "/sum"}, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/sum" {
				fmt.Fprintln(w, strings.Repeat("0", 64))
				return
			}
			fmt.Fprint(w, good)
		}, "SHA-256"},
		{"of last week", Web{}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Last-Modified", now.Add(-8*24*time.Hour).Format(http.TimeFormat))
			fmt.Fprint(w, good)
		}, "older than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.web.URL = server.URL + "/list?token=hidden"
			f := Feed{Name: "list", From: c.web, Fresh: 7 * 24 * time.Hour}.Defaulted()
			before := State{Tried: now.Add(-time.Hour), Good: now.Add(-time.Hour), Count: 400, Standing: standing}
			answer.Store(c.answer)
			r := f.Refresh(t.Context(), now, before)
			if (r.Sick == "") != (c.sick == "") || !strings.Contains(r.Sick, c.sick) {
				t.Fatalf("sick: %q, want %q", r.Sick, c.sick)
			}
			if strings.Contains(r.Sick+f.From.Place(), "hidden") {
				t.Errorf("the token is shown: %q, %q", r.Sick, f.From.Place())
			}
			if c.sick != "" && (r.State.Good != before.Good || r.State.Count != before.Count || r.State.Tried != now || r.State.Sick != r.Sick || f.Due(r.State).Sub(now) != 5*time.Minute) {
				t.Errorf("a sick reading left %+v", r.State)
			}
			if c.sick == "" && (r.State.Good != now || r.State.Count != r.Used || r.State.Sick != "" || f.Due(r.State).Sub(now) != time.Hour) {
				t.Errorf("a good reading left %+v", r.State)
			}
		})
	}
}

func TestWhatHasNotChangedIsNotSentAgain(t *testing.T) {
	sent := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"7"`)
		if r.Header.Get("If-None-Match") == `"7"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		sent++
		fmt.Fprint(w, addresses(5))
	}))
	defer server.Close()
	f := Feed{Name: "list", From: Web{URL: server.URL}}.Defaulted()
	first := f.Refresh(t.Context(), now, State{})
	second := f.Refresh(t.Context(), now.Add(time.Hour), first.State)
	if first.Sick+second.Sick != "" || first.Unchanged || !second.Unchanged || sent != 1 || second.Used != 5 || second.State.Good != now.Add(time.Hour) {
		t.Errorf("%+v\n%+v\nsent %d times", first, second, sent)
	}
}

func TestRedirectsTellNothingAndGoNowhereWithoutTLS(t *testing.T) {
	for _, c := range []struct {
		from, to string
		ok       bool
	}{
		{"https://a.example/list?token=hidden", "https://b.example/list", true},
		{"https://a.example/list?token=hidden", "http://a.example/list", false},
		{"https://a.example/list?token=hidden", "http://127.0.0.1/list", false},
		{"https://a.example/list?token=hidden", "file:///etc/passwd", false},
		{"http://127.0.0.1:80/list?token=hidden", "http://127.0.0.1:80/other", true},
		{"http://127.0.0.1:80/list?token=hidden", "http://a.example/list", false},
		{"http://127.0.0.1:80/list?token=hidden", "https://a.example/list", true},
	} {
		to := httptest.NewRequest(http.MethodGet, c.to, nil)
		to.Header.Set("Referer", c.from)
		err := redirect(to, []*http.Request{httptest.NewRequest(http.MethodGet, c.from, nil)})
		if (err == nil) != c.ok || to.Header.Get("Referer") != "" {
			t.Errorf("from %s to %s: %v, %v", c.from, c.to, err, to.Header)
		}
	}
	// Once it is https it stays so.
	chain := []*http.Request{httptest.NewRequest(http.MethodGet, "http://127.0.0.1:80/", nil), httptest.NewRequest(http.MethodGet, "https://127.0.0.1:80/", nil)}
	if redirect(httptest.NewRequest(http.MethodGet, "http://127.0.0.1:80/", nil), chain) == nil {
		t.Error("a chain falls back to http")
	}
}

// What another address or another column told is no list of this one.
func TestAMarkIsOfOneListOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list.csv")
	if err := os.WriteFile(path, []byte("a,b\n198.51.100.1,198.51.100.2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	first, err := File{Path: path, Format: Format{Kind: "csv", Column: "a"}}.Read(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for column, same := range map[string]bool{"a": true, "b": false} {
		again, err := File{Path: path, Format: Format{Kind: "csv", Column: column}}.Read(t.Context(), first.Mark)
		if err != nil || again.Unchanged != same {
			t.Errorf("column %s: %+v, %v", column, again, err)
		}
	}
	asked := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header.Get("If-None-Match")
		w.Header().Set("ETag", `"7"`)
		fmt.Fprint(w, addresses(5))
	}))
	defer server.Close()
	one, err := Web{URL: server.URL + "/one"}.Read(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if other, err := (Web{URL: server.URL + "/other"}).Read(t.Context(), one.Mark); err != nil || asked != "" || other.Unchanged {
		t.Errorf("asked with %q: %+v, %v", asked, other, err)
	}
	if strings.Contains(string(one.Mark), "one") {
		t.Errorf("the mark holds the address: %s", one.Mark)
	}
}

func TestAFileIsAsOldAsItsLastChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list.txt")
	f := Feed{Name: "list", From: File{Path: path}, Fresh: time.Hour}.Defaulted()
	if r := f.Refresh(t.Context(), now, State{}); !strings.Contains(r.Sick, "no such file") || strings.Contains(r.Sick, path) {
		t.Errorf("missing: %q", r.Sick)
	}
	if err := os.WriteFile(path, []byte(addresses(3)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		made time.Time
		sick bool
	}{{now.Add(-time.Minute), false}, {now.Add(-2 * time.Hour), true}} {
		if err := os.Chtimes(path, c.made, c.made); err != nil {
			t.Fatal(err)
		}
		if r := f.Refresh(t.Context(), now, State{}); (r.Sick != "") != c.sick {
			t.Errorf("made %s: %q", c.made, r.Sick)
		}
	}
}

func key(k string) func() (string, error) { return func() (string, error) { return k, nil } }

// A list whose age is asked for and that tells none is believed, and people are told.
func TestAListThatTellsNoAgeSaysSo(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, addresses(3)) }))
	defer server.Close()
	for fresh, want := range map[time.Duration]bool{0: false, time.Hour: true} {
		r := Feed{Name: "list", From: Web{URL: server.URL}, Fresh: fresh}.Defaulted().Refresh(t.Context(), now, State{})
		if told := strings.Contains(fmt.Sprint(r.Notes), "does not tell its age"); r.Sick != "" || told != want {
			t.Errorf("fresh for %s: sick %q, notes %v", fresh, r.Sick, r.Notes)
		}
	}
}

func TestCrowdSec(t *testing.T) {
	const ban = `{"duration":"3h59m57.6s","id":%d,"origin":"crowdsec","scenario":"crowdsecurity/postfix-spam","scope":"%s","type":"%s","value":"%s"}`
	down := false
	var asked url.Values
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Query()
		switch {
		case down:
			http.Error(w, "database is locked", 500)
		case r.Header.Get("X-Api-Key") != "key-1":
			w.WriteHeader(http.StatusForbidden)
		case r.URL.Path == "/v1/decisions":
			fmt.Fprintf(w, `[{"duration":"1h","scope":"Ip","type":"ban","value":"198.51.100.6","simulated":true},`+ban+","+ban+","+ban+","+ban+"]", 1, "Ip", "ban", "198.51.100.7", 2, "Range", "ban", "203.0.113.0/24", 3, "Ip", "captcha", "198.51.100.8", 4, "Username", "ban", "bob")
		case r.URL.Path == "/v1/decisions/stream" && r.URL.Query().Get("startup") == "true":
			fmt.Fprintf(w, `{"new":[`+ban+`,`+ban+`],"deleted":null}`, 1, "Ip", "ban", "198.51.100.7", 2, "ip", "ban", "198.51.100.9")
		case r.URL.Path == "/v1/decisions/stream":
			fmt.Fprintf(w, `{"new":[`+ban+`],"deleted":[`+ban+`]}`, 3, "Ip", "ban", "2001:db8::7", 1, "Ip", "ban", "198.51.100.7")
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	engine := &CrowdSec{URL: server.URL, Key: key("key-1"), Now: func() time.Time { return now }}
	all, err := engine.Read(t.Context(), nil)
	if err != nil || len(all.Entries) != 2 || all.Bad != 0 || all.Delta || all.Entries[0].Reason != "crowdsecurity/postfix-spam" || all.Entries[0].Until.Sub(now).Round(time.Minute) != 4*time.Hour {
		t.Errorf("%+v, %v", all, err)
	}
	engine.Scenarios, engine.Origins = []string{"postfix", "dovecot"}, []string{"crowdsec", "cscli"}
	if _, err := engine.Read(t.Context(), nil); err != nil || asked.Get("scenarios_containing") != "postfix,dovecot" || asked.Get("origins") != "crowdsec,cscli" {
		t.Errorf("asked for %v, %v", asked, err)
	}
	wrong := &CrowdSec{URL: server.URL, Key: key("key-2"), Now: engine.Now}
	if _, err := wrong.Read(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "cscli bouncers add") || strings.Contains(err.Error(), "key-2") {
		t.Errorf("a wrong key: %v", err)
	}

	stream := &CrowdSec{URL: server.URL, Key: key("key-1"), Stream: true, Now: engine.Now}
	first, err := stream.Read(t.Context(), nil)
	if err != nil || first.Delta || len(first.Entries) != 2 {
		t.Fatalf("%+v, %v", first, err)
	}
	second, err := stream.Read(t.Context(), first.Mark)
	if err != nil || !second.Delta || len(second.Entries) != 1 || len(second.Gone) != 1 || second.Gone[0].String() != "198.51.100.7/32" {
		t.Fatalf("%+v, %v", second, err)
	}
	down = true
	if _, err := stream.Read(t.Context(), second.Mark); err == nil {
		t.Fatal("an engine that is down answers")
	}
	down = false
	third, err := stream.Read(t.Context(), second.Mark)
	if err != nil || third.Delta || len(third.Entries) != 2 {
		t.Errorf("after an error it does not begin anew: %+v, %v", third, err)
	}
	for _, c := range []struct {
		name  string
		known json.RawMessage
		after time.Duration
	}{
		{"when the last reading was not stored", first.Mark, 0},
		{"after a silence", nil, 2 * time.Minute},
		{"after an hour", nil, 40 * time.Second},
	} {
		last, err := stream.Read(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		clock, began := engine.Now(), engine.Now()
		stream.Now = func() time.Time { return clock }
		known := cmp.Or(string(c.known), string(last.Mark))
		anew := false
		for !anew && clock.Sub(began) <= time.Hour {
			clock = clock.Add(max(c.after, time.Second))
			list, err := stream.Read(t.Context(), json.RawMessage(known))
			if err != nil {
				t.Fatal(err)
			}
			anew, known = !list.Delta, string(list.Mark)
		}
		if at := clock.Sub(began); !anew || c.name == "after an hour" && at < 59*time.Minute {
			t.Errorf("%s it begins anew: %t, at %s", c.name, anew, at)
		}
		stream.Now = engine.Now
	}
}

func TestFail2ban(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fail2ban.sqlite3")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`CREATE TABLE bips(ip TEXT NOT NULL, jail TEXT NOT NULL, timeofban INTEGER NOT NULL, bantime INTEGER NOT NULL, bancount INTEGER NOT NULL default 1, data JSON, PRIMARY KEY(ip, jail))`,
		fmt.Sprintf(`INSERT INTO bips(ip, jail, timeofban, bantime) VALUES ('198.51.100.7', 'postfix-sasl', %d, 3600), ('198.51.100.7', 'dovecot', %[1]d, 7200),
			('198.51.100.8', 'postfix-sasl', %d, 600), ('2001:db8::7', 'postfix-sasl', %[1]d, -1), ('198.51.100.9', 'sshd', %[1]d, 3600)`, now.Add(-time.Minute).Unix(), now.Add(-time.Hour).Unix()),
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	db.Close()
	f := Fail2ban{Path: path, Jails: []string{"postfix-sasl", "dovecot"}, Now: func() time.Time { return now }}
	list, err := f.Read(context.Background(), nil)
	if err != nil || len(list.Entries) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, e := range list.Entries {
		switch e.Prefix.String() {
		case "198.51.100.7/32":
			if e.Until.Sub(now) != 2*time.Hour-time.Minute {
				t.Errorf("it ends at %s", e.Until)
			}
		case "2001:db8::7/128":
			if !e.Until.IsZero() {
				t.Errorf("a ban for ever ends at %s", e.Until)
			}
		default:
			t.Errorf("%+v", e)
		}
	}
	// fail2ban writes while it is read: that is no reason to believe that nobody is banned.
	writer, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	writer.SetMaxOpenConns(1)
	if _, err := writer.Exec(`BEGIN EXCLUSIVE`); err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if list, err := f.Read(soon, nil); err == nil {
		t.Errorf("a locked database holds %+v", list)
	}
	if _, err := writer.Exec(`DELETE FROM bips WHERE jail = 'dovecot'`); err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Exec(`COMMIT`); err != nil {
		t.Fatal(err)
	}
	if list, err := f.Read(t.Context(), nil); err != nil || len(list.Entries) != 2 || list.Entries[0].Until.Sub(now) != time.Hour-time.Minute {
		t.Errorf("after the lock: %+v, %v", list, err)
	}
	if _, err := writer.Exec(`ALTER TABLE bips RENAME TO bans`); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "0.11 or later") {
		t.Errorf("an old database: %v", err)
	}
	if err := os.WriteFile(path, []byte("this is no database, but longer than a header of one would be"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(context.Background(), nil); err == nil {
		t.Error("a damaged database is read")
	}
}
