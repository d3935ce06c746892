package ledger

import (
	"fmt"
	"time"
)

// Gap is something that was demanded of one cloud and that the last run found not to
// be enforced there.
type Gap struct {
	Target  string    `json:"target"`
	Subject string    `json:"subject"` // the prefix or the declared rule
	Since   time.Time `json:"since"`   // when a run first found it; UTC
}

// Place is where a gap is: within one cloud there is one gap at each.
type Place struct{ Target, Subject string }

// ByPlace puts gaps in their places, the one seen first where there are several. It
// refuses one without a time.
func ByPlace(gaps []Gap) (map[Place]Gap, error) {
	places := make(map[Place]Gap, len(gaps))
	for _, g := range gaps {
		if g.Since.IsZero() {
			return nil, fmt.Errorf("the one of %s at %s has no time", g.Subject, g.Target)
		}
		p := Place{CleanText(g.Target), CleanText(g.Subject)}
		if known, again := places[p]; !again || g.Since.Before(known.Since) {
			places[p] = g
		}
	}
	return places, nil
}
