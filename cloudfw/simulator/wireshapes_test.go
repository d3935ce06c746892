package simulator

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// wireShape is how one of other people's clients lays out a call (reference §10).
type wireShape struct {
	name     string
	method   string
	inForm   bool // business parameters in the body
	system   map[string]string
	encoding string // Accept-Encoding
}

var wireShapes = []wireShape{
	{"the vendor's CLI", "POST", false, map[string]string{"Format": "JSON", "SignatureType": "", "RegionId": "cn-hangzhou"}, "identity"},
	{"the Terraform provider, most calls", "POST", true, map[string]string{"Format": "json"}, "gzip"},
	{"the Terraform provider, calls of the SDK", "GET", false, map[string]string{"Format": "JSON", "SignatureType": "", "RegionId": "cn-hangzhou"}, "identity"},
}

// tool finds a program. Without it the test has nothing to say; a build server must
// have it.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI=true and %s is missing: the wire shapes are NOT tested", name)
		}
		t.Skipf("%s IS MISSING: the wire shapes are NOT tested. Install it, or set CI=true to make this a failure.", name)
	}
	return path
}

// TestWireShapes makes, shows and removes an address book with calls that are signed
// by openssl and sent by curl, so that neither signing nor HTTP is checked with Go's
// own code on both sides.
func TestWireShapes(t *testing.T) {
	curl, openssl := tool(t, "curl"), tool(t, "openssl")
	for _, shape := range wireShapes {
		t.Run(shape.name, func(t *testing.T) {
			cloud, err := New(Options{Keys: map[string]string{"LTAI5example": "s3cr+t/with&signs="}})
			if err != nil {
				t.Fatal(err)
			}
			s, err := Listen("127.0.0.1:0", cloud.Handler())
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			n := 0
			call := func(action string, business ...string) map[string]any {
				t.Helper()
				n++
				return shape.call(t, curl, openssl, s.URL(), fmt.Sprintf("%s-%d", t.Name(), n), action, business)
			}
			const name = "blocked ü*~+/ & more"
			made := call("AddAddressBook", "GroupName", name, "GroupType", "ip", "Description", "by hand", "AddressList", "198.51.100.1,198.51.100.0/25 a note")
			uuid, _ := made["GroupUuid"].(string)
			shown := call("DescribeAddressBook", "GroupType", "all", "CurrentPage", "1", "PageSize", "50")
			books, _ := shown["Acls"].([]any)
			if uuid == "" || len(books) != 1 || shown["TotalCount"] != "1" {
				t.Fatalf("made %v, shown %v", made, shown)
			}
			if b, _ := books[0].(map[string]any); b["GroupUuid"] != uuid || b["GroupName"] != name || len(b["AddressList"].([]any)) != 2 {
				t.Errorf("shown %v", b)
			}
			call("DeleteAddressBook", "GroupUuid", uuid)
			if left := call("DescribeAddressBook", "GroupType", "all", "CurrentPage", "1", "PageSize", "50"); len(left["Acls"].([]any)) != 0 {
				t.Errorf("left %v", left)
			}
			if calls := cloud.Calls(); len(calls) != 4 || slices.ContainsFunc(calls, func(c Call) bool { return c.Code != "" }) {
				t.Errorf("logged %+v", calls)
			}
		})
	}
}

func (w wireShape) call(t *testing.T, curl, openssl, base, nonce, action string, business []string) map[string]any {
	t.Helper()
	var query, form, all []string
	add := func(to *[]string, name, value string) {
		pair := rfc3986(name) + "=" + rfc3986(value)
		*to, all = append(*to, pair), append(all, pair)
	}
	for name, value := range w.system {
		add(&query, name, value)
	}
	for _, pair := range [][2]string{
		{"AccessKeyId", "LTAI5example"}, {"Action", action}, {"SignatureMethod", "HMAC-SHA1"}, {"SignatureNonce", nonce},
		{"SignatureVersion", "1.0"}, {"Timestamp", time.Now().UTC().Format("2006-01-02T15:04:05Z")}, {"Version", "2017-12-07"},
	} {
		add(&query, pair[0], pair[1])
	}
	for i := 0; i < len(business); i += 2 {
		if w.inForm {
			add(&form, business[i], business[i+1])
		} else {
			add(&query, business[i], business[i+1])
		}
	}
	slices.Sort(all)
	text := w.method + "&%2F&" + rfc3986(strings.Join(all, "&"))
	mac := run(t, text, openssl, "dgst", "-sha1", "-hmac", "s3cr+t/with&signs=&", "-binary")
	signed := strings.TrimSpace(run(t, mac, openssl, "base64"))
	query = append(query, "Signature="+rfc3986(signed))

	args := []string{"--silent", "--show-error", "--noproxy", "*", "--max-time", "30", "--request", w.method,
		"--header", "Accept-Encoding: " + w.encoding, "--output", "-"}
	if w.encoding == "gzip" {
		args = append(args, "--compressed")
	}
	if w.method == "POST" {
		args = append(args, "--header", "Content-Type: application/x-www-form-urlencoded", "--data-binary", strings.Join(form, "&"))
	}
	raw := run(t, "", curl, append(args, base+"/?"+strings.Join(query, "&"))...)
	var answer map[string]any
	if err := json.Unmarshal([]byte(raw), &answer); err != nil {
		t.Fatalf("%s: %q: %v", action, raw, err)
	}
	if _, failed := answer["Code"]; failed || answer["RequestId"] == "" {
		t.Fatalf("%s: %s", action, raw)
	}
	return answer
}

func run(t *testing.T, input, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdin = strings.NewReader(input)
	var trouble strings.Builder
	cmd.Stderr = &trouble
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", program, err, trouble.String())
	}
	return string(out)
}
