package simulator

import "strings"

// likeness tells which entries of a book may equal one of a few given ones, so that
// a change of a few does not parse a book of thousands.
type likeness struct {
	all   bool
	heads map[string]bool
}

// likenessOf looks at the given entries. Only IPv4 blocks are told apart by their
// text: an address has one spelling, and what stands in a book has no host bits
// unless assume says that they may. For everything else any entry may be alike.
func likenessOf(kind string, given []bookEntry, assume Assumptions) likeness {
	if kind != "ip" || assume.NormaliseAddresses {
		return likeness{all: true}
	}
	heads := make(map[string]bool, len(given))
	for _, entry := range given {
		heads[addressHead(entry.key)] = true
	}
	return likeness{heads: heads}
}

func (l likeness) fits(text string) bool { return l.all || l.heads[addressHead(text)] }

// addressHead is the address without the length and the note that follow it.
func addressHead(text string) string {
	if i := strings.IndexAny(text, "/ "); i >= 0 {
		return text[:i]
	}
	return text
}
