package maillog

import "fwsync/detect"

// Kept is a line that must be read, of a text that Sift looked at.
type Kept struct {
	// Line counts from 0.
	Line int32
	// Where, in the line, the host, the tag and the tag's "[PID]: " begin, if it is
	// smtpd's; else pid is 0.
	host, tag, pid int16
}

// Sift looks at the lines of a text and appends to kept those that must be read with
// ParseKept: the others are Uninteresting. Most lines of a mail log are, and to look at all
// of them first, in a loop without a branch that depends on them, takes a tenth less time
// than to read one after the other. ends are the places of the newlines, and of the
// text's end if it does not end with one.
func (p *Parser) Sift(text []byte, ends []int32, kept []Kept) []Kept {
	if len(ends) == 0 {
		return kept
	}
	n := len(kept)
	kept = append(kept, make([]Kept, len(ends))...)
	u := &p.usual
	u.learn(text[:ends[0]])
	start, declared := 0, p.declared != nil
	for i, end := range ends {
		stop := int(end)
		k, keep := Kept{Line: int32(i)}, 1
		host, tag := u.host, u.tag
		if start+usualMost+window > len(text) || u.differs((*[usualMost]byte)(text[start:])) != 0 {
			host, tag = headerOf(text[start:stop])
		}
		if next := start + tag; tag > 0 && tag <= usualMost && next+window <= len(text) && next <= stop && stop-start <= longest {
			skip, pid := look((*[window]byte)(text[next:]), word(text[stop-8:]), stop-next)
			if declared && skip != 0 && p.declared.begins(text[start+host:stop], text[next:stop]) {
				skip = 0
			}
			keep -= int(skip)
			k.host, k.tag, k.pid = int16(host), int16(tag), int16(bit(pid > 0)*(pid+uint64(tag)))
		}
		kept[n] = k
		n += keep
		start = stop + 1
	}
	return kept[:n]
}

// longest is how long a line may be that is skipped; what is longer is kept, and its
// reader may count it as too long.
const longest = 4096

// ParseKept is ParseInto for a line that Sift kept.
func (p *Parser) ParseKept(line []byte, k Kept, s *detect.Signal) Verdict {
	if k.pid == 0 || !has(line[min(int(k.pid), len(line)):], "[") {
		return p.ParseInto(line, s)
	}
	line = withoutReturn(line)
	var f found
	smtpdOf(line[k.pid:], &f)
	return p.ended(line, int(k.host)-1, line[k.tag:], &f, s)
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
	if len(line) < usualMost || u.tag > 0 && u.differs((*[usualMost]byte)(line)) == 0 {
		return
	}
	*u = usual{}
	if u.host, u.tag = headerOf(line); u.tag > usualMost {
		u.tag = 0
		return
	}
	var mask [usualMost]byte
	for i, c := range line[:u.tag] {
		switch {
		case u.host == 16 && i < 15 && stampMask[i/8]>>(i%8*8)&0xff == 0:
			// traditional does not look at it either
		case i < u.host-1 && '0' <= c && c <= '9':
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

// differs is 0 if a line begins so.
func (u *usual) differs(line *[usualMost]byte) uint64 {
	d := (word(line[0:])&u.mask[0] ^ u.same[0]) | (word(line[8:])&u.mask[1] ^ u.same[1]) | (word(line[16:])&u.mask[2] ^ u.same[2]) | (word(line[24:])&u.mask[3] ^ u.same[3])
	if u.tag > 32 {
		d |= (word(line[32:])&u.mask[4] ^ u.same[4]) | (word(line[40:])&u.mask[5] ^ u.same[5]) | (word(line[48:])&u.mask[6] ^ u.same[6]) | (word(line[56:])&u.mask[7] ^ u.same[7])
	}
	return d
}
