package policies

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"fwsync/cloudfw"
	"fwsync/ledger"
)

// Compiled is the intent, and what of the blocks did not get into it.
type Compiled struct {
	Intent   cloudfw.Intent
	Withheld []Withheld // by prefix; at the most one for each block and exemption
}

// Withheld is a part of a block that is not enforced, because it is exempt.
type Withheld struct {
	Prefix    netip.Prefix // the exempt part, or the whole block
	Block     netip.Prefix // what was to be blocked
	Reason    string       // why it is exempt, as in cloudfw.Exempt
	Decisions []int64      // the decisions behind the block, ascending
}

// Compile merges the policy with the decisions that are active at now. It is pure,
// and the order of the decisions means nothing.
//
// Blocks of the same prefix become one: the highest score with its reason, the
// latest end (the zero time, which is never, wins), the numbers of all decisions. It
// lapses when a decision that does holds as long as any of them.
// What the allowlist, active allow decisions and exempt hold is cut out, so an exemption
// inside a block splits it and a block inside an exemption vanishes. A block within
// a wider one stays. The error names an invalid owner, or the decision or the exempt
// whose prefix or verdict is invalid.
func (p *Policy) Compile(decisions []ledger.Decision, owner cloudfw.Owner, now time.Time, exempt ...cloudfw.Exempt) (Compiled, error) {
	if _, err := cloudfw.ParseOwner(string(owner)); err != nil {
		return Compiled{}, err
	}
	allowed := slices.Clone(p.Allowlist)
	for _, e := range exempt {
		prefix, err := canonical(e.Prefix)
		if err != nil {
			return Compiled{}, fmt.Errorf("compiling what is exempt (%s): %w", e.Reason, err)
		}
		allowed = append(allowed, cloudfw.Exempt{Prefix: prefix, Reason: e.Reason})
	}
	blocks := make([]cloudfw.Block, 0, len(decisions))
	for _, d := range decisions {
		if !d.ActiveAt(now) {
			continue
		}
		prefix, err := canonical(d.Prefix)
		if err != nil {
			return Compiled{}, fmt.Errorf("compiling decision %d: %w", d.ID, err)
		}
		switch d.Verdict {
		case ledger.Allow:
			allowed = append(allowed, cloudfw.Exempt{Prefix: prefix, Reason: allowReason(d)})
		case ledger.Block:
			blocks = append(blocks, cloudfw.Block{Prefix: prefix, Until: d.End, Score: d.Score, Reason: d.Reason, Decisions: []int64{d.ID}, Lapses: d.Lapses && !d.End.IsZero()})
		default:
			return Compiled{}, fmt.Errorf("compiling decision %d: verdict %q is neither block nor allow", d.ID, d.Verdict)
		}
	}
	slices.SortFunc(allowed, compareExempts)
	allowed = slices.Compact(allowed)

	holes := outermost(allowed)
	var kept []cloudfw.Block
	var withheld []Withheld
	cut := false
	for _, b := range merge(blocks) {
		inside := overlapping(holes, b.Prefix)
		if len(inside) == 0 {
			kept = append(kept, b)
			continue
		}
		cut = true
		for _, h := range inside {
			part := h.Prefix
			if cloudfw.Covers(part, b.Prefix) {
				part = b.Prefix
			}
			withheld = append(withheld, Withheld{part, b.Prefix, h.Reason, b.Decisions})
		}
		for _, piece := range carve(b.Prefix, inside) {
			b.Prefix = piece
			kept = append(kept, b)
		}
	}
	if cut { // a piece may be a block that was there already
		kept = merge(kept)
	}
	slices.SortFunc(kept, func(a, b cloudfw.Block) int {
		if a.Score != b.Score {
			return cmp.Compare(b.Score, a.Score)
		}
		return cloudfw.ComparePrefixes(a.Prefix, b.Prefix)
	})
	slices.SortFunc(withheld, func(a, b Withheld) int {
		return cmp.Or(cloudfw.ComparePrefixes(a.Prefix, b.Prefix), cloudfw.ComparePrefixes(a.Block, b.Block))
	})
	return Compiled{
		Intent:   cloudfw.Intent{Owner: owner, Rules: p.Rules, Blocked: kept, Allowed: allowed, Targets: p.Targets, Collateral: p.Collateral},
		Withheld: withheld,
	}, nil
}

// canonical brings a stored prefix into the form that the model asks for.
func canonical(p netip.Prefix) (netip.Prefix, error) {
	if !p.IsValid() {
		return p, fmt.Errorf("prefix %s is not valid", p)
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return p, fmt.Errorf("prefix %s mixes IPv4-mapped and other IPv6 addresses", p)
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

func allowReason(d ledger.Decision) string {
	switch {
	case d.Reason == "":
		return "allowed by " + d.Author
	case d.Author == "":
		return d.Reason
	}
	return fmt.Sprintf("allowed by %s: %s", d.Author, d.Reason)
}

// merge makes one block of those with the same prefix and orders them by prefix.
// It uses its argument up.
func merge(blocks []cloudfw.Block) []cloudfw.Block {
	slices.SortFunc(blocks, func(a, b cloudfw.Block) int {
		if c := cloudfw.ComparePrefixes(a.Prefix, b.Prefix); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Decisions[0], b.Decisions[0]), cmp.Compare(a.Reason, b.Reason))
	})
	merged := blocks[:0] // never ahead of what is still to be read
	for start := 0; start < len(blocks); {
		end := start + 1
		for end < len(blocks) && blocks[end].Prefix == blocks[start].Prefix {
			end++
		}
		merged = append(merged, union(blocks[start:end]))
		start = end
	}
	return merged
}

// union is the one block for several of the same prefix, the worst first.
func union(same []cloudfw.Block) cloudfw.Block {
	if len(same) == 1 {
		return same[0]
	}
	b := same[0]
	b.Decisions, b.Lapses = nil, false
	for _, s := range same {
		b.Decisions = append(b.Decisions, s.Decisions...)
		if b.Until.IsZero() || s.Until.IsZero() {
			b.Until = time.Time{}
		} else if s.Until.After(b.Until) {
			b.Until = s.Until
		}
	}
	for _, s := range same {
		b.Lapses = b.Lapses || s.Lapses && s.Until.Equal(b.Until)
	}
	slices.Sort(b.Decisions)
	b.Decisions = slices.Compact(b.Decisions)
	return b
}

// outermost drops exemptions within others from an ascending list, so that what is
// left is disjoint.
func outermost(allowed []cloudfw.Exempt) []cloudfw.Exempt {
	var holes []cloudfw.Exempt
	for _, e := range allowed {
		if len(holes) == 0 || !cloudfw.Covers(holes[len(holes)-1].Prefix, e.Prefix) {
			holes = append(holes, e)
		}
	}
	return holes
}

// overlapping returns the part of the ascending, disjoint holes that shares
// addresses with p: one that covers p, or all that lie within it.
func overlapping(holes []cloudfw.Exempt, p netip.Prefix) []cloudfw.Exempt {
	start, _ := slices.BinarySearchFunc(holes, p, func(h cloudfw.Exempt, p netip.Prefix) int {
		return cloudfw.ComparePrefixes(h.Prefix, p)
	})
	if start > 0 && cloudfw.Covers(holes[start-1].Prefix, p) {
		return holes[start-1 : start]
	}
	end := start
	for end < len(holes) && cloudfw.Covers(p, holes[end].Prefix) {
		end++
	}
	return holes[start:end]
}

// carve cuts ascending, disjoint holes, all of them within p or one that covers it,
// out of p. Each hole lies in the last piece or to the right of it, so the work
// grows with the number of holes and not with its square.
func carve(p netip.Prefix, holes []cloudfw.Exempt) []netip.Prefix {
	done, rest := []netip.Prefix(nil), []netip.Prefix{p}
	for _, h := range holes {
		i := slices.IndexFunc(rest, func(piece netip.Prefix) bool { return piece.Overlaps(h.Prefix) })
		if i < 0 {
			continue
		}
		done = append(done, rest[:i]...)
		rest = slices.Concat(cloudfw.Subtract(rest[i], []netip.Prefix{h.Prefix}), rest[i+1:])
	}
	return append(done, rest...)
}
