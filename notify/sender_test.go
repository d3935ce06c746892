package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// place is a channel that keeps what it gets and fails as told.
type place struct {
	mu   sync.Mutex
	got  []Message
	at   []time.Time
	fail func(try int) error
	hang bool
	try  int
}

func (p *place) Send(ctx context.Context, m Message) error {
	if p.hang {
		<-ctx.Done()
		return &Failure{reason: "it hangs", Retry: true}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.try++
	p.at = append(p.at, time.Now())
	if p.fail != nil {
		if err := p.fail(p.try); err != nil {
			return err
		}
	}
	p.got = append(p.got, m)
	return nil
}

func event(kind Kind, key string) Event {
	return Event{Kind: kind, Key: key, Text: key, At: time.Now(), Count: 1}
}

func closing(t *testing.T, s *Sender, wait time.Duration) []Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	return s.Close(ctx)
}

func TestTheSameWithinAWhileIsOneWithACount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{}
		s := Start([]Route{{Name: "chat", Channel: p}}, Options{Gather: 30 * time.Second})
		for range 5 {
			s.Notify(event(Gap, "gaps"))
			time.Sleep(time.Second)
		}
		s.Notify(event(Sick, "mail"))
		time.Sleep(time.Minute)
		s.Notify(event(Gap, "gaps"))
		if err := Err(closing(t, s, time.Minute)); err != nil {
			t.Error(err)
		}
		if len(p.got) != 2 || len(p.got[0].Events) != 2 || p.got[0].Events[0].Count != 5 || p.got[1].Events[0].Count != 1 {
			t.Fatalf("got %+v", p.got)
		}
		if want := "fwsync  on : gap, sick\ngap: gaps (x5)\nsick: mail"; p.got[0].Text != want {
			t.Errorf("text %q, want %q", p.got[0].Text, want)
		}
	})
}

func TestEachChannelGetsWhatItAskedForAndATest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, few := &place{}, &place{}
		s := Start([]Route{{Name: "all", Channel: all}, {Name: "few", Channel: few, Events: []Kind{Gap}}}, Options{})
		for _, k := range []Kind{Gap, Sick, Test} {
			s.Notify(event(k, "x"))
			synctest.Wait()
			time.Sleep(time.Second)
		}
		closing(t, s, time.Minute)
		if len(all.got) != 3 || len(few.got) != 2 || few.got[1].Events[0].Kind != Test {
			t.Errorf("all %+v, few %+v", all.got, few.got)
		}
	})
}

func TestTheRateOfAChannelIsKeptAndNothingIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{}
		s := Start([]Route{{Name: "chat", Channel: p, Every: 3 * time.Second, Burst: 5}}, Options{})
		for i := range 120 {
			s.Notify(event(Gap, fmt.Sprint(i)))
			time.Sleep(500 * time.Millisecond)
		}
		closing(t, s, time.Minute)
		told := 0
		for _, m := range p.got {
			told += len(m.Events)
		}
		if told != 120 || len(p.got) > 26 {
			t.Errorf("%d messages in a minute with %d events", len(p.got), told)
		}
		for i := range p.at {
			if i >= 25 && p.at[i].Sub(p.at[i-25]) < 60*time.Second {
				t.Errorf("26 messages within %s", p.at[i].Sub(p.at[i-25]))
			}
		}
	})
}

func TestWhatFailsForAWhileIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{fail: func(try int) error {
			if try < 4 {
				return &Failure{reason: "busy", Retry: true, After: time.Duration(try) * 2 * time.Second}
			}
			return nil
		}}
		s := Start([]Route{{Name: "chat", Channel: p}}, Options{})
		s.Notify(event(Gap, "x"))
		if err := Err(closing(t, s, time.Minute)); err != nil || len(p.got) != 1 {
			t.Fatalf("%v, %+v", err, p.got)
		}
		for i, want := range []time.Duration{2 * time.Second, 4 * time.Second, 6 * time.Second} {
			if got := p.at[i+1].Sub(p.at[i]); got != want {
				t.Errorf("pause %d is %s, want %s", i, got, want)
			}
		}
	})
}

func TestWhatFailsForGoodIsSaidInTheNextNotice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &place{fail: func(try int) error {
			if try == 1 {
				return &Failure{reason: "no such robot"}
			}
			return nil
		}}
		s := Start([]Route{{Name: "chat", Channel: p}}, Options{})
		s.Notify(event(Gap, "x"))
		time.Sleep(time.Second)
		s.Notify(event(Gap, "y"))
		outcomes := closing(t, s, time.Minute)
		if err := Err(outcomes); err == nil || err.Error() != "chat: given up: no such robot" {
			t.Errorf("error %v", err)
		}
		if len(p.got) != 1 || p.got[0].Dropped != 1 || !strings.Contains(p.got[0].Text, "1 notices before this one were dropped") {
			t.Errorf("got %+v", p.got)
		}
	})
}

// A channel that hangs costs what Close was given and no more, and holds up nobody: not
// the caller, not the other channels. What did not fit is counted.
func TestAChannelThatHangsHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck, fine := &place{hang: true}, &place{}
		s := Start([]Route{{Name: "stuck", Channel: stuck}, {Name: "fine", Channel: fine}}, Options{Queue: 10})
		began := time.Now()
		for i := range 30 {
			s.Notify(event(Gap, fmt.Sprint(i)))
			synctest.Wait()
		}
		if spent := time.Since(began); spent != 0 {
			t.Errorf("notifying took %s", spent)
		}
		outcomes := closing(t, s, 5*time.Second)
		if spent := time.Since(began); spent != 5*time.Second {
			t.Errorf("closing took %s", spent)
		}
		told := 0
		for _, m := range fine.got {
			told += len(m.Events)
		}
		if told != 30 {
			t.Errorf("the other channel got %d", told)
		}
		o := outcomes[0]
		if o.Sent != 0 || o.Waiting+o.Dropped != 30 || o.Dropped == 0 || outcomes[1].Waiting != 0 {
			t.Errorf("outcomes %+v", outcomes)
		}
		if err := Err(outcomes); err == nil || !strings.HasPrefix(err.Error(), "stuck: ") {
			t.Errorf("error %v", err)
		}
	})
}

func TestTemplates(t *testing.T) {
	for text, ok := range map[string]bool{
		"": true, "{{.Title}}: {{range .Events}}{{.Text}}{{end}}": true, "{{.Nothing}}": false, "{{range}}": false, "{{.Origin.Host}}": true,
	} {
		if _, err := ParseTemplate(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
	own, err := ParseTemplate(`{{.Origin.Owner}}{{range .Events}} {{if eq .Kind "gap"}}{{slice .Text 0 4}}{{end}}{{end}}`)
	if err != nil {
		t.Fatal(err)
	}
	from := Origin{"edge", "mx1"}
	if got := render(compose(from, []Event{{Kind: Gap, Text: "long enough", Count: 1}}, 0), own).Text; got != "edge long" {
		t.Errorf("text %q", got)
	}
	// One that fails on an event falls back.
	if got := render(compose(from, []Event{{Kind: Gap, Text: "abc", Count: 1}}, 0), own).Text; got != "fwsync edge on mx1: gap\ngap: abc" {
		t.Errorf("text %q", got)
	}
}

func TestErrIsNilWhenAllWasTaken(t *testing.T) {
	if err := Err([]Outcome{{Name: "a", Sent: 3}}); err != nil {
		t.Error(err)
	}
	if err := Err([]Outcome{{Name: "a", Failed: 1, Err: errors.New("x")}, {Name: "b", Dropped: 2}}); err == nil || err.Error() != "a: given up: x; b: 2 dropped" {
		t.Error(err)
	}
}
