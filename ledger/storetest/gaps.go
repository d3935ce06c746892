package storetest

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"fwsync/ledger"
)

// Gap is a gap of a sample.
func Gap(target, subject string, since time.Time) ledger.Gap {
	return ledger.Gap{Target: target, Subject: subject, Since: since}
}

func gapKeepsItsTime(t *testing.T, fresh func(testing.TB) Opener) {
	open := fresh(t)
	s := open(t, "a")
	later, last := Noon.Add(time.Hour), Noon.Add(2*time.Hour)
	for _, c := range []struct {
		name       string
		keep, want []ledger.Gap
	}{
		{"none yet", nil, nil},
		{"first seen", []ledger.Gap{Gap("net", "b", Noon), Gap("net", "a", Noon)}, []ledger.Gap{Gap("net", "a", Noon), Gap("net", "b", Noon)}},
		{"still there, one gone, one new", []ledger.Gap{Gap("net", "a", later), Gap("sg", "a", later)}, []ledger.Gap{Gap("net", "a", Noon), Gap("sg", "a", later)}},
		{"named twice", []ledger.Gap{Gap("net", "a", last), Gap("x", "y", last), Gap("x", "y", later)}, []ledger.Gap{Gap("net", "a", Noon), Gap("x", "y", later)}},
		{"all gone", nil, nil},
		{"back again, counted anew", []ledger.Gap{Gap("net", "a", last)}, []ledger.Gap{Gap("net", "a", last)}},
	} {
		if err := s.KeepGaps(t.Context(), "", c.keep); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got, err := s.Gaps(t.Context(), "")
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %v, %v, want %v", c.name, got, err, c.want)
		}
	}
	again := open(t, "a")
	if got, err := again.Gaps(t.Context(), ""); err != nil || len(got) != 1 {
		t.Errorf("opened again: %v, %v", got, err)
	}
}

func gapsOfCloudsApart(t *testing.T, fresh func(testing.TB) Opener) {
	s := fresh(t)(t, "a")
	for _, cloud := range []string{"one", "two"} {
		if err := s.KeepGaps(t.Context(), cloud, []ledger.Gap{Gap("net", cloud, Noon)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.KeepGaps(t.Context(), "one", nil); err != nil {
		t.Fatal(err)
	}
	one, err1 := s.Gaps(t.Context(), "one")
	two, err2 := s.Gaps(t.Context(), "two")
	if err1 != nil || err2 != nil || len(one) != 0 || len(two) != 1 || two[0].Subject != "two" {
		t.Errorf("got %v %v, %v %v", one, err1, two, err2)
	}
}

func gapWithoutTimeRefused(t *testing.T, fresh func(testing.TB) Opener) {
	s := fresh(t)(t, "a")
	if err := s.KeepGaps(t.Context(), "", []ledger.Gap{Gap("net", "a", Noon)}); err != nil {
		t.Fatal(err)
	}
	err := s.KeepGaps(t.Context(), "", []ledger.Gap{{Target: "net", Subject: "b"}})
	if err == nil || !strings.Contains(err.Error(), "has no time") {
		t.Errorf("error %v", err)
	}
	if got, err := s.Gaps(t.Context(), ""); err != nil || len(got) != 1 || got[0].Subject != "a" {
		t.Errorf("left: %v, %v", got, err)
	}
}
