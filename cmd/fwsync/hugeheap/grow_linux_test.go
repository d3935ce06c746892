package hugeheap_test

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"fwsync/cmd/fwsync/hugeheap"
)

func TestTheHeapGrowsInHugePages(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		t.Skipf("NOT TESTED: this kernel has no huge pages to ask for: %v", err)
	}
	hugeheap.Grow(1 << 20) // smaller than a page: nothing to ask for
	const size = 16 << 20
	runtime.GC() // what other tests left makes no room in front of the block
	hugeheap.Grow(size)
	block := make([]byte, size)
	defer runtime.KeepAlive(block)
	if flags := mappingOf(t, uintptr(unsafe.Pointer(&block[len(block)/2]))); !strings.Contains(flags, " hg") {
		t.Errorf("the heap's flags are%s, want hg: huge pages are asked for", flags)
	}
}

// mappingOf returns the flags of the mapping that holds an address.
func mappingOf(t *testing.T, address uintptr) (flags string) {
	t.Helper()
	file, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	within := false
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var from, to uintptr
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x ", &from, &to); n == 2 {
			within = from <= address && address < to
		}
		if flags, found := strings.CutPrefix(lines.Text(), "VmFlags:"); found && within {
			return flags
		}
	}
	t.Fatalf("no mapping holds %#x", address)
	return ""
}
