// Package fetch asks for memory before it is needed: the processor to bring it into its
// cache, so that who looks into large tables in no order need not wait for each place by
// itself, and the kernel to provide it.
package fetch

import "unsafe"

// Begin begins to fetch what is at the places, which may be anywhere, and waits for none.
// It does nothing where the processor's instruction for it is not known here.
func Begin(places []unsafe.Pointer) { begin(places) }

// BeginWriting is Begin for what will be written to: no other core keeps a copy, whose loss
// the writing would have to wait for.
func BeginWriting(places []unsafe.Pointer) { beginWriting(places) }
