package policies

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The units that Go's durations lack. They are fixed spans: a day is 24 hours.
const (
	day  = 24 * time.Hour
	week = 7 * day

	maxCount = 10_000 // weeks and days; together they stay below what a Duration holds
)

// ParseDuration reads a positive duration: Go's notation, with whole days (d) and
// weeks (w) in front, such as "10m", "7d", "1w2d" or "1d12h30m".
func ParseDuration(text string) (time.Duration, error) {
	bad := fmt.Errorf("%q is not a duration such as 10m, 24h or 7d", text)
	var total time.Duration
	rest := text
	for _, unit := range []struct {
		letter string
		span   time.Duration
	}{{"w", week}, {"d", day}} {
		digits, after, found := strings.Cut(rest, unit.letter)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil {
			return 0, bad
		}
		if n > maxCount {
			return 0, fmt.Errorf("duration %q is too long", text)
		}
		total += time.Duration(n) * unit.span
		rest = after
	}
	if rest != "" {
		d, err := time.ParseDuration(rest)
		if err != nil || strings.ContainsAny(rest, "+-") {
			return 0, bad
		}
		if total+d < total {
			return 0, fmt.Errorf("duration %q is too long", text)
		}
		total += d
	}
	if total <= 0 {
		return 0, fmt.Errorf("%q is not a positive duration such as 10m, 24h or 7d", text)
	}
	return total, nil
}

// FormatDuration writes the shortest text that ParseDuration reads as d: "7d",
// "24h", "1h30m". Two days and more begin with days; weeks are not used.
func FormatDuration(d time.Duration) string {
	text := ""
	if d >= 2*day {
		text = strconv.Itoa(int(d/day)) + "d"
		if d %= day; d == 0 {
			return text
		}
	}
	clock := d.String()
	if strings.HasSuffix(clock, "m0s") {
		clock = strings.TrimSuffix(clock, "0s")
	}
	if strings.HasSuffix(clock, "h0m") {
		clock = strings.TrimSuffix(clock, "0m")
	}
	return text + clock
}
