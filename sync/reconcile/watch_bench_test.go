package reconcile

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fwsync/detect/sources"
	"fwsync/ledger"
	"fwsync/ledger/sqlite"
	"fwsync/policies"
)

// BenchmarkFromLineToLedger follows a log that grows by 20,000 lines a second, in 1,000
// writes, among them 20 attackers each second: how long after the fifth failure of each
// was written its decision was in the ledger. An iteration is a second.
func BenchmarkFromLineToLedger(b *testing.B) {
	dir := b.TempDir()
	path := filepath.Join(dir, "mail.log")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	store, err := sqlite.Open(b.Context(), filepath.Join(dir, "ledger.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	text, err := policies.Preset("smtp")
	if err != nil {
		b.Fatal(err)
	}
	policy, err := policies.Parse([]policies.File{{Name: "smtp.yaml", Data: text}}, policies.Options{})
	if err != nil {
		b.Fatal(err)
	}
	watch, err := NewWatch(b.Context(), Look{Policy: policy, Ledger: store, Now: time.Now, Sources: []Source{{Name: "mail", Log: sources.Source{Path: path}}}})
	if err != nil {
		b.Fatal(err)
	}
	attackers := 20 * b.N
	written, stored := map[netip.Prefix]time.Time{}, map[netip.Prefix]time.Time{}
	var mu sync.Mutex
	all := make(chan struct{})
	watch.Decided = func(decisions []ledger.Decision) {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		for _, d := range decisions {
			if _, again := stored[d.Prefix]; d.Rule != "sasl-bruteforce" || again {
				continue
			}
			if stored[d.Prefix] = now; len(stored) == attackers {
				close(all)
			}
		}
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error)
	go func() { done <- watch.Run(ctx) }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	b.ResetTimer()
	for i := range 1000 * b.N {
		<-tick.C
		stamp := time.Now().UTC().Format(time.Stamp)
		lines := strings.Repeat(stamp+" mx postfix/smtpd[7]: connect from unknown[192.0.2.9]\n", 15)
		n := i / 50
		a := netip.AddrFrom4([4]byte{20, byte(n >> 16), byte(n >> 8), byte(n)})
		if i%50 == 25 {
			lines += strings.Repeat(fmt.Sprintf("%s mx postfix/smtpd[8]: warning: unknown[%s]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=u%d\n", stamp, a, n), 5)
		}
		if i%50 == 25 {
			mu.Lock()
			written[netip.PrefixFrom(a, 32)] = time.Now()
			mu.Unlock()
		}
		if _, err := f.WriteString(lines); err != nil {
			b.Fatal(err)
		}
	}
	<-all
	b.StopTimer()
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	for p, at := range stored {
		took = append(took, at.Sub(written[p]))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1e3, "ms-median")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1e3, "ms-p99")
}
