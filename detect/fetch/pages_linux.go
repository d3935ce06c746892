package fetch

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Pages returns table, whose memory the kernel provides at once. Else it does so page by
// page when each is first written to, which takes many times as long in all. It is for
// tables that will be filled. Kernels before 5.14 ignore it.
func Pages[T any](table []T) []T {
	const page = 1 << 12
	from := uintptr(unsafe.Pointer(unsafe.SliceData(table)))
	first := -from % page // up to the first whole page
	if size := uintptr(len(table)) * unsafe.Sizeof(*new(T)); size >= first+page {
		whole := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(table)), first)), (size-first)&^(page-1))
		_ = unix.Madvise(whole, unix.MADV_POPULATE_WRITE)
	}
	return table
}
