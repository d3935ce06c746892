package sources

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"fwsync/detect"
)

const (
	// lookEvery is how often a followed file is looked at. Asking for a file's size
	// twenty times a second costs nothing, works on every file system, and holds the
	// time from a line to its signal well below 200 ms.
	lookEvery = 50 * time.Millisecond
	// A file that was renamed is looked at a little longer, for writers that have not
	// noticed yet; one that is missing is not worth a word before this many looks.
	patience = 20
)

// Batch is what was read of one source since its batch before.
type Batch struct {
	Source  string
	Signals []detect.Signal // as with Read, valid during the call
	// Position is behind the signals: kept together with what they amount to, a
	// restart from it loses no line and counts none twice. Zero for a stream.
	Position Position
	Stats    Stats
	// Health is what changed: OK how the source is now, Notes the news. A batch
	// may consist of nothing else.
	Health Health
	// Ended says that the source is a stream and this its last batch.
	Ended bool
}

// Follow reads several sources from their positions, by path (none: from the
// start), and goes on with what is written to them, through renames and
// truncations, until ctx ends (nil) or emit fails (its error); with streams only,
// also until all have ended. emit is called from one goroutine at a time; while
// it runs, nothing but a chunk or two of each source is held, and the rest stays
// where it is. A source that cannot be read says so in its health, is tried
// again, and holds up no other.
//
// A stream that waits in a read when ctx ends is left behind in it.
func Follow(ctx context.Context, logs []Source, from map[string]Position, emit func(Batch) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	to := &receiver{emit: emit, stop: stop}
	names := map[string]bool{}
	var files, streams sync.WaitGroup
	for _, src := range logs {
		if names[src.Path] {
			return fmt.Errorf("log %q is followed twice", src.Path)
		}
		names[src.Path] = true
		if src.Reader == nil && src.Path == "-" {
			src.Reader = os.Stdin
		}
		t := &tail{src: src, to: to, at: from[src.Path], from: src.Path, well: true}
		if src.Reader != nil {
			streams.Go(func() { t.stream(ctx) })
		} else {
			files.Go(func() { t.file(ctx) })
		}
	}
	ended := make(chan struct{})
	go func() {
		streams.Wait()
		files.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		files.Wait()
	}
	return to.close()
}

// receiver hands batches over, one at a time, until it is closed.
type receiver struct {
	mu     sync.Mutex
	emit   func(Batch) error
	stop   context.CancelCauseFunc
	closed bool
	err    error
}

func (r *receiver) give(b Batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return context.Canceled
	}
	if err := r.emit(b); err != nil {
		r.closed, r.err = true, err
		r.stop(err)
		return err
	}
	return nil
}

func (r *receiver) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return r.err
}
