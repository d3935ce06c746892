package detect

import (
	"fmt"
	"strings"
)

// Kind is what a signal says happened. The zero value says nothing and is not
// valid. Its public names (String, ParseKind) are stable: policies use them. Kinds
// that a policy declares have numbers behind the built-in ones; a Catalogue has their names.
type Kind uint8

// The kinds of signals. One real event gives one signal of a kind, however
// many log lines mention it.
const (
	// SMTPAuthFailed is a SASL failure that the client caused.
	SMTPAuthFailed Kind = iota + 1
	// SMTPAuthOK is a message accepted from an authenticated client.
	SMTPAuthOK
	// SMTPRelayDenied is a recipient refused because we do not relay for the client.
	SMTPRelayDenied
	// SMTPRejectedRecipient is a recipient that was refused: an unknown user, asked
	// for by RCPT or VRFY, or one that the client may not write to.
	SMTPRejectedRecipient
	// SMTPRejectedSender is a sender address that was refused.
	SMTPRejectedSender
	// SMTPRejectedHelo is a HELO or EHLO name that was refused.
	SMTPRejectedHelo
	// SMTPRejectedClient is a client refused for what it is: listed, without a
	// reverse name, forbidden by an access rule.
	SMTPRejectedClient
	// SMTPNullSenderAbuse is the empty sender used for what is no bounce.
	SMTPNullSenderAbuse
	// SMTPPipelining is a client that talked before it was its turn.
	SMTPPipelining
	// SMTPNonSMTPCommand is HTTP, TLS or other text where a command belongs.
	SMTPNonSMTPCommand
	// SMTPDangerousCommand is a command that only an intruder sends (DEBUG, WIZ, EXPN …).
	SMTPDangerousCommand
	// SMTPHeaderInjection is content that smuggles commands or headers: a bare line
	// feed, a malformed end of data.
	SMTPHeaderInjection
	// SMTPTooManyErrors is a session that the server gave up.
	SMTPTooManyErrors
	// SMTPRateLimited is a connection or command rate above the server's limit.
	SMTPRateLimited
	// SMTPScan is a connection dropped before it asked for anything.
	SMTPScan
	// SMTPTLSFailed is a failed TLS handshake.
	SMTPTLSFailed
	// SMTPPregreet is a client that spoke before the greeting.
	SMTPPregreet
	// SMTPDelivered is a message accepted without authentication.
	SMTPDelivered
	// IMAPAuthFailed is a failed IMAP login.
	IMAPAuthFailed
	// IMAPAuthOK is an IMAP login.
	IMAPAuthOK
	// POP3AuthFailed is a failed POP3 login.
	POP3AuthFailed
	// POP3AuthOK is a POP3 login.
	POP3AuthOK
	// SieveAuthFailed is a failed ManageSieve login.
	SieveAuthFailed
	// SieveAuthOK is a ManageSieve login.
	SieveAuthOK
	// SSHAuthFailed is a failed SSH login, or one with a name that does not exist.
	SSHAuthFailed
	// SSHAuthOK is an SSH login.
	SSHAuthOK
	// SSHScan is an SSH connection that never tried to log in.
	SSHScan
	// SSHRateLimited is an SSH connection refused for the number of others.
	SSHRateLimited
	// SMTPRejectedContent is a message refused for what is in it.
	SMTPRejectedContent

	builtinKinds
)

// MaxDeclared is the most kinds that a policy may declare beside the built-in ones.
const MaxDeclared = 32

const kindCount = builtinKinds + MaxDeclared

var kindNames = [builtinKinds]string{
	SMTPAuthFailed:        "smtp.auth_failed",
	SMTPAuthOK:            "smtp.auth_ok",
	SMTPRelayDenied:       "smtp.relay_denied",
	SMTPRejectedRecipient: "smtp.rejected_recipient",
	SMTPRejectedSender:    "smtp.rejected_sender",
	SMTPRejectedHelo:      "smtp.rejected_helo",
	SMTPRejectedClient:    "smtp.rejected_client",
	SMTPNullSenderAbuse:   "smtp.null_sender_abuse",
	SMTPPipelining:        "smtp.pipelining",
	SMTPNonSMTPCommand:    "smtp.non_smtp_command",
	SMTPDangerousCommand:  "smtp.dangerous_command",
	SMTPHeaderInjection:   "smtp.header_injection",
	SMTPTooManyErrors:     "smtp.too_many_errors",
	SMTPRateLimited:       "smtp.rate_limited",
	SMTPScan:              "smtp.scan",
	SMTPTLSFailed:         "smtp.tls_failed",
	SMTPPregreet:          "smtp.pregreet",
	SMTPDelivered:         "smtp.delivered",
	IMAPAuthFailed:        "imap.auth_failed",
	IMAPAuthOK:            "imap.auth_ok",
	POP3AuthFailed:        "pop3.auth_failed",
	POP3AuthOK:            "pop3.auth_ok",
	SieveAuthFailed:       "sieve.auth_failed",
	SieveAuthOK:           "sieve.auth_ok",
	SSHAuthFailed:         "ssh.auth_failed",
	SSHAuthOK:             "ssh.auth_ok",
	SSHScan:               "ssh.scan",
	SSHRateLimited:        "ssh.rate_limited",
	SMTPRejectedContent:   "smtp.rejected_content",
}

// Kinds returns every built-in kind, in a fixed order.
func Kinds() []Kind {
	out := make([]Kind, 0, builtinKinds-1)
	for k := Kind(1); k < builtinKinds; k++ {
		out = append(out, k)
	}
	return out
}

// Valid reports whether k is one of the kinds above, or one that may be declared.
func (k Kind) Valid() bool { return k > 0 && k < kindCount }

func (k Kind) builtin() bool { return k > 0 && k < builtinKinds }

// Success reports whether k shows the address to be somebody's legitimate
// client: such a signal never counts against an address, it speaks for it.
func (k Kind) Success() bool {
	switch k {
	case SMTPAuthOK, SMTPDelivered, IMAPAuthOK, POP3AuthOK, SieveAuthOK, SSHAuthOK:
		return true
	}
	return false
}

// String returns the public name of a built-in kind, "" for every other.
func (k Kind) String() string {
	if !k.builtin() {
		return ""
	}
	return kindNames[k]
}

// ParseKind returns the built-in kind with this public name. The error of an unknown
// name lists the known ones.
func ParseKind(name string) (Kind, error) {
	for k := Kind(1); k < builtinKinds; k++ {
		if kindNames[k] == name {
			return k, nil
		}
	}
	return 0, fmt.Errorf("unknown signal %q (known: %s)", name, strings.Join(kindNames[1:], ", "))
}

// MarshalText returns the public name; a kind that is not built in is an error.
func (k Kind) MarshalText() ([]byte, error) {
	if !k.builtin() {
		return nil, fmt.Errorf("%d is not a built-in kind of signal", k)
	}
	return []byte(kindNames[k]), nil
}

// UnmarshalText is ParseKind.
func (k *Kind) UnmarshalText(text []byte) (err error) {
	*k, err = ParseKind(string(text))
	return err
}
