package policies

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const two = `
groups: { office: [203.0.113.0/24], servers: [192.0.2.25, 192.0.2.26] }
allowlist: [office]
detections:
  - { name: scan, signals: [smtp.scan, smtp.pregreet], threshold: 5, within: 10m, block: { for: 1h } }
  - { name: relay, signal: smtp.relay_denied, threshold: 3, within: 1h }
rules:
  - { name: drop-attackers, from: $blocked, to: any, action: drop }
  - { name: web, from: any, to: servers, protocol: tcp, ports: [443, 80], action: accept }
  - { name: rest, from: any, to: servers, action: drop }
targets: [{internet-firewall: {rules: all}}, {security-group: {id: sg-a}}]
incidents:
  storm: { summary: cut, rules: [{ name: cut, from: any, to: servers, action: drop }] }
`

func TestTheHashIsThatOfTheMeaning(t *testing.T) {
	base := parseOne(t, two)
	for name, text := range map[string]string{
		"comments and blank lines": "# hello\n\n" + strings.ReplaceAll(two, "\nrules:", "\n# rules\n\nrules:"),
		"order of signals":         strings.ReplaceAll(two, "smtp.scan, smtp.pregreet", "smtp.pregreet, smtp.scan"),
		"order of addresses":       strings.ReplaceAll(two, "192.0.2.25, 192.0.2.26", "192.0.2.26/32, 192.0.2.25/32"),
		"order of ports":           strings.ReplaceAll(two, "443, 80", `"80", 443-443`),
		"order of keys":            strings.ReplaceAll(two, "name: rest, from: any", "from: any, name: rest"),
		"order of targets":         strings.ReplaceAll(two, "{internet-firewall: {rules: all}}, {security-group: {id: sg-a}}", "{security-group: {id: sg-a}}, {internet-firewall: {}}"),
		"defaults written out":     strings.ReplaceAll(two, "{id: sg-a}", "{id: sg-a, blocked: top, via: prefix-list, capacity: 100}"),
		"another unit":             strings.ReplaceAll(two, "within: 1h", "within: 60m"),
	} {
		if parseOne(t, text).Hash() != base.Hash() {
			t.Errorf("%s: changes the hash", name)
		}
	}
	detections := strings.Index(two, "detections:")
	split, err := Parse([]File{{"b.yaml", []byte(two[detections:])}, {"a.yaml", []byte(two[:detections])}}, strict)
	if err != nil {
		t.Fatal(err)
	}
	if split.Hash() != base.Hash() {
		t.Error("splitting the file changes the hash")
	}
	seen := map[string]string{base.Hash(): "nothing"}
	for name, text := range map[string]string{
		"a threshold":       strings.ReplaceAll(two, "threshold: 5", "threshold: 6"),
		"a window":          strings.ReplaceAll(two, "within: 10m", "within: 11m"),
		"a block":           strings.ReplaceAll(two, "for: 1h", "for: 2h"),
		"no block":          strings.ReplaceAll(two, ", block: { for: 1h }", ""),
		"a port":            strings.ReplaceAll(two, "443", "444"),
		"an address":        strings.ReplaceAll(two, "192.0.2.26", "192.0.2.27"),
		"a group's name":    strings.ReplaceAll(two, "servers", "server"),
		"the allowlist":     strings.ReplaceAll(two, "allowlist: [office]", "allowlist: []"),
		"an action":         strings.ReplaceAll(two, "action: accept", "action: log"),
		"a capacity":        strings.ReplaceAll(two, "{id: sg-a}", "{id: sg-a, capacity: 99}"),
		"a direction":       strings.ReplaceAll(two, "name: rest", "direction: out, name: rest"),
		"an incident":       strings.ReplaceAll(two, "summary: cut", "summary: cut it"),
		"an incident's end": strings.ReplaceAll(two, "name: cut, from: any", "name: cut, from: office"),
		"order of rules": strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(two,
			"name: web", "name: X"), "name: rest, from: any, to: servers", "name: web, from: any, to: servers, protocol: tcp, ports: [443, 80]"), "name: X, from: any, to: servers, protocol: tcp, ports: [443, 80]", "name: rest, from: any, to: servers"),
	} {
		h := parseOne(t, text).Hash()
		if other, again := seen[h]; again {
			t.Errorf("%s has the hash of %s", name, other)
		}
		seen[h] = name
	}
}

func TestBlocksEscalateAndStayAtTheLastStep(t *testing.T) {
	steps := Penalty{For: time.Hour, Escalate: []time.Duration{time.Hour, day, week}}
	for attempt, want := range map[int]time.Duration{-1: time.Hour, 0: time.Hour, 1: time.Hour, 2: day, 3: week, 4: week, 1 << 40: week} {
		if got := steps.Duration(attempt); got != want {
			t.Errorf("attempt %d lasts %s, want %s", attempt, got, want)
		}
	}
	if got := (Penalty{For: time.Minute}).Duration(9); got != time.Minute {
		t.Errorf("without escalation attempt 9 lasts %s", got)
	}
}

func TestIncidentsAreFoundByName(t *testing.T) {
	p := parseOne(t, two)
	if i, ok := p.Incident("storm"); !ok || i.Rules[0].Name != "cut" {
		t.Errorf("got %+v, %v", i, ok)
	}
	if _, ok := p.Incident("calm"); ok {
		t.Error("calm is no incident")
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"10m": 10 * time.Minute, "7d": week, "1w2d": 9 * day, "1d12h30m": 36*time.Hour + 30*time.Minute,
		"1h30m": 90 * time.Minute, "1.5h": 90 * time.Minute, "2w": 2 * week, "24h": day, "500ms": 500 * time.Millisecond,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%q is %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "5", "d", "-1h", "+1h", "1d-1h", "2d1w", "1.5d", "1d1d", "0", "0s", "0d", "7 d", "1h ", "10001d",
		"10000w10000d2562047h", "99999999999999999999w", "1y", "h", "1d5", "０d", "NaNh",
	} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q is %s, want an error", text, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(1, int64(10_000*day)).Draw(t, "d"))
		if rapid.Bool().Draw(t, "whole minutes") {
			d = max(d.Truncate(time.Minute), time.Minute)
		}
		text := FormatDuration(d)
		if got, err := ParseDuration(text); err != nil || got != d {
			t.Fatalf("%d is written %q and read as %d, %v", d, text, got, err)
		}
	})
	for d, want := range map[time.Duration]string{week: "7d", day: "24h", 36 * time.Hour: "36h", 2*day + 30*time.Minute: "2d30m", 90 * time.Minute: "1h30m", 10 * time.Second: "10s"} {
		if got := FormatDuration(d); got != want {
			t.Errorf("%d is written %q, want %q", d, got, want)
		}
	}
}

func TestSuggestionsAreCloseOrNone(t *testing.T) {
	keys := []string{"name", "threshold", "within", "for", "from"}
	for written, want := range map[string]string{
		"treshold": "threshold", "thershold": "threshold", "Threshold": "threshold",
		"fro": "for", "form": "from", "naem": "name", "withn": "within",
		"colour": "", "x": "", "": "", "thresh": "", strings.Repeat("threshold", 20): "",
	} {
		if got := closest(written, keys); got != want {
			t.Errorf("%q suggests %q, want %q", written, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.StringMatching(`[abc]{0,6}`).Draw(t, "a"), rapid.StringMatching(`[abc]{0,6}`).Draw(t, "b")
		if typos(a, b) != typos(b, a) || (typos(a, b) == 0) != (a == b) {
			t.Fatalf("%q and %q differ by %d and %d", a, b, typos(a, b), typos(b, a))
		}
	})
}
