package maillog

import "bytes"

// countEnd returns the length of the count of octets that RFC 6587 puts before a message
// on a connection ("123 <22>…"), 0 without one. It is not compared with the message's
// length: who writes such a line to a file may have changed either.
func countEnd(b []byte) int {
	n := 0
	for n < len(b) && n < 6 && '0' <= b[n] && b[n] <= '9' {
		n++
	}
	if n == 0 || b[0] == '0' || !has(b[n:], " <") {
		return 0
	}
	return n + 1
}

// several reports whether a line that begins with a count, of this length, has another
// message behind the one that was counted: the end of the line is then of a different
// session than its start.
func several(line []byte, length int) bool {
	n, _ := number(line)
	rest := line[length:]
	return n < len(rest) && countEnd(rest[n:]) > 0
}

// untab returns a line whose header has tabs, as some templates write it, with blanks
// instead; nil of any other.
//
//	2026-11-23T20:17:43Z	host	TAG[1]:	…
//	Nov 23 20:17:43 host	TAG[1]: …
//
// Behind the tag a tab is a client's own text, as it may be behind what Exim's own log
// begins with.
func (p *Parser) untab(line []byte) []byte {
	const longest = 320 // of a header
	first := bytes.IndexByte(line[:min(len(line), 64)], '\t')
	if first <= 0 {
		return nil
	}
	end := tagEnd(line[:min(len(line), longest)])
	if first > end {
		return nil
	}
	at := len(p.scratch)
	for i, c := range line[:end] {
		switch {
		case c != '\t':
			p.scratch = append(p.scratch, c)
		case i == 0 || line[i-1] != '\t':
			p.scratch = append(p.scratch, ' ')
		}
	}
	rest := line[end:]
	if end > 0 && line[end-1] == ':' {
		if text := bytes.TrimLeft(rest, " \t"); len(text) < len(rest) {
			rest, p.scratch = text, append(p.scratch, ' ')
		}
	}
	p.scratch = append(p.scratch, rest...)
	line = p.scratch[at:]
	if stampEnd(line) < 0 && yearStampEnd(line) < 0 {
		return nil // the start of a line that goes on with the one before is anybody's
	}
	return line
}

// tagEnd returns the place behind the colon of the first tag, or of the first byte that
// no header has in front of it.
func tagEnd(b []byte) int {
	for i, c := range b {
		switch c {
		case ':':
			if i+1 == len(b) || b[i+1] == ' ' || b[i+1] == '\t' {
				return i + 1
			}
		case '[':
			n := i + 1
			for n < len(b) && '0' <= b[n] && b[n] <= '9' {
				n++
			}
			if n > i+1 && has(b[n:], "]:") {
				return n + 2
			}
			return i
		case '(', '<', '=', '"':
			return i
		}
	}
	return len(b)
}

// levelEnd returns the length of a severity and the blanks that fill its column, 0
// without one.
func levelEnd(b []byte) int {
	n := bytes.IndexByte(b[:min(len(b), 10)], ' ')
	if n < 3 {
		return 0
	}
	switch string(b[:n]) {
	case "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERR", "ERROR", "CRIT", "ALERT", "EMERG":
	default:
		return 0
	}
	for n < len(b) && n < 16 && b[n] == ' ' {
		n++
	}
	return n
}
