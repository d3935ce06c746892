// Package firstheap has the heap begin in huge pages, where the kernel has such. It is
// imported for that alone, by the program: what all packages make when they are initialised
// fills some hundred usual pages, and in a guest of some virtual machines the first touch of
// each takes 12 µs, of one of 2 MB no more than 150.
//
// Go initialises the first package, by import path, whose imports are ready (since 1.21):
// this one imports nothing that is ready late, and its path is before those of the libraries.
package firstheap
