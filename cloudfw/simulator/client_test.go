package simulator

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sort"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// noon is the time on every test clock.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// client signs and sends calls by itself, so that the server's signing is not
// checked with the server's own code.
type client struct {
	t        testing.TB
	base     string
	method   string   // POST if empty
	inForm   bool     // business parameters in the body, as Terraform sends them
	inQuery  []string // but these, which stay in the query
	id       string
	secret   string
	override map[string]string // system parameters to change, empty value removes
	nonce    *atomic.Int64
}

type wireAnswer struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func newCloud(t testing.TB, o Options) *Cloud {
	t.Helper()
	if o.Clock == nil {
		o.Clock = func() time.Time { return noon }
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Check(); err != nil {
			t.Errorf("invariants after the test: %v", err)
		}
	})
	return c
}

func newWorld(t testing.TB, o Options) (*Cloud, *client) {
	t.Helper()
	world := DefaultWorld()
	o.World = &world
	c := newCloud(t, o)
	return c, serve(t, c)
}

func serve(t testing.TB, c *Cloud) *client {
	t.Helper()
	srv := httptest.NewServer(c.Handler())
	t.Cleanup(srv.Close)
	return &client{t: t, base: srv.URL, id: DefaultKey, secret: DefaultSecret, nonce: new(atomic.Int64)}
}

func rfc3986(s string) string {
	var out strings.Builder
	for _, b := range []byte(s) {
		if b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || strings.IndexByte("-_.~", b) >= 0 {
			out.WriteByte(b)
		} else {
			fmt.Fprintf(&out, "%%%02X", b)
		}
	}
	return out.String()
}

func (c client) send(version, action string, pairs ...string) (*http.Response, error) {
	method := c.method
	if method == "" {
		method = http.MethodPost
	}
	system := map[string]string{
		"AccessKeyId": c.id, "Action": action, "Format": "JSON", "RegionId": "cn-hangzhou",
		"SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "SignatureType": "",
		"SignatureNonce": fmt.Sprintf("nonce-%d", c.nonce.Add(1)),
		"Timestamp":      noon.Format("2006-01-02T15:04:05Z"), "Version": version,
	}
	for k, v := range c.override {
		if v == "" {
			delete(system, k)
		} else {
			system[k] = v
		}
	}
	business := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		business[pairs[i]] = pairs[i+1]
	}
	var all []string
	query, form := url.Values{}, url.Values{}
	for k, v := range system {
		all = append(all, rfc3986(k)+"="+rfc3986(v))
		query.Set(k, v)
	}
	for k, v := range business {
		all = append(all, rfc3986(k)+"="+rfc3986(v))
		if c.inForm && !slices.Contains(c.inQuery, k) {
			form.Set(k, v)
		} else {
			query.Set(k, v)
		}
	}
	// By name: of X.1=a and X.10=a the first comes first, although = sorts behind 0.
	sort.Slice(all, func(i, j int) bool { return strings.SplitN(all[i], "=", 2)[0] < strings.SplitN(all[j], "=", 2)[0] })
	mac := hmac.New(sha1.New, []byte(c.secret+"&"))
	mac.Write([]byte(method + "&%2F&" + rfc3986(strings.Join(all, "&"))))
	if _, given := c.override["Signature"]; !given {
		query.Set("Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.base+"/?"+query.Encode(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return http.DefaultClient.Do(req)
}

// call sends and decodes; any answer that is not a JSON object fails the test.
func (c client) call(version, action string, pairs ...string) wireAnswer {
	c.t.Helper()
	resp, err := c.send(version, action, pairs...)
	if err != nil {
		c.t.Fatalf("%s: %v", action, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatalf("%s: reading answer: %v", action, err)
	}
	a := wireAnswer{status: resp.StatusCode, header: resp.Header, raw: string(raw)}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&a.body); err != nil {
		c.t.Fatalf("%s: answer %q: %v", action, raw, err)
	}
	if id, _ := a.body["RequestId"].(string); id == "" {
		c.t.Errorf("%s: no RequestId in %s", action, raw)
	}
	if strings.Contains(a.raw, "not buy user") {
		c.t.Errorf("%s: the answer holds the text that diverts Terraform: %s", action, raw)
	}
	if _, has := a.body["Code"]; has == (a.status < 300) {
		c.t.Errorf("%s: status %d and Code do not go together: %s", action, a.status, raw)
	}
	for _, field := range []string{"Code", "Message", "HostId", "Recommend"} {
		if v, has := a.body[field]; a.status >= 300 {
			if _, text := v.(string); !has || !text {
				c.t.Errorf("%s: error field %s is not a string: %s", action, field, raw)
			}
		}
	}
	return a
}

func (a wireAnswer) code() string {
	code, _ := a.body["Code"].(string)
	return code
}

// want calls and fails the test unless the code is as wanted, "" being success.
func (c client) want(code, version, action string, pairs ...string) wireAnswer {
	c.t.Helper()
	a := c.call(version, action, pairs...)
	if a.code() != code {
		c.t.Errorf("%s%v: got code %q, want %q: %s", action, pairs, a.code(), code, a.raw)
	}
	return a
}

// firewall and ecs call and want success.
func (c client) firewall(action string, pairs ...string) wireAnswer {
	c.t.Helper()
	return c.want("", versionCloudfw, action, pairs...)
}

func (c client) ecs(action string, pairs ...string) wireAnswer {
	c.t.Helper()
	return c.want("", versionECS, action, pairs...)
}

func (a wireAnswer) text(name string) string {
	s, _ := a.body[name].(string)
	return s
}

// items walks into wrappers and returns the list at the end of the path.
func (a wireAnswer) items(path ...string) []map[string]any {
	var at any = a.body
	for _, name := range path {
		m, _ := at.(map[string]any)
		at = m[name]
	}
	list, ok := at.([]any)
	if !ok {
		return nil
	}
	out := []map[string]any{}
	for _, item := range list {
		m, _ := item.(map[string]any)
		out = append(out, m)
	}
	return out
}

func code(err error) string {
	if e, ok := errors.AsType[*APIError](err); ok {
		return e.Code
	}
	if err != nil {
		return "not an API error: " + err.Error()
	}
	return ""
}

// tcpPolicy returns a plain valid policy.
func tcpPolicy(direction string, order int, description string) Policy {
	return Policy{
		Direction: direction, Order: order, Action: "drop", SourceType: "net", Source: "198.51.100.7/32",
		DestinationType: "net", Destination: "192.0.2.25/32", Proto: "TCP", DestPort: "25/25", Application: "ANY",
		Description: description,
	}
}

// policyArgs is the same on the wire.
func policyArgs(more ...string) []string {
	return append([]string{
		"Direction", "in", "AclAction", "drop", "SourceType", "net", "Source", "198.51.100.7/32",
		"DestinationType", "net", "Destination", "192.0.2.25/32", "Proto", "TCP", "DestPort", "25/25",
		"ApplicationNameList.1", "SMTP", "Description", "drop one", "NewOrder", "-1",
	}, more...)
}

func number(text string) json.Number { return json.Number(text) }
