package simulator

import (
	"crypto/tls"
	"net"
	"sync/atomic"
)

// handshakeByte is the first byte of every TLS connection.
const handshakeByte = 0x16

// eitherListener accepts connections that are TLS or plain, whichever the client
// begins.
type eitherListener struct {
	net.Listener
	config *tls.Config
}

func (l *eitherListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &eitherConn{Conn: conn, config: l.config}, nil
}

// eitherConn looks at its first byte when it is first read, which the HTTP server
// does in the connection's own goroutine and under the deadline for headers: a
// client that says nothing keeps nobody waiting.
type eitherConn struct {
	net.Conn
	config *tls.Config
	looked bool // by the only reader, before anything is written
	secure atomic.Pointer[tls.Conn]
}

func (c *eitherConn) Read(p []byte) (int, error) {
	if s := c.secure.Load(); s != nil {
		return s.Read(p)
	}
	if c.looked || len(p) == 0 {
		return c.Conn.Read(p)
	}
	n, err := c.Conn.Read(p[:1])
	if n == 0 {
		return 0, err
	}
	c.looked = true
	if p[0] != handshakeByte {
		return 1, err
	}
	s := tls.Server(&startedConn{Conn: c.Conn, first: []byte{p[0]}}, c.config)
	c.secure.Store(s)
	return s.Read(p)
}

func (c *eitherConn) Write(p []byte) (int, error) {
	if s := c.secure.Load(); s != nil {
		return s.Write(p)
	}
	return c.Conn.Write(p)
}

func (c *eitherConn) Close() error {
	if s := c.secure.Load(); s != nil {
		return s.Close()
	}
	return c.Conn.Close()
}

// startedConn gives back the byte that was read to look at it.
type startedConn struct {
	net.Conn
	first []byte
}

func (c *startedConn) Read(p []byte) (int, error) {
	if len(c.first) > 0 {
		n := copy(p, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// abort closes a connection as a dying proxy does, with a RST where that is possible.
func abort(conn net.Conn) {
	if either, ok := conn.(*eitherConn); ok {
		conn = either.Conn
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		// Zero linger makes the close a RST.
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
