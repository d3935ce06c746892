package hugeheap

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
	page   = 2 << 20
	growth = 4 << 20 // the runtime maps as much of the heap at a time, from a multiple of it on
)

// inHeap is in the first part of the heap, some pages of which are in use by now: these are
// put together, what is behind them comes as huge pages. What the kernel refuses stays as
// it was.
var inHeap = new([64]byte)

func init() {
	start := uintptr(unsafe.Pointer(inHeap)) &^ (growth - 1)
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, start, growth, madvHugepage)
	for at := start; at < start+growth; at += page {
		collapse(at)
	}
}

// collapse tries again where the kernel says that a page is in use only for now.
func collapse(at uintptr) {
	for range 3 {
		if _, _, e := syscall.Syscall(syscall.SYS_MADVISE, at, page, madvCollapse); e != syscall.EAGAIN {
			return
		}
	}
}
