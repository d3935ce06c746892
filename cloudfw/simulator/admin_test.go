package simulator

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// person is who runs the simulator and asks its admin endpoint.
type person struct {
	t    *testing.T
	base string
}

func (p person) ask(status int, method, path, body string) map[string]any {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.base+adminRoot+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	var answer map[string]any
	if err := json.Unmarshal(raw, &answer); err != nil {
		p.t.Fatalf("%s %s: %q: %v", method, path, raw, err)
	}
	if _, failed := answer["error"]; resp.StatusCode != status || failed != (status >= 400) {
		p.t.Errorf("%s %s: got %d %s, want %d", method, path, resp.StatusCode, raw, status)
	}
	return answer
}

func adminOf(t *testing.T, o Options) (*Cloud, *client, person) {
	cloud, c := newWorld(t, o)
	return cloud, c, person{t, c.base}
}

func TestAdminShowsAndReplacesTheWorld(t *testing.T) {
	cloud, c, p := adminOf(t, Options{})
	c.firewall("DescribeAddressBook")
	if calls := p.ask(200, "GET", "calls", "")["calls"].([]any); len(calls) != 1 || calls[0].(map[string]any)["action"] != "DescribeAddressBook" {
		t.Errorf("got %v", calls)
	}
	p.ask(200, "DELETE", "calls", "")
	if n := len(cloud.Calls()); n != 0 {
		t.Errorf("%d calls are left, those of the admin endpoint do not count", n)
	}
	state := p.ask(200, "GET", "state", "")
	state["policies"] = []any{}
	raw, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	p.ask(200, "PUT", "state", string(raw))
	if s := cloud.Snapshot(); len(s.Policies) != 0 || len(s.SecurityGroups) != 1 {
		t.Errorf("got %+v", s)
	}
	for body, want := range map[string]string{
		`{"version":1,"colour":"red"}`:  `unknown field \"colour\"`,
		`{"version":1,"policies":[{}]}`: "direction",
		"":                              "EOF",
	} {
		raw, err := json.Marshal(p.ask(400, "PUT", "state", body)["error"])
		if err != nil || !strings.Contains(string(raw), want) {
			t.Errorf("%s: got %s", body, raw)
		}
	}
	if s := cloud.Snapshot(); len(s.SecurityGroups) != 1 {
		t.Error("a refused state was taken over")
	}
	if a := p.ask(200, "GET", "check", ""); a["ok"] != true || len(a["problems"].([]any)) != 0 {
		t.Errorf("got %v", a)
	}
}

func TestAdminTurnsFaultsClockLimitsAndEngine(t *testing.T) {
	cloud, c, p := adminOf(t, Options{})
	list := func(a map[string]any) []any { return a["faults"].([]any) }
	p.ask(200, "POST", "faults", `[{"kind":"throttle","count":2,"retryAfter":"2s"},{"kind":"stale"}]`)
	if a := c.want("Throttling.User", versionCloudfw, "DescribeAddressBook"); a.header.Get("x-acs-retry-after") != "2000" {
		t.Errorf("got %v", a.header)
	}
	left := list(p.ask(200, "GET", "faults", ""))
	if len(left) != 2 || left[0].(map[string]any)["count"] != 1.0 || left[0].(map[string]any)["retryAfter"] != "2s" {
		t.Errorf("got %v", left)
	}
	if left := list(p.ask(200, "DELETE", "faults", "")); len(left) != 0 {
		t.Errorf("got %v", left)
	}
	p.ask(400, "POST", "faults", `[{"kind":"stale"},{"kind":"flood"}]`)
	if n := len(cloud.Faults()); n != 0 {
		t.Errorf("%d faults of a refused list were set", n)
	}
	p.ask(200, "POST", "faults", `{"kind":"internal"}`)
	c.want("InternalError", versionCloudfw, "DescribeAddressBook")

	if a := p.ask(200, "POST", "clock", `{"advance":"10m"}`); a["offset"] != "10m0s" || a["time"] != noon.Add(10*time.Minute).Format(time.RFC3339) {
		t.Errorf("got %v", a)
	}
	p.ask(200, "POST", "clock", `{"advance":"6m"}`)
	c.want("InvalidTimeStamp.Expired", versionCloudfw, "DescribeAddressBook")
	p.ask(200, "POST", "clock", `{"advance":"-16m"}`)
	c.firewall("DescribeAddressBook")
	for _, body := range []string{`{}`, `{"advance":"soon"}`, `{"advance":5}`, `{"retreat":"1m"}`} {
		p.ask(400, "POST", "clock", body)
	}

	if a := p.ask(200, "POST", "limits", `{"Books":1}`); a["Books"] != 1.0 || a["AddressesPerBook"] != 2000.0 {
		t.Errorf("got %v", a)
	}
	c.want("ErrorAddressGroupCountExceed", versionCloudfw, "AddAddressBook", "GroupName", "more", "GroupType", "ip", "Description", "some", "AddressList", "198.51.100.1")
	p.ask(400, "POST", "limits", `{"Books":-1}`)
	p.ask(400, "POST", "limits", `{"Shelves":1}`)
	p.ask(200, "GET", "limits", "")

	p.ask(200, "POST", "engine", `{"delay":"3m"}`)
	c.firewall("AddControlPolicy", policyArgs()...)
	if a := p.ask(200, "GET", "engine", ""); a["caughtUp"] != false || len(a["policies"].([]any)) != 1 {
		t.Errorf("got %v", a)
	}
	p.ask(200, "POST", "clock", `{"advance":"3m"}`)
	if a := p.ask(200, "GET", "engine", ""); a["caughtUp"] != true || len(a["policies"].([]any)) != 2 {
		t.Errorf("got %v", a)
	}
	for _, body := range []string{`{}`, `{"delay":"-1s"}`, `{"delay":"x"}`} {
		p.ask(400, "POST", "engine", body)
	}
}

func TestAdminSetsPermissions(t *testing.T) {
	_, c, p := adminOf(t, Options{})
	p.ask(200, "POST", "permissions", `{"simulator":{"deny":["yundun-cloudfirewall:Add*"]}}`)
	c.want("NoPermission", versionCloudfw, "AddControlPolicy", policyArgs()...)
	p.ask(400, "POST", "permissions", `{"simulator":{"deny":["AddControlPolicy"]}}`)
	c.want("NoPermission", versionCloudfw, "AddControlPolicy", policyArgs()...)
	p.ask(200, "POST", "permissions", `{}`)
	c.firewall("AddControlPolicy", policyArgs()...)
}

func TestAdminSaysWhatThereIs(t *testing.T) {
	_, _, p := adminOf(t, Options{})
	if index := p.ask(200, "GET", "", ""); len(index) != len(adminActions) {
		t.Errorf("got %v", index)
	}
	for name := range adminActions {
		p.ask(200, "GET", name, "")
		if text, _ := p.ask(405, "PATCH", name, "")["error"].(string); !strings.Contains(text, "GET") {
			t.Errorf("%s: got %q", name, text)
		}
	}
	if text, _ := p.ask(404, "GET", "secrets", "")["error"].(string); !strings.Contains(text, "calls, check, clock") {
		t.Errorf("got %q", text)
	}
}

// Nobody but a person on this machine: no remote peer, no web page, no foreign name.
func TestAdminRefusesEverybodyElse(t *testing.T) {
	cloud := newCloud(t, Options{})
	before := cloud.Snapshot().Serial
	for _, tt := range []struct {
		what          string
		peer, host    string
		header, value string
		want          int
	}{
		{"a person", "127.0.0.1:5", "127.0.0.1:18080", "", "", 200},
		{"a person by name", "127.0.0.1:5", "localhost:18080", "", "", 200},
		{"a person over IPv6", "[::1]:5", "[::1]:18080", "", "", 200},
		{"a person over IPv6 without a port", "[::1]:5", "[::1]", "", "", 200},
		{"a person's own browser window", "127.0.0.1:5", "127.0.0.1:18080", "Sec-Fetch-Site", "none", 200},
		{"a remote peer", "192.0.2.1:5", "127.0.0.1:18080", "", "", 403},
		{"a remote peer without a port", "192.0.2.1", "127.0.0.1:18080", "", "", 403},
		{"a peer without an address", "@", "127.0.0.1:18080", "", "", 403},
		{"a foreign name for this machine", "127.0.0.1:5", "attacker.example:18080", "", "", 403},
		{"a name that begins like one", "127.0.0.1:5", "127.0.0.1.attacker.example", "", "", 403},
		{"a name that ends like one", "127.0.0.1:5", "attacker.localhost:18080", "", "", 403},
		{"no name at all", "127.0.0.1:5", "", "", "", 403},
		{"a web page", "127.0.0.1:5", "127.0.0.1:18080", "Origin", "https://attacker.example", 403},
		{"a web page without origin", "127.0.0.1:5", "127.0.0.1:18080", "Origin", "null", 403},
		{"a page's image", "127.0.0.1:5", "127.0.0.1:18080", "Sec-Fetch-Site", "cross-site", 403},
	} {
		r := httptest.NewRequest("GET", "/_simulator/state", nil)
		r.RemoteAddr, r.Host = tt.peer, tt.host
		if tt.header != "" {
			r.Header.Set(tt.header, tt.value)
		}
		w := httptest.NewRecorder()
		cloud.Handler().ServeHTTP(w, r)
		if w.Code != tt.want || strings.Contains(w.Body.String(), "policies") != (tt.want == 200) {
			t.Errorf("%s: got %d %s", tt.what, w.Code, w.Body)
		}
		if slices.ContainsFunc([]string{"Access-Control-Allow-Origin", "Access-Control-Allow-Methods"}, func(h string) bool { return w.Header().Get(h) != "" }) {
			t.Errorf("%s: the answer invites web pages: %v", tt.what, w.Header())
		}
	}
	if cloud.Snapshot().Serial != before || len(cloud.Calls()) != 0 {
		t.Error("the admin endpoint left a trace in the account")
	}
}
