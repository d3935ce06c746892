package alibaba

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// maxBody is the longest answer that is read. A page of fifty full books is about
// two megabytes.
const maxBody = 32 << 20

// outcome is what became of one HTTP request.
type outcome struct {
	asked     bool  // there was a request; otherwise the SDK could not build it
	connected bool  // there was a connection: the service may have seen the request
	err       error // no complete answer
	status    int
	header    http.Header
	body      []byte
	secrets   []string // what must not be repeated in any text about it
}

// carrier carries the SDK's requests, one at a time. The SDK is given a harmless
// answer whatever happened, as it panics on unusual error bodies (reference §0.4)
// and takes any 2xx for success; the real outcome waits in outcome.
type carrier struct {
	base    http.RoundTripper
	timeout time.Duration

	ctx     context.Context // of the call under way: the SDK knows no contexts
	outcome outcome
}

// RoundTrip implements http.RoundTripper. It keeps to the context of the call and
// to the carrier's timeout, reads the whole answer and never follows a redirect,
// which would hand a signed request to somebody else.
func (c *carrier) RoundTrip(req *http.Request) (*http.Response, error) {
	secrets := c.outcome.secrets
	query := req.URL.Query()
	for _, name := range []string{"AccessKeyId", "SecurityToken", "BearerToken", "Signature", "SignatureNonce"} {
		secrets = append(secrets, query[name]...)
	}
	c.outcome = outcome{asked: true, secrets: secrets}

	ctx, cancel := context.WithTimeoutCause(c.ctx, c.timeout, errNoAnswer)
	defer cancel()
	var connected atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	resp, err := c.base.RoundTrip(req.WithContext(traced))
	if err == nil {
		c.outcome.status, c.outcome.header = resp.StatusCode, resp.Header
		c.outcome.body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
		resp.Body.Close()
		if err == nil && len(c.outcome.body) > maxBody {
			err = errTooLong
		}
	}
	c.outcome.connected = connected.Load()
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		c.outcome.err = err
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: req,
	}, nil
}

var (
	errNoAnswer = errors.New("no complete answer in time")
	errTooLong  = fmt.Errorf("the answer is longer than %d MiB", maxBody>>20)
)

// newTransport makes the connections that the carriers of an account share.
func newTransport(connectTimeout time.Duration) *http.Transport {
	dialer := &net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                 proxyFor,
		DialContext:           dialer.DialContext,
		TLSHandshakeTimeout:   connectTimeout,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		MaxIdleConnsPerHost:   observers,
		IdleConnTimeout:       30 * time.Second,
		DisableCompression:    true,
		ExpectContinueTimeout: time.Second,
	}
}

// proxyFor follows the proxy settings of the environment, but never for this very
// machine: the simulator is no business of a proxy.
func proxyFor(req *http.Request) (*url.URL, error) {
	host := req.URL.Hostname()
	if addr, err := netip.ParseAddr(host); host == "localhost" || err == nil && addr.Unmap().IsLoopback() {
		return nil, nil
	}
	proxy, err := http.ProxyFromEnvironment(req)
	if err != nil {
		return nil, errors.New("the proxy setting of the environment is not a URL") // the error would quote its password
	}
	return proxy, nil
}

// describe puts a transport error into words that are known to hold no secret: the
// errors' own texts may quote the whole signed URL (reference §0.7), so only the
// parts of known types are used.
func describe(err error, secrets []string) string {
	clean := func(text string) string { return oneLine(redactValues(text, secrets)) }
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return clean("no address for " + dns.Name)
	}
	if ca, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return clean("the server's certificate is refused: " + ca.Err.Error())
	}
	if ca, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return clean("the server's certificate is refused: " + ca.Error())
	}
	if tlsErr, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return clean("the server does not speak TLS: " + tlsErr.Msg)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		text := op.Op
		if op.Addr != nil {
			text += " " + op.Addr.String()
		}
		if op.Timeout() {
			return clean(text + ": timeout")
		}
		return clean(text + ": " + innermost(op.Err).Error())
	}
	for _, known := range []error{context.Canceled, context.DeadlineExceeded, errNoAnswer, errTooLong} {
		if errors.Is(err, known) {
			return known.Error() // not err's own text, which may be wrapped with a URL
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the connection ended before the answer did"
	}
	return clean(innermost(err).Error())
}

func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
