package simulator

import (
	"strconv"
	"testing"
	"time"
)

// A policy enforces something from its start to its end by the account's clock, whoever
// is there to see it. Whether it stays in the list after that is not documented: both
// readings are there.
func TestPoliciesLapseByTheAccountsClock(t *testing.T) {
	for _, vanish := range []bool{false, true} {
		now := noon
		cloud, c := newWorld(t, Options{Clock: func() time.Time { return now }, SkipTimestamp: true, Assume: Assumptions{LapsedPoliciesVanish: vanish}})
		enforced := func(want int) {
			t.Helper()
			if n := len(cloud.Engine().Policies); n != want {
				t.Errorf("vanish %v, %v: %d policies are enforced, want %d", vanish, now, n, want)
			}
		}
		shown := func(want int) {
			t.Helper()
			if n := len(cloud.Snapshot().Policies); n != want {
				t.Errorf("vanish %v, %v: %d policies are shown, want %d", vanish, now, n, want)
			}
		}
		half := noon.Truncate(30 * time.Minute)
		at := func(start, end time.Duration) []string {
			return with(policyArgs(), []string{"RepeatType", "None", "StartTime", seconds(half.Add(start)), "EndTime", seconds(half.Add(end))})
		}
		c.firewall("AddControlPolicy", at(0, time.Hour)...)
		c.firewall("AddControlPolicy", at(time.Hour, 2*time.Hour)...)
		enforced(2) // the world's own and the first
		shown(3)
		now = half.Add(time.Hour)
		enforced(2) // the second has begun where the first ended
		if shown(3 - map[bool]int{true: 1}[vanish]); vanish {
			c.firewall("AddControlPolicy", policyArgs()...)
			if err := cloud.Check(); err != nil {
				t.Errorf("orders after one vanished: %v", err)
			}
		}
	}
}

func TestAStartThatIsOverMayBeRefused(t *testing.T) {
	half := noon.Truncate(30 * time.Minute)
	args := with(policyArgs(), []string{"RepeatType", "None", "StartTime", seconds(half), "EndTime", seconds(half.Add(time.Hour))})
	clock := func() time.Time { return noon.Add(time.Minute) }
	_, c := newWorld(t, Options{Clock: clock, SkipTimestamp: true})
	c.want("", versionCloudfw, "AddControlPolicy", args...)
	_, c = newWorld(t, Options{Clock: clock, SkipTimestamp: true, Assume: Assumptions{PastStartRefused: true}})
	c.want("ErrorParameters", versionCloudfw, "AddControlPolicy", args...)
	c.want("", versionCloudfw, "AddControlPolicy", policyArgs()...)
}

func seconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
