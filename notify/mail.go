package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/wneessen/go-mail"
)

// Mail sends notices through an SMTP server. The connection is encrypted with STARTTLS,
// or nothing is sent; a server on loopback may do without.
type Mail struct {
	Host     string
	Port     int // 587 is usual
	Username string
	Password Secret
	From     string
	To       []string
	Plain    bool           // without STARTTLS; loopback only
	Roots    *x509.CertPool // nil: the system's
}

// Check refuses what cannot work.
func (m Mail) Check() error {
	if m.Host == "" || m.Port < 1 || m.Port > 65535 {
		return errors.New("the mail server is missing, write host:port")
	}
	if m.Plain && !loopback(m.Host) {
		return fmt.Errorf("mail to %s must be encrypted: only a server on loopback may do without STARTTLS", m.Host)
	}
	_, err := m.letter(Message{})
	return err
}

func (m Mail) letter(notice Message) (*mail.Msg, error) {
	letter := mail.NewMsg()
	if err := letter.From(m.From); err != nil {
		return nil, fmt.Errorf("the sender %q is no mail address", m.From)
	}
	if len(m.To) == 0 {
		return nil, errors.New("there is no recipient")
	}
	if err := letter.To(m.To...); err != nil {
		return nil, fmt.Errorf("one of the recipients %q is no mail address", m.To)
	}
	letter.Subject(notice.Title)
	letter.SetBodyString(mail.TypeTextPlain, notice.Text+"\n")
	letter.SetMessageID()
	letter.SetDate()
	// No answering machine shall answer (RFC 3834).
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	return letter, nil
}

// Send implements Channel.
func (m Mail) Send(ctx context.Context, notice Message) error {
	letter, err := m.letter(notice)
	if err != nil {
		return &Failure{reason: err.Error()}
	}
	options := []mail.Option{
		mail.WithPort(m.Port), mail.WithTimeout(2 * perAttempt),
		mail.WithTLSConfig(&tls.Config{ServerName: m.Host, RootCAs: m.Roots, MinVersion: tls.VersionTLS12}),
		mail.WithTLSPolicy(mail.TLSMandatory),
	}
	if m.Plain {
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	}
	if m.Username != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(m.Username), mail.WithPassword(string(m.Password)))
	}
	client, err := mail.NewClient(m.Host, options...)
	if err != nil {
		return &Failure{reason: "preparing the mail: " + redact(err.Error(), "", []Secret{m.Password})}
	}
	if err := client.DialAndSendWithContext(ctx, letter); err != nil {
		f := &Failure{reason: "sending the mail: " + redact(printable([]byte(err.Error())), "", []Secret{m.Password}), Retry: isTimeout(err)}
		var refused *mail.SendError
		if errors.As(err, &refused) {
			f.Retry = f.Retry || refused.IsTemp()
		} else if errors.Is(err, context.DeadlineExceeded) {
			f.Retry = true
		}
		return f
	}
	return nil
}
