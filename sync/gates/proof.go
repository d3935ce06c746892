package gates

import "fmt"

// proof withholds a plan with a moment at which a packet has a verdict that it has
// neither before nor after the plan (promise P2). It happens where a quota leaves no
// room to add before taking away.
func proof(in Input) Finding {
	p := in.Plan.Proof
	f := Finding{
		LookedAt: fmt.Sprintf("%s of %s", count(p.CheckedStates, "moment"), count(p.Lists, "list")),
		Passed:   p.CheckedStates, lead: "not every moment on the way is safe: ",
	}
	if p.Safe || !in.Plan.Changes() || in.Limits.UnsafeMoments {
		return f
	}
	const flag = "--accept-unsafe-moment"
	withhold := func(what, why string) {
		f.Withheld = append(f.Withheld, Withheld{what, why, "free room, so that the new can stand beside the old for a moment (see the plan's capacity), or pass " + flag, flag})
	}
	for _, m := range p.Unsafe {
		withhold(fmt.Sprintf("after step %d, %s, in %s", m.Step, m.Subject, m.List), m.Packets.String())
	}
	if len(p.Unsafe) == 0 {
		withhold("the plan", "the proof does not say that it is safe")
	}
	f.Passed = max(f.Passed-len(f.Withheld), 0)
	return f
}
