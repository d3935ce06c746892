package sources

import "sync"

// chunks are used again by the next reading: who follows a log reads it often.
var chunks = sync.Pool{New: func() any { return newChunk() }}

// spare is the chunks of one reading that nobody works on. The one that was last in use
// is taken first: much of it still is in a cache. Safe for concurrent use.
type spare struct {
	source string

	mu    sync.Mutex
	given sync.Cond
	idle  []*chunk
	unmet int // chunks that were never needed: most logs fit into one
}

func newSpare(n int, source string) *spare {
	s := &spare{source: source, unmet: n}
	s.given.L = &s.mu
	return s
}

// take waits for a chunk.
func (s *spare) take() *chunk {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.idle) == 0 {
		if s.unmet > 0 {
			s.unmet--
			k := chunks.Get().(*chunk)
			k.source = s.source
			return k
		}
		s.given.Wait()
	}
	k := s.idle[len(s.idle)-1]
	s.idle = s.idle[:len(s.idle)-1]
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
