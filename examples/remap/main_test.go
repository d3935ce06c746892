package main

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"os"
	"testing"
	"time"

	"fwsync/detect"
	"fwsync/detect/sources"
)

func TestTheCheckedInFilesAreWhatRemapMakes(t *testing.T) {
	log, truth, err := remapped("../..")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]byte{"../postfix.log": log, "../postfix.truth.json": truth} {
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs: run go run ./examples/remap", name)
		}
	}
}

func TestTheMappingIsOneToOneAndKeepsItsPromises(t *testing.T) {
	log, err := unpack("../../detect/maillog/testdata/postfix-real.log.gz")
	if err != nil {
		t.Fatal(err)
	}
	m, err := newMapping(log)
	if err != nil {
		t.Fatal(err)
	}
	ranges := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24")}
	from := map[netip.Addr]netip.Addr{}
	for lab, doc := range m {
		if other, twice := from[doc]; twice {
			t.Errorf("%s stands for %s and %s", doc, lab, other)
		}
		from[doc] = lab
		if !ranges[0].Contains(doc) && !ranges[1].Contains(doc) && !ranges[2].Contains(doc) {
			t.Errorf("%s is mapped to %s", lab, doc)
		}
	}
	for _, free := range []string{"198.51.100.77", "198.51.100.7", "198.51.100.25", "198.51.100.26", "192.0.2.26", "203.0.113.9"} {
		if lab, used := from[netip.MustParseAddr(free)]; used {
			t.Errorf("%s is to be kept free, but stands for %s", free, lab)
		}
	}
	for doc, lab := range from {
		b := doc.As4()
		if b[0] == 203 && b[3] >= 240 {
			t.Errorf("the office network has %s for %s", doc, lab)
		}
	}
	for n := range 64 {
		lab, want := netip.AddrFrom4([4]byte{127, 68, 0, byte(n + 1)}), netip.AddrFrom4([4]byte{198, 51, 100, byte(129 + n)})
		if m[lab] != want {
			t.Errorf("%s is %s, want %s", lab, m[lab], want)
		}
	}
	if bytes.Contains(m.log(log), []byte("127.")) || bytes.Contains(m.log(log), []byte("127-")) {
		t.Error("a lab address is left")
	}
}

func TestTheExampleDetectsExactlyItsTruth(t *testing.T) {
	b, err := os.ReadFile("../postfix.truth.json")
	if err != nil {
		t.Fatal(err)
	}
	var truth struct {
		Sources    map[string]source
		Bruteforce []string `json:"sasl_bruteforce_ips"`
		Victims    []string `json:"injected_victims"`
	}
	if err := json.Unmarshal(b, &truth); err != nil {
		t.Fatal(err)
	}
	e, err := detect.New([]detect.Rule{{Name: "brute", Signals: []detect.Kind{detect.SMTPAuthFailed}, Threshold: 5, Within: 10 * time.Minute}}, detect.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]map[detect.Kind]int{}
	_, err = sources.Read(t.Context(), sources.Source{Path: "../postfix.log", Reference: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}, sources.Position{}, func(ss []detect.Signal) {
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
	for ip, s := range truth.Sources {
		if g := got[ip]; g[detect.SMTPAuthFailed] != s.AuthFail || g[detect.SMTPRelayDenied] != s.RelayDenied {
			t.Errorf("%s (%s): %v, truth %+v", ip, s.Label, g, s)
		}
	}
	for _, v := range truth.Victims {
		if got[v] != nil {
			t.Errorf("%s was only named by attackers, but has %v", v, got[v])
		}
	}
	want := map[string]bool{}
	for _, ip := range truth.Bruteforce {
		want[ip] = true
	}
	for _, d := range e.Detections() {
		if ip := d.Prefix.Addr().String(); !want[ip] {
			t.Errorf("%s is detected and no brute force", ip)
		}
		delete(want, d.Prefix.Addr().String())
	}
	if len(want) > 0 {
		t.Errorf("not detected: %v", want)
	}
}
