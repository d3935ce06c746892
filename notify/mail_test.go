package notify

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"
)

// postOffice is a local SMTP server for one letter at a time.
type postOffice struct {
	port    int
	roots   *x509.CertPool
	starts  bool   // it offers STARTTLS
	refuse  string // its answer to RCPT
	letters chan received
}

type received struct {
	encrypted bool
	login     string
	to        []string
	data      string
}

func newPostOffice(t *testing.T, starts bool, refuse string) *postOffice {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	certificate := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, certificate, certificate, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	o := &postOffice{roots: x509.NewCertPool(), starts: starts, refuse: refuse, letters: make(chan received, 10)}
	o.roots.AddCert(parsed)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	o.port = listener.Addr().(*net.TCPAddr).Port
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go o.serve(conn, config)
		}
	}()
	return o
}

func (o *postOffice) serve(conn net.Conn, config *tls.Config) {
	defer func() { conn.Close() }()
	in := bufio.NewReader(conn)
	say := func(format string, args ...any) { fmt.Fprintf(conn, format+"\r\n", args...) }
	var got received
	say("220 localhost ESMTP")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch strings.ToUpper(word) {
		case "EHLO":
			switch {
			case o.starts && !got.encrypted:
				say("250-localhost\r\n250 STARTTLS")
			default:
				say("250-localhost\r\n250 AUTH PLAIN")
			}
		case "STARTTLS":
			say("220 go on")
			secure := tls.Server(conn, config)
			if secure.Handshake() != nil {
				return
			}
			conn, in, got.encrypted = secure, bufio.NewReader(secure), true
		case "AUTH":
			_, coded, _ := strings.Cut(rest, " ")
			login, _ := base64.StdEncoding.DecodeString(coded)
			got.login = string(login)
			if strings.HasSuffix(got.login, "wrong-password") {
				say("535 5.7.8 no: %s", "wrong-password")
				continue
			}
			say("235 welcome")
		case "RCPT":
			if o.refuse != "" {
				say("%s", o.refuse)
				continue
			}
			got.to = append(got.to, rest)
			say("250 ok")
		case "DATA":
			say("354 go on")
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				got.data += line
			}
			o.letters <- got
			say("250 ok")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func TestMailIsEncryptedAuthenticatedAndReadable(t *testing.T) {
	o := newPostOffice(t, true, "")
	m := Mail{Host: "127.0.0.1", Port: o.port, Username: "fwsync", Password: "pass-word", From: "fwsync@example.com", To: []string{"a@example.com", "b@example.com"}, Roots: o.roots}
	notice := Message{Title: "fwsync edge — gap", Text: "gap: 攻击 198.51.100.7\nBcc: victim@example.com"}
	if err := m.Send(t.Context(), notice); err != nil {
		t.Fatal(err)
	}
	got := <-o.letters
	if !got.encrypted || got.login != "\x00fwsync\x00pass-word" || len(got.to) != 2 {
		t.Errorf("got %+v", got)
	}
	letter, err := mail.ReadMessage(strings.NewReader(got.data))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(letter.Header.Get("Subject"))
	if err != nil || subject != notice.Title || letter.Header.Get("Bcc") != "" || letter.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("%v, header %v", err, letter.Header)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(letter.Body))
	if text := strings.ReplaceAll(string(body), "\r\n", "\n"); err != nil || strings.TrimRight(text, "\n") != notice.Text {
		t.Errorf("%v, text %q", err, text)
	}
}

// Without STARTTLS, or with a certificate of somebody else, nothing is said: no name, no
// password, no notice.
func TestMailIsNotSentInTheClear(t *testing.T) {
	for name, o := range map[string]*postOffice{"no STARTTLS": newPostOffice(t, false, ""), "a stranger's certificate": newPostOffice(t, true, "")} {
		m := Mail{Host: "127.0.0.1", Port: o.port, Username: "fwsync", Password: "pass-word", From: "a@example.com", To: []string{"b@example.com"}}
		err := m.Send(t.Context(), letter)
		if err == nil || strings.Contains(err.Error(), "pass-word") {
			t.Errorf("%s: error %v", name, err)
		}
		select {
		case got := <-o.letters:
			t.Errorf("%s: sent %+v", name, got)
		default:
		}
	}
	o := newPostOffice(t, false, "")
	plain := Mail{Host: "127.0.0.1", Port: o.port, From: "a@example.com", To: []string{"b@example.com"}, Plain: true}
	if err := plain.Send(t.Context(), letter); err != nil {
		t.Errorf("on loopback it may: %v", err)
	}
}

func TestMailSaysWhatIsWorthAnotherTryAndNoPassword(t *testing.T) {
	for _, c := range []struct {
		refuse, password string
		retry            bool
	}{
		{"451 4.3.0 try later", "pass-word", true},
		{"550 5.1.1 no such user", "pass-word", false},
		{"", "wrong-password", false},
	} {
		o := newPostOffice(t, true, c.refuse)
		m := Mail{Host: "127.0.0.1", Port: o.port, Username: "fwsync", Password: Secret(c.password), From: "a@example.com", To: []string{"b@example.com"}, Roots: o.roots}
		err := m.Send(t.Context(), letter)
		var f *Failure
		if !errors.As(err, &f) || f.Retry != c.retry || strings.Contains(err.Error(), c.password) {
			t.Errorf("%+v: %v %+v", c, err, f)
		}
	}
}
