package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"text/template"
	"time"

	"golang.org/x/time/rate"
)

// Route is a channel, and what goes there.
type Route struct {
	Name     string
	Channel  Channel
	Events   []Kind             // empty: all
	Template *template.Template // nil: the standard one
	Every    time.Duration      // at most one message in so long, in the long run
	Burst    int                // so many at once; 0: 1
}

// wants reports whether an event goes there. A test goes everywhere.
func (r *Route) wants(k Kind) bool {
	return k == Test || len(r.Events) == 0 || slices.Contains(r.Events, k)
}

// Options bound a Sender.
type Options struct {
	Origin  Origin
	Gather  time.Duration // events that come within it go out as one message
	Queue   int           // events that wait for one channel; 0: 256
	Tries   int           // of one message; 0: 4
	Backoff time.Duration // before the second try, doubled for each further one; 0: 1s
}

// Sender hands events to channels, each by a goroutine of its own: one that hangs holds
// up nobody. Make one with Start and end it with Close.
type Sender struct {
	options Options
	lines   []*line
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// line is one channel's queue and worker.
type line struct {
	Route
	queue   chan Event
	closing chan struct{}
	limiter *rate.Limiter

	mu      sync.Mutex
	dropped int
	outcome Outcome
}

// Outcome is how it went with one channel.
type Outcome struct {
	Name    string
	Sent    int // messages that were taken
	Failed  int // that were given up
	Waiting int // events that were still there when the time to close was over
	Dropped int // events for which there was no room
	Err     error
}

// Start begins to send. Nothing of it blocks.
func Start(routes []Route, o Options) *Sender {
	if o.Queue == 0 {
		o.Queue = 256
	}
	if o.Tries == 0 {
		o.Tries = 4
	}
	if o.Backoff == 0 {
		o.Backoff = time.Second
	}
	s := &Sender{options: o}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for _, r := range routes {
		limit := rate.Inf
		if r.Every > 0 {
			limit = rate.Every(r.Every)
		}
		if r.Template == nil {
			r.Template = template.Must(ParseTemplate(""))
		}
		l := &line{Route: r, queue: make(chan Event, o.Queue), closing: make(chan struct{}), limiter: rate.NewLimiter(limit, max(1, r.Burst)), outcome: Outcome{Name: r.Name}}
		s.lines = append(s.lines, l)
		s.running.Go(func() { s.work(l) })
	}
	return s
}

// Notify puts an event into the queue of each channel that wants it, and never waits:
// where there is no room it is dropped, and the channel's next message says so.
func (s *Sender) Notify(e Event) {
	for _, l := range s.lines {
		if !l.wants(e.Kind) {
			continue
		}
		select {
		case l.queue <- e:
		default:
			l.mu.Lock()
			l.dropped++
			l.outcome.Dropped++
			l.mu.Unlock()
		}
	}
}

// Close sends what is left without gathering any longer, until ctx ends, and says how
// it went. Nobody may notify any more.
func (s *Sender) Close(ctx context.Context) []Outcome {
	for _, l := range s.lines {
		close(l.closing)
	}
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		s.cancel()
		<-done // no call outlives its context
	}
	s.cancel()
	var all []Outcome
	for _, l := range s.lines {
		all = append(all, l.outcome)
	}
	return all
}

// work is one channel's life.
func (s *Sender) work(l *line) {
	for {
		var events []Event
		select {
		case e := <-l.queue:
			events = append(events, e)
		case <-l.closing:
			select {
			case e := <-l.queue:
				events = append(events, e)
			default:
				return
			}
		}
		events = s.gather(l, events)
		// While the limit makes it wait, what comes joins the message.
		sent := false
		if l.limiter.Wait(s.ctx) == nil {
			events = merge(l.rest(events))
			sent = s.send(l, events) == nil
		}
		if s.ctx.Err() != nil {
			if l.outcome.Waiting = len(l.queue); !sent {
				l.outcome.Waiting += len(events)
			}
			return
		}
	}
}

// gather waits for what belongs together.
func (s *Sender) gather(l *line, events []Event) []Event {
	timer := time.NewTimer(s.options.Gather)
	defer timer.Stop()
	for {
		select {
		case e := <-l.queue:
			if events = append(events, e); len(events) >= s.options.Queue {
				events = merge(events)
			}
		case <-timer.C:
			return events
		case <-l.closing:
			return events
		}
	}
}

// rest adds what is in the queue now.
func (l *line) rest(events []Event) []Event {
	for {
		select {
		case e := <-l.queue:
			events = append(events, e)
		default:
			return events
		}
	}
}

// send hands one message over, with a few tries. The error is that of ctx, or of the
// last try.
func (s *Sender) send(l *line, events []Event) error {
	l.mu.Lock()
	dropped := l.dropped
	l.mu.Unlock()
	m := render(compose(s.options.Origin, events, dropped), l.Template)
	pause := s.options.Backoff
	var err error
	for try := 1; ; try++ {
		attempt, cancel := context.WithTimeout(s.ctx, 3*perAttempt)
		err = l.Channel.Send(attempt, m)
		cancel()
		if err == nil {
			l.mu.Lock()
			l.dropped -= dropped
			l.outcome.Sent++
			l.mu.Unlock()
			return nil
		}
		var f *Failure
		if try == s.options.Tries || !errors.As(err, &f) || !f.Retry {
			break
		}
		timer := time.NewTimer(min(max(pause, f.After), time.Minute))
		select {
		case <-timer.C:
		case <-s.ctx.Done():
			timer.Stop()
			return err
		}
		pause *= 2
	}
	l.mu.Lock()
	l.outcome.Failed++
	l.outcome.Err = err
	l.dropped += len(events)
	l.mu.Unlock()
	return err
}

// Err says what did not get through, without a secret; nil if all did.
func Err(outcomes []Outcome) error {
	var parts []string
	for _, o := range outcomes {
		why := ""
		if o.Err != nil {
			why = ": " + o.Err.Error()
		}
		switch {
		case o.Waiting > 0:
			parts = append(parts, fmt.Sprintf("%s: %d not sent in time%s", o.Name, o.Waiting, why))
		case o.Failed > 0:
			parts = append(parts, fmt.Sprintf("%s: given up%s", o.Name, why))
		case o.Dropped > 0:
			parts = append(parts, fmt.Sprintf("%s: %d dropped", o.Name, o.Dropped))
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return errors.New(strings.Join(parts, "; "))
}
