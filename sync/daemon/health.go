package daemon

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Health is how a daemon is, for those who ask. It is safe for concurrent use.
type Health struct {
	// Longest is how long a pass, or the time without one, may take before the daemon
	// counts as stuck; 30 min.
	Longest time.Duration

	mu       sync.Mutex
	passing  time.Time // since when; zero between passes
	passed   time.Time // when the last one ended
	good     bool      // one has succeeded
	last     error     // of the last pass
	troubles map[string]error
}

// NewHealth is of a daemon that has just been started.
func NewHealth() *Health {
	return &Health{Longest: 30 * time.Minute, passed: time.Now(), troubles: map[string]error{}}
}

// Pass notes that a pass begins; the result is to be called with how it ended.
func (h *Health) Pass() (done func(error)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.passing = time.Now()
	return func(err error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.passing, h.passed, h.last = time.Time{}, time.Now(), err
		h.good = h.good || err == nil
	}
}

// Trouble notes what hinders a part, nil when it is well again. It reports whether
// that is news.
func (h *Health) Trouble(part string, err error) (news bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.troubles[part]
	if err == nil {
		delete(h.troubles, part)
		return before != nil
	}
	h.troubles[part] = err
	return before == nil || before.Error() != err.Error()
}

// Alive is nil unless the daemon is stuck.
func (h *Health) Alive() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.passing.IsZero() && time.Since(h.passing) > h.Longest {
		return fmt.Errorf("a pass has been under way since %s", h.passing.UTC().Format(time.RFC3339))
	}
	return nil
}

// Ready is nil once a pass has succeeded, and while nothing hinders any part.
func (h *Health) Ready() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []error
	if !h.good {
		all = append(all, errors.New("no pass has succeeded yet"))
	}
	if h.last != nil {
		all = append(all, fmt.Errorf("the last pass failed: %w", h.last))
	}
	var parts []string
	for part := range h.troubles {
		parts = append(parts, part)
	}
	slices.Sort(parts)
	for _, part := range parts {
		all = append(all, fmt.Errorf("%s: %w", part, h.troubles[part]))
	}
	return errors.Join(all...)
}
