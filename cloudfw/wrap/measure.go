package wrap

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"fwsync/cloudfw"
)

// Observing is the operation under which observations are measured.
const Observing cloudfw.Op = "observe"

// Sum is what one operation with one outcome came to.
type Sum struct {
	Op      cloudfw.Op    `json:"op"`
	Outcome string        `json:"outcome"` // as in Record
	Count   int           `json:"count"`
	Total   time.Duration `json:"total_ns"`
	Longest time.Duration `json:"longest_ns"`
}

// Meter is an account that counts what is done on it and how long it takes.
type Meter struct {
	account cloudfw.Account

	mu   sync.Mutex
	sums map[measured]Sum
}

type measured struct {
	op      cloudfw.Op
	outcome string
}

var _ cloudfw.Account = (*Meter)(nil)

// Measure returns a meter round the account, all sums at nothing.
func Measure(a cloudfw.Account) *Meter { return &Meter{account: a, sums: map[measured]Sum{}} }

// Observe implements cloudfw.Reader.
func (m *Meter) Observe(ctx context.Context, scope cloudfw.Scope) (cloudfw.Snapshot, error) {
	began := time.Now()
	snap, err := m.account.Observe(ctx, scope)
	m.add(Observing, err, time.Since(began))
	return snap, err
}

// Execute implements cloudfw.Writer.
func (m *Meter) Execute(ctx context.Context, step cloudfw.Step) error {
	began := time.Now()
	err := m.account.Execute(ctx, step)
	m.add(step.Op, err, time.Since(began))
	return err
}

func (m *Meter) add(op cloudfw.Op, err error, took time.Duration) {
	key := measured{op, outcome(err)}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sums[key]
	m.sums[key] = Sum{op, key.outcome, s.Count + 1, s.Total + took, max(s.Longest, took)}
}

// Sums are the figures so far, sorted by operation, then outcome. The result is the
// caller's to keep.
func (m *Meter) Sums() []Sum {
	m.mu.Lock()
	defer m.mu.Unlock()
	sums := make([]Sum, 0, len(m.sums))
	for _, s := range m.sums {
		sums = append(sums, s)
	}
	slices.SortFunc(sums, func(a, b Sum) int { return cmp.Or(cmp.Compare(a.Op, b.Op), cmp.Compare(a.Outcome, b.Outcome)) })
	return sums
}
