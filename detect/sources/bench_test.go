package sources_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"testing"
	"time"

	"fwsync/detect"
	"fwsync/detect/sources"
)

// BenchmarkDetect reads the lab's log 40 times in a row (31 MB): reading,
// parsing and the engine together, on all cores.
func BenchmarkDetect(b *testing.B) {
	path := labLog(b, 40)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	rules := []detect.Rule{
		{Name: "sasl", Signals: []detect.Kind{detect.SMTPAuthFailed}, Threshold: 5, Within: 10 * time.Minute},
		{Name: "relay", Signals: []detect.Kind{detect.SMTPRelayDenied}, Threshold: 3, Within: time.Hour},
	}
	b.SetBytes(info.Size())
	b.ReportAllocs()
	for b.Loop() {
		e, err := detect.New(rules, detect.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := sources.Read(b.Context(), sources.Source{Path: path}, sources.Position{}, e.ObserveAll); err != nil {
			b.Fatal(err)
		}
		if len(e.Detections()) == 0 {
			b.Fatal("nothing was detected")
		}
	}
}

// labLog writes the lab's log so many times in a row.
func labLog(b *testing.B, times int) string {
	b.Helper()
	f, err := os.Open("../maillog/testdata/postfix-real.log.gz")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	one, err := io.ReadAll(z)
	if err != nil {
		b.Fatal(err)
	}
	log := bytes.Repeat(one, times)
	path := b.TempDir() + "/mail.log"
	if err := os.WriteFile(path, log, 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}
