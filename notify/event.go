package notify

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind is what an event is about.
type Kind string

// The kinds. Those that last are told when they begin, now and then while they last,
// and when they are over.
const (
	Storm         Kind = "storm"          // a detection over all sources; lasts
	Applied       Kind = "applied"        // a plan was applied
	Refused       Kind = "refused"        // a gate refuses the plan; lasts
	Failed        Kind = "failed"         // a cloud could not be read or brought into shape; lasts
	Gap           Kind = "gap"            // something demanded is not enforced for too long; lasts
	Sick          Kind = "sick"           // a source cannot be believed; lasts
	Capacity      Kind = "capacity"       // a bounded resource is nearly used up; lasts
	LeaseLost     Kind = "lease-lost"     // another controller took over; lasts
	IncidentStart Kind = "incident-start" // a person started an incident
	IncidentEnd   Kind = "incident-end"   // it was stopped, or its time is over
	Test          Kind = "test"           // somebody tries a channel
)

// Kinds returns all kinds that a channel can choose from.
func Kinds() []Kind {
	return []Kind{Storm, Applied, Refused, Failed, Gap, Sick, Capacity, LeaseLost, IncidentStart, IncidentEnd}
}

// ParseKind reads a kind as it is written in a configuration.
func ParseKind(text string) (Kind, error) {
	if k := Kind(text); slices.Contains(Kinds(), k) {
		return k, nil
	}
	var names []string
	for _, k := range Kinds() {
		names = append(names, string(k))
	}
	return "", fmt.Errorf("%q is no event; the events are %s", text, strings.Join(names, ", "))
}

// Event is one thing to tell. Two events of the same kind and key are the same matter.
type Event struct {
	Kind  Kind      `json:"kind"`
	Key   string    `json:"key"`
	Text  string    `json:"text"` // one sentence
	At    time.Time `json:"at"`
	Count int       `json:"count"`          // how often since it was told last; 1 as raised
	Over  bool      `json:"over,omitempty"` // what lasted is over
	Again bool      `json:"again,omitempty"`
}

// merge puts the same matters together: the latest text, all counts, in the order of
// the first ones. What began and ended since stays two.
func merge(events []Event) []Event {
	type same struct {
		kind Kind
		key  string
		over bool
	}
	at := map[same]int{}
	var merged []Event
	for _, e := range events {
		k := same{e.Kind, e.Key, e.Over}
		i, ok := at[k]
		if !ok {
			at[k] = len(merged)
			merged = append(merged, e)
			continue
		}
		count := merged[i].Count + e.Count
		if e.At.Before(merged[i].At) {
			e = merged[i]
		}
		e.Count = count
		merged[i] = e
	}
	return merged
}
