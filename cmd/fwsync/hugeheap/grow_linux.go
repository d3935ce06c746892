package hugeheap

import (
	"runtime"
	"syscall"
	"unsafe"
)

// Grow has the next size bytes of the heap come in huge pages; less than one changes nothing.
// It collects garbage. The runtime has no name for that memory, so a block of it is made,
// marked and given back before anything touches it.
func Grow(size int) {
	block := make([]byte, size)
	start := uintptr(unsafe.Pointer(unsafe.SliceData(block)))
	from, to := (start+page-1)&^(page-1), (start+uintptr(size))&^(page-1)
	if from < to {
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, from, to-from, madvHugepage)
	}
	runtime.KeepAlive(block)
	runtime.GC() // the heap goes on where the block was
}
