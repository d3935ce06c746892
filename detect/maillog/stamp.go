package maillog

import (
	"bytes"
	"time"
)

// stampEnd returns the length of the stamp at the start of a line, by its
// shape only, -1 if there is none: "Nov 23 20:17:43 " or
// "2026-11-23T20:17:43.123456+00:00 ".
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
		if i := bytes.IndexByte(line[19:min(len(line), 40)], ' '); i > 0 {
			return 19 + i
		}
	}
	return -1
}

// stampReader turns stamps into times; equal seconds in a row cost nothing.
type stampReader struct {
	reference time.Time
	location  *time.Location
	last      [19]byte
	lastLen   int
	lastUnix  int64
}

func (c *stampReader) read(stamp []byte) (time.Time, bool) {
	if len(stamp) == 15 {
		return c.traditional(stamp)
	}
	return c.rfc3339(stamp)
}

func (c *stampReader) traditional(b []byte) (time.Time, bool) {
	if c.lastLen == 15 && string(c.last[:15]) == string(b) {
		return time.Unix(c.lastUnix, 0).UTC(), true
	}
	month := monthOf(b)
	var day int
	var ok bool
	if b[4] == ' ' {
		day, ok = digits(b[5:6])
	} else {
		day, ok = digits(b[4:6])
	}
	sec, okTime := timeOfDay(b[7:15])
	if month == 0 || !ok || !okTime || c.reference.IsZero() {
		return time.Time{}, false
	}
	latest := c.reference.Add(24 * time.Hour)
	// Leap days are up to 8 years apart (around 2100).
	for y := latest.Year() + 1; y > latest.Year()-9; y-- {
		t := time.Date(y, month, day, 0, 0, sec, 0, c.location)
		if d := time.Date(y, month, day, 0, 0, 0, 0, time.UTC); d.Day() != day || d.Month() != month {
			continue
		}
		if !t.After(latest) {
			c.keep(b, t.Unix())
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

func (c *stampReader) rfc3339(b []byte) (time.Time, bool) {
	if c.lastLen != 19 || string(c.last[:]) != string(b[:19]) {
		year, ok1 := digits(b[0:4])
		month, ok2 := digits(b[5:7])
		day, ok3 := digits(b[8:10])
		sec, ok4 := timeOfDay(b[11:19])
		if !ok1 || !ok2 || !ok3 || !ok4 || year < 1970 || year > 2199 {
			return time.Time{}, false
		}
		d := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
		if d.Day() != day || int(d.Month()) != month {
			return time.Time{}, false
		}
		c.keep(b[:19], d.Unix()+int64(sec))
	}
	nanos, zone := int64(0), b[19:]
	if zone[0] == '.' {
		i, unit := 1, int64(1e9)
		for ; i < len(zone) && '0' <= zone[i] && zone[i] <= '9'; i++ {
			unit /= 10
			nanos += unit * int64(zone[i]-'0')
		}
		if i == 1 {
			return time.Time{}, false
		}
		zone = zone[i:]
	}
	offset := 0
	switch {
	case len(zone) == 1 && zone[0] == 'Z':
	case len(zone) == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':':
		h, ok1 := digits(zone[1:3])
		m, ok2 := digits(zone[4:6])
		if !ok1 || !ok2 || h > 23 || m > 59 {
			return time.Time{}, false
		}
		offset = h*3600 + m*60
		if zone[0] == '-' {
			offset = -offset
		}
	default:
		return time.Time{}, false
	}
	return time.Unix(c.lastUnix-int64(offset), nanos).UTC(), true
}

func (c *stampReader) keep(b []byte, unix int64) {
	c.lastLen, c.lastUnix = copy(c.last[:], b), unix
}

func monthOf(b []byte) time.Month {
	const names = "JanFebMarAprMayJunJulAugSepOctNovDec"
	for i := 0; i < 36; i += 3 {
		if b[0] == names[i] && b[1] == names[i+1] && b[2] == names[i+2] {
			return time.Month(i/3 + 1)
		}
	}
	return 0
}

// timeOfDay reads "20:17:43" as seconds; a leap second is allowed.
func timeOfDay(b []byte) (int, bool) {
	h, ok1 := digits(b[0:2])
	m, ok2 := digits(b[3:5])
	s, ok3 := digits(b[6:8])
	return h*3600 + m*60 + s, ok1 && ok2 && ok3 && h < 24 && m < 60 && s <= 60
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
