package hugeheap_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTheHeapBeginsInHugePages(t *testing.T) {
	// An area of 4 MB has a whole huge page wherever it begins.
	area, err := unix.Mmap(-1, 0, 4<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Munmap(area) }()
	before := inHugePages(t)
	for at := 0; at < len(area); at += 4096 {
		area[at] = 1
	}
	_ = unix.Madvise(area, unix.MADV_COLLAPSE)
	if inHugePages(t) == before {
		t.Skip("NOT TESTED: this kernel puts no pages together (before Linux 6.1, or it has none of this size)")
	}
	if before < 2048 {
		t.Errorf("%d kB are in huge pages, want the first of the heap", before)
	}
}

// inHugePages returns how many kB of this process are.
func inHugePages(t *testing.T) (kilobytes int) {
	t.Helper()
	usage, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		t.Skipf("NOT TESTED: this kernel does not tell: %v", err)
	}
	_, rest, _ := strings.Cut(string(usage), "AnonHugePages:")
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		t.Fatalf("%v in:\n%s", err, usage)
	}
	return kilobytes
}
