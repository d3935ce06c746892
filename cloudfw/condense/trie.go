package condense

// trie is a path-compressed binary trie over sorted keys of one family. Nodes are
// indices; a node with two children is the narrowest prefix that holds both.
type trie struct {
	nodes []node
	order []int32 // every node, children before parents, by address
}

const none = int32(-1)

type node struct {
	key
	parent      int32
	left, right int32 // ascending; a key that holds one other key only has no right
	entry       int32 // index of the key that the node stands for, or none
}

// newTrie builds the trie over distinct, sorted keys, which may be nested.
func newTrie(sorted []key) *trie {
	t := &trie{nodes: make([]node, 0, 2*len(sorted))}
	var path []int32 // from the root to the last key
	for i, k := range sorted {
		below := none
		for len(path) > 0 && !t.nodes[path[len(path)-1]].covers(k) {
			below, path = path[len(path)-1], path[:len(path)-1]
		}
		if below != none {
			shared := t.nodes[below].common(k)
			if len(path) == 0 || t.nodes[path[len(path)-1]].bits < shared {
				branch := t.add(node{key: k.widen(shared), parent: t.nodes[below].parent, left: below, right: none, entry: none})
				if parent := t.nodes[branch].parent; parent != none {
					if t.nodes[parent].left == below {
						t.nodes[parent].left = branch
					} else {
						t.nodes[parent].right = branch
					}
				}
				t.nodes[below].parent = branch
				path = append(path, branch)
			}
		}
		parent := none
		if len(path) > 0 {
			parent = path[len(path)-1]
		}
		leaf := t.add(node{key: k, parent: parent, left: none, right: none, entry: int32(i)})
		if parent != none {
			if t.nodes[parent].left == none {
				t.nodes[parent].left = leaf
			} else {
				t.nodes[parent].right = leaf
			}
		}
		path = append(path, leaf)
	}
	if len(path) > 0 {
		t.order = make([]int32, 0, len(t.nodes))
		t.visit(path[0])
	}
	return t
}

func (t *trie) add(n node) int32 {
	t.nodes = append(t.nodes, n)
	return int32(len(t.nodes) - 1)
}

// visit goes at most as deep as an address has bits.
func (t *trie) visit(n int32) {
	if n == none {
		return
	}
	t.visit(t.nodes[n].left)
	t.visit(t.nodes[n].right)
	t.order = append(t.order, n)
}

func (t *trie) root() int32 { return t.order[len(t.order)-1] }
