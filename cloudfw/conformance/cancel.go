package conformance

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fwsync/cloudfw"
)

// stuck is when a call that should have come back counts as hanging.
const stuck = time.Minute

// cancellation: what is given up comes back, says whether it may have had an effect,
// and is right about it.
func cancellation(s *scene) {
	b := s.book("given-up", cloudfw.IPv4, "192.0.2.1/32")
	s.carry(cloudfw.Step{Op: cloudfw.CreateBook, Book: b})
	live := s.liveBook(b.Name)
	next := 0
	fresh := func() cloudfw.Step {
		next++
		return cloudfw.Step{Op: cloudfw.AppendAddresses, Book: &live, Prefixes: many(next)[next-1:]}
	}

	ended, end := context.WithCancel(s.Context())
	end()
	if snap, err := s.account.Observe(ended, s.scope); cloudfw.KindOf(err) != cloudfw.Canceled || snap.Books != nil {
		s.Errorf("observing after the end: %s, want canceled", outcome(err))
	}
	unsent := fresh()
	if err := s.account.Execute(ended, unsent); cloudfw.KindOf(err) != cloudfw.Canceled {
		s.Errorf("executing after the end: %s, want canceled", outcome(err))
	}
	s.look()
	if cloudfw.Done(unsent, s.live) {
		s.Errorf("%s: executed after the end, and there is an effect", describe(unsent))
	}

	s.givenUpAtAnyMoment(fresh)
	if s.Stall != nil {
		s.givenUpWhileItHangs(fresh)
	}
}

// givenUpAtAnyMoment ends steps and observations a little later each time: before
// anything is sent, on the way, after the reply.
func (s *scene) givenUpAtAnyMoment(fresh func() cloudfw.Step) {
	s.Helper()
	unit, moments := 200*time.Microsecond, 10
	if s.Slow {
		unit, moments = 5*time.Millisecond, 8
	}
	kinds := map[cloudfw.Kind]int{}
	unknown := []cloudfw.Kind{"", cloudfw.Canceled, cloudfw.UnknownOutcome}
	tried := map[cloudfw.Kind][]cloudfw.Step{}
	for i := range moments {
		ctx, cancel := context.WithTimeout(s.Context(), unit<<i)
		step := fresh()
		err := s.account.Execute(ctx, step)
		kind := cloudfw.KindOf(err)
		if !slices.Contains(unknown, kind) || err != nil && kind == "" {
			s.Errorf("a step given up after %v: %s", unit<<i, outcome(err))
		}
		tried[kind] = append(tried[kind], step)
		kinds[kind]++
		cancel()

		ctx, cancel = context.WithTimeout(s.Context(), unit<<i)
		snap, err := s.account.Observe(ctx, s.scope)
		if err != nil && (cloudfw.KindOf(err) != cloudfw.Canceled || snap.Rules != nil) {
			s.Errorf("an observation given up after %v: %s", unit<<i, outcome(err))
		}
		cancel()
	}
	s.look(done(tried[""])...)
	for _, step := range tried[""] {
		if !cloudfw.Done(step, s.live) {
			s.Errorf("%s: success, but there is no effect", describe(step))
		}
	}
	for _, step := range tried[cloudfw.Canceled] {
		if cloudfw.Done(step, s.live) {
			s.Errorf("%s: canceled, but there is an effect", describe(step))
		}
	}
	s.Logf("steps given up: %d canceled, %d of unknown outcome, %d done in time", kinds[cloudfw.Canceled], kinds[cloudfw.UnknownOutcome], kinds[""])
}

func (s *scene) givenUpWhileItHangs(fresh func() cloudfw.Step) {
	s.Helper()
	for _, c := range []struct {
		what  string
		do    func(context.Context) error
		kinds []cloudfw.Kind
	}{
		{"an observation", func(ctx context.Context) error { _, err := s.account.Observe(ctx, s.scope); return err }, []cloudfw.Kind{cloudfw.Canceled}},
		{"a step", func(ctx context.Context) error { return s.account.Execute(ctx, fresh()) }, []cloudfw.Kind{cloudfw.UnknownOutcome}},
	} {
		if err := s.giveUp(c.do); !slices.Contains(c.kinds, cloudfw.KindOf(err)) {
			s.Errorf("%s given up while the service hangs: %s, want %s", c.what, outcome(err), kinds(c.kinds))
		}
	}
	s.look()
}

// giveUp begins something, waits until the service hangs, gives it up and returns
// how it ended.
func (s *scene) giveUp(do func(context.Context) error) error {
	s.Helper()
	stalled := s.Stall()
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- do(ctx) }()
	select {
	case <-stalled:
	case err := <-ended:
		return fmt.Errorf("it came back before it hung: %w", err)
	}
	cancel()
	select {
	case err := <-ended:
		return err
	case <-time.After(stuck):
		s.Fatalf("still not back %v after it was given up", stuck)
		return nil
	}
}
