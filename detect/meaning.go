package detect

// meanings say in one sentence what each kind tells, for people.
var meanings = [builtinKinds]string{
	SMTPAuthFailed:        "A login to send mail failed, by the client's fault; each failure once.",
	SMTPAuthOK:            "A message was accepted from a user (Dovecot, sendmail: a user logged in).",
	SMTPRelayDenied:       "A recipient that is not ours was refused: an attempt to relay.",
	SMTPRejectedRecipient: "A recipient of ours was refused: unknown, or closed to the client. Not greylisting.",
	SMTPRejectedSender:    "A sender address was refused.",
	SMTPRejectedHelo:      "A HELO or EHLO name was refused.",
	SMTPRejectedClient:    "A client was refused for what it is: listed, without a name, forbidden.",
	SMTPRejectedContent:   "A message was refused for what is in it.",
	SMTPNullSenderAbuse:   "The empty sender was used for what is no bounce.",
	SMTPPipelining:        "A client talked before it was its turn.",
	SMTPPregreet:          "A client spoke before the greeting.",
	SMTPNonSMTPCommand:    "HTTP or other text came where a command belongs.",
	SMTPDangerousCommand:  "A command that only an intruder sends: DEBUG, WIZ, EXPN.",
	SMTPHeaderInjection:   "Line ends that smuggle commands or headers into a message.",
	SMTPTooManyErrors:     "The server gave a session up.",
	SMTPRateLimited:       "Connections or commands came above the server's limit for one client.",
	SMTPScan:              "A connection was dropped before it asked for anything.",
	SMTPTLSFailed:         "A TLS handshake failed.",
	SMTPDelivered:         "A message was accepted from another server.",
	IMAPAuthFailed:        "An IMAP login failed; the count is the line's.",
	IMAPAuthOK:            "Somebody logged in to IMAP.",
	POP3AuthFailed:        "A POP3 login failed.",
	POP3AuthOK:            "Somebody logged in to POP3.",
	SieveAuthFailed:       "A ManageSieve login failed.",
	SieveAuthOK:           "Somebody logged in to ManageSieve.",
	SSHAuthFailed:         "An SSH login failed, or asked for a user there is none of; each once.",
	SSHAuthOK:             "Somebody logged in by SSH.",
	SSHScan:               "An SSH connection never tried to log in.",
	SSHRateLimited:        "An SSH connection was refused for the number of others.",
}

// Meaning says in one sentence what a signal of the kind tells, "" for one that is not built in.
func (k Kind) Meaning() string {
	if !k.builtin() {
		return ""
	}
	return meanings[k]
}
