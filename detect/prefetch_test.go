package detect_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"fwsync/detect"
)

// What is looked up for a group of signals at once is out of date where one of them makes
// room for another; each must count as if it had come alone.
func TestSignalsCountTogetherAsOneByOne(t *testing.T) {
	events := attack(60_000)
	for _, room := range []int{64, 3000, 1_000_000} {
		t.Run(fmt.Sprint(room), func(t *testing.T) {
			limits := detect.Limits{MaxSources: room, Seed: 7}
			alone, together := engine(t, limits, allRules...), engine(t, limits, allRules...)
			var batch []detect.Signal
			for i, v := range events {
				s := detect.Signal{Kind: v.kind, Addr: v.source(), Time: start.Add(time.Duration(v.ms) * time.Millisecond), Line: int64(i)}
				switch {
				case v.addr%1000 == 0: // some of few, who fill their lists
					s.Addr = netip.AddrFrom4([4]byte{192, 0, 2, byte(v.addr / 1000 % 4)})
				case v.addr%3 == 0:
					s.Addr = netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, byte(v.addr), 7: byte(v.addr >> 8), 15: byte(v.addr >> 16)})
				}
				if v.kind == detect.SMTPAuthFailed {
					s.Account = fmt.Appendf(nil, "user%d@example.com", v.account)
				}
				alone.Observe(s)
				if batch = append(batch, s); len(batch) > i/7%150 || i == len(events)-1 {
					together.ObserveAll(batch)
					batch = batch[:0]
				}
			}
			if a, b := alone.Stats(), together.Stats(); !reflect.DeepEqual(a, b) {
				t.Errorf("alone %+v, together %+v", a, b)
			}
			a, b := alone.Detections(), together.Detections()
			if len(a) == 0 || len(a) != len(b) {
				t.Fatalf("alone %d detections, together %d", len(a), len(b))
			}
			for i := range a {
				if !reflect.DeepEqual(a[i], b[i]) {
					t.Fatalf("alone %+v, together %+v", a[i], b[i])
				}
			}
		})
	}
}
