package simulator

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestAnswersAreCompressedForThoseWhoAsk(t *testing.T) {
	_, c := newWorld(t, Options{SkipSignature: true, SkipNonce: true, SkipTimestamp: true})
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	for _, tt := range []struct {
		accept string
		gzip   bool
	}{
		{"", false}, {"identity", false}, {"gzip", true}, {"deflate, gzip", true}, {"GZIP;q=0.5", true}, {"*", true},
		{"gzip;q=0", false}, {"gzip; q=0.0, identity", false}, {"gzipped", false},
	} {
		for _, action := range []string{"DescribeAddressBook", "DescribeNothing"} {
			r, err := http.NewRequest(http.MethodPost, c.base+"/?Version=2017-12-07&Action="+action, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept-Encoding", tt.accept)
			resp, err := transport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			var from io.Reader = resp.Body
			if coding := resp.Header.Get("Content-Encoding"); (coding == "gzip") != tt.gzip {
				t.Errorf("%q: answered as %q", tt.accept, coding)
			} else if tt.gzip {
				if from, err = gzip.NewReader(resp.Body); err != nil {
					t.Fatal(err)
				}
			}
			raw, err := io.ReadAll(from)
			resp.Body.Close()
			if err != nil || !json.Valid(raw) || !strings.Contains(string(raw), "RequestId") {
				t.Errorf("%q: got %q, %v", tt.accept, raw, err)
			}
		}
	}
}

func TestRequestBodiesMayBeCompressed(t *testing.T) {
	_, c := newWorld(t, Options{SkipSignature: true, SkipNonce: true, SkipTimestamp: true, Limits: Limits{BodyBytes: 1000}})
	packed := func(text string) string {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		_, _ = io.WriteString(w, text)
		_ = w.Close()
		return out.String()
	}
	const form = "GroupName=blocked&GroupType=ip&Description=some&AddressList=198.51.100.1"
	for _, tt := range []struct {
		coding, body string
		status       int
	}{
		{"gzip", packed(form), 200},
		{"GZIP", packed(strings.Replace(form, "blocked", "blocked2", 1)), 200},
		{"identity", strings.Replace(form, "blocked", "blocked3", 1), 200},
		{"gzip", form, 400},
		{"gzip", packed(form)[:30], 400},
		{"br", form, 415},
		{"gzip", packed(strings.Repeat("a", 1001)), 413},
		{"gzip", packed(strings.Repeat("a", 10<<20)), 413},
	} {
		r, err := http.NewRequest(http.MethodPost, c.base+"/?Version=2017-12-07&Action=AddAddressBook", strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Encoding", tt.coding)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != tt.status {
			t.Errorf("%s of %d bytes: got %d %s, %v, want %d", tt.coding, len(tt.body), resp.StatusCode, raw, err, tt.status)
		}
	}
}
