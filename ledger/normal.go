package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Normal is the decision as every store gives it back: times in UTC to the
// millisecond, clean text, no empty evidence list. It refuses what no decision may be.
func (d Decision) Normal() (Decision, error) {
	if d.Verdict != Block && d.Verdict != Allow {
		return d, fmt.Errorf("decision about %s has the verdict %q, which is neither block nor allow", d.Prefix, d.Verdict)
	}
	if err := CheckPrefix(d.Prefix); err != nil {
		return d, err
	}
	if d.ID < 0 {
		return d, fmt.Errorf("decision about %s has the negative id %d", d.Prefix, d.ID)
	}
	for _, t := range []*time.Time{&d.Start, &d.End, &d.FirstSeen, &d.LastSeen, &d.MadeAt, &d.RevokedAt} {
		*t = toMillisecond(*t)
	}
	for _, s := range []*string{&d.Reason, &d.Author, &d.Rule, &d.RevokedBy, &d.RevokeReason} {
		*s = CleanText(*s)
	}
	if d.Counters != nil {
		c := *d.Counters // the caller's stays as it is
		c.Account, c.Success, c.CrossedAt = CleanText(c.Account), CleanText(c.Success), toMillisecond(c.CrossedAt)
		d.Counters = &c
	}
	if len(d.Evidence) == 0 {
		d.Evidence = nil
		return d, nil
	}
	evidence := make([]Evidence, len(d.Evidence)) // the caller's slice stays as it is
	for i, e := range d.Evidence {
		e.Source, e.File, e.Hash, e.Text = CleanText(e.Source), CleanText(e.File), CleanText(e.Hash), CleanText(e.Text)
		evidence[i] = e
	}
	d.Evidence = evidence
	return d, nil
}

// CheckPrefix refuses a prefix that is invalid or has more than one spelling.
func CheckPrefix(p netip.Prefix) error {
	switch {
	case !p.IsValid():
		return errors.New("decision about an invalid prefix")
	case p.Addr().Is4In6(), p != p.Masked():
		return fmt.Errorf("decision about %s, which is not in canonical form", p)
	}
	return nil
}

// Check refuses a plan that could not be found again.
func (p AppliedPlan) Check() error {
	if p.ID == "" {
		return errors.New("its id is empty")
	}
	if p.Detail != nil && !json.Valid(p.Detail) {
		return errors.New("its detail is not JSON")
	}
	return nil
}

// Check refuses an entry that says too little to be settled.
func (e JournalEntry) Check() error {
	switch {
	case e.PlanID == "":
		return errors.New("the plan's id is empty")
	case e.Step < 1:
		return fmt.Errorf("step %d is not from 1", e.Step)
	case e.At.IsZero():
		return errors.New("the time is missing")
	case e.Outcome == "":
		return errors.New("the outcome is empty")
	}
	return nil
}

// CleanText is the text as every store keeps it: U+FFFD in the place of what is not
// UTF-8 and of NUL, which PostgreSQL has no room for.
func CleanText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// SortKey orders prefixes as bytes: IPv4 before IPv6, then by address, then the
// wider one first. All prefixes inside another lie in one range.
func SortKey(p netip.Prefix) []byte {
	key := make([]byte, 0, 18)
	if p.Addr().Is4() {
		key = append(key, 4)
	} else {
		key = append(key, 6)
	}
	key = append(key, p.Addr().AsSlice()...)
	return append(key, byte(p.Bits()))
}

func toMillisecond(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}
