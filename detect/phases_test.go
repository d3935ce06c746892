package detect

import (
	"math"
	"net/netip"
	"testing"
	"time"
)

func TestPhasesAreTheBusyMinutesOfTheStream(t *testing.T) {
	start := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	e, err := New([]Rule{{Name: "brute", Signals: []Kind{SMTPAuthFailed}, Threshold: 5, Within: time.Hour}}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	send := func(k Kind, host byte, minute int, n int) {
		for i := range n {
			e.Observe(Signal{Kind: k, Addr: netip.AddrFrom4([4]byte{192, 0, 2, host}), Time: start.Add(time.Duration(minute)*time.Minute + time.Duration(i)*time.Second)})
		}
	}
	send(SMTPScan, 1, 0, 9)            // below the floor
	send(SMTPScan, 1, 1, 6)            // a phase: 6 and 6 of two sources and kinds
	send(SMTPPregreet, 2, 1, 6)        // …
	send(SMTPAuthFailed, 1, 2, 30)     // brute force
	send(SMTPScan, 3, 5, 4)            // a trickle between two busy minutes belongs to it
	send(SMTPScan, 3, 8, 20)           // its peak
	send(SMTPScan, 4, 10, 2)           // a trickle after the last busy minute does not
	send(SMTPAuthOK, 9, 11, 5)         // an innocent's logins are nothing
	send(SMTPAuthOK, 1, 11, 3)         // those of a detected address are exploitation
	send(SMTPScan, 5, 30, 10)          // another phase
	send(SMTPNonSMTPCommand, 5, 31, 9) // too few
	want := []PhaseSpan{
		{Phase: Probing, Start: start.Add(time.Minute), End: start.Add(8*time.Minute + 19*time.Second), Signals: 36, Peak: 20, PeakAt: start.Add(8 * time.Minute), Sources: 3},
		{Phase: BruteForce, Start: start.Add(2 * time.Minute), End: start.Add(2*time.Minute + 29*time.Second), Signals: 30, Peak: 30, PeakAt: start.Add(2 * time.Minute), Sources: 1},
		{Phase: Exploitation, Start: start.Add(11 * time.Minute), End: start.Add(11*time.Minute + 2*time.Second), Signals: 3, Peak: 3, PeakAt: start.Add(11 * time.Minute), Sources: 1},
		{Phase: Probing, Start: start.Add(30 * time.Minute), End: start.Add(30*time.Minute + 9*time.Second), Signals: 10, Peak: 10, PeakAt: start.Add(30 * time.Minute), Sources: 1, Ongoing: true},
	}
	check := func(got []PhaseSpan) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("%d phases: %+v", len(got), got)
		}
		for i, w := range want {
			g := got[i]
			if g.Phase != w.Phase || !g.Start.Equal(w.Start) || !g.End.Equal(w.End) || g.Signals != w.Signals || g.Peak != w.Peak || !g.PeakAt.Equal(w.PeakAt) || g.Sources != w.Sources || !g.Exact || g.Ongoing != w.Ongoing {
				t.Errorf("phase %d:\n got %+v\nwant %+v", i, g, w)
			}
		}
	}
	check(e.Phases())
	state, err := e.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if err := e.UnmarshalBinary(state); err != nil {
		t.Fatal(err)
	}
	check(e.Phases())
}

func TestManySourcesAreCountedWithinTheStatedError(t *testing.T) {
	for _, n := range []int{1, 511, 512, 513, 3_000, 20_000, 1_000_000} {
		var d distinct
		for i := range 2 * n { // each twice
			d.add(keyOfV4(10<<24 + uint32(i%n)))
		}
		w := stateWriter{}
		d.write(&w)
		r := stateReader{in: w.out}
		d = distinct{}
		if d.read(&r); r.err != nil || len(r.in) > 0 {
			t.Fatalf("%d sources: read back: %v, %d bytes left over", n, r.err, len(r.in))
		}
		got, exact := d.count()
		if exact != (n <= exactSources) || exact && got != n || math.Abs(float64(got-n)) > 4*0.016*float64(n) {
			t.Errorf("%d sources counted as %d, exact %v", n, got, exact)
		}
	}
}
