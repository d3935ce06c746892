package reconcile

import (
	"net/netip"
	"time"

	"fwsync/detect/sources"
	"fwsync/sync/decide"
)

// SourceReport is what one source gave in this pass.
type SourceReport struct {
	Name          string  `json:"name"`
	File          string  `json:"file"`
	LastLineIsNow bool    `json:"last_line_is_now,omitempty"`
	Lines         int64   `json:"lines"`
	Bytes         int64   `json:"bytes"`
	Signals       int64   `json:"signals"`
	Malformed     int64   `json:"malformed"`
	BadAddress    int64   `json:"bad_address"`
	Overlong      int64   `json:"overlong"`
	Seconds       float64 `json:"seconds"`
	MBPerSecond   float64 `json:"mb_per_second"`
	Health        Health  `json:"health"`

	Feed     *FeedReport `json:"feed,omitempty"` // of a feed, which has no lines
	lastLine time.Time
}

// Health says whether the source can be believed.
type Health struct {
	OK    bool     `json:"ok"`
	Notes []string `json:"notes,omitempty"`
}

func (h *Health) note(text string) { h.Notes = append(h.Notes, text) }

// Sourced is the report of a source that was read outside of a pass.
func Sourced(path string, read sources.Report) SourceReport {
	r := SourceReport{Name: path, File: path, Health: Health{OK: true}}
	r.fill(read)
	return r
}

func (r *SourceReport) fill(read sources.Report) {
	r.Lines, r.Bytes, r.Signals = read.Stats.Lines, read.Stats.Bytes, read.Stats.Signals
	r.Malformed, r.BadAddress, r.Overlong = read.Stats.Malformed, read.Stats.BadAddress, read.Stats.Overlong
	r.Seconds = read.Duration.Seconds()
	r.MBPerSecond = read.BytesPerSecond() / 1e6
	r.Health.OK = r.Health.OK && read.Health.OK
	r.Health.Notes = append(r.Health.Notes, read.Health.Notes...)
	r.lastLine = read.LastLineTime
}

// DetectionReport is one detection and what became of it.
type DetectionReport struct {
	Prefix    string        `json:"prefix"` // empty: all sources together
	Rule      string        `json:"rule"`
	Account   string        `json:"account,omitempty"` // that was attacked or used
	Count     int           `json:"count"`
	Peak      int           `json:"peak"`
	Threshold int           `json:"threshold"`
	Within    int64         `json:"within_seconds"`
	Members   int           `json:"members,omitempty"` // of a network
	Score     Score         `json:"score"`
	FirstSeen time.Time     `json:"first_seen"`
	LastSeen  time.Time     `json:"last_seen"`
	CrossedAt time.Time     `json:"crossed_at"`
	Continued bool          `json:"continued,omitempty"`
	Blocked   bool          `json:"blocked"`
	Until     time.Time     `json:"until,omitzero"`
	Withheld  string        `json:"withheld,omitempty"`
	Evidence  []EvidenceRef `json:"evidence"`
}

// Score is how bad a detection is, and what of.
type Score struct {
	Total   int  `json:"total"`
	Count   int  `json:"count"`
	Weight  int  `json:"weight"`
	Success bool `json:"success,omitempty"` // a success divided it by 4
	Known   bool `json:"known,omitempty"`   // the allowlist divided it by 4
}

// EvidenceRef is one line behind a detection.
type EvidenceRef struct {
	Source string `json:"source"`
	File   string `json:"file"`
	Line   int64  `json:"line"`
	Offset int64  `json:"offset"`
	Hash   string `json:"hash"`
	Text   string `json:"text"`
}

func detectionReports(found []decide.Found, verdict decide.Result) []DetectionReport {
	type key struct {
		prefix netip.Prefix
		rule   string
	}
	until := map[key]time.Time{}
	for _, d := range verdict.Decisions {
		until[key{d.Prefix, d.Rule}] = d.End
	}
	withheld := map[key]string{}
	for _, w := range verdict.Withheld {
		withheld[key{w.Found.Prefix, w.Found.Rule}] = w.Reason
	}
	all := []DetectionReport{}
	for _, f := range found {
		r := Detected(f.Detection)
		k := key{f.Prefix, f.Rule}
		r.Withheld = withheld[k]
		r.Until = until[k]
		r.Blocked = !r.Until.IsZero()
		all = append(all, r)
	}
	return all
}
