package condense

// option is the cheapest way to save at least a number of places below a node.
type option struct {
	price       uint64
	left, right int32 // the options of the children; both none: the node becomes one prefix
}

// exact finds the cheapest choice that saves the needed places, or what saves the
// most within the budget; the nodes already chosen stay, or give way to one above
// them. It is false when that takes more than the given work.
//
// It is a knapsack over the tree, from the leaves up. A node's options are indexed
// by the places they save; the last one may save more than needed.
func (c *coverer) exact(chosen map[int32]bool, need int, budget uint64, work int) (map[int32]bool, bool) {
	savings := make([]int32, len(c.nodes)) // the most that can be saved at or below the node
	merged := make([]int32, len(c.nodes))  // places that the chosen nodes have saved there
	for _, n := range c.order {
		node := &c.nodes[n]
		switch {
		case node.entry != none:
		case chosen[n]:
			merged[n] = c.leaves[n] - 1
		default:
			left, right := savings[node.left], savings[node.right]
			merged[n] = merged[node.left] + merged[node.right]
			savings[n] = left + right
			if c.price[n] < forbidden {
				savings[n] = c.leaves[n] - 1 - merged[n]
			}
			if work -= int(min(left, int32(need))+1) * int(min(right, int32(need))+1); work < 0 {
				return nil, false
			}
		}
	}
	need = min(need, int(savings[c.root()]))

	options := make([][]option, len(c.nodes))
	settled := []option{{0, none, none}}
	for _, n := range c.order {
		node := &c.nodes[n]
		if node.entry != none {
			options[n] = settled
			continue
		}
		if chosen[n] {
			options[n] = []option{{c.price[n], none, none}}
			continue
		}
		all := make([]option, min(int(savings[n]), need)+1)
		for i := range all {
			all[i].price = forbidden
		}
		last := len(all) - 1
		for i, l := range options[node.left] {
			for j, r := range options[node.right] {
				if o := (option{min(l.price+r.price, forbidden), int32(i), int32(j)}); o.price < all[min(i+j, last)].price {
					all[min(i+j, last)] = o
				}
			}
		}
		if c.price[n] < all[last].price {
			all[last] = option{c.price[n], none, none}
		}
		options[n] = all
	}
	best := 0
	for i, o := range options[c.root()] {
		if o.price <= budget {
			best = i
		}
	}
	result := map[int32]bool{}
	c.follow(c.root(), int32(best), options, result)
	return result, true
}

// follow collects the nodes that an option makes one prefix each.
func (c *coverer) follow(n, at int32, options [][]option, result map[int32]bool) {
	if c.nodes[n].entry != none {
		return
	}
	o := options[n][at]
	if o.left == none {
		result[n] = true
		return
	}
	c.follow(c.nodes[n].left, o.left, options, result)
	c.follow(c.nodes[n].right, o.right, options, result)
}
