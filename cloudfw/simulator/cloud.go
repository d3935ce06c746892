package simulator

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Cloud is one simulated account. It is safe for concurrent use. Its methods are
// the service without the wire: tests use them to set a scene, or to be the
// colleague who edits the same account by hand.
type Cloud struct {
	opt Options

	mu       sync.Mutex
	state    *State // never edited in place, so that a reader may keep it
	previous *State // before the last successful write, what a stale read answers
	file     *stateFile
	calls    callRing
	faults   []*Fault
	guard    guard
	buckets  map[string]*bucket
	tokens   map[string]tokenUse
	loans    loans
	around   surroundings
}

// New returns a cloud that holds the state file if there is one, else
// Options.World. A state file that cannot be read, parsed or trusted is an error
// that names it; it is never overwritten.
func New(o Options) (*Cloud, error) {
	c := &Cloud{opt: o.withDefaults(), buckets: map[string]*bucket{}, tokens: map[string]tokenUse{}}
	c.surround()
	if err := checkPermissions(o.Permissions); err != nil {
		return nil, err
	}
	var world State
	if o.World != nil {
		world = o.World.clone()
	}
	world.complete()
	if err := world.check(c.opt.Limits, c.opt.Assume); err != nil {
		return nil, fmt.Errorf("checking the starting world: %w", err)
	}
	c.state, c.previous = &world, &world
	if o.StateFile == "" {
		return c, nil
	}
	c.file = &stateFile{path: o.StateFile, limits: c.opt.Limits, assume: c.opt.Assume}
	unlock, err := c.file.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	s, err := c.file.load()
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c, c.file.save(&world)
	}
	c.state, c.previous = s, s
	return c, nil
}

// Snapshot returns a copy of the whole state as this process last knew it; the
// state file is read again if somebody else has changed it.
func (c *Cloud) Snapshot() State {
	s, err := c.view(false)
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		s = c.state
	}
	return s.clone()
}

// Load replaces the whole state, filling in ids and orders that are left out. A
// state that breaks an invariant is refused and nothing changes.
func (c *Cloud) Load(s State) error {
	next := s.clone()
	next.complete()
	if err := next.check(c.widestLimits(), c.opt.Assume); err != nil {
		return fmt.Errorf("loading state: %w", err)
	}
	return c.update(func(e *edit) error {
		*e.State = next
		return nil
	})
}

// Check reports every broken invariant: orders that are not 1..N in each list,
// dangling or unfitting references, duplicate ids and names, exceeded limits.
func (c *Cloud) Check() error {
	c.mu.Lock()
	s := c.state
	c.mu.Unlock()
	return s.check(c.widestLimits(), c.opt.Assume)
}

// edit is one change in the making: a draft of the state and what judges it.
type edit struct {
	*State
	limits Limits
	assume Assumptions
	now    time.Time
	// late is the error of a call that has its effect nevertheless.
	late error
}

// update runs change on a draft and publishes it, on disk first. Any error but
// edit.late leaves memory and disk as they were.
func (c *Cloud) update(change func(*edit) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file != nil {
		unlock, err := c.file.lock()
		if err != nil {
			return internal(err)
		}
		defer unlock()
		if err := c.follow(); err != nil {
			return internal(err)
		}
	}
	e := &edit{State: c.state.draft(), limits: c.opt.Limits, assume: c.opt.Assume, now: c.opt.Clock().UTC()}
	if e.assume.LapsedPoliciesVanish {
		e.dropLapsed(e.now)
	}
	if err := change(e); err != nil {
		return err
	}
	if c.file != nil {
		if err := c.file.save(e.State); err != nil {
			return internal(err)
		}
	}
	c.publish(e.State)
	return e.late
}

// follow takes over what another process wrote to the state file. The caller holds c.mu.
func (c *Cloud) follow() error {
	if c.file == nil || !c.file.changed() {
		return nil
	}
	s, err := c.file.load()
	if err != nil || s == nil {
		return err
	}
	c.publish(s)
	return nil
}

// publish makes s the state that readers see. The caller holds c.mu.
func (c *Cloud) publish(s *State) {
	c.around.engine.note(c.opt.Clock(), c.state, s)
	c.previous, c.state = c.state, s
}

// view returns the state to read from; it must not be edited.
func (c *Cloud) view(stale bool) (*State, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.follow(); err != nil {
		return nil, internal(err)
	}
	if stale {
		return c.current(c.previous), nil
	}
	return c.current(c.state), nil
}

func internal(err error) error {
	return refuse(http.StatusInternalServerError, "InternalError", "the simulator failed: %v", err)
}
