package main

import (
	"bytes"
	"io"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/detect"
	"fwsync/sync/reconcile"
)

func TestAReportInPartsIsWrittenAsInOnePiece(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"\n  \"addresses\": []", "\n  \"withheld\": []", "\naddresses: []", "a\naddresses: []\n", "<a> & b", "\\\"", "\x7f\xff"}))
	rapid.Check(t, func(t *rapid.T) {
		instant := func(label string) time.Time {
			return time.Unix(rapid.Int64Range(0, 7e9).Draw(t, label), rapid.SampledFrom([]int64{0, 0, 123456000, 120000000}).Draw(t, "ns")).UTC()
		}
		v := detectAnswer{Schema: "fwsync.detections/v1", Policy: text.Draw(t, "policy"), Signals: map[string]int64{"smtp.scan": 3},
			Sources: []reconcile.SourceReport{{Name: text.Draw(t, "name"), Health: reconcile.Health{Notes: []string{text.Draw(t, "note")}}}},
			Others:  rapid.Int64Range(0, 1).Draw(t, "others")}
		var acting, withheld []reconcile.DetectionReport
		var addresses []addressAnswer
		for range rapid.IntRange(0, 3).Draw(t, "detections") {
			d := reconcile.DetectionReport{Prefix: "192.0.2.1/32", Rule: text.Draw(t, "rule"), Count: rapid.Int().Draw(t, "count"), Peak: 1, FirstSeen: instant("first"), LastSeen: instant("last"), CrossedAt: instant("crossed"),
				Threshold: rapid.Int().Draw(t, "threshold"), Within: rapid.Int64().Draw(t, "within"), Continued: rapid.Bool().Draw(t, "continued"), Blocked: rapid.Bool().Draw(t, "blocked"), Withheld: text.Draw(t, "withheld"), Evidence: []reconcile.EvidenceRef{}}
			if rapid.Bool().Draw(t, "of a network or an account") {
				d.Account, d.Members = text.Draw(t, "account"), rapid.Int().Draw(t, "members")
				d.Score = reconcile.Score{Total: rapid.Int().Draw(t, "score"), Count: 2, Weight: 3, Success: rapid.Bool().Draw(t, "success"), Known: rapid.Bool().Draw(t, "known")}
			}
			if d.Blocked {
				d.Until = instant("until")
			}
			for range rapid.IntRange(0, 3).Draw(t, "evidence") {
				d.Evidence = append(d.Evidence, reconcile.EvidenceRef{Source: text.Draw(t, "source"), File: text.Draw(t, "file"), Line: rapid.Int64().Draw(t, "line"), Offset: rapid.Int64().Draw(t, "offset"), Hash: "00ff", Text: text.Draw(t, "text")})
			}
			if rapid.Bool().Draw(t, "of somebody with a success") {
				withheld = append(withheld, d)
			} else {
				acting = append(acting, d)
			}
		}
		for range rapid.IntRange(0, 3).Draw(t, "addresses") {
			a := addressAnswer{Address: netip.MustParseAddr(rapid.SampledFrom([]string{"192.0.2.1", "2001:db8::1"}).Draw(t, "address")), FirstSeen: instant("first"), LastSeen: instant("last"),
				Detected: rapid.SliceOfN(text, 0, 2).Draw(t, "detected")}
			for _, k := range []detect.Kind{detect.SMTPAuthFailed, detect.SMTPScan}[:rapid.IntRange(0, 2).Draw(t, "kinds")] {
				a.Signals.counts = append(a.Signals.counts, detect.KindCount{Kind: k, Count: rapid.Int().Draw(t, "n")})
			}
			addresses = append(addresses, a)
		}
		addresses = slices.Repeat(addresses, rapid.SampledFrom([]int{1, 1, 1, 50}).Draw(t, "times")) // more than one block
		v.Detections, v.Withheld, v.Addresses = rowsOf(acting), rowsOf(withheld), rowsOf(addresses)
		for _, format := range []struct {
			whole func(io.Writer, any) error
			own   func(io.Writer) error
		}{{writeJSON, v.writeJSON}, {writeYAML, v.writeYAML}} {
			var want, got bytes.Buffer
			if err := format.whole(&want, v); err != nil {
				t.Fatal(err)
			}
			if err := format.own(&got); err != nil {
				t.Fatal(err)
			}
			if got.String() != want.String() {
				t.Fatalf("got  %s\nwant %s", got.String(), want.String())
			}
		}
	})
}

func rowsOf[T any](all []T) rows[T] { return rows[T]{n: len(all), at: func(i int) T { return all[i] }} }
