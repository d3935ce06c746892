package reconcile_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"fwsync/detect/sources"
	"fwsync/policies"
	"fwsync/sync/reconcile"
)

func unpack(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open("../../detect/maillog/testdata/" + name + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The shipped policy on genuine logs of a lab whose attackers wrote down what they did.
func TestTheShippedPolicyDetectsNoLegitimateClient(t *testing.T) {
	text, err := policies.Preset("smtp")
	if err != nil {
		t.Fatal(err)
	}
	policy, err := policies.Parse([]policies.File{{Name: "smtp.yaml", Data: text}}, policies.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range []struct{ log, truth string }{{"postfix-real.log", "postfix-real.truth.json"}, {"postfix-slowauth.log", "postfix-slowauth.truth.json"}} {
		t.Run(run.log, func(t *testing.T) {
			var truth struct {
				Sources map[string]struct {
					Label    string
					Attacker bool
					Counts   map[string]int
				}
			}
			if err := json.Unmarshal(unpack(t, run.truth), &truth); err != nil {
				t.Fatal(err)
			}
			engine, err := reconcile.Reading{}.Engine(policy)
			if err != nil {
				t.Fatal(err)
			}
			log := sources.Source{Path: run.log, Reader: bytes.NewReader(unpack(t, run.log)), Reference: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), Final: true}
			if _, err := sources.Read(t.Context(), log, sources.Position{}, engine.ObserveAll); err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, d := range engine.Detections() {
				if !d.Prefix.IsValid() {
					continue
				}
				if len(d.Evidence) == 0 {
					t.Errorf("%s by %s has no evidence", d.Prefix, d.Rule)
				}
				found = append(found, d.Prefix.String())
				for ip, source := range truth.Sources {
					if !source.Attacker && d.Prefix.Contains(netip.MustParseAddr(ip)) && !d.Withheld {
						t.Errorf("%s (%s) is legitimate and in %s of %s: %+v", ip, source.Label, d.Prefix, d.Rule, d)
					}
				}
			}
			if weak := "127.68.0.0/24"; !slices.Contains(found, weak) {
				t.Errorf("the 64 weak addresses of %s are not found among %v", weak, found)
			}
		})
	}
}
