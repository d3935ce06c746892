package notify

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Facts are what a run came to, in plain values. What it did not get to is empty.
type Facts struct {
	At        time.Time
	Storms    []Fact // detections over all sources
	Refusals  []Fact
	Failures  []Fact // clouds
	Sick      []Fact // sources
	Gaps      []AgedGap
	Capacity  []Use
	LeaseLost []Fact
	Incidents []Fact // in force
	Steps     int    // that were made
	Blocks    int    // decisions in force
	// Unknown are the kinds that the run could not find out: what lasts of them goes on
	// as it was, and is not over.
	Unknown []Kind
}

// Fact is one thing that is so. The key is what it is of, the same in every run.
type Fact struct{ Key, Text string }

// AgedGap is something demanded and not enforced.
type AgedGap struct {
	Key, Text string
	Age       time.Duration
}

// Use is how full a bounded resource is. Without a limit it is never full.
type Use struct {
	What        string
	Used, Limit int
}

// Rules say what is worth telling.
type Rules struct {
	Repeat   time.Duration // what lasts is told again after it
	GapAfter time.Duration // a younger gap is not told
	Capacity int           // per cent
}

// DefaultRules are those of a configuration that says nothing.
func DefaultRules() Rules {
	return Rules{Repeat: 4 * time.Hour, GapAfter: 10 * time.Minute, Capacity: 80}
}

// Told is what lasts and was told: by kind and key, since when, when last, and how often
// a run saw it since then.
type Told map[string]Telling

// Telling is one thing that lasts.
type Telling struct {
	Kind  Kind      `json:"kind"`
	Key   string    `json:"key"`
	Text  string    `json:"text"`
	Since time.Time `json:"since"`
	Last  time.Time `json:"last"`
	Seen  int       `json:"seen,omitempty"`
}

// mostKept bounds what is remembered, and told at a time, of each kind; the rest is
// told as one.
const mostKept = 50

// Raise returns the events of a run, given what was told before, and what is told then.
// It is pure. What lasts is raised when it begins, once more after each Repeat, and once
// when it is over.
func Raise(f Facts, told Told, r Rules) ([]Event, Told) {
	next := Told{}
	var events []Event
	last := func(kind Kind, facts []Fact) {
		facts = bounded(facts)
		for _, fact := range facts {
			id := string(kind) + " " + fact.Key
			if _, twice := next[id]; twice {
				continue
			}
			was, known := told[id]
			t := Telling{kind, fact.Key, fact.Text, was.Since, was.Last, was.Seen + 1}
			switch {
			case !known:
				t.Since, t.Last, t.Seen = f.At, f.At, 0
				events = append(events, Event{Kind: kind, Key: fact.Key, Text: fact.Text, At: f.At, Count: 1})
			case f.At.Sub(was.Last) >= r.Repeat:
				t.Last, t.Seen = f.At, 0
				text := fmt.Sprintf("%s (since %s)", fact.Text, was.Since.UTC().Format(time.RFC3339))
				events = append(events, Event{Kind: kind, Key: fact.Key, Text: text, At: f.At, Count: was.Seen + 1, Again: true})
			}
			next[id] = t
		}
	}
	if f.Steps > 0 {
		events = append(events, Event{Kind: Applied, Key: "plan", At: f.At, Count: 1, Text: fmt.Sprintf("applied %s; blocks in force: %d", plural(f.Steps, "step"), f.Blocks)})
	}
	last(Storm, f.Storms)
	last(Refused, f.Refusals)
	last(Failed, f.Failures)
	last(Sick, f.Sick)
	last(LeaseLost, f.LeaseLost)
	last(IncidentStart, f.Incidents)
	last(Gap, old(f.Gaps, r.GapAfter))
	last(Capacity, full(f.Capacity, r.Capacity))
	for id, was := range told {
		if _, still := next[id]; still {
			continue
		}
		if slices.Contains(f.Unknown, was.Kind) {
			next[id] = was
			continue
		}
		e := Event{Kind: was.Kind, Key: was.Key, At: f.At, Count: 1, Over: true, Text: "over: " + was.Text}
		if was.Kind == IncidentStart {
			e.Kind, e.Over, e.Text = IncidentEnd, false, "ended: "+was.Text
		}
		events = append(events, e)
	}
	slices.SortStableFunc(events, func(a, b Event) int {
		return cmp.Or(cmp.Compare(rank(a.Kind), rank(b.Kind)), cmp.Compare(a.Key, b.Key))
	})
	return events, next
}

func rank(k Kind) int { return slices.Index(Kinds(), k) }

// old are the gaps worth telling, as one: thousands of them have one cause.
func old(gaps []AgedGap, after time.Duration) []Fact {
	var due []AgedGap
	for _, g := range gaps {
		if g.Age >= after {
			due = append(due, g)
		}
	}
	if len(due) == 0 {
		return nil
	}
	oldest := slices.MaxFunc(due, func(a, b AgedGap) int { return cmp.Or(cmp.Compare(a.Age, b.Age), cmp.Compare(b.Key, a.Key)) })
	text := fmt.Sprintf("%s longer than %s, the oldest: %s", isNotEnforced(len(due)), after, oldest.Text)
	return []Fact{{"gaps", text}}
}

func isNotEnforced(n int) string {
	if n == 1 {
		return "1 thing is not enforced"
	}
	return fmt.Sprintf("%d things are not enforced", n)
}

func full(uses []Use, percent int) []Fact {
	var all []Fact
	for _, u := range uses {
		if u.Limit > 0 && u.Used*100 >= u.Limit*percent {
			all = append(all, Fact{u.What, fmt.Sprintf("%s: %d of %d used", u.What, u.Used, u.Limit)})
		}
	}
	return all
}

func bounded(facts []Fact) []Fact {
	if len(facts) <= mostKept {
		return facts
	}
	rest := len(facts) - mostKept
	return append(slices.Clone(facts[:mostKept]), Fact{"more", fmt.Sprintf("and %d more", rest)})
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
