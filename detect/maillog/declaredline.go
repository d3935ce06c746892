package maillog

import (
	"bytes"

	"fwsync/detect"
)

// declaredLine reads a line that begins as most do and says nothing by itself, its
// stamp's length and what is from its tag on.
func (p *Parser) declaredLine(line []byte, stamp int, tagged []byte, s *detect.Signal) Verdict {
	d := p.declared
	program, msg := d.behindTag(tagged)
	if program == nil {
		program, msg = &d.bare, line[stamp+1:]
		if !d.bare.begins(msg) {
			return Uninteresting
		}
	}
	var f found
	if program.read(msg, &f); f.kind == 0 {
		return Uninteresting
	}
	return p.declaredAt(&header{stamp: line[:stamp]}, line, &f, s)
}

// declaredOther reads every other line that says nothing by itself; v is what it is
// if it says nothing here either.
func (p *Parser) declaredOther(line []byte, h *header, v Verdict, s *detect.Signal) Verdict {
	var f found
	switch d := p.declared; {
	case h.program != nil:
		d.byName(h.program, h.body, &f)
	default:
		program, msg := d.behindTag(h.text)
		if host := bytes.IndexByte(h.text[:min(len(h.text), 256)], ' '); program == nil && h.hosted && host > 0 && plainHost(h.text[:host]) {
			program, msg = d.behindTag(h.text[host+1:])
		}
		if program == nil {
			program, msg = &d.bare, h.text
		}
		if program.begins(msg) {
			program.read(msg, &f)
		}
	}
	if f.kind == 0 {
		return v
	}
	return p.declaredAt(h, line, &f, s)
}

// declaredAt fills the signal of a line that was read.
func (p *Parser) declaredAt(h *header, line []byte, f *found, s *detect.Signal) Verdict {
	if !f.addr.IsValid() {
		return BadAddress
	}
	at, ok := p.timeOf(h)
	if !ok {
		return Malformed
	}
	f.fill(s, at, line)
	if len(f.account) > 0 && p.inScratch(f.account) {
		s.Account = p.keep(f.account)
	}
	return Signal
}
