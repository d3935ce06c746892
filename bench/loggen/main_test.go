package main

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"fwsync/detect"
	"fwsync/detect/sources"
)

func TestTheSameSeedGivesTheSameLog(t *testing.T) {
	var a, b, c bytes.Buffer
	for to, seed := range map[*bytes.Buffer]uint64{&a: 1, &b: 1, &c: 2} {
		if _, err := generate(options{size: 300_000, attackers: 50, seed: seed}, to); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) || bytes.Equal(a.Bytes(), c.Bytes()) {
		t.Error("seeds 1, 1 and 2 do not give two logs")
	}
}

func TestDetectionFindsExactlyTheTruthOfAGeneratedLog(t *testing.T) {
	for name, rfc3339 := range map[string]bool{"traditional stamps": false, "RFC 3339 stamps": true} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			truth, err := generate(options{size: 8 << 20, attackers: 400, seed: 7, rfc3339: rfc3339}, &log)
			if err != nil {
				t.Fatal(err)
			}
			e, err := detect.New([]detect.Rule{{Name: "brute", Signals: []detect.Kind{detect.SMTPAuthFailed}, Threshold: threshold, Within: window}}, detect.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]map[detect.Kind]int{}
			src := sources.Source{Path: "-", Reader: &log, Reference: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)}
			rep, err := sources.Read(t.Context(), src, sources.Position{}, func(ss []detect.Signal) {
				for _, s := range ss {
					a := s.Addr.String()
					if got[a] == nil {
						got[a] = map[detect.Kind]int{}
					}
					got[a][s.Kind]++
				}
				e.ObserveAll(ss)
			})
			if err != nil {
				t.Fatal(err)
			}
			if rep.Stats.Lines != truth.Lines || rep.Stats.Bytes != truth.Bytes || rep.Stats.Malformed+rep.Stats.BadAddress != 0 {
				t.Errorf("stats %+v, truth %d lines %d bytes", rep.Stats, truth.Lines, truth.Bytes)
			}
			for ip, s := range truth.Sources {
				if g := got[ip]; g[detect.SMTPAuthFailed] != s.AuthFail || g[detect.SMTPRelayDenied] != s.Relay {
					t.Errorf("%s: %v, truth %+v", ip, g, s)
				}
			}
			for _, v := range truth.Victims {
				if got[v] != nil {
					t.Errorf("%s was only named, but has %v", v, got[v])
				}
			}
			var brute []string
			for _, d := range e.Detections() {
				brute = append(brute, d.Prefix.Addr().String())
			}
			slices.Sort(brute)
			if len(brute) < 20 || !slices.Equal(brute, truth.Bruteforce) {
				t.Errorf("%d detections, truth %d", len(brute), len(truth.Bruteforce))
			}
		})
	}
}

func TestSizes(t *testing.T) {
	for in, want := range map[string]int64{"7": 7, "3K": 3 << 10, "30M": 30 << 20, "1G": 1 << 30, "": 0, "G": 0, "-1": 0, "1T": 0, "1K1": 0, "99999999G": 0} {
		got, err := bytesOf(in)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %d, %v", in, got, err)
		}
	}
}
