package fetch_test

import (
	"testing"
	"unsafe"

	"fwsync/detect/fetch"
)

// That it is faster is for benchmarks; here it must not touch what it fetches, nor fail
// where there is nothing.
func TestFetchingChangesNothing(t *testing.T) {
	table := make([]uint64, 1<<16)
	for n := range 20 {
		var places []unsafe.Pointer
		for i := range n {
			table[i*1000] = uint64(i)
			places = append(places, unsafe.Pointer(&table[i*1000]), nil)
		}
		fetch.Begin(places)
		for i, at := range places {
			if i%2 == 0 && *(*uint64)(at) != uint64(i/2) {
				t.Fatalf("place %d holds %d", i/2, *(*uint64)(at))
			}
		}
	}
}
