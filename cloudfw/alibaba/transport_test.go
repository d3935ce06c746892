package alibaba

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"fwsync/cloudfw"
)

// deadProxy stands in the environment of all tests: whatever goes to it fails.
const deadProxy = "http://proxyuser:proxypassword@127.0.0.1:1"

func TestMain(m *testing.M) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		os.Setenv(name, deadProxy)
	}
	os.Unsetenv("NO_PROXY")
	os.Unsetenv("no_proxy")
	os.Exit(m.Run())
}

func TestProxiesAreForTheVendorButNeverForThisMachine(t *testing.T) {
	for host, want := range map[string]string{
		"cloudfw.aliyuncs.com": deadProxy, "ecs-cn-hangzhou.aliyuncs.com": deadProxy, "192.0.2.1": deadProxy,
		"127.0.0.1:8080": "", "127.9.9.9": "", "[::1]:8080": "", "localhost:8080": "", "[::ffff:127.0.0.1]": "",
	} {
		for _, scheme := range []string{"http", "https"} {
			proxy, err := proxyFor(httptest.NewRequest("POST", scheme+"://"+host+"/", nil))
			got := ""
			if proxy != nil {
				got = proxy.String()
			}
			if err != nil || got != want {
				t.Errorf("%s://%s goes through %q (%v), want %q", scheme, host, got, err, want)
			}
		}
	}
}

// answering is an account at a server that answers every call the same.
func answering(t *testing.T, status int, body string) *rig {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Location", "http://127.0.0.1:1/?"+req.URL.RawQuery)
		w.WriteHeader(status)
		fmt.Fprint(w, strings.ReplaceAll(body, "$QUERY", req.URL.RawQuery))
	}))
	t.Cleanup(server.Close)
	return openAt(t, server)
}

func TestAnswersAreJudgedByTheirBodyToo(t *testing.T) {
	const good = `"RequestId":"R-1"`
	for _, c := range []struct {
		what        string
		status      int
		body        string
		read, write cloudfw.Kind
	}{
		{"a page of a proxy", 200, "<html>maintenance</html>", cloudfw.Unavailable, cloudfw.UnknownOutcome},
		{"no body", 200, "", cloudfw.Unavailable, cloudfw.UnknownOutcome},
		{"an array", 200, "[]", cloudfw.Unavailable, cloudfw.UnknownOutcome},
		{"null", 200, "null", cloudfw.Unavailable, cloudfw.UnknownOutcome},
		{"an empty object", 200, "{}", cloudfw.Unavailable, cloudfw.UnknownOutcome},
		{"an error inside a success", 200, `{` + good + `,"Code":"InternalError","Message":"oops"}`, cloudfw.Unavailable, cloudfw.UnknownOutcome},
		{"an odd error inside a success", 200, `{` + good + `,"Code":500,"Message":{"a":1}}`, cloudfw.Unavailable, cloudfw.UnknownOutcome},
		{"throttling inside a success", 200, `{` + good + `,"Code":"Throttling.User"}`, cloudfw.Throttled, cloudfw.Throttled},
		{"a success that says so", 200, `{` + good + `,"Code":"200","TotalCount":"0"}`, "", ""},
		{"a count of words", 200, `{` + good + `,"TotalCount":"many"}`, cloudfw.Unavailable, ""},
		{"an answer to something else", 200, `{` + good + `,"Groups":[]}`, cloudfw.Unavailable, ""},
		{"items without a count", 200, `{` + good + `,"Assets":[]}`, cloudfw.Unavailable, ""},
		{"items that are none", 200, `{` + good + `,"TotalCount":1,"Assets":"none"}`, cloudfw.Unavailable, ""},
		{"fewer items than counted", 200, `{` + good + `,"TotalCount":1,"Assets":[]}`, cloudfw.Unavailable, ""},
		{"the same item twice", 200, `{` + good + `,"TotalCount":2,"Assets":[{"InternetAddress":"192.0.2.1"},{"InternetAddress":"192.0.2.1"}]}`, cloudfw.Unavailable, ""},
		{"an asset whose address is none", 200, `{` + good + `,"TotalCount":1,"Assets":[{"InternetAddress":"nowhere"}]}`, cloudfw.Unavailable, ""},
		{"an error with a number as code", 400, `{` + good + `,"Code":-200142,"Message":17,"HostId":false,"Recommend":{},"AccessDeniedDetail":"no"}`, cloudfw.Invalid, cloudfw.Invalid},
		{"an error that is no JSON", 400, "bad request", cloudfw.Invalid, cloudfw.Invalid},
		{"too long a URL", 414, "", cloudfw.Invalid, cloudfw.Invalid},
		{"a proxy that wants a password", 407, "", cloudfw.Denied, cloudfw.Denied},
		{"a status of throttling alone", 429, "", cloudfw.Throttled, cloudfw.Throttled},
		{"a request that took too long", 408, "", cloudfw.Unavailable, cloudfw.UnknownOutcome},
		{"a redirect", 307, "", cloudfw.Unavailable, cloudfw.UnknownOutcome},
		{"a redirect to a GET", 302, "", cloudfw.Unavailable, cloudfw.UnknownOutcome},
		{"an internal error that is no JSON", 500, "boom", cloudfw.Unavailable, cloudfw.UnknownOutcome},
		{"a throttled 503", 503, `{` + good + `,"Code":"Throttling"}`, cloudfw.Throttled, cloudfw.Throttled},
	} {
		r := answering(t, c.status, c.body)
		_, err := r.readAssets(t.Context())
		if cloudfw.KindOf(err) != c.read {
			t.Errorf("%s, reading: %v, want %q", c.what, err, c.read)
		}
		before := r.Traffic().Writes
		err = r.Execute(t.Context(), bookStep(cloudfw.CreateBook, "192.0.2.1/32"))
		if cloudfw.KindOf(err) != c.write {
			t.Errorf("%s, writing: %v, want %q", c.what, err, c.write)
		}
		if calls := r.Traffic().Writes - before; c.write != cloudfw.Throttled && calls != 1 {
			t.Errorf("%s: %d writing calls", c.what, calls)
		}
	}
}

func TestAnswersThatRepeatTheRequestAreCleansed(t *testing.T) {
	for _, body := range []string{
		`{"RequestId":"R-1","Code":"SignatureDoesNotMatch","Message":"Specified signature is not matched. server string to sign is:POST&%2F&AccessKeyId%3Dsimulator%26Action"}`,
		`{"RequestId":"R-1","Code":"Invalid","Message":"bad request /?$QUERY"}`,
		`{"RequestId":"$QUERY","Code":"$QUERY","Message":"$QUERY"}`,
		`plain text /?$QUERY`,
		`{"RequestId":"R-1","Code":"InvalidAccessKeyId.NotFound","Message":"Specified access key simulator is not found."}`,
	} {
		for _, status := range []int{200, 400, 500} {
			r := answering(t, status, body)
			_, err := r.readAssets(t.Context())
			if err == nil {
				t.Fatalf("%d %s: no error", status, body)
			}
			demandNoSecret(t, err.Error(), "simulator")
		}
	}
}

func TestTextsThatLookSecretAreCleansedWithoutKnowingTheSecret(t *testing.T) {
	for text, want := range map[string]string{
		"plain words, a question? yes":                                  "plain words, a question? yes",
		"server string to sign is:POST&%2F&AccessKeyId%3DLTAIsecretKey": "server string to sign is:[redacted]",
		"GET https://host/path?a=b&c=d failed":                          "GET https://host/path?[redacted] failed",
		`{"AccessKeySecret":"x1","SecurityToken": "y2"}`:                `{"AccessKeySecret":"[redacted]","SecurityToken": "[redacted]"}`,
		"token STS.NUxyzabcdefgh is old":                                "token [redacted] is old",
		"http://user:word@proxy:3128":                                   "http://proxy:3128",
	} {
		if got := redact(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	if got := redactValues("a bb%2Bcc bb%252Bcc bb+cc abc", []string{"bb+cc", "abc"}); got != "a [redacted] [redacted] [redacted] abc" {
		t.Errorf("values: %q", got)
	}
	if got := oneLine("a\r\nb\x1b[1mc\x00" + strings.Repeat("x", 400)); strings.ContainsAny(got, "\r\n\x1b\x00") || len([]rune(got)) != 301 {
		t.Errorf("one line: %q", got)
	}
}

func TestLongListsTravelInTheBody(t *testing.T) {
	longest := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		longest = max(longest, len(req.URL.RawQuery))
		fmt.Fprint(w, `{"RequestId":"R-1","PrefixListId":"pl-1"}`)
	}))
	t.Cleanup(server.Close)
	r := openAt(t, server)
	var addresses []string
	var rules []cloudfw.GroupRule
	for i := range 200 {
		addresses = append(addresses, fmt.Sprintf("198.51.100.%d/32", i))
		rules = append(rules, cloudfw.GroupRule{ID: fmt.Sprintf("sgr-%d", i), Direction: cloudfw.In, Action: cloudfw.Drop, Protocol: cloudfw.AnyProtocol, Peer: cloudfw.Peer{Kind: cloudfw.Net, Value: addresses[i]}, Priority: 1})
	}
	edit := listStep(cloudfw.EditList, prefixes(addresses[:100]...), prefixes(addresses[100:]...))
	edit.List.ID = "pl-1"
	appending := bookStep(cloudfw.AppendAddresses, addresses...)
	appending.Book.ID = "g-1"
	for _, step := range []cloudfw.Step{
		bookStep(cloudfw.CreateBook, addresses...), appending, edit, listStep(cloudfw.CreateList, prefixes(addresses...), nil),
		{Op: cloudfw.AuthoriseRules, GroupID: "sg-1", GroupRules: rules[:100]}, {Op: cloudfw.RevokeRules, GroupID: "sg-1", GroupRules: rules[100:]},
	} {
		if err := r.Execute(t.Context(), step); err != nil {
			t.Error(err)
		}
	}
	if longest > 1024 {
		t.Errorf("a URL has %d characters of parameters", longest)
	}
}

func TestTheLastAttemptOfACanceledReadIsCanceledToo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		cancel()
		<-t.Context().Done()
	}))
	t.Cleanup(server.Close)
	r := openAt(t, server)
	r.options.MaxAttempts = 1
	if _, err := r.readAssets(ctx); cloudfw.KindOf(err) != cloudfw.Canceled {
		t.Errorf("got %v", err)
	}
}

func TestAnAnswerWithoutEndIsCutOff(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		chunk := []byte(strings.Repeat(" ", 1<<20))
		for range maxBody>>20 + 2 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	r := openAt(t, server)
	r.options.MaxAttempts = 1
	if _, err := r.readAssets(t.Context()); cloudfw.KindOf(err) != cloudfw.Unavailable || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("got %v", err)
	}
}

func TestACertificateOfSomebodyElseIsRefusedBeforeAnythingIsSent(t *testing.T) {
	asked := false
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(server.Close)
	o := testOptions(server)
	o.Endpoint, o.Insecure, o.MaxAttempts = strings.TrimPrefix(server.URL, "https://"), false, 1
	a, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	err = a.Execute(t.Context(), bookStep(cloudfw.CreateBook, "192.0.2.1/32"))
	if cloudfw.KindOf(err) != cloudfw.Unavailable || !strings.Contains(err.Error(), "certificate") || asked {
		t.Errorf("asked %v, got %v", asked, err)
	}
}

func TestHTTPSIsTheDefaultAndWorks(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"RequestId":"R-1","TotalCount":0}`)
	}))
	t.Cleanup(server.Close)
	o := testOptions(server)
	o.Endpoint, o.Insecure = strings.TrimPrefix(server.URL, "https://"), false
	a, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	a.session.transport.TLSClientConfig.RootCAs = roots
	t.Cleanup(a.Close)
	if assets, err := a.readAssets(t.Context()); err != nil || len(assets) != 0 {
		t.Errorf("got %v, %v", assets, err)
	}
}

// secretURL is what the SDK's transport errors quote.
const secretURL = "https://ecs.aliyuncs.com/?AccessKeyId=LTAIsecretKeyId1&SecurityToken=CAISsecret%2Btoken&Signature=c2VjcmV0%3D&SignatureNonce=deadbeef"

func TestNoTransportErrorShowsASecret(t *testing.T) {
	addr := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}
	quoting := fmt.Errorf("malformed HTTP response from %s", secretURL)
	for what, err := range map[string]error{
		"url.Error of a timeout":    &url.Error{Op: "Post", URL: secretURL, Err: context.DeadlineExceeded},
		"url.Error of a refusal":    &url.Error{Op: "Post", URL: secretURL, Err: &net.OpError{Op: "dial", Net: "tcp", Addr: addr, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}},
		"url.Error of a reset":      &url.Error{Op: "Post", URL: secretURL, Err: &net.OpError{Op: "read", Net: "tcp", Addr: addr, Err: os.NewSyscallError("read", syscall.ECONNRESET)}},
		"url.Error of a name":       &url.Error{Op: "Post", URL: secretURL, Err: &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "ecs.aliyuncs.com"}}},
		"url.Error of the end":      &url.Error{Op: "Post", URL: secretURL, Err: io.EOF},
		"url.Error of half an end":  &url.Error{Op: "Post", URL: secretURL, Err: io.ErrUnexpectedEOF},
		"url.Error of a quotation":  &url.Error{Op: "Post", URL: secretURL, Err: quoting},
		"url.Error of a url.Error":  &url.Error{Op: "Post", URL: secretURL, Err: &url.Error{Op: "Post", URL: secretURL, Err: quoting}},
		"a certificate":             &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}},
		"a certificate of a name":   &tls.CertificateVerificationError{Err: x509.HostnameError{Host: "ecs.aliyuncs.com", Certificate: &x509.Certificate{}}},
		"no TLS":                    tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"},
		"an alert":                  &net.OpError{Op: "remote error", Err: tls.AlertError(40)},
		"a proxy":                   &net.OpError{Op: "proxyconnect", Net: "tcp", Err: quoting},
		"a timeout of ours":         errNoAnswer,
		"too long":                  errTooLong,
		"canceled":                  context.Canceled,
		"a plain text":              quoting,
		"a text with a header":      errors.New("net/http: invalid header field value for \"x\": SecurityToken: CAISsecret+token"),
		"a text with a key alone":   errors.New("the key LTAIsecretKeyId1 is odd"),
		"a text with a proxy's URL": errors.New("invalid proxy address http://proxyuser:proxypassword@proxy:3128"),
		"a joined error":            errors.Join(quoting, &url.Error{Op: "Post", URL: secretURL, Err: io.EOF}),
	} {
		text := describe(err, []string{"LTAIsecretKeyId1", "CAISsecret+token", "c2VjcmV0=", "deadbeef"})
		demandNoSecret(t, text, "LTAIsecretKeyId1", "CAISsecret", "c2VjcmV0", "deadbeef", "proxypassword")
		if text == "" {
			t.Errorf("%s: no text at all", what)
		}
		// Without knowing the values, the shape of the text has to do.
		demandNoSecret(t, describe(err, nil), "LTAIsecretKeyId1", "CAISsecret", "c2VjcmV0", "proxypassword")
	}
}

func TestTransportErrorsSayWhatHappened(t *testing.T) {
	addr := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}
	for _, c := range []struct {
		err  error
		want string
	}{
		{&net.OpError{Op: "dial", Net: "tcp", Addr: addr, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "dial 192.0.2.1:443: connection refused"},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "ecs.aliyuncs.com"}}, "no address for ecs.aliyuncs.com"},
		{fmt.Errorf("wrapped: %w", io.EOF), "the connection ended before the answer did"},
		{errNoAnswer, "no complete answer in time"},
		{tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, "the server does not speak TLS: first record does not look like a TLS handshake"},
	} {
		if got := describe(c.err, nil); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// silent is a transport on which the service never answers.
type silent struct{}

func (silent) RoundTrip(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}

func TestACarrierKeepsToItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{base: silent{}, timeout: 25 * time.Second, ctx: context.Background()}
		began := time.Now()
		resp, err := c.RoundTrip(httptest.NewRequest("POST", "http://192.0.2.1/", nil))
		if err != nil || resp.StatusCode != 200 {
			t.Errorf("the SDK gets %v, %v", resp, err)
		}
		if took := time.Since(began); took != 25*time.Second || !errors.Is(c.outcome.err, errNoAnswer) {
			t.Errorf("after %v: %v", took, c.outcome.err)
		}
	})
}
