package maillog

import (
	"slices"

	"fwsync/detect"
)

// Kept is a line that must be read, of a text that Sift looked at.
type Kept struct {
	// Line counts from 0.
	Line int32
	// Where, in the line, the host and the tag begin, and in the tag its "[PID]: " if it is
	// smtpd's; else pid is 0.
	host, tag, pid uint8
	_              uint8
}

// Sift looks at the lines of a text and appends to kept those that must be read with
// ParseKept: the others are Uninteresting. Most lines of a mail log are, and to look at all
// of them first, in a loop without a branch that depends on them, takes a third of the
// time that it takes to read one after the other. ends are the places of the newlines, and
// of the text's end if it does not end with one.
func (p *Parser) Sift(text []byte, ends []int32, kept []Kept) []Kept {
	if len(ends) == 0 {
		return kept
	}
	n := len(kept)
	kept = slices.Grow(kept, len(ends))[:n+len(ends)]
	p.usual.learn(text[:ends[0]])
	s := sifting{
		text: text, ends: ends, kept: kept[n:], usual: p.usual, declared: p.declared,
		header: uint64(p.usual.host)<<32 | uint64(p.usual.tag)<<40,
		plain:  len(text) - usualMost - window,
	}
	if s.usual.tag == 0 {
		s.plain = -1
	}
	for s.line < len(ends) {
		if siftsQuickly && p.declared == nil {
			if siftQuickly(&s); s.line == len(ends) {
				break
			}
		}
		s.siftLine()
	}
	return kept[:n+s.found]
}

// sifting is a text of which some lines are sifted.
type sifting struct {
	text  []byte
	ends  []int32
	kept  []Kept
	found int // so many of them are kept
	line  int // the next one …
	start int // … and where it begins

	usual    usual
	header   uint64 // of a Kept with the usual header
	plain    int    // where a line may begin, at most, that is compared with the usual
	declared *Declared
}

// siftLine sifts one line.
//
// Lines come in no order, so that a branch would be guessed wrong every other time:
// whatever may be asked of smtpd's lines is asked of all.
// What is not certain, the parser reads.
func (s *sifting) siftLine() {
	start, stop := s.start, int(s.ends[s.line])
	k := &s.kept[s.found]
	*k = Kept{Line: int32(s.line)}
	s.line, s.start = s.line+1, stop+1
	host, tag := s.usual.host, s.usual.tag
	if start > s.plain || s.usual.differs((*[usualMost]byte)(s.text[start:])) {
		host, tag = headerOf(s.text[start:stop])
	}
	next := start + tag
	length := stop - next
	if uint(tag-1) >= usualMost || next > len(s.text)-window || uint(length-8) > longest {
		s.found++
		return
	}
	tagged := (*[window]byte)(s.text[next:])
	head, name := word(tagged[:]), word(tagged[8:])
	q := &quickPrograms[quickSlot(head, name)]
	differs := (head ^ q.head) | (name&q.mask[0] ^ q.names[0]) | (word(tagged[16:])&q.mask[1] ^ q.names[1])
	var skip uint64
	if q.class == cleaner {
		skip = saysID(tagged, length) & bit(differs == 0)
	} else {
		said := q.pid&31 + 3 + uint64(first(word(tagged[q.pid&31:]), ']'))
		is := -bit(differs == 0) & -bit(int(said)+8 <= length)
		skip = bit(is&q.class&(silent|-quiet(word(tagged[said&63:]), word(s.text[stop-8:]))) != 0)
		k.host, k.tag, k.pid = uint8(host), uint8(tag), uint8(is&q.server)
	}
	if s.declared != nil && skip != 0 && s.declared.begins(s.text[start+host:stop], s.text[next:stop]) {
		skip = 0
	}
	s.found += int(1 - skip)
}

// longest is how long a line may be that is skipped; what is longer is kept, and its
// reader may count it as too long.
const longest = 4096

// ParseKept is ParseInto for a line that Sift kept.
func (p *Parser) ParseKept(line []byte, k Kept, s *detect.Signal) Verdict {
	pid := int(k.tag) + int(k.pid)
	if k.pid == 0 || !has(line[min(pid, len(line)):], "[") {
		return p.ParseInto(line, s)
	}
	line = withoutReturn(line)
	var f found
	smtpdOf(line[pid:], &f)
	return p.ended(line, int(k.host)-1, int(k.tag), &f, s)
}

// headerOf is where the host and the tag of a line begin that has a stamp and a host;
// 0 of any other.
func headerOf(line []byte) (host, tag int) {
	stamp := stampEnd(line)
	if stamp < 0 {
		return 0, 0
	}
	n := hostAtStart(line[stamp+1:])
	if n == 0 {
		return 0, 0
	}
	return stamp + 1, stamp + n + 2
}

// usual is what most lines of a log begin with: a stamp, a host and the blanks behind them.
type usual struct {
	host, tag  int // where they begin; 0 if nothing is usual
	same, mask [usualMost / 8]uint64
}

const usualMost = 64

// learn takes over the header of a line, if it is one that most lines may have.
func (u *usual) learn(line []byte) {
	if len(line) < usualMost || u.tag > 0 && !u.differs((*[usualMost]byte)(line)) {
		return
	}
	*u = usual{}
	if u.host, u.tag = headerOf(line); u.tag > usualMost {
		u.tag = 0
		return
	}
	var mask [usualMost]byte
	zoned := false
	for i, c := range line[:u.tag] {
		zoned = zoned || i >= 19 && (c == '+' || c == '-')
		switch {
		case u.host == 16 && i < 15 && stampMask[i/8]>>(i%8*8)&0xff == 0:
			// traditional does not look at it either
		case i < u.host-1 && !zoned && '0' <= c && c <= '9':
			mask[i] = 0xf0 // no blank, whatever the digit
		default:
			mask[i] = 0xff
		}
	}
	for i := range u.mask {
		u.mask[i] = word(mask[8*i:])
		u.same[i] = word(line[8*i:]) & u.mask[i]
	}
}

// differs reports whether a line begins otherwise.
func (u *usual) differs(line *[usualMost]byte) bool {
	d := uint64(0)
	for i := range u.same {
		d |= word(line[8*i:])&u.mask[i] ^ u.same[i]
	}
	return d != 0
}
