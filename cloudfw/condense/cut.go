package condense

import (
	"cmp"
	"container/heap"
)

// cut chooses nodes by weakest link: again and again the node whose merging costs
// the least per place that it saves. The covers on the way are optimal for the
// number of places they need (as in the pruning of decision trees), and each
// contains the one before it. When the next link would save more than is needed or
// cost more than there is, the exact method takes the rest of the way; if that is
// too much work, the link is taken, or left out if it cannot be paid.
func (c *coverer) cut(need int, budget uint64, work int) map[int32]bool {
	spent := make([]uint64, len(c.nodes)) // innocents of what is chosen at or below the node
	left := make([]int32, len(c.nodes))   // places still taken there
	copy(left, c.leaves)
	queue := &links{}
	offer := func(n int32) {
		if c.nodes[n].entry == none && c.price[n] < forbidden && left[n] > 1 {
			rate := (float64(c.price[n]) - float64(spent[n])) / float64(left[n]-1)
			queue.all = append(queue.all, link{n, left[n], spent[n], rate})
		}
	}
	for n := range c.nodes {
		offer(int32(n))
	}
	heap.Init(queue)
	chosen := map[int32]bool{}
	root, tried := c.root(), false // the exact method is tried once
	for need > 0 && queue.Len() > 0 {
		l := heap.Pop(queue).(link)
		if l.left != left[l.node] || l.spent != spent[l.node] || c.beneath(chosen, l.node) {
			continue // out of date
		}
		saves := int(left[l.node] - 1)
		dear := spent[root]-spent[l.node]+c.price[l.node] > budget
		if (dear || saves > need) && !tried {
			if best, ok := c.exact(chosen, need, budget, work); ok {
				return best
			}
			tried = true
		}
		if dear {
			continue
		}
		gain, price := left[l.node]-1, c.price[l.node]-spent[l.node] // modulo 2^64: a link may make things cheaper
		chosen[l.node] = true
		need -= saves
		for n := l.node; n != none; n = c.nodes[n].parent {
			left[n] -= gain
			spent[n] += price
			if n != l.node && c.price[n] < forbidden {
				rate := (float64(c.price[n]) - float64(spent[n])) / float64(max(left[n]-1, 1))
				if left[n] > 1 {
					heap.Push(queue, link{n, left[n], spent[n], rate})
				}
			}
		}
	}
	return chosen
}

// beneath reports whether the node is chosen or within a chosen one.
func (c *coverer) beneath(chosen map[int32]bool, n int32) bool {
	for ; n != none && c.price[n] < forbidden; n = c.nodes[n].parent {
		if chosen[n] {
			return true
		}
	}
	return false
}

// link is a node that may become one prefix, with the state it was offered in.
type link struct {
	node  int32
	left  int32
	spent uint64
	rate  float64
}

// links is a heap of links, the cheapest per place first.
type links struct{ all []link }

func (q *links) Len() int { return len(q.all) }
func (q *links) Less(i, j int) bool {
	a, b := q.all[i], q.all[j]
	return cmp.Or(cmp.Compare(a.rate, b.rate), cmp.Compare(a.node, b.node)) < 0
}
func (q *links) Swap(i, j int) { q.all[i], q.all[j] = q.all[j], q.all[i] }
func (q *links) Push(x any)    { q.all = append(q.all, x.(link)) }
func (q *links) Pop() any {
	last := q.all[len(q.all)-1]
	q.all = q.all[:len(q.all)-1]
	return last
}
