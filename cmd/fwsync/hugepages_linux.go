package main

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// growInHugePages has the next size bytes of the heap come in pages of 2 MB, where the
// kernel has these to give for the asking (transparent_hugepage "madvise" or "always").
// The kernel provides a page when it is first touched, which takes a guest of some virtual
// machines 12 µs: 3 ms for each MB of usual pages, 0.06 of these. The runtime has no name for
// that memory, so a block of it is made, marked and given back before anything touches it.
func growInHugePages(size int) {
	const page = 2 << 20
	block := make([]byte, size)
	first := -uintptr(unsafe.Pointer(unsafe.SliceData(block))) % page
	if whole := block[min(first, uintptr(size)):]; len(whole) >= page {
		_ = unix.Madvise(whole[:len(whole)/page*page], unix.MADV_HUGEPAGE)
	}
	runtime.KeepAlive(block)
	runtime.GC() // the heap goes on where the block was
}
