package reconcile

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/detect"
	"fwsync/ledger"
	"fwsync/policies"
	"fwsync/sync/decide"
)

const replayed = `
groups: { friends: [203.0.113.9/32] }
allowlist: [friends]
detections:
  - { name: brute, signal: smtp.auth_failed, threshold: 3, within: 5m, block: { for: 10m, escalate: [10m, 1h] } }
  - { name: relay, signal: smtp.relay_denied, threshold: 2, within: 1h, block: { for: 30m } }
  - { name: slow, signal: smtp.auth_failed, threshold: 6, within: 6h }
rules:
  - { name: drop-attackers, from: $blocked, to: any, action: drop }
targets:
  - internet-firewall: { rules: all }
`

func replayedPolicy(t testing.TB) *policies.Policy {
	t.Helper()
	p, err := policies.Parse([]policies.File{{Name: "p.yaml", Data: []byte(replayed)}}, policies.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var replayStart = time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)

// What a replay decides is what the scheduled job decides that runs each minute, saves
// its windows and reads on from them, however the signals come in.
func TestReplayDecidesAsRunsOnceAMinuteDo(t *testing.T) {
	policy := replayedPolicy(t)
	rapid.Check(t, func(t *rapid.T) {
		var signals []detect.Signal
		at := replayStart
		for range rapid.IntRange(1, 80).Draw(t, "signals") {
			at = at.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 20, 59, 60, 300, 3000}).Draw(t, "pause")) * time.Second)
			signals = append(signals, detect.Signal{
				Kind: rapid.SampledFrom([]detect.Kind{detect.SMTPAuthFailed, detect.SMTPAuthFailed, detect.SMTPRelayDenied, detect.SMTPAuthOK}).Draw(t, "kind"),
				Addr: netip.AddrFrom4([4]byte{203, 0, 113, byte(rapid.IntRange(7, 10).Draw(t, "host"))}), Time: at, Raw: []byte("x"),
			})
		}
		replay, err := NewReplay(policy, ReplayOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for rest := signals; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "batch")
			replay.Observe(rest[:n])
			rest = rest[n:]
		}
		got := replay.Report()

		var live []ledger.Decision
		var windows []byte
		cut := map[netip.Addr]int{}
		for minute := replayStart.Add(time.Minute); ; minute = minute.Add(time.Minute) {
			if signals[0].Time.After(minute.Add(time.Minute)) {
				continue // nothing new: a run that changes nothing
			}
			engine, err := newEngine(policy)
			if err != nil {
				t.Fatal(err)
			}
			if windows != nil {
				if err := engine.UnmarshalBinary(windows); err != nil {
					t.Fatal(err)
				}
			}
			acquit(engine, decide.Closed(live, minute), nil)
			for len(signals) > 0 && signals[0].Time.Before(minute) {
				s := signals[0]
				for _, d := range live {
					if s.Kind.Success() && d.Prefix.Contains(s.Addr) && d.ActiveAt(s.Time) {
						cut[s.Addr]++
						break
					}
				}
				engine.Observe(s)
				signals = signals[1:]
			}
			var found []decide.Found
			for _, d := range engine.Drain() {
				found = append(found, decide.Found{Detection: d})
			}
			for _, d := range decide.Decide(decide.Input{Found: found, Rules: policy.Detections, Known: live, Exempt: policy.Allowlist, Now: minute}).Decisions {
				if d.ID == 0 {
					d.ID = int64(len(live)) + 1
					live = append(live, d)
				} else {
					live[d.ID-1] = d
				}
			}
			if windows, err = engine.MarshalBinary(); err != nil {
				t.Fatal(err)
			}
			if len(signals) == 0 {
				break
			}
		}
		if len(got.Decisions) != len(live) || len(live) > 0 && !reflect.DeepEqual(got.Decisions, live) {
			t.Fatalf("replayed\n%+v\nlive\n%+v", got.Decisions, live)
		}
		if len(got.Cuts) != len(cut) {
			t.Fatalf("%+v, want %v", got.Cuts, cut)
		}
		for _, c := range got.Cuts {
			if c.Successes != cut[c.Address] {
				t.Fatalf("%+v, want %d", c, cut[c.Address])
			}
		}
		if got.True+got.False != got.Prefixes || len(got.Right) != got.True || len(got.Wrong) != got.False || got.False < len(cut) {
			t.Fatalf("%d prefixes, %d clients cut: %+v", got.Prefixes, len(cut), got.Judgement)
		}
		checkBuckets(t, replay, got)
		most := 0
		for _, h := range got.Hours {
			most = max(most, h.Blocks)
		}
		if most != got.Peak || got.Peak > got.Prefixes {
			t.Fatalf("%d at most in an hour, a peak of %d, %d prefixes", most, got.Peak, got.Prefixes)
		}
	})
}

// An attacker is blocked for ten minutes, and a login of that address falls into them.
func TestReplayNamesWhomABlockWouldHaveHurt(t *testing.T) {
	at := func(minutes int, kind detect.Kind, host byte) detect.Signal {
		return detect.Signal{Kind: kind, Addr: netip.AddrFrom4([4]byte{203, 0, 113, host}), Time: replayStart.Add(time.Duration(minutes) * time.Minute), Raw: []byte("x")}
	}
	signals := []detect.Signal{
		at(0, detect.SMTPAuthFailed, 7), at(0, detect.SMTPAuthFailed, 7), at(1, detect.SMTPAuthFailed, 7),
		at(1, detect.SMTPAuthFailed, 8), at(1, detect.SMTPAuthFailed, 8), at(1, detect.SMTPAuthFailed, 8),
		at(5, detect.SMTPAuthOK, 7), at(6, detect.SMTPAuthOK, 7), at(6, detect.SMTPAuthOK, 10), at(90, detect.SMTPAuthOK, 8),
	}
	replay, err := NewReplay(replayedPolicy(t), ReplayOptions{})
	if err != nil {
		t.Fatal(err)
	}
	replay.Observe(signals)
	got := replay.Report()
	if len(got.Cuts) != 1 || got.Cuts[0].Successes != 2 || got.Cuts[0].Rule != "brute" || !got.Cuts[0].First.Equal(signals[6].Time) {
		t.Errorf("%+v, precision %v", got.Cuts, got.Precision)
	}
	// The other attacker logs in long after its block: nothing is cut, yet it is somebody.
	if len(got.Wrong) != 2 || got.Precision != 0 {
		t.Errorf("%+v", got.Judgement)
	}
	if got.Prefixes != 2 || got.Peak != 2 || len(got.Hours) != 1 {
		t.Errorf("%+v", got)
	}
	if replay, err = NewReplay(replayedPolicy(t), ReplayOptions{Since: replayStart.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	replay.Observe(signals)
	if got := replay.Report(); len(got.Decisions) != 0 || got.Precision != 1 {
		t.Errorf("decided before it should: %+v", got.Decisions)
	}
}
