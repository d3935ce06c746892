package firstheap

import (
	"syscall"
	"unsafe"
)

// madvise(2), asm-generic/mman-common.h; not in package syscall, and package unix is
// initialised too late.
const (
	madvHugepage = 14
	madvCollapse = 25 // since Linux 6.1
)

const (
	hugePage   = 2 << 20
	heapGrowth = 4 << 20 // the runtime maps as much at a time, from a multiple of it on
)

// inHeap is in the first pages of the heap, some of which are in use by now.
var inHeap = new([64]byte)

// What the kernel refuses is as it was: usual pages.
func init() {
	used := uintptr(unsafe.Pointer(inHeap)) &^ (hugePage - 1)
	first := used &^ (heapGrowth - 1)
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, first, heapGrowth, madvHugepage)
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, used, hugePage, madvCollapse)
}
