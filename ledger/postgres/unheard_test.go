package postgres

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"fwsync/ledger"
	"fwsync/ledger/postgres/pgtest"
)

// relay stands between a store and its server. Once it is told what to do when the server
// has changed a row, it does that, once, instead of passing the answer on.
type relay struct {
	next    atomic.Pointer[func(client net.Conn)]
	address string
}

func relayTo(t *testing.T, server string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	r := &relay{address: l.Addr().String()}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { client.Close() })
			go r.serve(client, server)
		}
	}()
	return r
}

func (r *relay) serve(client net.Conn, address string) {
	defer client.Close()
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, client)
		server.Close()
	}()
	for answer := make([]byte, 1<<16); ; {
		n, err := server.Read(answer)
		if err != nil {
			return
		}
		if bytes.Contains(answer[:n], []byte("UPDATE 1")) {
			if do := r.next.Swap(nil); do != nil {
				(*do)(client)
				_, _ = io.Copy(io.Discard, server)
				return
			}
		}
		if _, err := client.Write(answer[:n]); err != nil {
			return
		}
	}
}

func TestP10ALeaseWhoseGrantNobodyHeardIsFree(t *testing.T) {
	server := pgtest.Shared(t)
	address := server.TCP(pgtest.Admin, server.Password, "postgres")
	address.RawQuery = url.Values{"search_path": {"unheard"}}.Encode()
	next := open(t, address.String())
	between := relayTo(t, address.Host)
	address.Host = between.address
	s := open(t, address.String())
	ctx, cancel := context.WithCancel(t.Context())
	for _, c := range []struct {
		name     string
		instead  func(net.Conn)
		ctx      context.Context
		expected error
	}{
		{"who asks is stopped", func(net.Conn) { cancel() }, ctx, context.Canceled},
		{"the connection ends", func(client net.Conn) { client.Close() }, t.Context(), ledger.ErrUnreachable},
	} {
		before, err := s.Acquire(t.Context(), ledger.Claim{Holder: "before"})
		if err != nil {
			t.Fatal(err)
		}
		if err := before.Close(); err != nil {
			t.Fatal(err)
		}
		between.next.Store(&c.instead)
		if _, err := s.Acquire(c.ctx, ledger.Claim{Holder: "who does not listen", TTL: time.Hour}); !errors.Is(err, c.expected) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.expected)
		}
		lease, err := next.Acquire(t.Context(), ledger.Claim{Holder: "the next"})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if lease.Token() != before.Token()+2 {
			t.Errorf("%s: token %d follows %d: no lease was granted between them, so this test shows nothing", c.name, lease.Token(), before.Token())
		}
		if err := lease.Close(); err != nil {
			t.Error(err)
		}
	}
}
