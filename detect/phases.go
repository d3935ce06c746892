package detect

import (
	"cmp"
	"slices"
	"time"
)

// Phase is what an attack is busy with.
type Phase uint8

// The phases, each with the signals that make it.
const (
	NoPhase Phase = iota
	// Probing looks for what is there: scans, early talkers, failed handshakes,
	// refused names, clients, senders and recipients.
	Probing
	// BruteForce guesses passwords.
	BruteForce
	// Exploitation uses what should not be to be had: relaying, injected headers,
	// dangerous commands, abused null senders, and every success of an address
	// that was detected before.
	Exploitation
	// Harassment keeps the server busy: rate limits, errors without end,
	// pipelining, what is not SMTP.
	Harassment

	phaseCount
)

var phaseNames = [phaseCount]string{"", "probing", "brute force", "exploitation", "harassment"}

// String returns the name for reports.
func (p Phase) String() string { return phaseNames[p] }

// floors are the signals in one minute of log time, of all sources together,
// that begin a phase; each further such minute prolongs it.
var floors = [phaseCount]int{0, 10, 10, 3, 10}

const (
	phaseQuiet  = 10 // minutes below the floor that end a phase
	phaseBack   = 60 // a clock that jumps back by more minutes ends all phases
	maxPhases   = 1000
	minuteMicro = 60_000_000
)

func phaseOf(k Kind) Phase {
	switch k {
	case SMTPScan, SMTPPregreet, SMTPTLSFailed, SMTPRejectedHelo, SMTPRejectedClient, SMTPRejectedSender, SMTPRejectedRecipient, SSHScan:
		return Probing
	case SMTPAuthFailed, IMAPAuthFailed, POP3AuthFailed, SieveAuthFailed, SSHAuthFailed:
		return BruteForce
	case SMTPRelayDenied, SMTPNullSenderAbuse, SMTPHeaderInjection, SMTPDangerousCommand:
		return Exploitation
	case SMTPRateLimited, SSHRateLimited, SMTPTooManyErrors, SMTPPipelining, SMTPNonSMTPCommand:
		return Harassment
	}
	return NoPhase
}

// PhaseSpan is one phase of an attack, from the first signal of its first busy
// minute to the last of its last one.
type PhaseSpan struct {
	Phase      Phase
	Start, End time.Time
	// Ongoing says that it had not been quiet for long when the log ended.
	Ongoing bool
	// Signals by kind; Peak is the most in one minute, which began at PeakAt.
	Signals int64
	Kinds   map[Kind]int64
	Peak    int64
	PeakAt  time.Time
	// Sources is how many addresses took part, exact up to 512 (Exact), else
	// with a standard error of 1.6 %.
	Sources int
	Exact   bool
}

// phases tells the phases from the stream, in memory that depends on nothing.
type phases struct {
	tracks [phaseCount]track
	closed []PhaseSpan // the latest maxPhases
}

// track is one phase that may have begun. What came since the last busy minute
// stands apart: it counts if another busy minute follows.
type track struct {
	minute, busy   int64 // the current minute, the last busy one
	count          int64 // in this minute
	open           bool
	first, last    int64 // µs
	end            int64
	peak, peakAt   int64
	kinds, since   [kindCount]int64
	sources        distinct
	source         key // the latest one
	counted        int
	countedExactly bool
}

func (ps *phases) observe(p Phase, k Kind, addr key, t int64, n int) {
	if p == NoPhase {
		return
	}
	tr := &ps.tracks[p]
	minute := t / minuteMicro
	if minute > tr.minute || tr.minute-minute > phaseBack {
		ps.turn(p, tr, minute)
	}
	if tr.first == 0 {
		tr.first = t
	}
	tr.last = max(tr.last, t)
	tr.count += int64(n)
	tr.since[k] += int64(n)
	if tr.source != addr {
		tr.source = addr
		tr.sources.add(addr)
	}
	if tr.count >= int64(floors[p]) {
		tr.open, tr.busy = true, tr.minute
	}
}

// turn ends a minute, and with it the phase if it has been quiet for long.
func (ps *phases) turn(p Phase, tr *track, minute int64) {
	tr.settle(p)
	if tr.open && (minute < tr.minute || minute-tr.busy > phaseQuiet) {
		if len(ps.closed) == maxPhases {
			ps.closed = slices.Delete(ps.closed, 0, 1)
		}
		ps.closed = append(ps.closed, tr.span(p, false))
		tr.open = false
	}
	if !tr.open {
		sources := tr.sources
		sources.clear()
		*tr = track{sources: sources}
	}
	tr.minute, tr.count = minute, 0
}

// settle adds what came since the last busy minute if this one is busy.
func (tr *track) settle(p Phase) {
	if tr.count < int64(floors[p]) {
		return
	}
	for k, n := range tr.since {
		tr.kinds[k] += n
	}
	clear(tr.since[:])
	tr.end = tr.last
	if tr.count > tr.peak {
		tr.peak, tr.peakAt = tr.count, tr.minute*minuteMicro
	}
	tr.counted, tr.countedExactly = tr.sources.count()
}

func (tr *track) span(p Phase, ongoing bool) PhaseSpan {
	s := PhaseSpan{
		Phase: p, Start: time.UnixMicro(tr.first).UTC(), End: time.UnixMicro(tr.end).UTC(), Ongoing: ongoing,
		Kinds: map[Kind]int64{}, Peak: tr.peak, PeakAt: time.UnixMicro(tr.peakAt).UTC(), Sources: tr.counted, Exact: tr.countedExactly,
	}
	for k, n := range tr.kinds {
		if n > 0 {
			s.Kinds[Kind(k)] = n
			s.Signals += n
		}
	}
	return s
}

// Phases returns the phases of the attack up to now, in the order of their
// starts; of very many the latest 1,000 that are over.
func (e *Engine) Phases() []PhaseSpan {
	out := slices.Clone(e.phases.closed)
	for p := range e.phases.tracks {
		if tr := e.phases.tracks[p]; tr.open {
			tr.settle(Phase(p))
			out = append(out, tr.span(Phase(p), e.now/minuteMicro-tr.busy <= phaseQuiet))
		}
	}
	slices.SortStableFunc(out, func(a, b PhaseSpan) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Phase, b.Phase))
	})
	return out
}

// The state of the phases: the spans that are over, then the tracks. Kinds go by their
// names; those that are no longer declared are left out.
func (ps *phases) write(w *stateWriter, c *Catalogue) {
	w.uint(uint64(len(ps.closed)))
	for _, s := range ps.closed {
		w.uint(uint64(s.Phase))
		for _, t := range []time.Time{s.Start, s.End, s.PeakAt} {
			w.int(t.UnixMicro())
		}
		w.int(s.Peak)
		w.int(int64(s.Sources))
		w.bool(s.Exact)
		w.uint(uint64(len(s.Kinds)))
		for k := range kindCount {
			if n := s.Kinds[k]; n > 0 {
				w.string(c.Name(k))
				w.int(n)
			}
		}
	}
	for p := range ps.tracks {
		tr := &ps.tracks[p]
		for _, v := range []int64{tr.minute, tr.busy, tr.count, tr.first, tr.last, tr.end, tr.peak, tr.peakAt, int64(tr.counted)} {
			w.int(v)
		}
		w.bool(tr.open)
		w.bool(tr.countedExactly)
		for k := Kind(1); k < kindCount; k++ {
			if tr.kinds[k]|tr.since[k] != 0 {
				w.string(c.Name(k))
				w.int(tr.kinds[k])
				w.int(tr.since[k])
			}
		}
		w.string("")
		tr.sources.write(w)
	}
}

func (ps *phases) read(r *stateReader, c *Catalogue) {
	for range r.uint(maxPhases) {
		s := PhaseSpan{Phase: Phase(r.uint(uint64(phaseCount) - 1)), Kinds: map[Kind]int64{}}
		for _, t := range []*time.Time{&s.Start, &s.End, &s.PeakAt} {
			*t = time.UnixMicro(r.int()).UTC()
		}
		s.Peak, s.Sources, s.Exact = r.int(), int(r.int()), r.bool()
		for range r.uint(uint64(kindCount)) {
			k, err := c.Kind(r.string())
			n := r.int()
			s.Signals += n
			if err == nil { // else it was declared once
				s.Kinds[k] += n
			}
		}
		if r.err != nil {
			return
		}
		ps.closed = append(ps.closed, s)
	}
	for p := range ps.tracks {
		tr := &ps.tracks[p]
		var counted int64
		for _, v := range []*int64{&tr.minute, &tr.busy, &tr.count, &tr.first, &tr.last, &tr.end, &tr.peak, &tr.peakAt, &counted} {
			*v = r.int()
		}
		tr.counted, tr.open, tr.countedExactly = int(counted), r.bool(), r.bool()
		for {
			name := r.string()
			if name == "" {
				break
			}
			counted, since := r.int(), r.int()
			if k, err := c.Kind(name); err == nil {
				tr.kinds[k], tr.since[k] = counted, since
			}
		}
		tr.sources.read(r)
	}
}

func (d *distinct) write(w *stateWriter) {
	w.uint(uint64(len(d.registers)))
	w.out = append(w.out, d.registers...)
	w.uint(uint64(d.n))
	for _, h := range d.set {
		if h != 0 {
			w.uint(h)
		}
	}
}

func (d *distinct) read(r *stateReader) {
	if n := r.uint(1 << registerBits); n == 1<<registerBits {
		d.registers = slices.Clone(r.bytes(n))
		for i, v := range d.registers {
			d.registers[i] = min(v, 64)
			d.sum += power(d.registers[i])
			if v == 0 {
				d.empty++
			}
		}
	} else if n != 0 {
		r.fail("%d registers", n)
	}
	n := r.uint(exactSources)
	for range n {
		if h := r.uint(1<<64 - 1); h != 0 && d.registers == nil {
			d.addHash(h)
		}
	}
}
