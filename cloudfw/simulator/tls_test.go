package simulator

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// eitherServer serves TLS and plain HTTP on one port, and returns a client that
// trusts it.
func eitherServer(t *testing.T, cloud *Cloud) (*Server, *http.Client) {
	t.Helper()
	leaf, authority, err := SelfSigned(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s, err := Listen("127.0.0.1:0", cloud.Handler(), WithTLS(leaf))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		t.Fatalf("no certificate in %s", authority)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return s, &http.Client{Transport: transport}
}

const bookQuery = "/?Action=DescribeAddressBook&Version=2017-12-07"

func unsigned() Options { return Options{SkipSignature: true, SkipTimestamp: true, SkipNonce: true} }

func TestOnePortSpeaksTLSAndPlain(t *testing.T) {
	s, client := eitherServer(t, newCloud(t, unsigned()))
	port := s.Addr()[strings.LastIndexByte(s.Addr(), ':'):]
	for _, url := range []string{"http://127.0.0.1" + port, "https://127.0.0.1" + port, "https://localhost" + port, "http://localhost" + port} {
		for range 3 {
			resp, err := client.Get(url + bookQuery)
			if err != nil {
				t.Fatalf("%s: %v", url, err)
			}
			raw, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode != 200 || !strings.Contains(string(raw), "Acls") {
				t.Errorf("%s: got %d %s, %v", url, resp.StatusCode, raw, err)
			}
			if secure := strings.HasPrefix(url, "https"); secure != (resp.TLS != nil) || secure && resp.ProtoMajor != 1 {
				t.Errorf("%s: TLS %v, %s", url, resp.TLS != nil, resp.Proto)
			}
		}
	}
	if resp, err := http.Get("https://127.0.0.1" + port + bookQuery); err == nil {
		resp.Body.Close()
		t.Error("a client that does not know the authority was served")
	}
}

// A client that says nothing, or half a greeting, keeps nobody waiting.
func TestSilentClientsBlockNobody(t *testing.T) {
	s, client := eitherServer(t, newCloud(t, unsigned()))
	for i := range 20 {
		conn, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if i%2 == 0 {
			if _, err := conn.Write([]byte{handshakeByte}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, scheme := range []string{"http", "https"} {
		resp, err := client.Get(scheme + "://" + s.Addr() + bookQuery)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
}

func TestFaultsBreakTLSConnectionsToo(t *testing.T) {
	cloud := newCloud(t, unsigned())
	s, client := eitherServer(t, cloud)
	for _, kind := range []FaultKind{FaultResetBefore, FaultResetAfter} {
		cloud.ResetCalls()
		cloud.Inject(Fault{Kind: kind})
		// A POST is not repeated by the client of its own accord.
		resp, err := client.Post("https://"+s.Addr()+bookQuery, "", nil)
		if err == nil {
			resp.Body.Close()
			t.Errorf("%s: got status %d", kind, resp.StatusCode)
		}
		if calls := cloud.Calls(); len(calls) != 1 || calls[0].Fault != kind {
			t.Errorf("%s: logged %+v", kind, calls)
		}
	}
}

func TestThrowawayAuthorityVouchesForLoopbackOnly(t *testing.T) {
	now := time.Now()
	leaf, authority, err := SelfSigned(now)
	if err != nil {
		t.Fatal(err)
	}
	block, rest := pem.Decode(authority)
	if block == nil || len(rest) > 0 {
		t.Fatalf("got %s", authority)
	}
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(leaf.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	for name, ok := range map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true, "ecs.aliyuncs.com": false, "192.0.2.1": false} {
		if _, err := cert.Verify(x509.VerifyOptions{DNSName: name, Roots: pool, CurrentTime: now}); (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, at := range []time.Time{now.Add(throwawayAge + time.Second), now.Add(-2 * time.Hour)} {
		if _, err := cert.Verify(x509.VerifyOptions{DNSName: "localhost", Roots: pool, CurrentTime: at}); err == nil {
			t.Errorf("it holds at %v, %v from its making", at, at.Sub(now))
		}
	}
	if fmt.Sprint(ca.PermittedDNSDomains) != "[localhost]" || !ca.PermittedDNSDomainsCritical || len(ca.PermittedIPRanges) != 2 || !ca.MaxPathLenZero {
		t.Errorf("the authority may vouch for more: %v %v", ca.PermittedDNSDomains, ca.PermittedIPRanges)
	}
	for text, want := range map[string]bool{string(authority): true, string(authority) + "more": false, "": false, "-----BEGIN CERTIFICATE-----": false} {
		if IsThrowawayAuthority([]byte(text)) != want {
			t.Errorf("%q", text)
		}
	}
}
