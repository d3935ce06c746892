package policies

import (
	"strings"
	"testing"
	"time"

	"fwsync/cloudfw"
)

const bare = `
rules: [{ name: drop-attackers, from: $blocked, to: any, action: drop }]
targets: [internet-firewall: { rules: all }]
`

func TestCapacityDeclaresWhatTheIntentMayCost(t *testing.T) {
	for text, want := range map[string]cloudfw.Collateral{
		"":                              {},
		"capacity: { collateral: 0 }":   {},
		"capacity: { widest_ipv4: 28 }": {},
		"capacity: { collateral: 256 }": {Innocents: 256, WidestIPv4: 24, WidestIPv6: 64},
		"capacity: { collateral: 9, widest_ipv4: 28, widest_ipv6: 48 }": {Innocents: 9, WidestIPv4: 28, WidestIPv6: 48},
	} {
		p, err := Parse([]File{{"p.yaml", []byte(bare + text)}}, Options{})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		compiled, err := p.Compile(nil, "edge", time.Date(2026, 11, 23, 20, 30, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		if compiled.Intent.Collateral != want {
			t.Errorf("%s: %+v, want %+v", text, compiled.Intent.Collateral, want)
		}
		plain, err := Parse([]File{{"p.yaml", []byte(bare)}}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if same := p.Hash() == plain.Hash(); same != (want == cloudfw.Collateral{}) {
			t.Errorf("%s: the hash is that of no capacity: %t", text, same)
		}
	}
}

func TestCapacityOutOfBoundsOrTwiceIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"capacity: { collateral: -1 }":    "p.yaml:4:25",
		"capacity: { collateral: 65537 }": "p.yaml:4:25",
		"capacity: { widest_ipv4: 8 }":    "p.yaml:4:26",
		"capacity: { widest_ipv6: 129 }":  "p.yaml:4:26",
		"capacity: { innocents: 1 }":      "p.yaml:4:13",
	} {
		if _, err := Parse([]File{{"p.yaml", []byte(bare + text)}}, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want a finding at %s", text, err, want)
		}
	}
	_, err := Parse([]File{{"p.yaml", []byte(bare + "capacity: { collateral: 1 }")}, {"q.yaml", []byte("capacity: { collateral: 2 }")}}, Options{})
	if err == nil || !strings.Contains(err.Error(), "q.yaml:1:11") || !strings.Contains(err.Error(), "declared twice") {
		t.Errorf("twice: %v", err)
	}
}
