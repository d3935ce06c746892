package policies

import (
	"cmp"
	"fmt"
	"slices"
)

// maxFindings is where a report stops: who wrote that many mistakes made one.
const maxFindings = 1_000

// report collects findings.
type report struct {
	found  []placed
	seen   map[string]bool
	untold bool // there were more than maxFindings
	// incomplete is set when part of the files could not be read, so that what
	// seems to be missing may be there: complaints about absence would mislead.
	incomplete bool
}

type placed struct {
	file, line, column int
	Finding
}

// at adds a finding at a place. The same finding at the same place, which aliases
// and groups used twice bring about, is kept once. An empty hint is no hint. Both
// texts may quote the file, so control characters are replaced.
func (r *report) at(p place, hint, format string, args ...any) {
	if len(r.found) >= maxFindings {
		r.untold = true
		return
	}
	message := printable(fmt.Sprintf(format, args...))
	key := fmt.Sprintf("%d:%d:%d:%s", p.src.index, p.line, p.column, message)
	if r.seen[key] {
		return
	}
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	r.seen[key] = true
	text, caret := p.excerpt()
	r.found = append(r.found, placed{p.src.index, p.line, p.column, Finding{
		File: p.src.name, Line: p.line, Column: p.column,
		Message: message, Hint: printable(hint), Source: text, Caret: caret,
	}})
}

// about adds a finding that concerns a whole file or folder. Position orders it
// among the files; -1 puts it first.
func (r *report) about(name string, position int, hint, format string, args ...any) {
	r.found = append(r.found, placed{file: position, Finding: Finding{
		File: name, Message: printable(fmt.Sprintf(format, args...)), Hint: printable(hint),
	}})
}

// err is nil without findings.
func (r *report) err() error {
	if len(r.found) == 0 {
		return nil
	}
	slices.SortStableFunc(r.found, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	e := &Error{Findings: make([]Finding, len(r.found))}
	for i, f := range r.found {
		e.Findings[i] = f.Finding
	}
	if r.untold {
		e.Findings = append(e.Findings, Finding{File: e.Findings[len(e.Findings)-1].File, Message: fmt.Sprintf("and more: only the first %d findings are listed", maxFindings)})
	}
	return e
}
