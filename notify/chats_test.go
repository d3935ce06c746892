package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

const token = "4f1c9e7da7b94e5f" // of the addresses in the tests

// hook is a local webhook that answers as told and keeps what it got.
type hook struct {
	*httptest.Server
	requests []*http.Request
	bodies   [][]byte
}

func newHook(t *testing.T, answer func(w http.ResponseWriter, n int)) *hook {
	t.Helper()
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.requests, h.bodies = append(h.requests, r), append(h.bodies, body)
		answer(w, len(h.requests))
	}))
	t.Cleanup(h.Close)
	return h
}

func says(text string) func(http.ResponseWriter, int) {
	return func(w http.ResponseWriter, _ int) { fmt.Fprint(w, text) }
}

func mac(key, text string) []byte {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return m.Sum(nil)
}

func field(t *testing.T, body []byte, path ...string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	for _, p := range path {
		m, _ := v.(map[string]any)
		v = m[p]
	}
	return v
}

var letter = Message{Title: "fwsync", Text: "gap: <198.51.100.7> & more", Events: []Event{{Kind: Gap, Key: "gaps", Text: "x", Count: 2}}}

func TestDingTalkSignsInTheAddress(t *testing.T) {
	h := newHook(t, says(`{"errcode":0,"errmsg":"ok"}`))
	d := DingTalk{URL: Secret(h.URL + "/robot/send?access_token=" + token), Secret: "SECabc+/=", Now: clock}
	if err := d.Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	q := h.requests[0].URL.Query()
	want := base64.StdEncoding.EncodeToString(mac("SECabc+/=", "1795435200000\nSECabc+/="))
	if q.Get("access_token") != token || q.Get("timestamp") != "1795435200000" || q.Get("sign") != want {
		t.Errorf("query %v, want sign %s", q, want)
	}
	if got := field(t, h.bodies[0], "text", "content"); got != letter.Text || field(t, h.bodies[0], "msgtype") != "text" {
		t.Errorf("body %s", h.bodies[0])
	}
	d.Secret = ""
	if err := d.Send(t.Context(), letter); err != nil || h.requests[1].URL.Query().Has("sign") {
		t.Errorf("%v, %v", err, h.requests[1].URL)
	}
}

func TestFeishuSignsInTheBody(t *testing.T) {
	h := newHook(t, says(`{"code":0,"msg":"success","data":{}}`))
	f := Feishu{URL: Secret(h.URL + "/open-apis/bot/v2/hook/" + token), Secret: "hush", Now: clock}
	if err := f.Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	want := base64.StdEncoding.EncodeToString(mac("1795435200\nhush", ""))
	if got := field(t, h.bodies[0], "sign"); got != want || field(t, h.bodies[0], "timestamp") != "1795435200" || field(t, h.bodies[0], "content", "text") != letter.Text {
		t.Errorf("body %s, want sign %s", h.bodies[0], want)
	}
}

func TestWeComSendsToItsKey(t *testing.T) {
	h := newHook(t, says(`{"errcode":0,"errmsg":"ok"}`))
	w := WeCom{URL: Secret(h.URL + "/cgi-bin/webhook/send?key=" + token)}
	if err := w.Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	if h.requests[0].URL.Query().Get("key") != token || field(t, h.bodies[0], "text", "content") != letter.Text {
		t.Errorf("%v %s", h.requests[0].URL, h.bodies[0])
	}
}

func TestSlackReadsNoMarkup(t *testing.T) {
	h := newHook(t, says("ok"))
	if err := (Slack{URL: Secret(h.URL + "/services/T0/B0/" + token)}).Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	if got := field(t, h.bodies[0], "text"); got != "gap: &lt;198.51.100.7&gt; &amp; more" {
		t.Errorf("text %q", got)
	}
}

func TestAWebhookIsSignedOverTimeAndBody(t *testing.T) {
	h := newHook(t, says(""))
	w := Webhook{URL: Secret(h.URL + "/in/" + token), Secret: "hush", Now: clock}
	if err := w.Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	got := h.requests[0].Header
	want := "sha256=" + hex.EncodeToString(mac("hush", got.Get(TimestampHeader)+"."+string(h.bodies[0])))
	if got.Get(TimestampHeader) != "1795435200" || got.Get(SignatureHeader) != want || field(t, h.bodies[0], "schema") != WebhookSchema {
		t.Errorf("headers %v, body %s", got, h.bodies[0])
	}
	events, _ := field(t, h.bodies[0], "events").([]any)
	if len(events) != 1 {
		t.Errorf("events %v", events)
	}
}

// channels are all that post, with an address that holds the token and a secret.
func channels(base string) map[string]Channel {
	const secret = "a-secret-nobody-sees"
	return map[string]Channel{
		"dingtalk": DingTalk{URL: Secret(base + "/robot/send?access_token=" + token), Secret: secret, Now: clock},
		"feishu":   Feishu{URL: Secret(base + "/open-apis/bot/v2/hook/" + token), Secret: secret, Now: clock},
		"wecom":    WeCom{URL: Secret(base + "/cgi-bin/webhook/send?key=" + token)},
		"slack":    Slack{URL: Secret(base + "/services/" + token)},
		"webhook":  Webhook{URL: Secret(base + "/" + token), Secret: secret, Now: clock},
	}
}

// P14: whatever goes wrong, and whatever the other side says, no secret is shown.
func TestP14NoNoticeShowsASecret(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	h := newHook(t, func(w http.ResponseWriter, n int) {
		switch n % 3 {
		case 0:
			w.Header().Set("Location", "https://example.com/"+token)
			w.WriteHeader(http.StatusFound)
		case 1:
			w.WriteHeader(http.StatusForbidden)
		}
		fmt.Fprintf(w, `{"errcode":300001,"code":19024,"msg":"bad %[1]s a-secret-nobody-sees","errmsg":"bad %[1]s a-secret-nobody-sees"}`, token)
	})
	failures := 0
	for _, base := range []string{gone.URL, h.URL, h.URL, h.URL, "https://exa mple", "http://127.0.0.1:1/%zz"} {
		for name, c := range channels(base) {
			shown := fmt.Sprintf("%v %+v", c, c)
			if err := c.Send(t.Context(), letter); err != nil {
				failures++
				shown += err.Error()
			}
			text, _ := json.Marshal(c)
			for _, s := range []string{token, "a-secret-nobody-sees"} {
				if s != token && (name == "wecom" || name == "slack") {
					continue // they have none
				}
				if strings.Contains(shown+string(text), s) {
					t.Errorf("%s shows %s: %s", name, s, shown)
				}
			}
		}
	}
	if failures < 20 {
		t.Errorf("only %d failures: the test guards little", failures)
	}
	if err := CheckURL(Secret("ftp://example.com/" + token)); err == nil || strings.Contains(err.Error(), token) {
		t.Errorf("error %v", err)
	}
}

func TestWhatIsWorthAnotherTry(t *testing.T) {
	for _, c := range []struct {
		status  int
		body    string
		channel string
		retry   bool
	}{
		{429, "", "slack", true},
		{500, "", "webhook", true},
		{503, "", "feishu", true},
		{404, "", "slack", false},
		{302, "", "webhook", false},
		{200, `{"errcode":130101,"errmsg":"send too fast"}`, "dingtalk", true},
		{200, `{"errcode":310000,"errmsg":"sign not match"}`, "dingtalk", false},
		{200, `{"errcode":45009,"errmsg":"api freq out of limit"}`, "wecom", true},
		{200, `{"code":11232,"msg":"frequency limited"}`, "feishu", true},
		{200, `{"code":19021,"msg":"sign match fail"}`, "feishu", false},
		{200, `<html>`, "dingtalk", false},
		{200, `{}`, "wecom", false},
	} {
		h := newHook(t, func(w http.ResponseWriter, _ int) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
		})
		err := channels(h.URL)[c.channel].Send(t.Context(), letter)
		var f *Failure
		if !errors.As(err, &f) || f.Retry != c.retry || c.status == 429 && f.After != 7*time.Second {
			t.Errorf("%+v: %v, retry %v", c, err, f)
		}
	}
}

func TestAWebhookThatHangsCostsNoLongerThanItsContext(t *testing.T) {
	release := make(chan struct{})
	h := newHook(t, func(http.ResponseWriter, int) { <-release })
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := channels(h.URL)["slack"].Send(ctx, letter)
	if err == nil || err.Error() != "the webhook did not answer in time" {
		t.Errorf("error %v", err)
	}
}

func TestOnlyLoopbackMayDoWithoutTLS(t *testing.T) {
	for address, ok := range map[Secret]bool{
		"https://oapi.dingtalk.com/robot/send?access_token=x": true, "http://127.0.0.1:8080/x": true, "http://[::1]/x": true, "http://localhost/x": true,
		"http://example.com/x": false, "": false, "example.com": false, "https://": false, "file:///etc/passwd": false,
	} {
		if err := CheckURL(address); (err == nil) != ok {
			t.Errorf("%q: %v", string(address), err)
		}
	}
}

func TestLongTextsAreCutAtALetter(t *testing.T) {
	text := shorten(strings.Repeat("攻", 1000), mostText)
	if len(text) > mostText || !strings.HasSuffix(text, "… (shortened)") || bytes.ContainsRune([]byte(text), '\uFFFD') {
		t.Errorf("%d bytes: …%s", len(text), text[len(text)-40:])
	}
}
