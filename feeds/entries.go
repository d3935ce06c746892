package feeds

import (
	"net/netip"
	"strings"

	"fwsync/cloudfw"
)

// usable leaves out what may not be blocked or is there twice.
func (f Feed) usable(entries []Entry) (kept []Entry, left int) {
	seen := make(map[netip.Prefix]bool, len(entries))
	for _, e := range entries {
		widest := f.Widest4
		if cloudfw.FamilyOf(e.Prefix) == cloudfw.IPv6 {
			widest = f.Widest6
		}
		if _, reserved := cloudfw.Reserved(e.Prefix); reserved || e.Prefix.Bits() < widest {
			left++
			continue
		}
		if !seen[e.Prefix] {
			seen[e.Prefix] = true
			kept = append(kept, e)
		}
	}
	return kept, left
}

// prefixOf reads an address or a prefix, as most lists write them: also in brackets or
// with something behind a blank. Two addresses are a range, which is no prefix.
func prefixOf(text string) (netip.Prefix, bool) {
	text = strings.TrimSpace(text)
	if i := strings.IndexAny(text, " \t"); i > 0 {
		next := strings.TrimLeft(text[i:], " \t-")
		if end := strings.IndexAny(next, " \t"); end > 0 {
			next = next[:end]
		}
		if _, err := netip.ParseAddr(next); err == nil {
			return netip.Prefix{}, false
		}
		text = text[:i]
	}
	text = strings.Trim(text, `"[]`)
	if len(text) > 64 {
		return netip.Prefix{}, false
	}
	p, err := cloudfw.ParsePrefix(text)
	return p, err == nil
}
