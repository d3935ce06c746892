package detect_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"fwsync/detect"
)

// event is a signal in few bytes, so that the benchmark measures the engine and
// not how fast memory hands over millions of signals.
type event struct {
	ms      uint32
	addr    uint32
	kind    detect.Kind
	account uint8
}

func (v event) source() netip.Addr {
	return netip.AddrFrom4([4]byte{byte(v.addr >> 24), byte(v.addr >> 16), byte(v.addr >> 8), byte(v.addr)})
}

// attack is what a busy server sees: 20,000 attackers that come back for 1 to 8
// tries of 200 accounts, and as many innocents that send mail.
func attack(n int) []event {
	r := rand.New(rand.NewPCG(1, 2))
	kinds := []detect.Kind{detect.SMTPAuthFailed, detect.SMTPAuthFailed, detect.SMTPAuthFailed, detect.SMTPAuthFailed, detect.SMTPRejectedRecipient, detect.SMTPRelayDenied, detect.SMTPScan, detect.SMTPNonSMTPCommand}
	events := make([]event, 0, n+8)
	for ms := uint32(0); len(events) < n; ms += uint32(r.IntN(300)) {
		e := event{ms: ms, addr: uint32(r.IntN(20_000))*2654435761&0x7fffffff + 1<<24, kind: kinds[r.IntN(len(kinds))]}
		if r.IntN(5) == 0 {
			e.kind, e.addr = detect.SMTPDelivered, e.addr|0x80000000
			events = append(events, e)
			continue
		}
		for range 1 + r.IntN(8) {
			e.account = uint8(r.IntN(200))
			events = append(events, e)
		}
	}
	return events[:n]
}

// replay hands events over as a reader does: in batches whose memory is used again.
func replay(e *detect.Engine, events []event, accounts [][]byte) {
	raw := []byte("Mar  2 12:00:00 mailserver postfix/smtpd[12345]: warning: unknown[203.0.113.190]: SASL LOGIN authentication failed: (reason unavailable), sasl_username=admin@example.com")
	var batch [512]detect.Signal
	for n := 0; n < len(events); {
		size := min(len(batch), len(events)-n)
		for i := range size {
			v := events[n]
			n++
			s := &batch[i]
			*s = detect.Signal{Kind: v.kind, Addr: v.source(), Time: start.Add(time.Duration(v.ms) * time.Millisecond), Source: "mail", Line: int64(n), Raw: raw}
			if v.kind == detect.SMTPAuthFailed {
				s.Account = accounts[v.account]
			}
		}
		e.ObserveAll(batch[:size])
	}
}

// BenchmarkEngine is the cost of one signal, from an empty engine to the
// detections, over 2.6 million signals of 20,000 sources that attack; it
// includes some 15 ns for making the signal.
func BenchmarkEngine(b *testing.B) {
	events := attack(2_600_000)
	accounts := make([][]byte, 200)
	for i := range accounts {
		accounts[i] = fmt.Appendf(nil, "user%d@example.com", i)
	}
	late := slices.Clone(events)
	for i := range late {
		if late[i].ms > 3000 && i%2 == 0 {
			late[i].ms -= 3000
		}
	}
	batches := slices.Clone(events)
	for batch := range slices.Chunk(batches, 3000) {
		slices.SortStableFunc(batch, func(a, b event) int { return int(a.account%30) - int(b.account%30) })
	}
	for _, c := range []struct {
		name   string
		rules  []detect.Rule
		events []event
	}{{"no-rules", nil, events}, {"plain-rules", plainRules, events}, {"all-rules", allRules, events}, {"two-hosts-3s-apart", allRules, late}, {"thirty-batches-each-3000", allRules, batches}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			found := 0
			for b.Loop() {
				e, err := detect.New(c.rules, detect.Limits{})
				if err != nil {
					b.Fatal(err)
				}
				replay(e, c.events, accounts)
				found = len(e.Detections())
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(events)), "ns/signal")
			b.ReportMetric(float64(found), "detections")
		})
	}
}

// BenchmarkNewSources is the cost of a signal where each is of a source that never was there
// before, more than there is room for, over a day.
func BenchmarkNewSources(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	events := make([]event, 500_000)
	for i := range events {
		events[i] = event{ms: uint32(i * 86_400 / 500), addr: r.Uint32()>>1 + 1<<24, kind: detect.SMTPAuthFailed, account: uint8(r.IntN(200))}
	}
	accounts := make([][]byte, 200)
	for i := range accounts {
		accounts[i] = fmt.Appendf(nil, "user%d@example.com", i)
	}
	for b.Loop() {
		e, err := detect.New(allRules, detect.Limits{MaxSources: 400_000})
		if err != nil {
			b.Fatal(err)
		}
		replay(e, events, accounts)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(events)), "ns/signal")
}

var plainRules = []detect.Rule{
	{Name: "sasl-bruteforce", Signals: []detect.Kind{detect.SMTPAuthFailed}, Threshold: 5, Within: 10 * time.Minute, Acts: true},
	{Name: "relay-abuse", Signals: []detect.Kind{detect.SMTPRelayDenied}, Threshold: 3, Within: time.Hour, Acts: true},
	{Name: "protocol-abuse", Signals: []detect.Kind{detect.SMTPPipelining, detect.SMTPNonSMTPCommand, detect.SMTPTooManyErrors, detect.SMTPPregreet}, Threshold: 3, Within: 10 * time.Minute, Acts: true},
}

// allRules have one of each kind, on what is most frequent.
var allRules = append(plainRules[:len(plainRules):len(plainRules)],
	detect.Rule{Name: "slow", Signals: []detect.Kind{detect.SMTPAuthFailed}, Threshold: 20, Within: 24 * time.Hour, Acts: true},
	detect.Rule{Name: "spraying", Signals: []detect.Kind{detect.SMTPAuthFailed}, Count: detect.Accounts, Threshold: 10, Within: time.Hour, Acts: true},
	detect.Rule{Name: "weak-network", Signals: []detect.Kind{detect.SMTPAuthFailed}, Of: detect.OfNetwork, Threshold: 30, Members: 8, Within: time.Hour, Acts: true},
	detect.Rule{Name: "distributed", Signals: []detect.Kind{detect.SMTPAuthFailed}, Of: detect.OfAccount, Count: detect.Addresses, Threshold: 50, Within: time.Hour},
	detect.Rule{Name: "storm", Signals: []detect.Kind{detect.SMTPAuthFailed}, Of: detect.OfSite, Threshold: 2000, Within: time.Minute},
)
