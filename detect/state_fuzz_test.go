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
	failed := []Kind{SMTPAuthFailed}
	rules := []Rule{
		{Name: "brute", Signals: failed, Threshold: 5, Within: time.Minute, Acts: true},
		{Name: "spraying", Signals: failed, Count: Accounts, Threshold: 3, Within: time.Minute},
		{Name: "network", Signals: failed, Of: OfNetwork, Threshold: 5, Members: 3, Within: time.Minute},
		{Name: "distributed", Signals: failed, Of: OfAccount, Count: Addresses, Threshold: 3, Within: time.Minute},
		{Name: "apart", Signals: []Kind{IMAPAuthOK}, Of: OfAccount, Count: Networks, Threshold: 2, Within: time.Minute},
		{Name: "storm", Signals: failed, Of: OfSite, Threshold: 9, Within: time.Minute},
	}
	observe := func(e *Engine) {
		for i := range 9 {
			at, account := time.Unix(int64(1e9+i), 0), []byte{'a' + byte(i%3)}
			e.Observe(Signal{Kind: SMTPAuthFailed, Addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 5)}), Time: at, Raw: []byte("x"), Account: account})
			e.Observe(Signal{Kind: SMTPAuthFailed, Addr: netip.AddrFrom16([16]byte{0: 0x20, 15: byte(i)}), Time: at, Account: account})
			e.Observe(Signal{Kind: IMAPAuthOK, Addr: netip.AddrFrom4([4]byte{10, byte(i), 0, 1}), Time: at, Account: account})
		}
	}
	e, _ := New(rules, Limits{})
	observe(e)
	state, _ := e.MarshalBinary()
	f.Add(state[len(stateMagic) : len(state)-4])
	f.Fuzz(func(t *testing.T, body []byte) {
		s := append([]byte(stateMagic), body...)
		s = binary.BigEndian.AppendUint32(s, crc32.ChecksumIEEE(s))
		e, _ := New(rules, Limits{MaxSources: 100})
		if e.UnmarshalBinary(s) != nil {
			return
		}
		observe(e)
		e.Drain()
		if _, err := e.MarshalBinary(); err != nil {
			t.Fatal(err)
		}
	})
}
