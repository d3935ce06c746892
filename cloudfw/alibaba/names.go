package alibaba

import (
	"maps"
	"sync"
)

// names remembers the ids of address books and prefix lists by name. A plan may use
// an object that one of its own steps makes, and then knows only its name. Safe for
// concurrent use.
type names struct {
	mu    sync.Mutex
	books map[string]string
	lists map[string]string
}

// learn replaces everything known by what was observed.
func (n *names) learn(books, lists map[string]string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.books, n.lists = maps.Clone(books), maps.Clone(lists)
}

func (n *names) book(name string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.books[name]
}

func (n *names) list(name string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lists[name]
}

// setBook and setList note an object that was made; an empty id forgets it.
func (n *names) setBook(name, id string) { n.set(&n.books, name, id) }

func (n *names) setList(name, id string) { n.set(&n.lists, name, id) }

func (n *names) set(kind *map[string]string, name, id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if id == "" {
		delete(*kind, name)
		return
	}
	if *kind == nil {
		*kind = map[string]string{}
	}
	(*kind)[name] = id
}
