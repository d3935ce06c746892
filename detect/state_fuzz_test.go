package detect

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"
	"testing"
	"time"
)

// FuzzState reads states whose checksum is right and whose contents are not.
func FuzzState(f *testing.F) {
	rules := []Rule{{Name: "brute", Signals: []Kind{SMTPAuthFailed}, Threshold: 5, Within: time.Minute}}
	e, _ := New(rules, Limits{})
	for i := range 9 {
		e.Observe(Signal{Kind: SMTPAuthFailed, Addr: netip.MustParseAddr("192.0.2.1"), Time: time.Unix(int64(1e9+i), 0), Raw: []byte("x")})
		e.Observe(Signal{Kind: SMTPDelivered, Addr: netip.MustParseAddr("192.0.2.2"), Time: time.Unix(int64(1e9+i), 0)})
	}
	state, _ := e.MarshalBinary()
	f.Add(state[len(stateMagic) : len(state)-4])
	f.Fuzz(func(t *testing.T, body []byte) {
		s := append([]byte(stateMagic), body...)
		s = binary.BigEndian.AppendUint32(s, crc32.ChecksumIEEE(s))
		e, _ := New(rules, Limits{MaxSources: 100})
		if e.UnmarshalBinary(s) != nil {
			return
		}
		for i := range 9 {
			e.Observe(Signal{Kind: SMTPAuthFailed, Addr: netip.MustParseAddr("192.0.2.1"), Time: time.Unix(int64(1e9+i), 0), Raw: []byte("x")})
		}
		e.Drain()
		if _, err := e.MarshalBinary(); err != nil {
			t.Fatal(err)
		}
	})
}
