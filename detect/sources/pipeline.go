package sources

import (
	"context"
	"runtime"
	"sync"

	"fwsync/detect/maillog"
)

// pipeline reads chunks one after the other, parses them on several cores and
// has them consumed in order. There is no reader and no consumer goroutine:
// each worker reads when it needs a chunk and consumes when its chunk is next,
// so that all cores stay busy whatever the slowest stage is.
type pipeline struct {
	chunks  chunker
	options maillog.Options
	source  string
	workers int

	reading sync.Mutex // guards chunks, nextSeq, and err with ordering
	nextSeq int
	ended   bool

	ordering  sync.Mutex // guards what follows
	parsed    map[int]*chunk
	consumed  int
	consuming bool
	stopped   bool // consume failed: consume nothing more
	err       error
}

func (p *pipeline) run(ctx context.Context, consume func(*chunk) error) error {
	if p.workers <= 0 {
		p.workers = min(runtime.GOMAXPROCS(0), 8)
	}
	p.parsed = make(map[int]*chunk)
	free := newSpare(3*p.workers, p.source)
	var all sync.WaitGroup
	for range p.workers - 1 {
		all.Go(func() { p.work(ctx, free, consume) })
	}
	p.work(ctx, free, consume)
	all.Wait()
	free.end()
	return p.err
}

func (p *pipeline) work(ctx context.Context, free *spare, consume func(*chunk) error) {
	parser := maillog.New(p.options)
	for {
		// Some chunk is always free or next in order: at most every worker
		// holds one, and there are three times as many.
		k := free.take()
		if !p.read(ctx, k) {
			free.give(k)
			return
		}
		k.parse(parser)
		p.deliver(k, free, consume)
	}
}

func (p *pipeline) read(ctx context.Context, k *chunk) bool {
	p.reading.Lock()
	defer p.reading.Unlock()
	if p.ended {
		return false
	}
	more, err := p.chunks.next(ctx, k)
	if err != nil {
		p.fail(err)
	}
	if err != nil || !more {
		p.ended = true
		return false
	}
	k.seq = p.nextSeq
	p.nextSeq++
	return true
}

func (p *pipeline) fail(err error) {
	p.ordering.Lock()
	defer p.ordering.Unlock()
	if p.err == nil {
		p.err = err
	}
}

func (p *pipeline) stop(err error) {
	p.fail(err)
	p.ordering.Lock()
	p.stopped = true
	p.ordering.Unlock()
	p.reading.Lock()
	p.ended = true
	p.reading.Unlock()
}

// deliver hands k over and consumes all chunks whose turn it is, unless
// another worker is at it.
func (p *pipeline) deliver(k *chunk, free *spare, consume func(*chunk) error) {
	p.ordering.Lock()
	p.parsed[k.seq] = k
	if p.consuming {
		p.ordering.Unlock()
		return
	}
	p.consuming = true
	for next := p.parsed[p.consumed]; next != nil; next = p.parsed[p.consumed] {
		delete(p.parsed, p.consumed)
		p.consumed++
		stopped := p.stopped
		p.ordering.Unlock()
		if !stopped {
			if err := consume(next); err != nil {
				p.stop(err)
			}
		}
		free.give(next)
		p.ordering.Lock()
	}
	p.consuming = false
	p.ordering.Unlock()
}
