package maillog

import (
	"encoding/binary"
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
	asked          uint8 // not 0 if it is kept because signals are declared for its program
}

// Sift looks at the lines of a text and appends to kept those that must be read with
// ParseKept: the others are Uninteresting. Most lines of a mail log are, and to look at all
// of them first, in a loop without a branch that depends on them, takes less time than to
// read one after the other. ends are the places of the newlines, and of the text's end if
// it does not end with one.
func (p *Parser) Sift(text []byte, ends []int32, kept []Kept) []Kept {
	if len(ends) == 0 {
		return kept
	}
	n := len(kept)
	kept = slices.Grow(kept, len(ends))[:n+len(ends)]
	s := p.sifting(text, ends, kept[n:])
	for s.line < len(ends) {
		if wide {
			from := s.found
			siftQuickly(&s)
			if s.declared != nil {
				s.settle(from)
			}
			if s.line == len(ends) {
				break
			}
		}
		s.siftLine()
	}
	return kept[:n+s.found]
}

// sifting begins with a text; kept has room for each of its lines.
func (p *Parser) sifting(text []byte, ends []int32, kept []Kept) sifting {
	if p.usual.learn(text[:ends[0]]) && p.declared != nil {
		p.ask(text)
	}
	s := sifting{
		text: text, ends: ends, kept: kept, usual: p.usual, declared: p.declared, programs: &quickPrograms,
		header: uint64(p.usual.host)<<32 | uint64(p.usual.tag)<<40,
		plain:  len(text) - usualMost - window,
	}
	if s.declared != nil {
		s.programs = &p.asked
	}
	if s.usual.tag == 0 {
		s.plain = -1
	}
	return s
}

// ask makes the table of the programs whose lines, with the usual header, may be declared
// signals: none of these is skipped before it was looked at.
func (p *Parser) ask(text []byte) {
	p.asked = quickPrograms
	for i := range p.asked {
		q := &p.asked[i]
		var tagged [16]byte
		binary.LittleEndian.PutUint64(tagged[:], q.head)
		binary.LittleEndian.PutUint64(tagged[8:], q.names[0])
		if q.head != 0 && p.declared.mayBe(text[p.usual.host:], tagged[:]) {
			switch q.class {
			case silent:
				q.class = askedSilent
			case server:
				q.class = askedServer
			default:
				q.class, q.server = 0, askedOther
			}
		}
	}
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
	programs *[quickSlots]quick // of siftQuickly
}

// siftLine sifts one line.
func (s *sifting) siftLine() {
	stop := int(s.ends[s.line])
	k, keep := s.look(s.start, stop)
	k.Line = int32(s.line)
	s.kept[s.found] = k
	s.found += keep
	s.line, s.start = s.line+1, stop+1
}

// settle looks again at what siftQuickly has kept because it was asked to.
func (s *sifting) settle(from int) {
	n := from
	for _, k := range s.kept[from:s.found] {
		keep := 1
		if k.asked != 0 {
			line, start, stop := k.Line, 0, int(s.ends[k.Line])
			if line > 0 {
				start = int(s.ends[line-1]) + 1
			}
			if k.asked == askedOther>>8 {
				k, keep = s.look(start, stop)
				k.Line = line
			} else if !s.declared.begins(s.text[start+int(k.host):stop], s.text[start+int(k.tag):stop]) {
				keep = 0
			}
		}
		s.kept[n] = k
		n += keep
	}
	s.found = n
}

// look looks at the line between start and stop; keep is 0 if it says nothing, else 1.
//
// Lines come in no order, so that a branch would be guessed wrong every other time:
// whatever may be asked of smtpd's lines is asked of all.
// What is not certain, the parser reads.
func (s *sifting) look(start, stop int) (k Kept, keep int) {
	host, tag := s.usual.host, s.usual.tag
	if start > s.plain || s.usual.differs((*[usualMost]byte)(s.text[start:])) {
		host, tag = headerOf(s.text[start:stop])
	}
	next := start + tag
	length := stop - next
	if uint(tag-1) >= usualMost || next > len(s.text)-window || uint(length-8) > longest {
		return Kept{}, 1
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
		k = Kept{host: uint8(host), tag: uint8(tag), pid: uint8(is & q.server)}
	}
	if s.declared != nil && skip != 0 && s.declared.begins(s.text[start+host:stop], s.text[next:stop]) {
		skip = 0
	}
	return k, int(1 - skip)
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
