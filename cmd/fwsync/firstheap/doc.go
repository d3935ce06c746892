// Package firstheap has the heap begin in huge pages, where the kernel has such. It is
// imported for that alone, by the program: what all packages make when they are initialised
// fills some hundred usual pages, and in a guest of some virtual machines the first touch of
// each takes 12 µs, of one of 2 MB no more than 150.
//
// It imports nothing that is initialised late, and is itself initialised before whatever
// is not of the standard library.
package firstheap
