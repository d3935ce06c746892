package verify

import (
	"fmt"
	"strings"
	"time"
)

// Gap is something the intent demands and the live state does not enforce.
type Gap struct {
	Subject string `json:"subject"` // the prefix or the declared rule
	Target  string `json:"target"`
	Reason  string `json:"reason"`
	// Since is when a run first found it; zero while no run has. AgeSeconds is the
	// time from then to the report. Check leaves both to who knows the ledger.
	Since      time.Time `json:"since,omitzero"`
	AgeSeconds int64     `json:"age_seconds"`
}

// Aged returns the gap with its age at a time, given when a run first found it.
func (g Gap) Aged(since, now time.Time) Gap {
	g.Since, g.AgeSeconds = since, 0
	if !since.IsZero() && now.After(since) {
		g.AgeSeconds = int64(now.Sub(since) / time.Second)
	}
	return g
}

// String is the gap in one line, with its age once it has lasted a minute.
func (g Gap) String() string {
	text := g.Subject
	if g.Target != "" {
		text += " at " + g.Target
	}
	text += ": " + g.Reason
	if age := time.Duration(g.AgeSeconds) * time.Second; age >= time.Minute {
		text += " (for " + duration(age) + ")"
	}
	return text
}

// duration is "5m", "2h10m" or "3d4h".
func duration(d time.Duration) string {
	days, hours, minutes := int(d.Hours())/24, int(d.Hours())%24, int(d.Minutes())%60
	var b strings.Builder
	part := func(n int, unit string) {
		if n > 0 {
			fmt.Fprintf(&b, "%d%s", n, unit)
		}
	}
	part(days, "d")
	part(hours, "h")
	if days == 0 {
		part(minutes, "m")
	}
	return b.String()
}
