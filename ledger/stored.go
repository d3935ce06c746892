package ledger

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"sync"
)

// Stored is a decision as a store read it: all but its evidence, which is JSON still.
type Stored struct {
	Decision Decision
	Evidence []byte
}

// Decode reads the evidence, which takes longer than all else, on all cores, and
// sorts the decisions by start, then by id. Evidence that means nothing is ErrCorrupt.
func Decode(rows []Stored) ([]Decision, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	decisions := make([]Decision, len(rows))
	errs := make([]error, len(rows))
	part := max(1000, (len(rows)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	var running sync.WaitGroup
	for first := 0; first < len(rows); first += part {
		running.Go(func() {
			for i := first; i < min(first+part, len(rows)); i++ {
				decisions[i] = rows[i].Decision
				if len(rows[i].Evidence) == 0 {
					continue
				}
				if err := json.Unmarshal(rows[i].Evidence, &decisions[i].Evidence); err != nil {
					errs[i] = fmt.Errorf("%w: evidence of decision %d: %w", ErrCorrupt, decisions[i].ID, err)
					return
				}
			}
		})
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(decisions, func(a, b Decision) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
	})
	return decisions, nil
}
