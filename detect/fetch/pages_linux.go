package fetch

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Pages returns table, whose memory the kernel provides at once, in pages of 2 MB where it
// has these to give for the asking (transparent_hugepage "madvise" or "always"). Else it does
// so page by page when each is first written to, which takes many times as long in all: a
// guest of some virtual machines 3 ms for each MB, or 0.06. It is for tables that will be
// filled. Kernels before 5.14 provide none at once.
func Pages[T any](table []T) []T {
	const page = 1 << 12
	from := uintptr(unsafe.Pointer(unsafe.SliceData(table)))
	first := -from % page // up to the first whole page
	if size := uintptr(len(table)) * unsafe.Sizeof(*new(T)); size >= first+page {
		inHugePages(from, from+size)
		whole := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(table)), first)), (size-first)&^(page-1))
		_ = unix.Madvise(whole, unix.MADV_POPULATE_WRITE)
	}
	return table
}

// inHugePages asks for huge pages also around a part of the heap: what is there is of the
// heap too, or will be.
func inHugePages(from, to uintptr) {
	const growth = 4 << 20 // the runtime maps as much at a time, from a multiple of it on
	from, to = from&^(growth-1), (to+growth-1)&^(growth-1)
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_HUGEPAGE)
}
