package main

import "fmt"

// lines collects one session.
type lines []line

func (ls *lines) add(program, format string, args ...any) *line {
	*ls = append(*ls, line{program: program, message: fmt.Sprintf(format, args...)})
	return &(*ls)[len(*ls)-1]
}

func (ls *lines) count(what int, who *host, program, format string, args ...any) {
	l := ls.add(program, format, args...)
	l.what, l.who = what, who
}

const queue = "postfix/qmgr[1213]"

// session is what one connection writes; three of ten lines are an attack's.
func (w *world) session() []line {
	if w.r.IntN(100) < 46 {
		return w.attack()
	}
	switch n := w.r.IntN(100); {
	case n < 62:
		return w.inbound()
	case n < 74:
		return w.submission()
	case n < 96:
		return w.imap()
	case n < 98:
		return w.statistics()
	case n < 99:
		return w.typo()
	}
	return w.outage()
}

func (w *world) someone() *host { return w.innocent[w.r.IntN(len(w.innocent))] }

func (w *world) inbound() (ls lines) {
	h, id, p, from, to := w.someone(), w.queueID(), fmt.Sprintf("postfix/smtpd[%d]", w.pid()), w.domain(), w.user()
	ls.add(p, "connect from %s", h.peer)
	ls.add(p, "Anonymous TLS connection established from %s: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256", h.peer)
	ls.add(p, "%s: client=%s", id, h.peer)
	ls.add(fmt.Sprintf("postfix/cleanup[%d]", w.pid()), "%s: message-id=<%d.%d@%s>", id, w.r.Int64N(1e12), w.r.IntN(999), from)
	ls.add(queue, "%s: from=<%s@%s>, size=%d, nrcpt=1 (queue active)", id, w.user(), from, 900+w.r.IntN(89000))
	ls.add(p, "disconnect from %s ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7", h.peer)
	ls.add(fmt.Sprintf("postfix/lmtp[%d]", w.pid()), "%s: to=<%s@example.com>, relay=mail.example.com[private/dovecot-lmtp], delay=0.%d, delays=0.1/0.01/0.01/0.05, dsn=2.0.0, status=sent (250 2.0.0 <%s@example.com> %s Saved)", id, to, w.r.IntN(99), to, w.letters(16))
	ls.add("dovecot", "lmtp(%s)<%d><%s>: msgid=<%d@%s>: saved mail to INBOX", to, w.pid(), w.letters(16), w.r.Int64N(1e12), from)
	ls.add(queue, "%s: removed", id)
	return ls
}

func (w *world) submission() (ls lines) {
	h, id, p, u, to := w.someone(), w.queueID(), fmt.Sprintf("postfix/submission/smtpd[%d]", w.pid()), w.user(), w.domain()
	ls.add(p, "connect from %s", h.peer)
	ls.add(p, "%s: client=%s, sasl_method=PLAIN, sasl_username=%s", id, h.peer, u)
	ls.add(fmt.Sprintf("postfix/cleanup[%d]", w.pid()), "%s: message-id=<%x@example.com>", id, w.r.Int64N(1e12))
	ls.add(queue, "%s: from=<%s@example.com>, size=%d, nrcpt=1 (queue active)", id, u, 900+w.r.IntN(89000))
	ls.add(p, "disconnect from %s ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8", h.peer)
	ls.add(fmt.Sprintf("postfix/smtp[%d]", w.pid()), "%s: to=<%s@%s>, relay=mx1.%s[203.0.113.%d]:25, delay=1.%d, delays=0.1/0.01/0.6/0.9, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as %s)", id, w.user(), to, to, 1+w.r.IntN(254), w.r.IntN(9), w.queueID())
	ls.add(queue, "%s: removed", id)
	return ls
}

func (w *world) imap() (ls lines) {
	h, u, s, pid := w.someone(), w.user(), w.letters(16), w.pid()
	ls.add("dovecot", "imap-login: Login: user=<%s>, method=PLAIN, rip=%s, lip=192.0.2.25, mpid=%d, TLS, session=<%s>", u, h.ip, pid, s)
	ls.add("dovecot", "imap(%s)<%d><%s>: Disconnected: Logged out in=%d out=%d deleted=0 expunged=0 trashed=0 hdr_count=%d hdr_bytes=%d body_count=0 body_bytes=0", u, pid, s, w.r.IntN(9999), w.r.IntN(99999), w.r.IntN(99), w.r.IntN(9999))
	return ls
}

func (w *world) statistics() (ls lines) {
	p := fmt.Sprintf("postfix/anvil[%d]", w.pid())
	ls.add(p, "statistics: max connection rate %d/60s for (smtp:%s) at Mar  2 %02d:%02d:%02d", 1+w.r.IntN(9), w.someone().ip, w.r.IntN(24), w.r.IntN(60), w.r.IntN(60))
	ls.add(p, "statistics: max cache size %d at Mar  2 01:02:03", w.r.IntN(99))
	return ls
}

// typo is an innocent's, who makes at most four.
func (w *world) typo() (ls lines) {
	h, u, p := w.someone(), w.user(), fmt.Sprintf("postfix/submission/smtpd[%d]", w.pid())
	if h.typos == 4 {
		return w.imap()
	}
	h.typos++
	ls.add(p, "connect from %s", h.peer)
	ls.add("dovecot", "auth: passwd-file(%s,%s): Password mismatch", u, h.ip)
	ls.count(authFail, h, p, "warning: %s: SASL PLAIN authentication failed: (reason unavailable), sasl_username=%s", h.peer, u)
	ls.add(p, "disconnect from %s ehlo=2 starttls=1 auth=0/1 quit=1 commands=4/5", h.peer)
	return ls
}

func (w *world) outage() (ls lines) {
	h, p := w.someone(), fmt.Sprintf("postfix/submission/smtpd[%d]", w.pid())
	ls.add(p, "connect from %s", h.peer)
	ls.add(p, "warning: %s: SASL PLAIN authentication failed: Connection lost to authentication server, sasl_username=(unavailable)", h.peer)
	ls.add(p, "disconnect from %s ehlo=2 starttls=1 auth=0/1 quit=1 commands=4/5", h.peer)
	return ls
}

func (w *world) attack() (ls lines) {
	h, p := w.attacker(), fmt.Sprintf(w.one("postfix/smtpd[%d]", "postfix/smtpd[%d]", "postfix/submission/smtpd[%d]"), w.pid())
	switch h.attacks {
	case "pregreet":
		ps, port := fmt.Sprintf("postfix/postscreen[%d]", w.pid()), 1024+w.r.IntN(64000)
		ls.add(ps, "CONNECT from [%s]:%d to [192.0.2.25]:25", h.ip, port)
		ls.add(ps, `PREGREET 21 after 0.01 from [%s]:%d: EHLO bot.example.net\r\n`, h.ip, port)
		ls.add(ps, "DISCONNECT [%s]:%d", h.ip, port)
		return ls
	case "imap":
		u, s := w.guess(), w.letters(16)
		ls.add("dovecot", "auth: passwd-file(%s,%s,<%s>): unknown user", u, h.ip, s)
		ls.add("dovecot", "imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<%s>, method=PLAIN, rip=%s, lip=192.0.2.25, session=<%s>", u, h.ip, s)
		return ls
	}
	ls.add(p, "connect from %s", h.peer)
	fake := fmt.Sprintf("warning: unknown[%s]: SASL LOGIN authentication failed: UGFzc3dvcmQ6", w.one(w.victims...))
	switch h.attacks {
	case "brute":
		u := w.guess()
		ls.add("dovecot", "auth: passwd-file(%s,%s): unknown user", u, h.ip)
		ls.count(authFail, h, p, "warning: %s: SASL %s authentication failed: %s", h.peer, w.one("LOGIN", "LOGIN", "PLAIN", "CRAM-MD5"), w.one("UGFzc3dvcmQ6", "authentication failure", "(reason unavailable), sasl_username="+u))
		ls.add(p, "disconnect from %s ehlo=1 auth=0/1 quit=1 commands=2/3", h.peer)
	case "relay":
		to := fmt.Sprintf("victim%d@%s", w.r.IntN(9999), w.domain())
		ls.count(relay, h, p, "NOQUEUE: reject: RCPT from %s: %s <%s>: Relay access denied; from=<promo@spammer.example.net> to=<%s> proto=ESMTP helo=<mail%d.spammer.example.net>", h.peer, w.one("554 5.7.1", "454 4.7.1"), to, to, w.r.IntN(99))
		ls.add(p, "disconnect from %s ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4", h.peer)
	case "http":
		ls.add(p, "warning: non-SMTP command from %s: %s", h.peer, w.one("GET / HTTP/1.1", "POST /login HTTP/1.0", "CONNECT 203.0.113.9:443 HTTP/1.1"))
		ls.add(p, "disconnect from %s unknown=0/1 commands=0/1", h.peer)
	case "pipelining":
		ls.add(p, `improper command pipelining after EHLO from %s: MAIL FROM:<a@example.net>\r\nRCPT TO:<alice@example.com>\r\nDATA\r\n`, h.peer)
		ls.add(p, "disconnect from %s ehlo=1 mail=1 rcpt=0/1 data=0/1 commands=2/4", h.peer)
	case "scan":
		ls.add(p, "lost connection after %s from %s", w.one("CONNECT", "EHLO", "STARTTLS", "UNKNOWN", "RSET"), h.peer)
		ls.add(p, "disconnect from %s commands=0/0", h.peer)
	case "toomany":
		for range 5 + w.r.IntN(6) {
			ls.count(authFail, h, p, "warning: %s: SASL LOGIN authentication failed: UGFzc3dvcmQ6", h.peer)
		}
		ls.add(p, "too many errors after AUTH from %s", h.peer)
	case "harvest":
		for range 2 + w.r.IntN(8) {
			to := fmt.Sprintf("user%d@example.com", w.r.IntN(1e6))
			ls.add(p, "NOQUEUE: reject: RCPT from %s: 550 5.1.1 <%s>: Recipient address rejected: User unknown in local recipient table; from=<harvest@example.net> to=<%s> proto=ESMTP helo=<x.example.net>", h.peer, to, to)
		}
	default: // text that imitates a log line
		switch w.r.IntN(3) {
		case 0:
			ls.add(p, "warning: non-SMTP command from %s: %s", h.peer, fake)
		case 1:
			ls.count(relay, h, p, `NOQUEUE: reject: RCPT from %s: 554 5.7.1 <a]: %s@remote.example.org>: Relay access denied; from=<a@example.net> to=<"a]: %s"@remote.example.org> proto=ESMTP helo=<x>`, h.peer, fake, fake)
		default:
			ls.count(authFail, h, p, "warning: %s: SASL LOGIN authentication failed: (reason unavailable), sasl_username=x?Mar  2 00:00:00 mailserver postfix/smtpd[1]: %s", h.peer, fake)
		}
	}
	return ls
}
