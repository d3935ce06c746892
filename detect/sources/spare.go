package sources

import "sync"

// chunks are used again by the next reading: who follows a log reads it often.
var chunks = sync.Pool{New: func() any { return newChunk() }}

// spare is the chunks of one reading that nobody works on. The one that was last in use
// is taken first: much of it still is in a cache. Safe for concurrent use.
type spare struct {
	source string

	mu     sync.Mutex
	given  sync.Cond
	idle   []*chunk
	unborn int // chunks that were not needed yet: most logs fit into one
}

func newSpare(n int, source string) *spare {
	s := &spare{source: source, unborn: n}
	s.given.L = &s.mu
	return s
}

// take waits for a chunk.
func (s *spare) take() *chunk {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.idle) == 0 && s.unborn == 0 {
		s.given.Wait()
	}
	if last := len(s.idle) - 1; last >= 0 {
		k := s.idle[last]
		s.idle = s.idle[:last]
		return k
	}
	s.unborn--
	k := chunks.Get().(*chunk)
	k.source = s.source
	return k
}

func (s *spare) give(k *chunk) {
	s.mu.Lock()
	s.idle = append(s.idle, k)
	s.mu.Unlock()
	s.given.Signal()
}

// end gives the chunks back for the next reading. Nobody may be working on one.
func (s *spare) end() {
	for _, k := range s.idle {
		k.lines, k.source = nil, ""
		chunks.Put(k)
	}
}
