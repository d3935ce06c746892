package maillog

import (
	"bytes"
	"time"
)

// localMonth tells a month by its name in the languages that journalctl and some daemons
// write it in: as the C library abbreviates it there, with a dot or without. It is 0 for
// any other word, the English names included: see monthOf. A host may have such a name.
func localMonth(name []byte) time.Month {
	switch string(bytes.TrimSuffix(name, []byte("."))) {
	case "jan", "janv", "ene", "gen":
		return time.January
	case "feb", "fev", "fév", "févr", "febr":
		return time.February
	case "mar", "Mär", "März", "Mrz", "mars", "mrt":
		return time.March
	case "apr", "abr", "avr", "avril", "april":
		return time.April
	case "Mai", "mai", "may", "mag", "mei", "maj":
		return time.May
	case "jun", "juin", "giu", "juni", "Juni":
		return time.June
	case "jul", "juil", "lug", "juli", "Juli":
		return time.July
	case "aug", "ago", "août":
		return time.August
	case "sep", "sept", "set", "Sept":
		return time.September
	case "oct", "Okt", "okt", "ott", "out":
		return time.October
	case "nov":
		return time.November
	case "dec", "Dez", "dez", "dic", "déc", "des":
		return time.December
	}
	return 0
}

// monthEnd returns the length of a local month's name that a stamp begins with, 0 if it
// has none.
func monthEnd(b []byte) int {
	n := bytes.IndexByte(b[:min(len(b), 8)], ' ')
	if n < 3 || localMonth(b[:n]) == 0 {
		return 0
	}
	return n
}

// localStampEnd is stampEnd for "déc. 23 20:17:43 ", with a fraction or without.
func localStampEnd(line []byte) int {
	n := monthEnd(line)
	if n == 0 || len(line) < n+13 {
		return -1
	}
	if clock := line[n:]; clock[3] != ' ' || clock[6] != ':' || clock[9] != ':' {
		return -1
	}
	end := n + 12 + fraction(line[n+12:])
	if !has(line[end:], " ") {
		return -1
	}
	return end
}

// local reads a stamp that localStampEnd found.
func (c *stampReader) local(b []byte) (time.Time, bool) {
	n := monthEnd(b)
	if n == 0 || len(b) < n+12 {
		return time.Time{}, false
	}
	var plain [15]byte
	copy(plain[:], monthNames[3*(localMonth(b[:n])-1):][:3])
	copy(plain[3:], b[n:n+12])
	t, ok := c.traditional(plain[:])
	return t.Add(time.Duration(nanosOf(b[n+12:]))), ok
}
