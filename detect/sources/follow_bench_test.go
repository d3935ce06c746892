package sources_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fwsync/detect/sources"
)

// BenchmarkFollowLatency writes 20,000 lines a second, in 1,000 writes of 20, each
// iteration being a tenth of a second, and reports how long after its writing a
// line's signal was handed over.
func BenchmarkFollowLatency(b *testing.B) {
	path := filepath.Join(b.TempDir(), "mail.log")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	const burst = 20
	var written, seen []time.Time
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error)
	all := make(chan struct{})
	total := b.N * 100 * burst
	written = make([]time.Time, 0, total)
	go func() {
		done <- sources.Follow(ctx, []sources.Source{{Path: path}}, nil, func(batch sources.Batch) error {
			now := time.Now()
			for range batch.Signals {
				seen = append(seen, now)
			}
			if len(seen) == total {
				close(all)
			}
			return nil
		})
	}()
	text := strings.Repeat(numbered(1), burst)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	b.ResetTimer()
	for range b.N * 100 {
		<-tick.C
		now := time.Now()
		for range burst {
			written = append(written, now)
		}
		if _, err := f.WriteString(text); err != nil {
			b.Fatal(err)
		}
	}
	<-all
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	took := make([]time.Duration, total)
	for i := range took {
		took[i] = seen[i].Sub(written[i])
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[total/2].Microseconds())/1e3, "ms-median")
	b.ReportMetric(float64(took[total*99/100].Microseconds())/1e3, "ms-p99")
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "lines/s")
}

// BenchmarkFollowCatchUp follows a log of 31 MB that is there already.
func BenchmarkFollowCatchUp(b *testing.B) {
	path := labLog(b, 40)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	b.ReportAllocs()
	for b.Loop() {
		ctx, cancel := context.WithCancel(b.Context())
		err := sources.Follow(ctx, []sources.Source{{Path: path}}, nil, func(batch sources.Batch) error {
			if batch.Position.Offset == info.Size() {
				cancel()
			}
			return nil
		})
		cancel()
		if err != nil {
			b.Fatal(err)
		}
	}
}
