package maillog

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

// learn takes over the header of a line, if it is one that most lines may have, and
// reports whether it is another one.
func (u *usual) learn(line []byte) bool {
	if len(line) < usualMost || u.tag > 0 && !u.differs((*[usualMost]byte)(line)) {
		return false
	}
	*u = usual{}
	if u.host, u.tag = headerOf(line); u.tag > usualMost {
		u.tag = 0
		return false
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
	return u.tag > 0
}

// differs reports whether a line begins otherwise.
func (u *usual) differs(line *[usualMost]byte) bool {
	d := uint64(0)
	for i := range u.same {
		d |= word(line[8*i:])&u.mask[i] ^ u.same[i]
	}
	return d != 0
}
