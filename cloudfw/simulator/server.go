package simulator

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Server serves a handler on a TCP address.
type Server struct {
	http   *http.Server
	addr   string
	hangUp context.CancelFunc
	done   chan struct{}
}

// ListenOption changes how Listen behaves.
type ListenOption func(*listening)

type listening struct {
	remote       bool
	certificates []tls.Certificate
}

// AllowRemote lets Listen take an address that is not loopback. The simulator
// then answers whoever reaches the port and knows its well-known key; the admin
// endpoint stays with loopback peers.
func AllowRemote(l *listening) { l.remote = true }

var _ ListenOption = AllowRemote

// WithTLS lets the server speak TLS beside plain HTTP on the same port: a
// connection whose first byte is 0x16 is TLS, any other is not (reference §10).
func WithTLS(certificate tls.Certificate) ListenOption {
	return func(l *listening) { l.certificates = append(l.certificates, certificate) }
}

// Listen starts serving h on addr, "127.0.0.1:0" choosing a free port. Only
// loopback addresses and localhost are taken unless AllowRemote is given.
func Listen(addr string, h http.Handler, options ...ListenOption) (*Server, error) {
	var how listening
	for _, o := range options {
		o(&how)
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("listening on %q: %w", addr, err)
	}
	if !how.remote && !isLoopback(host) {
		return nil, fmt.Errorf("listening on %q: the simulator serves loopback addresses only unless remote access is allowed", addr)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listening on %q: %w", addr, err)
	}
	if how.certificates != nil {
		listener = &eitherListener{listener, &tls.Config{
			Certificates: how.certificates, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		}}
	}
	base, hangUp := context.WithCancel(context.Background())
	s := &Server{
		http: &http.Server{
			Handler: h, BaseContext: func(net.Listener) context.Context { return base },
			ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 60 * time.Second,
			WriteTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 1 << 20,
		},
		addr: listener.Addr().String(), hangUp: hangUp, done: make(chan struct{}),
	}
	go func() {
		defer close(s.done)
		// It ends with ErrServerClosed by Close, or when the listener breaks; a
		// client then sees refused connections.
		_ = s.http.Serve(listener)
	}()
	return s, nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// Addr returns host:port as bound.
func (s *Server) Addr() string { return s.addr }

// URL returns the base URL for plain HTTP, without a trailing slash.
func (s *Server) URL() string { return "http://" + s.addr }

// Close ends hanging calls, lets running ones finish for up to 5 seconds and
// then closes what is left. It may be called more than once.
func (s *Server) Close() error {
	s.hangUp()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	<-s.done
	if err != nil {
		return fmt.Errorf("closing simulator: %w", err)
	}
	return nil
}
