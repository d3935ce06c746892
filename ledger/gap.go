package ledger

import "time"

// Gap is something that was demanded of one cloud and that the last run found not to
// be enforced there.
type Gap struct {
	Target  string    `json:"target"`
	Subject string    `json:"subject"` // the prefix or the declared rule
	Since   time.Time `json:"since"`   // when a run first found it; UTC
}
