package firstheap_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestTheHeapBeginsInHugePages(t *testing.T) {
	if has, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled"); err != nil || strings.Contains(string(has), "[never]") {
		t.Skipf("NOT TESTED: this kernel gives no huge pages: %s%v", has, err)
	}
	usage, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		t.Skipf("NOT TESTED: this kernel does not tell: %v", err)
	}
	_, rest, _ := strings.Cut(string(usage), "AnonHugePages:")
	var kilobytes int
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil || kilobytes < 2048 {
		t.Errorf("%d kB in huge pages (%v), want the first of the heap:\n%s", kilobytes, err, usage)
	}
}
