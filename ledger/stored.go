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
func Decode(rows []Stored) ([]Decision, error) {
	if err := readEvidence(rows); err != nil {
		return nil, err
	}
	return decisionsOf(rows), nil
}

// readEvidence reads the evidence of each row, which takes longer than all else, on all
// cores.
func readEvidence(rows []Stored) error {
	errs := make([]error, len(rows))
	part := max(1000, (len(rows)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	var running sync.WaitGroup
	for first := 0; first < len(rows); first += part {
		running.Go(func() {
			for i := first; i < min(first+part, len(rows)); i++ {
				if len(rows[i].Evidence) == 0 {
					continue
				}
				if err := rows[i].Decision.readEvidence(rows[i].Evidence); err != nil {
					errs[i] = fmt.Errorf("%w: evidence of decision %d: %w", ErrCorrupt, rows[i].Decision.ID, err)
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

func decisionsOf(rows []Stored) []Decision {
	if len(rows) == 0 {
		return nil
	}
	decisions := make([]Decision, len(rows))
	for i := range rows {
		decisions[i] = rows[i].Decision
	}
	return inOrder(decisions)
}

func inOrder(decisions []Decision) []Decision {
	slices.SortFunc(decisions, func(a, b Decision) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
	})
	return decisions
}
