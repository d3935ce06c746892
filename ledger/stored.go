package ledger

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
)

// Stored is a decision as a store read it: all but its evidence and counters, which are
// JSON still.
type Stored struct {
	Decision Decision
	Evidence []byte
	Mark     int64 // of this state of the row; 0: it has none
}

// counted is the JSON of evidence with counters; without them it is a list of lines.
type counted struct {
	Counters *Counters  `json:"counters"`
	Lines    []Evidence `json:"lines,omitempty"`
}

// EncodeEvidence returns the evidence and the counters as JSON, nil if there is neither.
func (d Decision) EncodeEvidence() ([]byte, error) {
	var value any = d.Evidence
	switch {
	case d.Counters != nil:
		value = counted{d.Counters, d.Evidence}
	case d.Evidence == nil:
		return nil, nil
	}
	data, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encoding evidence: %w", err)
	}
	return data, nil
}

func (d *Decision) readEvidence(data []byte) error {
	if data[0] != '{' {
		return json.Unmarshal(data, &d.Evidence)
	}
	var c counted
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	if c.Counters == nil {
		return errors.New("it is neither a list nor has it counters")
	}
	d.Counters, d.Evidence = c.Counters, c.Lines
	return nil
}

// Decode reads the evidence and sorts the decisions by start, then by id. Evidence that
// means nothing is ErrCorrupt.
func Decode(stored []Stored) ([]Decision, error) {
	var rows Rows
	for _, row := range stored {
		rows.Add(row)
	}
	if err := rows.readEvidence(); err != nil {
		return nil, err
	}
	return inOrder(rows.decisions), nil
}

// Rows are many decisions as a store reads them, in the memory in which they stay.
type Rows struct {
	decisions []Decision
	rest      []rest // of each
}

type rest struct {
	evidence []byte
	mark     int64
}

// Grow makes room for so many more.
func (r *Rows) Grow(n int) {
	r.decisions, r.rest = slices.Grow(r.decisions, n), slices.Grow(r.rest, n)
}

// Add adds one.
func (r *Rows) Add(row Stored) {
	r.decisions, r.rest = append(r.decisions, row.Decision), append(r.rest, rest{row.Evidence, row.Mark})
}

// readEvidence reads the evidence of each, which takes longer than all else, on all cores.
func (r *Rows) readEvidence() error {
	n := len(r.decisions)
	errs := make([]error, n)
	part := max(1000, (n+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	var running sync.WaitGroup
	for first := 0; first < n; first += part {
		running.Go(func() {
			for i := first; i < min(first+part, n); i++ {
				if len(r.rest[i].evidence) == 0 {
					continue
				}
				if err := r.decisions[i].readEvidence(r.rest[i].evidence); err != nil {
					errs[i] = fmt.Errorf("%w: evidence of decision %d: %w", ErrCorrupt, r.decisions[i].ID, err)
					return
				}
			}
		})
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func inOrder(decisions []Decision) []Decision {
	slices.SortFunc(decisions, func(a, b Decision) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
	})
	return decisions
}
