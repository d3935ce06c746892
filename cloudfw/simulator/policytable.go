package simulator

import (
	"cmp"
	"slices"
	"sort"
)

// The policies of an account can be many, and a copy of them all for every write
// would be what a write costs. A draft therefore shares them with the state it was
// drawn from, and copies them before the first write to one that is there already.
// Adding behind the last one is no such write: the older state does not reach that far.

// ownPolicies makes the policies safe to write through. Every edit of an element
// comes after it.
func (s *State) ownPolicies() {
	if s.shared {
		s.Policies, s.shared = slices.Clone(s.Policies), false
	}
}

// policyRange returns where a list begins and ends in the sorted policies.
func (s *State) policyRange(k listKey) (low, high int) {
	low = sort.Search(len(s.Policies), func(i int) bool { return s.Policies[i].list().compare(k) >= 0 })
	high = low + sort.Search(len(s.Policies)-low, func(i int) bool { return s.Policies[low+i].list().compare(k) > 0 })
	return low, high
}

// policyList returns a copy of one list in its order.
func (s *State) policyList(k listKey) []Policy {
	low, high := s.policyRange(k)
	return slices.Clone(s.Policies[low:high])
}

// lastOrder is the order of the last policy of a list, 0 for an empty list.
func (s *State) lastOrder(k listKey) int {
	low, high := s.policyRange(k)
	if low == high {
		return 0
	}
	return s.Policies[high-1].Order
}

// insertPolicy puts p at p.Order in its list. The policy that stands there and those
// that follow it without a hole move one down.
func (s *State) insertPolicy(p Policy) {
	low, high := s.policyRange(p.list())
	offset, _ := slices.BinarySearchFunc(s.Policies[low:high], p.Order, func(q Policy, order int) int { return cmp.Compare(q.Order, order) })
	at := low + offset
	if at == len(s.Policies) {
		s.Policies = append(s.Policies, p)
		return
	}
	all := make([]Policy, len(s.Policies)+1)
	copy(all, s.Policies[:at])
	all[at] = p
	copy(all[at+1:], s.Policies[at:])
	for i := at + 1; i <= high && all[i].Order == all[i-1].Order; i++ {
		all[i].Order++
	}
	s.Policies, s.shared = all, false
}

// removePolicy takes out the policy at an index. Those that follow it in its list
// without a hole move one up.
func (s *State) removePolicy(at int) {
	_, high := s.policyRange(s.Policies[at].list())
	order := s.Policies[at].Order
	all := make([]Policy, len(s.Policies)-1)
	copy(all, s.Policies[:at])
	copy(all[at:], s.Policies[at+1:])
	for i := at; i < high-1 && all[i].Order == order+1+i-at; i++ {
		all[i].Order--
	}
	s.Policies, s.shared = all, false
}
