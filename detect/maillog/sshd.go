package maillog

import (
	"bytes"
	"net/netip"

	"fwsync/detect"
)

// sshd reads a message of OpenSSH's server, of "sshd" or, since 9.8, "sshd-session".
//
//	Failed password for invalid user U from A port P ssh2
//	Invalid user U from A port P
//	Connection closed by invalid user U A port P [preauth]
//	Accepted publickey for U from A port P ssh2: ED25519 SHA256:…
//
// A user's name may hold anything, so what follows one is read from the end. The
// lines of one session tell of one failure again and again; see Sessions. What PAM's
// modules write and what the client's reverse name is said to be is not read.
func sshd(msg []byte, f *found) {
	msg = bytes.TrimRight(msg, " ")
	msg, preauth := bytes.CutSuffix(msg, []byte(" [preauth]"))
	msg = bytes.TrimPrefix(bytes.TrimPrefix(msg, []byte("error: ")), []byte("fatal: "))
	if len(msg) < 16 {
		return
	}
	switch msg[0] {
	case 'A':
		if has(msg, "Accepted ") {
			if user, addr, ok := attempt(msg[9:], true); ok {
				// Counted: how the session ends is no scan.
				f.kind, f.addr, f.account, f.part = detect.SSHAuthOK, addr, user, detect.Counted
			}
		}
	case 'F':
		if has(msg, "Failed ") {
			sshFailed(msg[7:], f)
		}
	case 'I', 'i':
		if rest := msg[1:]; has(rest, "nvalid user ") || has(rest, "llegal user ") {
			f.kind, f.part = detect.SSHAuthFailed, detect.Announcing
			f.account, f.addr = nameFrom(msg[13:])
		}
	case 'U':
		if has(msg, "User ") {
			if at := lastIndex(msg, " not allowed because "); at > 0 {
				f.kind, f.part = detect.SSHAuthFailed, detect.Announcing
				f.account, f.addr = nameFrom(msg[5:at])
			}
		} else if has(msg, "Unable to negotiate with ") {
			f.sshEnd(detect.SSHScan, msg[25:])
		}
	case 'C', 'D', 'R':
		// ROOT LOGIN REFUSED FROM A port P: the password was right
		if has(msg, "ROOT LOGIN REFUSED FROM ") {
			f.kind, f.part = detect.SSHAuthFailed, detect.Announcing
			f.addr, _ = addrPort(msg[24:])
			return
		}
		sshClosed(msg, preauth, f)
	case 'P':
		switch {
		case has(msg, "PAM: "):
			sshPAM(msg[5:], f)
		case has(msg, "Protocol major versions differ for "):
			f.sshEnd(detect.SSHScan, msg[35:])
		}
	case 'r':
		// refused connect from [USER@]NAME (A), by tcp_wrappers; "A" alone by the oldest,
		// for a client that has no name which leads back to it
		if has(msg, "refused connect from ") {
			if at := lastIndex(msg, " ("); at > 0 && msg[len(msg)-1] == ')' {
				f.kind, f.addr = detect.SSHScan, parseAddr(msg[at+2:len(msg)-1])
			} else if addr := parseAddr(msg[21:]); addr.IsValid() {
				f.kind, f.addr = detect.SSHScan, addr
			}
		}
	case 'B':
		// Bad protocol version identification 'TEXT' from A port P
		if has(msg, "Bad protocol version identification '") {
			if at := lastIndex(msg, "' from "); at > 0 {
				f.kind, f.part, f.count = detect.SSHScan, detect.Summary, 1
				f.addr, _ = addrPort(msg[at+7:])
			}
		}
	case 'b':
		if has(msg, "banner exchange: Connection from ") {
			f.sshEnd(detect.SSHScan, msg[33:])
		}
	case 'm':
		// maximum authentication attempts exceeded for invalid user U from A port P ssh2
		if has(msg, "maximum authentication attempts exceeded for ") {
			user, addr, _ := attempt(msg[40:], false)
			f.kind, f.part, f.count, f.addr, f.account = detect.SSHAuthFailed, detect.Summary, 1, addr, user
		}
	case 'd':
		// drop connection #9 from [A]:P on [B]:22 past MaxStartups
		if has(msg, "drop connection #") {
			if _, rest := number(msg[17:]); has(rest, " from ") {
				f.kind = detect.SSHRateLimited
				f.addr, _, _ = bracketed(rest[6:])
			}
		}
	case 's', 'p':
		// scanned from A port P with VERSION.  Don't panic.
		for _, start := range [...]string{"ssh_dispatch_run_fatal: Connection from ", "scanned from ", "probed from "} {
			if rest, ok := bytes.CutPrefix(msg, []byte(start)); ok && !f.sshUser(rest, true) {
				f.sshEnd(detect.SSHScan, rest)
			}
		}
	case 'T':
		switch {
		case has(msg, "Timeout before authentication for connection from "):
			f.sshEnd(detect.SSHScan, msg[50:])
			f.part = detect.Whole // the listener's line, whose process has many sessions
		case has(msg, "Timeout before authentication for "):
			f.sshEnd(detect.SSHScan, msg[34:])
		}
	}
}

// sshFailed reads "password for U from A port P ssh2".
func sshFailed(b []byte, f *found) {
	method := b[:max(0, bytes.IndexByte(b[:min(len(b), 40)], ' '))]
	invalid := has(b[len(method):], " for invalid user ") || has(b[len(method):], " for illegal user ")
	switch string(method) {
	case "", "none":
		return // a client asks what there is
	case "publickey":
		// Clients offer one key after the other, honest ones too.
		if !invalid {
			return
		}
	}
	user, addr, ok := attempt(b, string(method) == "publickey")
	if !ok {
		return
	}
	f.kind, f.addr, f.account, f.part = detect.SSHAuthFailed, addr, user, detect.Repeating
}

// sshPAM reads "REASON for [illegal user ]U from A", with " via B" behind it on macOS. At
// its usual level sshd says "Failed keyboard-interactive/pam" only after half of the
// attempts that it allows (auth.c, auth_log), and this for each. Other reasons, such
// as "Authentication service cannot retrieve authentication info", are our trouble.
func sshPAM(b []byte, f *found) {
	var rest []byte
	for _, reason := range [...]string{
		"Authentication failure for ", "authentication failure for ", "Authentication error for ", "authentication error for ",
		"User not known to the underlying authentication module for ", "unknown user for ",
	} {
		if has(b, reason) {
			rest = b[len(reason):]
		}
	}
	if rest == nil {
		return
	}
	f.kind, f.part = detect.SSHAuthFailed, detect.Announcing
	if user, illegal := bytes.CutPrefix(rest, []byte("illegal user ")); illegal {
		// "Invalid user" came before, and what follows counts by itself.
		rest, f.part, f.count = user, detect.Summary, 1
	}
	if at := lastIndex(rest, " via "); at > 0 && parseAddr(rest[at+5:]).IsValid() {
		rest = rest[:at]
	}
	f.account, f.addr = nameFrom(rest)
}

// attempt reads "METHOD for [invalid user ]U from A port P ssh2[: KEY]"; the oldest write
// no ssh2, or ssh1, behind which the client's own name for its user may come. A key's
// certificate may hold the client's own text, and is not believed to be one if the
// line can be read in two ways.
func attempt(b []byte, key bool) (user []byte, addr netip.Addr, ok bool) {
	start := bytes.Index(b[:min(len(b), 44)], []byte(" for "))
	if start < 0 {
		return nil, addr, false
	}
	b = b[start+5:]
	for _, start := range [...]string{"invalid user ", "illegal user "} {
		b = bytes.TrimPrefix(b, []byte(start))
	}
	const end = " ssh2"
	at := lastIndex(b, end)
	switch {
	case bytes.Contains(b, []byte(" ssh1: ")):
		return nil, addr, true
	case at < 0:
		user, addr = nameFrom(bytes.TrimSuffix(b, []byte(" ssh1")))
		return user, addr, true
	case len(b) > at+len(end) && (!key || !has(b[at+len(end):], ": ")):
		return nil, addr, true
	case bytes.Contains(b[:at], []byte(" ssh2: ")): // a name that looks like a line's end
		return nil, addr, true
	case key && bytes.Contains(b, []byte("-CERT ")) && bytes.Count(b, []byte(end)) > 1:
		return nil, addr, true
	}
	user, addr = nameFrom(b[:at])
	return user, addr, true
}

// nameFrom reads "U from A[ port P]" to the end of b.
func nameFrom(b []byte) (user []byte, addr netip.Addr) {
	at := lastIndex(b, " from ")
	if at < 0 {
		return nil, addr
	}
	addr, ok := addrPort(b[at+6:])
	if !ok {
		return nil, netip.Addr{}
	}
	return bounded(b[:at]), addr
}

// addrPort reads "A", "A port P" to the end of b.
func addrPort(b []byte) (netip.Addr, bool) {
	if end := bytes.IndexByte(b, ' '); end >= 0 {
		if !has(b[end:], " port ") {
			return netip.Addr{}, false
		}
		if _, ok := digits(b[end+6:]); !ok || len(b) == end+6 {
			return netip.Addr{}, false
		}
		b = b[:end]
	}
	return parseAddr(b), true
}

// sshEnd reads an address at the start of b. It is told at the end of a session, of
// which it counts one thing if nothing was counted before.
func (f *found) sshEnd(kind detect.Kind, b []byte) {
	end := bytes.IndexAny(b[:min(len(b), 64)], " ,")
	if end < 0 {
		end = len(b)
	}
	f.kind, f.part, f.count = kind, detect.Summary, 1
	f.addr = parseAddr(bytes.TrimSuffix(b[:end], []byte(":")))
}

// sshClosed reads how a session ended that nobody logged in to: with the name of a
// user, if one was tried. "Disconnected from" is also how 7.2 to 7.4 end a session that
// somebody had logged in to, without the user and "[preauth]".
//
//	Connection closed by authenticating user U A port P
//	Disconnected from A port P
//	Disconnecting invalid user U A port P: Too many authentication failures
//	Received disconnect from A port P:11: Bye Bye
//	Did not receive identification string from A port P
func sshClosed(msg []byte, preauth bool, f *found) {
	var rest []byte
	for _, start := range [...]string{"Connection closed by ", "Connection reset by ", "Disconnected from ", "Disconnecting ", "Did not receive identification string from ", "Received disconnect from ", "Could not write ident string to "} {
		if has(msg, start) {
			rest = msg[len(start):]
			break
		}
	}
	switch {
	case rest == nil, f.sshUser(rest, has(msg, "Disconnecting ")):
	case preauth, has(msg, "Connection "), has(msg, "Did not "), has(msg, "Disconnecting "), has(msg, "Could not "):
		f.sshEnd(detect.SSHScan, rest)
	}
}

// sshUser reads "authenticating user U A port P" or "invalid user U A port P", and what
// reason comes behind it. It reports whether the client has a user's name; that of one
// who had logged in, "user U A port P", is nobody's failure.
func (f *found) sshUser(b []byte, reason bool) bool {
	switch {
	case has(b, "user "):
		return true
	case !has(b, "authenticating user ") && !has(b, "invalid user "):
		return false
	}
	f.kind, f.part, f.count = detect.SSHAuthFailed, detect.Summary, 1
	b = b[bytes.Index(b, []byte("user "))+5:]
	if reason {
		f.account, f.addr = onlyPeer(b)
	} else if at := lastIndex(b, " port "); at > 0 {
		if name := bytes.LastIndexByte(b[:at], ' '); name >= 0 {
			f.account = bounded(b[:name])
			f.addr, _ = addrPort(b[name+1:])
		}
	}
	return true
}

// onlyPeer reads "U A port P: REASON". Both the user's name and the reason may hold a
// client's text ("bad service request TEXT", "Change of username or service not allowed:
// (U,S) -> (TEXT,S)"; auth2.c), so nothing is believed if there are two places to read
// an address.
func onlyPeer(b []byte) (user []byte, addr netip.Addr) {
	const port = " port "
	for from, seen := 0, false; ; {
		n := bytes.Index(b[from:], []byte(port))
		if n < 0 {
			return user, addr
		}
		at := from + n
		from = at + len(port)
		digit, behind := number(b[from:])
		if digit == 0 || !has(behind, ": ") {
			continue
		}
		if seen {
			return nil, netip.Addr{}
		}
		seen = true
		if name := bytes.LastIndexByte(b[:at], ' '); name >= 0 {
			user, addr = bounded(b[:name]), parseAddr(b[name+1:at])
		}
	}
}
