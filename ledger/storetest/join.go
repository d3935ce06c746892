package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"fwsync/ledger"
)

// detected is a decision of a detection that one host made.
func detected(address, host string, length time.Duration) ledger.Decision {
	d := Block(address)
	d.Author, d.Rule, d.Attempt, d.End = "fwsync", "sasl-bruteforce", 2, Noon.Add(length)
	d.Evidence = []ledger.Evidence{{Source: "mail", File: host + "/mail.log", Line: 7}}
	return d
}

// joinsWhatIsThere: hosts that decide the same leave one decision, with what each knows.
func joinsWhatIsThere(t *testing.T, fresh func(testing.TB) Opener) {
	same := func(d *ledger.Decision) {}
	for _, tc := range []struct {
		name   string
		other  func(*ledger.Decision)
		joined bool
	}{
		{"the same", same, true},
		{"begun while the first holds", func(d *ledger.Decision) { d.Start, d.End = Noon.Add(50*time.Minute), Noon.Add(3*time.Hour) }, true},
		{"without an end", func(d *ledger.Decision) { d.End = time.Time{} }, true},
		{"begun after the first", func(d *ledger.Decision) { d.Start, d.End = Noon.Add(61*time.Minute), Noon.Add(3*time.Hour) }, false},
		{"over before the first", func(d *ledger.Decision) { d.Start, d.End = Noon.Add(-time.Hour), Noon.Add(-time.Minute) }, false},
		{"another rule", func(d *ledger.Decision) { d.Rule = "relay-abuse" }, false},
		{"another author", func(d *ledger.Decision) { d.Author = "anna" }, false},
		{"another verdict", func(d *ledger.Decision) { d.Verdict = ledger.Allow }, false},
		{"another prefix", func(d *ledger.Decision) { *d = detected("192.0.2.2", "b", time.Hour) }, false},
		{"revoked already", func(d *ledger.Decision) { d.RevokedAt, d.RevokedBy = Noon, "anna" }, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			open := fresh(t)
			one, two := open(t, "host-1"), open(t, "host-2")
			mine, theirs := detected("192.0.2.1", "a", time.Hour), detected("192.0.2.1", "b", 2*time.Hour)
			tc.other(&theirs)
			first, err1 := one.TakeIn(t.Context(), ledger.Intake{Decisions: []ledger.Decision{mine}, Join: true})
			got, err2 := two.TakeIn(t.Context(), ledger.Intake{Decisions: []ledger.Decision{theirs}, Join: true})
			all, err3 := one.Decisions(t.Context(), time.Time{})
			if err := errors.Join(err1, err2, err3); err != nil {
				t.Fatal(err)
			}
			if joined := got[0].ID == first[0].ID; joined != tc.joined || joined != (len(all) == 1) {
				t.Fatalf("joined: %t, want %t; there are\n%+v", joined, tc.joined, all)
			}
			if !tc.joined {
				return
			}
			want := first[0]
			want.End, want.Evidence = theirs.End, append(want.Evidence, theirs.Evidence...)
			if !reflect.DeepEqual(all[0], want) || !reflect.DeepEqual(got[0], want) {
				t.Errorf("got\n%+v, there is\n%+v, want\n%+v", got[0], all[0], want)
			}
		})
	}
}

// joinsOnlyWhenAsked: what a person or a rollback makes again stays a decision of its own.
func joinsOnlyWhenAsked(t *testing.T, fresh func(testing.TB) Opener) {
	s := fresh(t)(t, "a")
	for range 2 {
		if _, err := s.TakeIn(t.Context(), ledger.Intake{Decisions: []ledger.Decision{detected("192.0.2.1", "a", time.Hour)}}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.Decisions(t.Context(), time.Time{})
	if err != nil || len(all) != 2 {
		t.Errorf("%d decisions, error %v, want two", len(all), err)
	}
}

// joinedTogether: many hosts see the same attack at the same moment.
func joinedTogether(t *testing.T, fresh func(testing.TB) Opener) {
	open := fresh(t)
	const hosts, attackers = 4, 30
	var running sync.WaitGroup
	for host := range hosts {
		s := open(t, fmt.Sprintf("host-%d", host))
		running.Go(func() {
			for i := range attackers {
				d := detected(fmt.Sprintf("192.0.2.%d", (i+host)%attackers), fmt.Sprint(host), time.Duration(host+1)*time.Hour)
				if _, err := s.TakeIn(t.Context(), ledger.Intake{Decisions: []ledger.Decision{d}, Join: true}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	all, err := open(t, "a").Decisions(t.Context(), time.Time{})
	if err != nil || len(all) != attackers {
		t.Fatalf("%d decisions about %d attackers, error %v", len(all), attackers, err)
	}
	for _, d := range all {
		if !d.End.Equal(Noon.Add(hosts*time.Hour)) || len(d.Evidence) != hosts || d.Attempt != 2 {
			t.Errorf("joined: %+v", d)
		}
	}
}
