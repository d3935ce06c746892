package simulator

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// surroundings is what stands around the account and may be turned while it runs:
// its clock, its quotas, its permissions, the engine behind the policies, the
// colleague who edits by hand, and the dice of the faults. Cloud.mu guards
// everything but the atomic fields and the log.
type surroundings struct {
	shift       atomic.Int64 // nanoseconds added to Options.Clock
	requests    atomic.Uint64
	widest      Limits
	dice        *rand.Rand
	editor      editor
	engine      engine
	permissions map[string]Permissions
	log         callLog
}

// surround prepares the surroundings of a new cloud, whose options are complete.
func (c *Cloud) surround() {
	base := c.opt.Clock
	c.opt.Clock = func() time.Time { return base().Add(time.Duration(c.around.shift.Load())) }
	c.around.widest = c.opt.Limits
	c.around.dice = rand.New(rand.NewPCG(c.opt.Seed, 1))
	c.around.editor = editor{dice: rand.New(rand.NewPCG(c.opt.Seed, 2)), made: map[string]bool{}}
	c.around.engine.delay = c.opt.EngineDelay
	c.around.permissions = clonePermissions(c.opt.Permissions)
	c.around.log.to = c.opt.CallLog
}

// AdvanceClock moves the account's clock by d, back if d is negative, and returns
// how far it is now from Options.Clock. A clock that is more than 15 minutes from
// the clients' makes every signed call InvalidTimeStamp.Expired (reference §1.3).
func (c *Cloud) AdvanceClock(d time.Duration) (offset time.Duration) {
	return time.Duration(c.around.shift.Add(int64(d)))
}

// Now returns the time on the account's clock, in UTC.
func (c *Cloud) Now() time.Time { return c.opt.Clock().UTC() }
