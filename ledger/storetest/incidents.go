package storetest

import (
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fwsync/cloudfw"
	"fwsync/ledger"
)

// Incident is an incident of a sample, started at noon for two hours, with a value in
// every field that a start sets.
func Incident(name string) ledger.Incident {
	rule := cloudfw.FirewallRule{
		Direction: cloudfw.In, Family: cloudfw.IPv4, Action: cloudfw.Drop, Protocol: cloudfw.TCP, Ports: cloudfw.PortRange{First: 465, Last: 587},
		Source: cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}, Destination: cloudfw.Peer{Kind: cloudfw.Book, Value: "fwsync-edge-group"},
		Application: "ANY", Description: "fwsync owner=edge rule=cut.4.00000000", Validity: cloudfw.Lapsing(Noon, Noon.Add(2*time.Hour)),
	}
	return ledger.Incident{
		Name: name, Summary: "less is more", StartedAt: Noon, Until: Noon.Add(2 * time.Hour), Author: "anna", Reason: "ticket \x00 4711",
		Rules: []cloudfw.Rule{{
			Name: "cut", Direction: cloudfw.In, From: cloudfw.Side{Any: true}, To: cloudfw.Side{Group: "servers", Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.2.25/32")}},
			Protocol: cloudfw.TCP, Ports: []cloudfw.PortRange{{First: 465, Last: 465}}, Application: "ANY", Action: cloudfw.Drop, Declared: "smtp.yaml:88",
		}},
		Made:  []ledger.Made{{Plan: "p1", Rule: &rule}, {Cloud: "north", Plan: "p1", Book: &cloudfw.AddressBook{Name: "fwsync-edge-group", Family: cloudfw.IPv4, Description: "fwsync owner=edge book=group"}}},
		Plans: []string{"p1"},
	}
}

func incidentComesBack(t *testing.T, fresh func(testing.TB) Opener) {
	open := fresh(t)
	s := open(t, "a")
	if all, err := s.Incidents(t.Context(), time.Time{}); err != nil || len(all) != 0 {
		t.Errorf("at first: %v, error %v", all, err)
	}
	started, err := s.StartIncident(t.Context(), Incident("storm"))
	if err != nil || started.ID == 0 {
		t.Fatalf("started %+v, error %v", started, err)
	}
	want := Incident("storm")
	want.ID, want.Reason = started.ID, "ticket \uFFFD 4711"
	if !reflect.DeepEqual(started, want) {
		t.Errorf("started\n%+v, want\n%+v", started, want)
	}
	got, err := open(t, "b").Incidents(t.Context(), Noon)
	if err != nil || !reflect.DeepEqual(got, []ledger.Incident{want}) {
		t.Errorf("read (error %v)\n%+v, want\n%+v", err, got, want)
	}
	want.Until, want.LiveAt, want.Plans = Noon.Add(3*time.Hour), Noon.Add(time.Minute), []string{"p1", "p2"}
	if err := s.KeepIncident(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Incidents(t.Context(), Noon); err != nil || !reflect.DeepEqual(got, []ledger.Incident{want}) {
		t.Errorf("kept (error %v)\n%+v, want\n%+v", err, got, want)
	}
}

func incidentRunsOnce(t *testing.T, fresh func(testing.TB) Opener) {
	open := fresh(t)
	s := open(t, "a")
	first, err := s.StartIncident(t.Context(), Incident("storm"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, "b").StartIncident(t.Context(), Incident("storm")); !errors.Is(err, ledger.ErrRunning) {
		t.Errorf("a second start: error %v, want ErrRunning", err)
	}
	if _, err := s.StartIncident(t.Context(), Incident("flood")); err != nil {
		t.Errorf("another name: %v", err)
	}
	ended := first
	ended.EndedAt, ended.EndedBy, ended.Ending = Noon.Add(time.Hour), "bert", ledger.Stopped
	if err := s.KeepIncident(t.Context(), ended); err != nil {
		t.Fatal(err)
	}
	// Whoever still holds the older version does not bring it back to life.
	if err := s.KeepIncident(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	names := func(after time.Time) (names []string) {
		all, err := s.Incidents(t.Context(), after)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range all {
			names = append(names, i.Name+string(i.Ending))
		}
		return names
	}
	if got := names(Noon.Add(time.Hour)); !slices.Equal(got, []string{"flood"}) {
		t.Errorf("not ended: %v", got)
	}
	if got := names(Noon); !slices.Equal(got, []string{"stormstopped", "flood"}) {
		t.Errorf("ended after noon: %v", got)
	}
	if _, err := s.StartIncident(t.Context(), Incident("storm")); err != nil {
		t.Errorf("a start after the end: %v", err)
	}
	if got := names(time.Time{}); len(got) != 3 {
		t.Errorf("all: %v", got)
	}
}

func badIncidentsRefused(t *testing.T, fresh func(testing.TB) Opener) {
	s := fresh(t)(t, "a")
	for name, spoil := range map[string]func(*ledger.Incident){
		"no name":                  func(i *ledger.Incident) { i.Name = "" },
		"no start":                 func(i *ledger.Incident) { i.StartedAt = time.Time{} },
		"no end":                   func(i *ledger.Incident) { i.Until = time.Time{} },
		"an end before the start":  func(i *ledger.Incident) { i.Until = Noon.Add(-time.Hour) },
		"an ending without a time": func(i *ledger.Incident) { i.Ending = ledger.Undone },
		"a time without an ending": func(i *ledger.Incident) { i.EndedAt = Noon },
	} {
		i := Incident("storm")
		spoil(&i)
		if _, err := s.StartIncident(t.Context(), i); err == nil {
			t.Errorf("%s: started", name)
		}
	}
	unknown := Incident("storm")
	unknown.ID = 99
	if err := s.KeepIncident(t.Context(), unknown); err == nil {
		t.Error("an incident that does not exist was kept")
	}
	if all, err := s.Incidents(t.Context(), time.Time{}); err != nil || len(all) != 0 {
		t.Errorf("left: %v, error %v", all, err)
	}
}

func incidentStartedTogether(t *testing.T, fresh func(testing.TB) Opener) {
	open := fresh(t)
	stores := []ledger.Store{open(t, "a"), open(t, "b")}
	var started atomic.Int64
	var running sync.WaitGroup
	for n := range 8 {
		running.Go(func() {
			switch _, err := stores[n%2].StartIncident(t.Context(), Incident("storm")); {
			case err == nil:
				started.Add(1)
			case !errors.Is(err, ledger.ErrRunning):
				t.Error(err)
			}
		})
	}
	running.Wait()
	if started.Load() != 1 {
		t.Errorf("%d starts of one name, want one", started.Load())
	}
}
