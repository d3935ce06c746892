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
		fetch.BeginWriting(places)
		for i, at := range places {
			if i%2 == 0 && *(*uint64)(at) != uint64(i/2) {
				t.Fatalf("place %d holds %d", i/2, *(*uint64)(at))
			}
		}
	}
}

func TestTablesHaveTheirPages(t *testing.T) {
	for _, n := range []int{0, 1, 511, 512, 513, 1 << 10, 1<<15 + 7} {
		table := fetch.Pages(make([]uint64, n))
		if len(table) != n {
			t.Fatalf("%d of %d", len(table), n)
		}
		for i := range table {
			if table[i] != 0 {
				t.Fatalf("of %d, place %d holds %d", n, i, table[i])
			}
			table[i] = uint64(i)
		}
		part := fetch.Pages(table[n/3:]) // what is there stays
		for i := range part {
			if part[i] != uint64(n/3+i) {
				t.Fatalf("of %d, place %d holds %d", n, n/3+i, part[i])
			}
		}
	}
}
