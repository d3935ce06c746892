package detect

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
)

// Redactor leaves out of what is kept of lines what tells of people.
type Redactor interface {
	// Line returns what may be kept of a line. The client is not valid where only the
	// text is left. A line that was redacted stays as it is.
	Line(line []byte, client netip.Addr) string
	// Account returns what stands for an account's name; of that, the same.
	Account(name string) string
}

// Redact has evidence redacted before it is kept, so that neither detections nor the
// saved state hold it in full, also what a state read later kept in full. Hashes stay
// those of the lines as they were read.
func (e *Engine) Redact(r Redactor) { e.redactor = r }

// record keeps the line of a signal.
func (e *Engine) record(s *Signal) *record {
	r := e.told(s)
	if len(s.Account) > 0 {
		r.about = e.accountOf(s).low
	}
	return r
}

func (e *Engine) told(s *Signal) *record {
	if e.redactor == nil {
		return newRecord(s)
	}
	sum := sha256.Sum256(s.Raw)
	return &record{
		Evidence: Evidence{
			Source: s.Source, Line: s.Line, Offset: s.Offset, Hash: hex.EncodeToString(sum[:8]),
			Text: printable([]byte(e.redactor.Line(s.Raw, s.Addr)), MaxEvidenceText),
		},
		account: e.redactor.Account(printable(s.Account, maxAccount)),
	}
}

// recalled is a line that a state kept.
func (e *Engine) recalled(v Evidence, account string) *record {
	about := uint64(0)
	if account != "" {
		about = e.seed.account([]byte(account)).low
	}
	if e.redactor != nil {
		v.Text, account = printable([]byte(e.redactor.Line([]byte(v.Text), netip.Addr{})), MaxEvidenceText), e.redactor.Account(account)
	}
	return &record{Evidence: v, account: account, about: about}
}
