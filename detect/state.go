package detect

import (
	"encoding/binary"
	"hash/crc32"
)

// The state of an engine, version 2: magic, the seed, the rules' fingerprints, the
// log time, the sketch if there is one, the phases, the lines kept, the pairs worth keeping,
// CRC-32. Numbers are varints. A pair names its rule and its part of it, not its
// meter, so that rules may come and go.
const (
	stateMagic    = "fwsync-detect/2\n"
	maxStateRules = 1 << 12
)

// MarshalBinary returns what the next run needs to read on as if there had
// been one run: counters and success marks that a window or memory can still
// need, relative to the latest signal's time.
func (e *Engine) MarshalBinary() ([]byte, error) {
	w := stateWriter{out: []byte(stateMagic)}
	w.uint(e.seed[0])
	w.uint(e.seed[1])
	w.uint(uint64(len(e.rules)))
	for i := range e.rules {
		w.string(e.fingerprint(&e.rules[i]))
	}
	w.int(e.now)
	w.bool(e.sketch != nil)
	if e.sketch != nil {
		e.sketch.write(&w)
	}
	e.phases.write(&w, e.names)
	var kept []uint32
	lines := map[*record]uint64{}
	var order []*record
	for i := range e.heads() {
		if e.lookAt(i).stale(e.now) {
			continue
		}
		kept = append(kept, i)
		if x := e.samples[i]; x != nil {
			x.each(func(r *record) {
				if _, again := lines[r]; !again {
					lines[r] = uint64(len(order))
					order = append(order, r)
				}
			})
		}
	}
	w.uint(uint64(len(order)))
	for _, r := range order {
		r.make()
		v := r.Evidence
		w.string(v.Source)
		w.int(v.Line)
		w.int(v.Offset)
		w.string(v.Hash)
		w.string(v.Text)
		w.string(r.account)
	}
	w.uint(uint64(len(kept)))
	for _, i := range kept {
		e.writeBundle(&w, i, lines)
	}
	return binary.BigEndian.AppendUint32(w.out, crc32.ChecksumIEEE(w.out)), nil
}

func (e *Engine) writeBundle(w *stateWriter, i uint32, lines map[*record]uint64) {
	ps := e.bundleAt(i)
	bytes := ps[0].key.bytes()
	w.out = append(w.out, bytes[:]...)
	if ps[0].meter >= markLow {
		w.uint(0)
		mark := ps[0].meter
		if l := markLevel - int(mark); l >= 0 {
			w.uint(2)
			w.uint(uint64(e.levels[l].ipv4))
			w.uint(uint64(e.levels[l].ipv6))
		} else {
			w.uint(uint64(markAddress - mark))
		}
		w.out = append(w.out, ps[0].flags&hostile, byte(ps[0].legitBy))
		w.int(ps[0].last)
		return
	}
	w.uint(uint64(len(ps)))
	for j := range ps {
		e.writePair(w, &ps[j], &ps[e.meters[ps[j].meter].lender(j)].ring)
	}
	x := e.samples[i]
	if x == nil {
		x = &samples{}
	}
	w.uint(uint64(x.n))
	for _, r := range x.first[:x.n] {
		w.uint(lines[r])
	}
	w.uint(uint64(len(x.crossing)))
	for _, c := range x.crossing {
		w.uint(uint64(c.pair))
		w.uint(lines[c.line])
	}
}

func (e *Engine) writePair(w *stateWriter, p *pair, lent *ring) {
	m := &e.meters[p.meter]
	w.uint(uint64(m.rule))
	kind := byte(m.part)
	if m.distinct {
		kind |= distinctBit
	}
	w.out = append(w.out, kind, p.flags&(crossed|withheld), byte(p.legitBy))
	w.uint(uint64(p.count))
	if p.count == 0 {
		return
	}
	w.int(p.last)
	w.int(p.first)
	w.int(p.crossed)
	w.uint(uint64(p.legitAt))
	w.uint(uint64(p.ring.peak))
	e.scratch = e.rings.copyOut(lent, m.distinct, p.most(m), e.scratch[:0])
	w.uint(uint64(len(e.scratch)))
	before := p.first
	for k, t := range e.scratch {
		w.int(t - before)
		before = t
		if m.distinct {
			w.uint(uint64(e.rings.slice(lent)[2*k+1]))
		}
	}
}

const distinctBit = 0x80
