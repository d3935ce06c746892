package condense

import "slices"

const (
	digitBits = 11
	digits    = 4 // of 38 bits in use
	fewKeys   = 1024
)

// sortPacked sorts by one counting pass per digit, which for the million addresses
// of a large blocklist takes a quarter of a comparison sort's time. Digits that are
// the same everywhere, as the length of plain addresses is, cost nothing. It
// returns the argument or a copy.
func sortPacked(keys []packed) []packed {
	if len(keys) < fewKeys || slices.IsSorted(keys) {
		slices.Sort(keys)
		return keys
	}
	var counts [digits][1 << digitBits]uint32
	for _, k := range keys {
		for d := range digits {
			counts[d][k>>(d*digitBits)&(1<<digitBits-1)]++
		}
	}
	spare := make([]packed, len(keys))
	for d := range digits {
		shift, count := d*digitBits, &counts[d]
		if int(count[keys[0]>>shift&(1<<digitBits-1)]) == len(keys) {
			continue
		}
		at := uint32(0)
		for i, n := range count {
			count[i], at = at, at+n
		}
		for _, k := range keys {
			digit := k >> shift & (1<<digitBits - 1)
			spare[count[digit]] = k
			count[digit]++
		}
		keys, spare = spare, keys
	}
	return keys
}
