package simulator

import (
	"reflect"
	"slices"
	"time"
)

// keptChanges bounds the changes on their way to the engine.
const keptChanges = 256

// engine is the data plane behind Cloud Firewall: it enforces what the API showed
// a while ago (reference §2: about 3 minutes).
type engine struct {
	delay   time.Duration
	now     *State // what it enforces; nil until a change was ever on its way
	waiting []change
}

type change struct {
	at    time.Time
	state *State
}

// Engine is what the firewall's engine enforces, as opposed to what the API shows.
type Engine struct {
	Delay        string        `json:"delay"`      // time from the API to the engine, "0s" for at once
	CaughtUp     bool          `json:"caughtUp"`   // it enforces what the API shows
	Waiting      int           `json:"waiting"`    // changes on their way
	CaughtUpAt   time.Time     `json:"caughtUpAt"` // when it will have caught up if nothing else changes; now if it has
	Policies     []Policy      `json:"policies"`
	AddressBooks []AddressBook `json:"addressBooks"`
}

// Engine tells what the engine enforces now, by the account's clock: not what has
// lapsed or is yet to begin. Without Options.EngineDelay the rest is what the API shows.
func (c *Cloud) Engine() Engine {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.opt.Clock().UTC()
	e := &c.around.engine
	enforced := e.at(now, c.state)
	out := Engine{Delay: e.delay.String(), CaughtUp: len(e.waiting) == 0, Waiting: len(e.waiting), CaughtUpAt: now}
	if n := len(e.waiting); n > 0 {
		out.CaughtUpAt = e.waiting[n-1].at.Add(e.delay)
	}
	copied := enforced.clone()
	copied.Policies = slices.DeleteFunc(copied.Policies, func(p Policy) bool { return p.idle(now) })
	out.Policies, out.AddressBooks = copied.Policies, copied.AddressBooks
	return out
}

// SetEngineDelay changes how long the engine lags behind; changes on their way
// arrive by the new delay. Zero or less lets it follow at once.
func (c *Cloud) SetEngineDelay(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.around.engine.at(c.opt.Clock(), c.state)
	c.around.engine.delay = max(d, 0)
	c.around.engine.at(c.opt.Clock(), c.state)
}

// note takes a published change of the account on its way.
func (e *engine) note(now time.Time, before, after *State) {
	if e.delay <= 0 {
		return
	}
	e.at(now, before)
	if reflect.DeepEqual(before.Policies, after.Policies) && reflect.DeepEqual(before.AddressBooks, after.AddressBooks) {
		return
	}
	if e.now == nil {
		e.now = before
	}
	e.waiting = append(e.waiting, change{now, after})
	if len(e.waiting) > keptChanges {
		// Under a storm of changes every second one arrives with the one after it.
		kept := e.waiting[:0]
		for i, w := range e.waiting {
			if i%2 == 0 {
				kept = append(kept, w)
			}
		}
		clear(e.waiting[len(kept):])
		e.waiting = kept
	}
}

// at lets arrive what is due and returns what is enforced.
func (e *engine) at(now time.Time, shown *State) *State {
	due := 0
	for due < len(e.waiting) && (e.delay <= 0 || !now.Before(e.waiting[due].at.Add(e.delay))) {
		e.now = e.waiting[due].state
		due++
	}
	e.waiting = slices.Delete(e.waiting, 0, due)
	if len(e.waiting) == 0 {
		e.now = nil
		return shown
	}
	return e.now
}
