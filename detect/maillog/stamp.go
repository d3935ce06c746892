package maillog

import (
	"bytes"
	"time"
)

// stampEnd returns the length of the stamp at the start of a line, by its
// shape only, -1 if there is none: "Nov 23 20:17:43 " or
// "2026-11-23T20:17:43.123456+00:00 ", with or without the zone.
func stampEnd(line []byte) int {
	if len(line) < 20 {
		return -1
	}
	if line[3] == ' ' {
		if line[6] == ' ' && line[9] == ':' && line[12] == ':' && line[15] == ' ' {
			return 15
		}
		return -1
	}
	if line[4] == '-' && line[7] == '-' && line[10] == 'T' && line[13] == ':' && line[16] == ':' {
		// A tab may have ended the stamp before the blank that ends something else.
		if i := bytes.IndexByte(line[19:min(len(line), 40)], ' '); i >= 0 && (line[18+i] <= '9' || line[18+i] == 'Z') {
			return 19 + i
		}
	}
	return -1
}

var (
	stampShape = [2]uint64{word([]byte("\x00\x00\x00 \x00\x00 \x00")), word([]byte("\x00:\x00\x00:\x00\x00 "))}
	stampMask  = [2]uint64{0x00ff0000ff000000, 0xff0000ff0000ff00}
)

// traditional reports at a glance that stampEnd is 15.
func traditional(line []byte) bool {
	return len(line) >= 20 && (word(line)&stampMask[0]^stampShape[0])|(word(line[8:])&stampMask[1]^stampShape[1]) == 0
}

// yearStampEnd is stampEnd for the rarer shapes: "Nov 23 20:17:43.123456 ", "Nov 3 20:17:43 ",
// "Nov 23 2026 20:17:43 ", "2026 Nov 23 20:17:43 ", "2026-11-23 20:17:43.123 +0100 ",
// "2026-11-23_20:17:43.12345 " of svlogd, "@4000000067aa0b1c0ee6b280 " of multilog,
// "Mon 2026-11-23 20:17:43 UTC " and "1795465063.123456 " of journalctl,
// "Mon Nov 23 20:17:43 2026 " of logread, and months in other languages.
func yearStampEnd(line []byte) int {
	if len(line) < 21 {
		return -1
	}
	switch {
	case line[3] == ' ' && line[6] == ' ' && line[11] == ' ' && line[14] == ':' && line[17] == ':' && line[20] == ' ',
		line[4] == ' ' && line[8] == ' ' && line[11] == ' ' && line[14] == ':' && line[17] == ':' && line[20] == ' ':
		return 20
	case line[3] == ' ' && line[5] == ' ' && line[8] == ':' && line[11] == ':' && line[14] == ' ':
		return 14
	case line[0] == '@':
		if len(line) > 25 && line[25] == ' ' {
			return 25
		}
	case line[10] == '.':
		if _, ok := digits(line[:10]); ok {
			if n := fraction(line[10:]); n > 1 && has(line[10+n:], " ") {
				return 10 + n
			}
		}
	case line[3] == ' ' && line[8] == '-' && line[11] == '-' && line[14] == ' ' && line[17] == ':' && line[20] == ':':
		if len(line) > 24 && line[23] == ' ' {
			if end := bytes.IndexByte(line[24:min(len(line), 32)], ' '); end > 0 && plainName(line[24:24+end], "+-") {
				return 24 + end
			}
		}
	case line[3] == ' ' && line[7] == ' ' && line[10] == ' ' && line[13] == ':' && line[16] == ':' && line[19] == ' ':
		if len(line) > 24 && line[24] == ' ' {
			return 24
		}
	case line[3] == ' ' && line[6] == ' ' && line[9] == ':' && line[12] == ':' && line[15] == '.':
		if n := fraction(line[15:]); n > 1 && has(line[15+n:], " ") {
			return 15 + n
		}
	case line[4] == '-' && line[7] == '-' && (line[10] == ' ' || line[10] == '_') && line[13] == ':' && line[16] == ':':
		n := 19 + fraction(line[19:])
		if zone := line[n:]; len(zone) > 6 && zone[0] == ' ' && (zone[1] == '+' || zone[1] == '-') && zone[6] == ' ' {
			if _, ok := digits(zone[2:6]); ok {
				return n + 6
			}
		}
		if has(line[n:], " ") {
			return n
		}
		if end := bytes.IndexByte(line[n:min(len(line), n+8)], ' '); end > 0 { // "Z", "+01:00"
			return n + end
		}
	}
	return localStampEnd(line)
}

// slashedStampEnd is stampEnd for "2026/11/23 20:17:43.123 ".
func slashedStampEnd(line []byte) int {
	if len(line) < 20 || line[4] != '/' || line[7] != '/' || line[10] != ' ' || line[13] != ':' || line[16] != ':' {
		return -1
	}
	n := 19 + fraction(line[19:])
	if !has(line[n:], " ") {
		return -1
	}
	return n
}

// fraction returns the length of ".123" at the start of b.
func fraction(b []byte) int {
	if !has(b, ".") {
		return 0
	}
	n := 1
	for n < len(b) && n < 10 && '0' <= b[n] && b[n] <= '9' {
		n++
	}
	return n
}

// stampReader turns stamps into times; equal seconds in a row cost nothing.
type stampReader struct {
	reference time.Time
	location  *time.Location
	last      [20]byte
	lastLen   int
	lastUnix  int64
	day       uint64 // the latest day of a traditional stamp, see keepDay
	dayUnix   int64
	dayLength int
}

// read reads a stamp that one of the functions above found.
func (c *stampReader) read(b []byte) (time.Time, bool) {
	switch {
	case len(b) > 11 && b[10] == '.':
		return sinceEpoch(b)
	case len(b) == 15:
		return c.traditional(b)
	case len(b) == 14: // Nov 3 20:17:43
		var padded [15]byte
		copy(padded[:], b[:4])
		padded[4] = ' '
		copy(padded[5:], b[4:])
		return c.traditional(padded[:])
	case len(b) == 25 && b[0] == '@':
		return labelled(b[1:])
	case len(b) > 15 && b[0] >= 'A' && b[3] != ' ':
		return c.local(b)
	case len(b) < 19:
		n := fraction(b[min(len(b), 15):])
		return c.fractional(b, 15, n)
	case b[4] == '-', b[4] == '/':
		return c.iso(b)
	case len(b) > 24 && b[3] == ' ' && b[8] == '-': // Mon 2026-11-23 20:17:43 CET
		if zone := b[24:]; zone[0] != '+' && zone[0] != '-' && string(zone) != "UTC" && string(zone) != "GMT" {
			return c.iso(b[4:23]) // what a zone is called says where only to those who are there
		}
		return c.iso(b[4:])
	case len(b) == 24 && b[3] == ' ' && b[7] == ' ': // Mon Nov 23 20:17:43 2026
		return c.dated(b[20:24], b[4:10], b[11:19], b)
	case len(b) == 20 && b[3] == ' ' && b[11] == ' ': // Nov 23 2026 20:17:43
		return c.dated(b[7:11], b[:6], b[12:20], b)
	case len(b) == 20 && b[4] == ' ': // 2026 Nov 23 20:17:43
		return c.dated(b[:4], b[5:11], b[12:20], b)
	}
	return c.fractional(b, 15, fraction(b[15:]))
}

// fractional reads "Nov 23 20:17:43.123".
func (c *stampReader) fractional(b []byte, whole, n int) (time.Time, bool) {
	if whole+n != len(b) {
		return time.Time{}, false
	}
	t, ok := c.traditional(b[:whole])
	return t.Add(time.Duration(nanosOf(b[whole:]))), ok
}

// sinceEpoch reads "1795465063.123456".
func sinceEpoch(b []byte) (time.Time, bool) {
	n, ok := digits(b[:10])
	_, rest := digits(b[11:])
	return time.Unix(int64(n), nanosOf(b[10:])).UTC(), ok && rest && len(b) <= 20
}

// labelled reads a TAI64N label, whose seconds multilog counts from 1970 by 10 more than
// UTC, whatever there were of leap seconds.
func labelled(hex []byte) (time.Time, bool) {
	var n uint64
	for _, c := range hex[:16] {
		d := hexDigit(c)
		if d < 0 {
			return time.Time{}, false
		}
		n = n<<4 | uint64(d)
	}
	var nanos int64
	for _, c := range hex[16:] {
		d := hexDigit(c)
		if d < 0 {
			return time.Time{}, false
		}
		nanos = nanos<<4 | int64(d)
	}
	const epoch = 1<<62 + 10
	if n < epoch || n > epoch+1<<33 || nanos >= 1e9 {
		return time.Time{}, false
	}
	return time.Unix(int64(n-epoch), nanos).UTC(), true
}

func nanosOf(fraction []byte) int64 {
	nanos, unit := int64(0), int64(1e9)
	for i := 1; i < len(fraction); i++ {
		unit /= 10
		nanos += unit * int64(fraction[i]-'0')
	}
	return nanos
}

// dated reads a day such as "Nov  3" with its year.
func (c *stampReader) dated(year, day, clock, whole []byte) (time.Time, bool) {
	if c.lastLen == 20 && string(c.last[:]) == string(whole) {
		return time.Unix(c.lastUnix, 0).UTC(), true
	}
	y, ok1 := digits(year)
	month, d, ok2 := monthAndDay(day)
	sec, ok3 := timeOfDay(clock)
	if !ok1 || !ok2 || !ok3 || !isDay(y, month, d) {
		return time.Time{}, false
	}
	t := time.Date(y, month, d, 0, 0, sec, 0, c.location)
	c.keep(whole, t.Unix())
	return t.UTC(), true
}

func (c *stampReader) traditional(b []byte) (time.Time, bool) {
	if c.lastLen == 15 && word(b[:8]) == word(c.last[:8]) && word(b[7:15]) == word(c.last[7:15]) {
		return time.Unix(c.lastUnix, 0).UTC(), true
	}
	sec, okTime := timeOfDay(b[7:15])
	if okTime && c.dayLength > 0 && word(b[:8])&dayMask == c.day && sec < c.dayLength {
		c.keep(b, c.dayUnix+int64(sec))
		return time.Unix(c.lastUnix, 0).UTC(), true
	}
	month, day, ok := monthAndDay(b[:6])
	if !ok || !okTime || c.reference.IsZero() {
		return time.Time{}, false
	}
	latest := c.reference.Add(24 * time.Hour)
	// Leap days are up to 8 years apart (around 2100).
	for y := latest.Year() + 1; y > latest.Year()-9; y-- {
		if !isDay(y, month, day) {
			continue
		}
		if t := time.Date(y, month, day, 0, 0, sec, 0, c.location); !t.After(latest) {
			c.keep(b, t.Unix())
			c.keepDay(b, t.Unix()-int64(sec), latest.Unix())
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// dayMask is what of the first 8 bytes of a traditional stamp tells the day.
const dayMask = 1<<56 - 1

// keepDay remembers a day whose seconds can be added up: one of UTC, up to the latest
// second that is believed to be of that year.
func (c *stampReader) keepDay(b []byte, start, latest int64) {
	if c.location == time.UTC {
		c.day = word(b) & dayMask
		c.dayUnix, c.dayLength = start, int(min(latest-start, 86400))
	}
}

// iso reads RFC 3339, with a blank for the T or without the zone's colon too, and
// without a zone in c.location.
func (c *stampReader) iso(b []byte) (time.Time, bool) {
	n := 19 + fraction(b[19:])
	zone := bytes.TrimPrefix(b[n:], []byte(" "))
	length := 19
	if len(zone) == 0 {
		length = 18 // never the length of a stamp: remembered apart
	}
	if c.lastLen != length || string(c.last[:19]) != string(b[:19]) {
		year, ok1 := digits(b[0:4])
		month, ok2 := digits(b[5:7])
		day, ok3 := digits(b[8:10])
		sec, ok4 := timeOfDay(b[11:19])
		if !ok1 || !ok2 || !ok3 || !ok4 || !isDay(year, time.Month(month), day) {
			return time.Time{}, false
		}
		in := time.UTC
		if length == 18 {
			in = c.location
		}
		c.keep(b[:19], time.Date(year, time.Month(month), day, 0, 0, sec, 0, in).Unix())
		c.lastLen = length
	}
	if n == 20 {
		return time.Time{}, false // an empty fraction
	}
	offset, ok := offsetOf(zone)
	return time.Unix(c.lastUnix-int64(offset), nanosOf(b[19:n])).UTC(), ok
}

// offsetOf reads "", "Z", "UTC", "+01:00", "+0100" or "+01" as seconds.
func offsetOf(zone []byte) (int, bool) {
	switch {
	case len(zone) == 0, len(zone) == 1 && zone[0] == 'Z', string(zone) == "UTC", string(zone) == "GMT":
		return 0, true
	case len(zone) != 3 && len(zone) != 5 && (len(zone) != 6 || zone[3] != ':'), zone[0] != '+' && zone[0] != '-':
		return 0, false
	}
	h, ok1 := digits(zone[1:3])
	m, ok2 := 0, true
	if len(zone) > 3 {
		m, ok2 = digits(zone[len(zone)-2:])
	}
	if !ok1 || !ok2 || h > 23 || m > 59 {
		return 0, false
	}
	if zone[0] == '-' {
		return -h*3600 - m*60, true
	}
	return h*3600 + m*60, true
}

func (c *stampReader) keep(b []byte, unix int64) {
	c.lastLen, c.lastUnix = copy(c.last[:], b), unix
}

func isDay(year int, month time.Month, day int) bool {
	if year < 1970 || year > 2199 || month == 0 {
		return false
	}
	d := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	return d.Day() == day && d.Month() == month
}

// monthAndDay reads "Nov 23" or "Nov  3".
func monthAndDay(b []byte) (time.Month, int, bool) {
	day := b[4:6]
	if day[0] == ' ' {
		day = day[1:]
	}
	n, ok := digits(day)
	month := monthOf(b)
	if month == 0 {
		month = localMonth(b[:3])
	}
	return month, n, ok && month != 0
}

const monthNames = "JanFebMarAprMayJunJulAugSepOctNovDec"

func monthOf(b []byte) time.Month {
	for i := 0; i < 36; i += 3 {
		if b[0] == monthNames[i] && b[1] == monthNames[i+1] && b[2] == monthNames[i+2] {
			return time.Month(i/3 + 1)
		}
	}
	return 0
}

// timeOfDay reads "20:17:43" as seconds; a leap second is allowed.
func timeOfDay(b []byte) (int, bool) {
	const zero = '0'<<56 | '0'<<48 | ':'<<40 | '0'<<32 | '0'<<24 | ':'<<16 | '0'<<8 | '0'
	w := word(b) ^ zero
	two := func(at int) int { return 10*int(w>>at&15) + int(w>>(at+8)&15) }
	h, m, s := two(0), two(24), two(48)
	// A byte that carries into the next one is no digit by itself.
	return h*3600 + m*60 + s, (w|(w+ones*(0x80-10)))&tops|w&0x0000ff0000ff0000 == 0 && h < 24 && m < 60 && s <= 60
}

func digits(b []byte) (int, bool) {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
