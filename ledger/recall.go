package ledger

import (
	"slices"
	"sync"
	"time"
)

// Recall has a store read of its decisions only those that changed since it read all of
// them last: who makes one pass after the other reads the same thousands again and
// again. Each row bears a random mark that every change of it replaces. From time to
// time everything is read, in case somebody changed a row without that.
//
// The evidence and counters of what it returns are shared: they must not be changed.
// The zero value is ready; it is safe for concurrent use.
type Recall struct {
	mu    sync.Mutex
	reads int
	whole time.Time           // when everything was read
	rows  map[int64]*recalled // by id; replaced as a whole, never changed
}

type recalled struct {
	mark     int64
	decision Decision
}

// recallFor is how long changes are believed to be marked.
const recallFor = time.Minute

// Mark names one state of a row; Of is 0 for one that has none.
type Mark struct{ ID, Of int64 }

// Decisions returns all decisions, sorted by start, then by id. marks reads the marks of
// all rows; read reads those with the given ids, or all if that is nil. Both must see the
// same state of the ledger.
func (r *Recall) Decisions(now time.Time, marks func() ([]Mark, error), read func(ids []int64) (*Rows, error)) ([]Decision, error) {
	known, remember := r.known(now)
	if known == nil {
		rows, err := read(nil)
		if err != nil {
			return nil, err
		}
		if err := rows.readEvidence(); err != nil {
			return nil, err
		}
		if remember {
			r.keep(now, recall(make(map[int64]*recalled, len(rows.decisions)), rows))
		}
		return inOrder(rows.decisions), nil
	}
	all, err := marks()
	if err != nil {
		return nil, err
	}
	next, changed := make(map[int64]*recalled, len(all)), []int64{}
	for _, m := range all {
		if row := known[m.ID]; row != nil && row.mark == m.Of && m.Of != 0 {
			next[m.ID] = row
		} else {
			changed = append(changed, m.ID)
		}
	}
	if len(changed) > 0 {
		rows, err := read(changed)
		if err != nil {
			return nil, err
		}
		if err := rows.readEvidence(); err != nil {
			return nil, err
		}
		recall(next, rows)
	}
	r.keep(time.Time{}, next)
	if len(next) == 0 {
		return nil, nil
	}
	decisions := make([]Decision, 0, len(next))
	for _, row := range next {
		decisions = append(decisions, row.decision)
	}
	return inOrder(decisions), nil
}

// known is what was read before; nil if that was too long ago. remember says whether to
// keep what is read now: not at first, for most programs read once.
func (r *Recall) known(now time.Time) (rows map[int64]*recalled, remember bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reads++
	if age := now.Sub(r.whole); age < 0 || age > recallFor {
		return nil, r.reads > 1
	}
	return r.rows, true
}

// keep remembers rows, all of which were read at the given time if that is not zero.
func (r *Recall) keep(whole time.Time, rows map[int64]*recalled) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rows = rows; !whole.IsZero() {
		r.whole = whole
	}
}

func recall(into map[int64]*recalled, rows *Rows) map[int64]*recalled {
	for i, d := range rows.decisions {
		d.Evidence = slices.Clip(d.Evidence) // nobody's append is seen by others
		rows.decisions[i].Evidence = d.Evidence
		into[d.ID] = &recalled{rows.rest[i].mark, d}
	}
	return into
}
