package detect

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// capitals is a redactor that keeps capitals and tells who asked.
type capitals struct{}

func (capitals) Line(line []byte, client netip.Addr) string {
	if bytes.HasPrefix(line, []byte("> ")) {
		return string(line)
	}
	return "> " + strings.Map(func(r rune) rune {
		if r < 'A' || r > 'Z' {
			return -1
		}
		return r
	}, string(line)) + " " + client.String()
}

func (capitals) Account(name string) string {
	if name == "" || name == "SOMEBODY" {
		return name
	}
	return "SOMEBODY"
}

func TestARedactingEngineKeepsNoFullLine(t *testing.T) {
	rules := []Rule{{Name: "r", Signals: []Kind{SMTPAuthFailed}, Threshold: 2, Within: time.Hour}, {Name: "d", Signals: []Kind{SMTPAuthFailed}, Of: OfAccount, Count: Addresses, Threshold: 2, Within: time.Hour}}
	line := []byte("PLAIN line of bob " + strings.Repeat("X", 600))
	sum := sha256.Sum256(line)
	observe := func(e *Engine, minutes int) {
		for host := range 2 {
			for range 2 {
				e.Observe(Signal{Kind: SMTPAuthFailed, Addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(host)}), Time: time.Unix(1e9, 0).Add(time.Duration(minutes) * time.Minute), Account: []byte("bob"), Raw: line})
			}
		}
	}
	engine := func(r Redactor) *Engine {
		e, err := New(rules, Limits{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		e.Redact(r)
		return e
	}
	check := func(e *Engine) {
		t.Helper()
		found := e.Detections()
		if len(found) != 4 {
			t.Fatalf("%d detections", len(found))
		}
		for _, d := range found {
			if d.Rule == "d" && d.Account != "SOMEBODY" {
				t.Errorf("account %q", d.Account)
			}
			for _, v := range d.Evidence {
				if !strings.HasPrefix(v.Text, "> PLAINXXX") || len(v.Text) > MaxEvidenceText || v.Hash != hex.EncodeToString(sum[:8]) {
					t.Errorf("%+v", v)
				}
			}
		}
		state, err := e.MarshalBinary()
		if err != nil || bytes.Contains(state, []byte("bob")) {
			t.Errorf("the state tells of bob, or %v", err)
		}
	}
	fresh := engine(capitals{})
	observe(fresh, 0)
	check(fresh)

	// What an earlier run kept in full is redacted when it is read.
	before := engine(nil)
	observe(before, 0)
	state, err := before.MarshalBinary()
	if err != nil || !bytes.Contains(state, []byte("bob")) {
		t.Fatalf("nothing to redact: %v", err)
	}
	after := engine(capitals{})
	if err := after.UnmarshalBinary(state); err != nil {
		t.Fatal(err)
	}
	observe(after, 1)
	check(after)
}
