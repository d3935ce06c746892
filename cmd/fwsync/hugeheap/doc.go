// Package hugeheap has the heap in huge pages, where the kernel has these to give for the
// asking (transparent_hugepage "madvise" or "always"). The kernel provides a page when it is
// first touched, which takes a guest of some virtual machines 12 µs: 3 ms for each MB of
// usual pages, 0.06 of those of 2 MB.
//
// Who imports it has the heap begin so: what all packages make when they are initialised
// fills some hundred usual pages. Go initialises the first package, by import path, whose
// imports are ready (since 1.21): this one imports nothing that is ready late, and its path
// is before those of the libraries.
package hugeheap
