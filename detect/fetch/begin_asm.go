//go:build amd64 || arm64

package fetch

import "unsafe"

//go:noescape
func begin(places []unsafe.Pointer)

//go:noescape
func beginWriting(places []unsafe.Pointer)
