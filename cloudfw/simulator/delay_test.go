package simulator

import (
	"testing"
	"time"
)

func TestTheEngineFollowsAfterItsDelay(t *testing.T) {
	now := noon
	cloud, c := newWorld(t, Options{Clock: func() time.Time { return now }, EngineDelay: 3 * time.Minute, SkipTimestamp: true})
	want := func(policies int, caughtUp bool, waiting int) {
		t.Helper()
		e := cloud.Engine()
		if len(e.Policies) != policies || e.CaughtUp != caughtUp || e.Waiting != waiting || e.Delay != "3m0s" {
			t.Errorf("%v: %d policies, caught up %v, %d waiting; want %d, %v, %d", now, len(e.Policies), e.CaughtUp, e.Waiting, policies, caughtUp, waiting)
		}
	}
	want(1, true, 0)
	c.firewall("AddControlPolicy", policyArgs()...)
	now = now.Add(2 * time.Minute)
	c.firewall("AddControlPolicy", policyArgs()...)
	if n := len(cloud.Snapshot().Policies); n != 3 {
		t.Errorf("the API shows %d policies, want them at once", n)
	}
	want(1, false, 2)
	if at := cloud.Engine().CaughtUpAt; !at.Equal(noon.Add(5 * time.Minute)) {
		t.Errorf("caught up at %v", at)
	}
	now = noon.Add(3*time.Minute - time.Second)
	want(1, false, 2)
	now = noon.Add(3 * time.Minute)
	want(2, false, 1)
	// Security groups have no engine behind them.
	c.ecs("CreateSecurityGroup")
	want(2, false, 1)
	cloud.AdvanceClock(2 * time.Minute)
	want(3, true, 0)
}

func TestWithoutADelayTheEngineIsTheAPI(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	c.firewall("AddControlPolicy", policyArgs()...)
	if e := cloud.Engine(); !e.CaughtUp || len(e.Policies) != 2 || !e.CaughtUpAt.Equal(noon) {
		t.Errorf("got %+v", e)
	}
	cloud.SetEngineDelay(time.Minute)
	c.firewall("AddControlPolicy", policyArgs()...)
	if e := cloud.Engine(); e.CaughtUp || len(e.Policies) != 2 {
		t.Errorf("with a delay set at run time: %+v", e)
	}
	cloud.SetEngineDelay(0)
	if e := cloud.Engine(); !e.CaughtUp || len(e.Policies) != 3 {
		t.Errorf("with the delay taken away: %+v", e)
	}
}

func TestAStormOfChangesIsBounded(t *testing.T) {
	now := noon
	cloud, _ := newWorld(t, Options{Clock: func() time.Time { return now }, EngineDelay: time.Minute})
	for range 3 * keptChanges {
		now = now.Add(time.Millisecond)
		if _, err := cloud.AddControlPolicy(tcpPolicy("in", -1, "one of many")); err != nil {
			t.Fatal(err)
		}
		if n := len(cloud.around.engine.waiting); n > keptChanges {
			t.Fatalf("%d changes are kept", n)
		}
	}
	if e := cloud.Engine(); e.CaughtUp || len(e.Policies) != 1 {
		t.Errorf("the engine enforces %d policies before the delay is over", len(e.Policies))
	}
	now = now.Add(time.Minute)
	if e := cloud.Engine(); !e.CaughtUp || len(e.Policies) != 3*keptChanges+1 {
		t.Errorf("the engine ends with %d policies, caught up %v", len(e.Policies), e.CaughtUp)
	}
}
