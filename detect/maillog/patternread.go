package maillog

import (
	"bytes"
	"net/netip"
)

// reading says where the tokens of a pattern begin in a message, and behind the last
// one where it ends.
type reading [maxTokens + 1]int32

// match reads a message. It is false if the message does not read as the pattern does.
// The address is invalid if it cannot be believed, or is none.
func (p *pattern) match(msg []byte) (addr netip.Addr, account []byte, ok bool) {
	var from, back reading
	n := len(p.tokens)
	if !p.readForward(msg, &from) || !p.readBackward(msg, &back) {
		return addr, nil, false
	}
	lead := n - p.backward // the first token that is read from the end
	if p.forward == n && int(from[n]) != len(msg) || p.backward == n && back[0] != 0 {
		return addr, nil, false
	}
	if p.forward < lead {
		if !p.between(msg, &from, &back, lead) {
			return addr, nil, false
		}
	}
	agreed := true
	for i := lead; i <= p.forward; i++ {
		agreed = agreed && from[i] == back[i]
	}
	for i := max(lead, p.forward+1); i <= n; i++ {
		from[i] = back[i]
	}
	if i := p.account; i >= 0 {
		account = bounded(msg[from[i]:from[i+1]])
	}
	end := int(from[p.address+1])
	// A line may have been cut off, see maxLogin.
	if !agreed || end > maxLogin || p.address >= p.forward && len(msg) > maxLogin {
		return addr, account, true
	}
	written := msg[from[p.address]:end]
	if p.tokens[p.address].kind.name == "address:port" {
		return parseAddrPort(written), account, true
	}
	return parseAddr(written), account, true
}

// readForward reads the first tokens from the start.
func (p *pattern) readForward(msg []byte, at *reading) bool {
	pos := 0
	for i := range p.forward {
		at[i] = int32(pos)
		t := &p.tokens[i]
		if t.kind == nil {
			if !has(msg[pos:], t.literal) {
				return false
			}
			pos += len(t.literal)
			continue
		}
		end := pos
		for end < len(msg) && t.kind.holds[msg[end]] {
			end++
		}
		if t.after >= 0 {
			end -= t.after
		} else if end != len(msg) {
			return false
		} else if i+1 < len(p.tokens) {
			end -= len(p.tokens[i+1].literal)
		}
		if end <= pos {
			return false
		}
		pos = end
	}
	at[p.forward] = int32(pos)
	return true
}

// readBackward reads the last tokens from the end.
func (p *pattern) readBackward(msg []byte, at *reading) bool {
	n, pos := len(p.tokens), len(msg)
	at[n] = int32(pos)
	for i := n - 1; i >= n-p.backward; i-- {
		t := &p.tokens[i]
		if t.kind == nil {
			if pos -= len(t.literal); pos < 0 || string(msg[pos:pos+len(t.literal)]) != t.literal {
				return false
			}
			at[i] = int32(pos)
			continue
		}
		start := pos
		for start > 0 && t.kind.holds[msg[start-1]] {
			start--
		}
		if t.before >= 0 {
			start += t.before
		} else if start != 0 {
			return false
		} else if i > 0 {
			start += len(p.tokens[i-1].literal)
		}
		if start >= pos {
			return false
		}
		pos = start
		at[i] = int32(pos)
	}
	return true
}

// between finds the literals among the text that both readings left.
func (p *pattern) between(msg []byte, from, back *reading, lead int) bool {
	pos, end := int(from[p.forward]), int(back[lead])
	if pos > end {
		return false
	}
	for i := p.forward; i < lead; i++ {
		t := &p.tokens[i]
		if t.kind != nil {
			from[i] = int32(pos)
			continue
		}
		n := bytes.Index(msg[pos:end], []byte(t.literal))
		if n < 0 {
			return false
		}
		from[i] = int32(pos + n)
		pos += n + len(t.literal)
	}
	from[lead] = int32(end)
	return true
}

// parseAddrPort reads "192.0.2.7:4711" or "[2001:db8::7]:4711", the zero address if b
// is neither.
func parseAddrPort(b []byte) netip.Addr {
	colon := bytes.LastIndexByte(b, ':')
	if colon < 2 || colon+1 == len(b) || len(b)-colon > 6 {
		return netip.Addr{}
	}
	for _, c := range b[colon+1:] {
		if c < '0' || c > '9' {
			return netip.Addr{}
		}
	}
	if host := b[:colon]; host[0] != '[' {
		if a, ok := parse4(host); ok {
			return netip.AddrFrom4(a)
		}
		return netip.Addr{}
	} else if host[len(host)-1] == ']' {
		return parseAddr(host[1 : len(host)-1])
	}
	return netip.Addr{}
}
