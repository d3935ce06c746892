package fetch_test

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"

	"fwsync/detect/fetch"
)

func TestTablesAreInHugePages(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		t.Skipf("NOT TESTED: this kernel has no huge pages to ask for: %v", err)
	}
	table := fetch.Pages(make([]uint64, 1<<19)) // 4 MB
	for i := range table {
		table[i] = uint64(i)
	}
	for _, at := range []int{0, len(table) / 2, len(table) - 1} {
		if flags := mappingOf(t, uintptr(unsafe.Pointer(&table[at]))); !strings.Contains(flags, " hg") {
			t.Errorf("at %d of %d the flags are%s, want hg: huge pages are asked for", at, len(table), flags)
		}
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
