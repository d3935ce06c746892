package reconcile

import (
	"sync"
	"time"

	"fwsync/cloudfw"
)

// Memory is what the clouds were when they were last read back, for a controller that
// makes one pass after the other: what ended a pass begins the next one, if it is not
// older than Lasts. Whoever changes a cloud in between reads it first, and must have
// the memory forget. It is safe for concurrent use; nil remembers nothing.
type Memory struct {
	Lasts time.Duration

	mu   sync.Mutex
	seen map[string]memory
}

type memory struct {
	live cloudfw.Snapshot
	at   time.Time
}

// Forget forgets what was seen of every cloud.
func (m *Memory) Forget() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = nil
}

// take returns what was seen of a cloud, and forgets it: it is as it was only until
// the next step.
func (m *Memory) take(cloud string, now time.Time) (memory, bool) {
	if m == nil {
		return memory{}, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.seen[cloud]
	delete(m.seen, cloud)
	age := now.Sub(found.at)
	return found, ok && age >= 0 && age <= m.Lasts
}

func (m *Memory) keep(cloud string, seen memory) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen = map[string]memory{}
	}
	m.seen[cloud] = seen
}
