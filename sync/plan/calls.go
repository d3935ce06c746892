package plan

import "fwsync/cloudfw"

// Calls is what a plan costs. Fewest is the least that any order of steps needs for
// the same difference: what a plan makes beyond it are copies and books of their own,
// without which a moment would be unsafe.
type Calls struct {
	Planned int     `json:"planned"`
	Fewest  int     `json:"fewest"`
	Seconds float64 `json:"seconds"` // estimated, under the vendor's limit; the engine's own delay comes on top
}

// perCall is what one call takes, as an estimate; perSecond is how many of one API go
// out in the long run (reference §2: 10 for everybody together).
const (
	perCall   = 0.2
	perSecond = 8.0
)

// count adds up. Steps go one after the other, so the limit of an API is felt only
// where calls are faster than it.
func count(steps []cloudfw.Step, fewest int) Calls {
	c := Calls{Planned: len(steps), Fewest: fewest}
	byOp := map[cloudfw.Op]int{}
	for _, s := range steps {
		byOp[s.Op]++
	}
	c.Seconds = perCall * float64(len(steps))
	for _, n := range byOp {
		c.Seconds = max(c.Seconds, float64(n)/perSecond)
	}
	return c
}
