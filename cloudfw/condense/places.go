package condense

import "slices"

// counter counts the places that a set of prefixes takes once it is aggregated,
// while prefixes leave and join it.
type counter struct {
	*trie
	at    []int32 // node of each key
	asked []bool  // the node's own key is in the set
	taken []int32 // places at or below the node
	full  []bool  // every address of the node is in the set

	nested bool // some key holds another
}

// newCounter begins with all of the distinct, sorted keys.
func newCounter(sorted []key) *counter {
	t := newTrie(sorted)
	n := len(t.nodes)
	c := &counter{t, make([]int32, len(sorted)), make([]bool, n), make([]int32, n), make([]bool, n), false}
	for n := range t.nodes {
		if e := t.nodes[n].entry; e != none {
			c.at[e] = int32(n)
			c.nested = c.nested || t.nodes[n].left != none
		}
	}
	for _, n := range t.order {
		c.asked[n] = t.nodes[n].entry != none
		c.taken[n], c.full[n] = c.count(n)
	}
	return c
}

// clone is a counter of its own over the same trie.
func (c *counter) clone() *counter {
	own := *c
	own.asked, own.taken, own.full = slices.Clone(c.asked), slices.Clone(c.taken), slices.Clone(c.full)
	return &own
}

// all is the places that the set takes.
func (c *counter) all() int { return int(c.taken[c.root()]) }

// dismiss takes out the key with that index.
func (c *counter) dismiss(entry int) {
	c.asked[c.at[entry]] = false
	c.update(c.at[entry])
}

// admit adds the key with that index if the set then takes no more than the places.
func (c *counter) admit(entry, places int) bool {
	n := c.at[entry]
	if c.all() >= places && !c.nested && !c.merges(n) {
		return false // the common case once the places are taken
	}
	c.asked[n] = true
	c.update(n)
	if c.all() <= places {
		return true
	}
	c.asked[n] = false
	c.update(n)
	return false
}

// admitAll admits equals, as many as there are places for. Those that are in place are
// tried together first: one by one the first of them might not fit, and the last merge.
func (c *counter) admitAll(equals []standing, in []bool, places int) {
	if equals[0].incumbent == 1 {
		for _, r := range equals {
			c.join(int(r.entry))
		}
		if c.all() <= places {
			for _, r := range equals {
				in[r.entry] = true
			}
			return
		}
		for _, r := range equals {
			if !in[r.entry] {
				c.dismiss(int(r.entry))
			}
		}
	}
	for more := true; more; {
		more = false
		for _, r := range equals {
			if !in[r.entry] && c.admit(int(r.entry), places) {
				in[r.entry], more = true, true
			}
		}
		more = more && c.all() < places // only a place that became free makes a difference
	}
}

func (c *counter) join(entry int) {
	c.asked[c.at[entry]] = true
	c.update(c.at[entry])
}

// merges reports whether the other half of the node's whole is in the set.
func (c *counter) merges(n int32) bool {
	parent := c.nodes[n].parent
	if parent == none || c.nodes[parent].bits != c.nodes[n].bits-1 {
		return false
	}
	other := c.nodes[parent].left + c.nodes[parent].right - n
	return c.full[other] && c.nodes[other].bits == c.nodes[n].bits
}

// update brings n and the nodes above it up to date, as far as they change.
func (c *counter) update(n int32) {
	for ; n != none; n = c.nodes[n].parent {
		taken, full := c.count(n)
		if c.taken[n] == taken && c.full[n] == full {
			return
		}
		c.taken[n], c.full[n] = taken, full
	}
}

// count is the state of a node by that of its children.
func (c *counter) count(n int32) (taken int32, full bool) {
	node, halves := &c.nodes[n], 0
	for _, child := range [2]int32{node.left, node.right} {
		if child != none {
			taken += c.taken[child]
			if c.full[child] && c.nodes[child].bits == node.bits+1 {
				halves++
			}
		}
	}
	if c.asked[n] || halves == 2 {
		return 1, true
	}
	return taken, false
}
