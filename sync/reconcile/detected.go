package reconcile

import (
	"cmp"

	"fwsync/detect"
	"fwsync/sync/decide"
)

// Detected is the report of a detection on which nothing has been decided. One that is
// withheld says why.
func Detected(d detect.Detection) DetectionReport {
	r := DetectionReport{
		Rule: d.Rule, Account: d.Account, Count: d.Count, Peak: d.Peak, Threshold: d.Threshold, Within: int64(d.Within.Seconds()), Members: d.Members,
		Score:     Score{Total: d.Score.Total, Count: d.Score.Count, Weight: d.Score.Weight, Success: d.Score.Success, Known: d.Score.Known},
		FirstSeen: d.FirstSeen, LastSeen: d.LastSeen, CrossedAt: d.CrossedAt, Continued: d.Continued,
		Evidence: make([]EvidenceRef, 0, len(d.Evidence)),
	}
	if d.Withheld {
		r.Withheld = decide.Legitimate(d)
	}
	if d.Prefix.IsValid() {
		r.Prefix = d.Prefix.String()
	}
	for _, e := range d.Evidence {
		r.Evidence = append(r.Evidence, EvidenceRef{e.Source, cmp.Or(e.File, e.Source), e.Line, e.Offset, e.Hash, e.Text})
	}
	return r
}
