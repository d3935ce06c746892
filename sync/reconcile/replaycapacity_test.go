package reconcile

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fwsync/cloudfw"
	"fwsync/detect"
	"fwsync/policies"
)

// checkBuckets compares the buckets with the decisions, moment by moment.
func checkBuckets(t interface{ Fatalf(string, ...any) }, r *Replay, rep ReplayReport) CapacityOverTime {
	c, err := r.Capacity("edge", limitsOf(nil))
	if err != nil {
		t.Fatalf("%v", err)
	}
	length := time.Duration(c.BucketSeconds) * time.Second
	if len(c.Buckets) > mostBuckets {
		t.Fatalf("%d buckets", len(c.Buckets))
	}
	most := 0
	for i, b := range c.Buckets {
		blocked := map[netip.Prefix]bool{}
		for _, d := range rep.Decisions {
			if d.ActiveAt(b.At) {
				blocked[d.Prefix] = true
			}
		}
		if len(blocked) != b.Blocks || b.At.Before(b.From) || !b.At.Before(b.From.Add(length)) || i > 0 && !c.Buckets[i-1].From.Before(b.From) {
			t.Fatalf("%d are blocked in %+v of %s", len(blocked), b, length)
		}
		for _, d := range rep.Decisions { // nothing was busier
			if at := d.Start; !at.Before(b.From) && at.Before(b.From.Add(length)) {
				n := map[netip.Prefix]bool{}
				for _, d := range rep.Decisions {
					if d.ActiveAt(at) {
						n[d.Prefix] = true
					}
				}
				if len(n) > b.Blocks {
					t.Fatalf("%d are blocked at %s, in %+v", len(n), at, b)
				}
			}
		}
		most = max(most, b.Blocks)
	}
	if most != rep.Peak {
		t.Fatalf("at most %d in a bucket, the peak is %d", most, rep.Peak)
	}
	return c
}

// limitsOf are the documented limits, with the quotas of some clouds.
func limitsOf(quota map[string]int) func(string) cloudfw.Limits {
	return func(cloud string) cloudfw.Limits {
		l := cloudfw.DefaultLimits()
		l.SpreadUnits = quota[cloud]
		return l
	}
}

const crowded = `
detections:
  - { name: brute, signal: smtp.auth_failed, threshold: 2, within: 5m, block: { for: 90m } }
rules:
  - { name: drop-attackers, from: $blocked, to: any, action: drop }
  - { name: mail, from: any, to: 192.0.2.25/32, protocol: tcp, ports: [25], action: accept }
targets:
  - internet-firewall: { rules: all, cloud: home }
  - security-group: { id: sg-mail, blocked: top, capacity: 10, cloud: far }
`

// Thirty attackers come within half an hour, one a minute, and each is blocked for
// ninety; the group holds eight of IPv4.
func TestCapacityOverTimeSaysWhenALimitWouldHaveBeenExceeded(t *testing.T) {
	policy, err := policies.Parse([]policies.File{{Name: "p.yaml", Data: []byte(crowded)}}, policies.Options{Clouds: []string{"home", "far"}})
	if err != nil {
		t.Fatal(err)
	}
	var signals []detect.Signal
	for i := range 30 {
		for range 2 {
			signals = append(signals, detect.Signal{Kind: detect.SMTPAuthFailed, Addr: netip.AddrFrom4([4]byte{203, 0, 113, byte(i * 5)}), Time: replayStart.Add(time.Duration(i) * time.Minute), Raw: []byte("x")})
		}
	}
	signals = append(signals, detect.Signal{Kind: detect.SMTPScan, Addr: netip.MustParseAddr("192.0.2.1"), Time: replayStart.Add(4 * time.Hour), Raw: []byte("x")})
	report := func() CapacityOverTime {
		replay, err := NewReplay(policy, ReplayOptions{})
		if err != nil {
			t.Fatal(err)
		}
		replay.Observe(signals)
		checkBuckets(t, replay, replay.Report())
		c, err := replay.Capacity("edge", limitsOf(map[string]int{"home": 100}))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := report()
	if again := report(); !reflect.DeepEqual(c, again) {
		t.Errorf("a second time it is\n%+v", again)
	}
	if c.BucketSeconds != 3600 || len(c.Buckets) != 2 || c.Buckets[0].Blocks != 30 || !c.Buckets[0].At.Equal(replayStart.Add(29*time.Minute)) || c.Buckets[1].Blocks != 30 {
		t.Errorf("%+v", c)
	}
	var uses []string
	for _, u := range c.Uses {
		uses = append(uses, fmt.Sprintf("%s %s: %d of %d, %v", u.Cloud, u.What, u.Most, u.Limit, u.OverTime))
	}
	for _, want := range []string{
		"home address books: 1 of 5000, [1 1]",
		"home policy quota (spread units): 31 of 100, [31 31]",
		"far places for blocked ipv4 at security-group sg-mail: 8 of 8, [8 8]",
	} {
		if !slices.ContainsFunc(uses, func(u string) bool { return strings.EqualFold(u, want) }) {
			t.Errorf("%q is not among\n%s", want, strings.Join(uses, "\n"))
		}
	}
	if len(c.Overflows) != 1 {
		t.Fatalf("%+v", c.Overflows)
	}
	if o := c.Overflows[0]; o.Cloud != "far" || o.Target != "security-group sg-mail" || o.Evicted != 22 || o.Buckets != 2 || !o.First.Equal(c.Buckets[0].At) || o.Why == "" {
		t.Errorf("%+v", o)
	}
}

func TestBucketsAreFewHoweverLongALogIs(t *testing.T) {
	policy := replayedPolicy(t)
	for _, span := range []time.Duration{time.Minute, 46 * time.Hour, 47 * time.Hour, 5 * 24 * time.Hour, 40 * 24 * time.Hour, 1000 * 24 * time.Hour} {
		replay, err := NewReplay(policy, ReplayOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 200 { // one attack after the other, all along
			at := replayStart.Add(span / 200 * time.Duration(i))
			for range 3 {
				replay.Observe([]detect.Signal{{Kind: detect.SMTPAuthFailed, Addr: netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}), Time: at, Raw: []byte("x")}})
			}
		}
		rep := replay.Report()
		c := checkBuckets(t, replay, rep)
		if rep.Prefixes != 200 || span > 40*time.Hour && len(c.Buckets) < 20 {
			t.Errorf("%s: %d prefixes in %d buckets of %d s", span, rep.Prefixes, len(c.Buckets), c.BucketSeconds)
		}
	}
}

func TestWhoeverIsDeclaredOrHadASuccessIsAFalsePositive(t *testing.T) {
	fails := func(host byte, minute int) []detect.Signal {
		s := detect.Signal{Kind: detect.SMTPAuthFailed, Addr: netip.AddrFrom4([4]byte{203, 0, 113, host}), Time: replayStart.Add(time.Duration(minute) * time.Minute), Raw: []byte("x")}
		return []detect.Signal{s, s, s}
	}
	success := fails(12, 300)[0]
	success.Kind = detect.IMAPAuthOK
	replay, err := NewReplay(replayedPolicy(t), ReplayOptions{Good: []cloudfw.Exempt{
		{Prefix: netip.MustParsePrefix("203.0.113.10/32"), Reason: "a partner"},
		{Prefix: netip.MustParsePrefix("203.0.113.10/31"), Reason: "an office"},
		{Prefix: netip.MustParsePrefix("198.51.100.0/24"), Reason: "nobody"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	replay.Observe(slices.Concat(fails(9, 0), fails(10, 1), fails(11, 2), fails(12, 3), fails(13, 4), []detect.Signal{success}))
	got := replay.Report()
	want := Judgement{
		Precision: 0.25, True: 1, False: 3,
		Right: []Right{{"203.0.113.13/32", "brute"}},
		Wrong: []Wrong{
			{Prefix: "203.0.113.10/32", Rule: "brute", Address: netip.MustParseAddr("203.0.113.10"), Why: "a partner"},
			{Prefix: "203.0.113.11/32", Rule: "brute", Address: netip.MustParseAddr("203.0.113.11"), Why: "an office"},
			{Prefix: "203.0.113.12/32", Rule: "brute", Address: netip.MustParseAddr("203.0.113.12"), Why: "it had a success (imap.auth_ok at 2026-11-24T01:00:00Z)"},
		},
	}
	if !reflect.DeepEqual(got.Judgement, want) {
		t.Errorf("got\n%+v, want\n%+v", got.Judgement, want)
	}
	if len(got.Cuts) != 0 { // the allowlisted was never blocked, the success came later
		t.Errorf("%+v", got.Cuts)
	}
}
