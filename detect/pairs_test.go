package detect

import (
	"testing"

	"pgregory.net/rapid"
)

func TestPairsAreFoundUntilTheyAreRemoved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ps := newPairs(newSeed(rapid.Uint64().Draw(t, "seed")), []uint8{1, 3, 0, 0})
		type bundle struct {
			key   key
			meter uint16
		}
		const keys = 400 // up to 800 bundles: the slots double once, and chains are long before
		there := map[bundle]uint32{}
		draw := func() bundle {
			return bundle{key{0, rapid.Uint64Range(0, keys-1).Draw(t, "key")}, rapid.Uint16Range(0, 1).Draw(t, "meter")}
		}
		for b := range rapid.Uint64Range(0, keys).Draw(t, "first") {
			there[bundle{key{0, b}, 1}] = ps.insert(key{0, b}, 1)
		}
		for range rapid.IntRange(0, 800).Draw(t, "changes") {
			b := draw()
			if i, ok := there[b]; ok {
				ps.remove(i)
				delete(there, b)
			} else {
				there[b] = ps.insert(b.key, b.meter)
			}
		}
		filled := 0
		for _, v := range ps.slots {
			if v != 0 {
				filled++
			}
		}
		if filled != len(there) || ps.heads != len(there) {
			t.Fatalf("%d slots are filled and %d heads counted, of %d", filled, ps.heads, len(there))
		}
		for n := range uint64(2 * keys) {
			b := bundle{key{0, n / 2}, uint16(n % 2)}
			want, known := there[b]
			if i, ok := ps.find(b.key, b.meter); ok != known || i != want {
				t.Fatalf("%v is found at %d, %v; it is at %d, %v", b, i, ok, want, known)
			}
		}
	})
}
