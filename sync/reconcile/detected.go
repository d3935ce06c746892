package reconcile

import "fwsync/detect"

// Detected is the report of a detection on which nothing has been decided.
func Detected(d detect.Detection) DetectionReport {
	r := DetectionReport{
		Prefix: d.Prefix.String(), Rule: d.Rule, Count: d.Count, Peak: d.Peak,
		FirstSeen: d.FirstSeen, LastSeen: d.LastSeen, CrossedAt: d.CrossedAt, Continued: d.Continued,
		Evidence: []EvidenceRef{},
	}
	for _, e := range d.Evidence {
		r.Evidence = append(r.Evidence, EvidenceRef{e.Source, e.Line, e.Hash, e.Text})
	}
	return r
}
