package simulator

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestListenRefusesRemoteAddresses(t *testing.T) {
	cloud := newCloud(t, Options{})
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.com:80"} {
		s, err := Listen(addr, cloud.Handler())
		if err == nil {
			s.Close()
			t.Errorf("%s was accepted", addr)
		} else if !strings.Contains(err.Error(), "loopback") {
			t.Errorf("%s: got %v", addr, err)
		}
	}
	if _, err := Listen("no port", cloud.Handler()); err == nil || !strings.Contains(err.Error(), `"no port"`) {
		t.Errorf("got %v", err)
	}
	s, err := Listen("0.0.0.0:0", cloud.Handler(), AllowRemote)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestServerServesUntilClosed(t *testing.T) {
	cloud := newCloud(t, Options{})
	for _, addr := range []string{"127.0.0.1:0", "localhost:0"} {
		s, err := Listen(addr, cloud.Handler())
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.Get(s.URL() + "/?Action=X&Version=Y")
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 404 || !strings.Contains(string(raw), "InvalidAction.NotFound") || !strings.HasSuffix(s.URL(), s.Addr()) {
			t.Errorf("got %d %s", resp.StatusCode, raw)
		}
		for range 2 {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		if resp, err := http.Get(s.URL()); err == nil {
			resp.Body.Close()
			t.Errorf("%s still answers", addr)
		}
	}
}
