package detect_test

import (
	"encoding/binary"
	"net/netip"
	"reflect"
	"runtime"
	"testing"
	"time"

	"fwsync/detect"
)

// spray sends one failure from each of n addresses, and from one address a failure
// among every share of them. All lies within one window.
func spray(e *detect.Engine, n, share int) {
	at := start
	var batch [512]detect.Signal
	var b [4]byte
	for done := 0; done < n; {
		size := 0
		for size < len(batch)-1 && done < n {
			binary.BigEndian.PutUint32(b[:], uint32(done)+10<<24)
			batch[size] = detect.Signal{Kind: detect.SMTPAuthFailed, Addr: netip.AddrFrom4(b), Time: at}
			size++
			if done++; done%share == 0 {
				batch[size] = detect.Signal{Kind: detect.SMTPAuthFailed, Addr: heavy, Time: at}
				size++
			}
		}
		e.ObserveAll(batch[:size])
	}
}

var (
	heavy  = netip.MustParseAddr("192.0.2.1")
	hourly = detect.Rule{Name: "brute", Signals: []detect.Kind{detect.SMTPAuthFailed}, Threshold: 20, Within: time.Hour}
)

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestAHeavyHitterIsFoundAmongMoreAddressesThanThereIsRoomFor(t *testing.T) {
	// The heavy hitter comes when everything is full, and sends one of 300 signals
	// where 1,000 addresses are followed.
	var first []detect.Detection
	for range 2 {
		e := engine(t, detect.Limits{MaxSources: 1000, Seed: 7}, hourly)
		spray(e, 1000, 1<<30)
		spray(e, 100_000, 300)
		ds, st := e.Detections(), e.Stats()
		if st.Tracked > 1000 || st.Sketched < 90_000 {
			t.Errorf("stats %+v", st)
		}
		if len(ds) != 1 || ds[0].Prefix.Addr() != heavy || ds[0].Count < 333-2 || ds[0].Count > 333 {
			t.Fatalf("detections %+v", ds)
		}
		if first == nil {
			first = ds
		} else if !reflect.DeepEqual(ds, first) {
			t.Errorf("the same seed finds\n%+v\nand\n%+v", ds, first)
		}
	}
}

func TestThereIsRoomAgainWhenTheWindowIsOver(t *testing.T) {
	e := engine(t, detect.Limits{MaxSources: 1000, Seed: 7}, hourly)
	spray(e, 1500, 1<<30)
	for i := range 20 {
		e.Observe(sig(detect.SMTPAuthFailed, "192.0.2.1", 61*time.Minute+time.Duration(i)*time.Second))
	}
	if ds := e.Detections(); len(ds) != 1 || ds[0].Count != 20 {
		t.Errorf("detections %+v, %+v", ds, e.Stats())
	}
	// From now on one comes each second, and one is over each second: room is made now and then.
	for i := range 20_000 {
		e.Observe(detect.Signal{Kind: detect.SMTPAuthFailed, Addr: addr(i), Time: start.Add(62*time.Minute + time.Duration(i)*time.Second)})
	}
	if st := e.Stats(); st.Expired < 5000 || st.Tracked > 1000 {
		t.Errorf("%+v", st)
	}
}

func TestTheSketchGoesOnAfterARestart(t *testing.T) {
	full := func() *detect.Engine {
		e := engine(t, detect.Limits{MaxSources: 1000, Seed: 7}, hourly)
		spray(e, 1500, 1<<30)
		return e
	}
	e := full()
	for range 22 {
		e.Observe(detect.Signal{Kind: detect.SMTPAuthFailed, Addr: heavy, Time: start})
		state, err := e.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		e = engine(t, detect.Limits{MaxSources: 1000}, hourly)
		if err := e.UnmarshalBinary(state); err != nil {
			t.Fatal(err)
		}
	}
	e.Observe(detect.Signal{Kind: detect.SMTPAuthFailed, Addr: heavy, Time: start})
	// Two signals were only sketched; what is counted since the third is exact.
	if ds := e.Detections(); len(ds) != 1 || ds[0].Count != 21 || !ds[0].Continued {
		t.Errorf("detections %+v", ds)
	}
}

func TestTenMillionAddressesStayUnderTheLimit(t *testing.T) {
	if testing.Short() || underRace {
		t.Skip("takes some seconds")
	}
	before := heap()
	e := engine(t, detect.Limits{MaxSources: 200_000}, hourly)
	began := time.Now()
	spray(e, 10_000_000, 50_000) // one of 50,000 signals is the heavy hitter's, 200 in all
	took, after := time.Since(began), heap()
	if ds := e.Detections(); len(ds) != 1 || ds[0].Prefix.Addr() != heavy || ds[0].Count < 190 {
		t.Errorf("detections %+v", ds)
	}
	if st := e.Stats(); st.Tracked > 200_000 {
		t.Errorf("stats %+v", st)
	}
	if used := (after - before) >> 20; used > 64 {
		t.Errorf("%d MiB on the heap", used)
	}
	t.Logf("%d MiB on the heap, %v, %+v", (after-before)>>20, took, e.Stats())
}

func TestASlowAttackerIsFoundOverThirtyDaysInLittleMemory(t *testing.T) {
	slow := detect.Rule{Name: "slow", Signals: []detect.Kind{detect.SMTPAuthFailed}, Threshold: 30, Within: 30 * 24 * time.Hour}
	e := engine(t, detect.Limits{}, slow)
	before := heap()
	for day := range 30 {
		for hour := range 24 {
			at := time.Duration(day)*24*time.Hour + time.Duration(hour)*time.Hour
			for i := range 100 { // everybody mistypes now and then
				e.Observe(detect.Signal{Kind: detect.SMTPAuthFailed, Addr: addr(day%3*100_000 + hour*100 + i), Time: start.Add(at)})
			}
		}
		e.Observe(sig(detect.SMTPAuthFailed, "192.0.2.1", time.Duration(day)*24*time.Hour+23*time.Hour)) // one each day
	}
	ds := e.Detections()
	if len(ds) != 1 || ds[0].Prefix.Addr() != heavy || ds[0].Count != 30 {
		t.Fatalf("%d detections: %+v", len(ds), ds)
	}
	if used := heap() - before; used > 8<<20 {
		t.Errorf("%d KiB for %d sources over 30 days", used>>10, e.Stats().Sources)
	}
	runtime.KeepAlive(e)
}
