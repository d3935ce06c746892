//go:build !amd64 && !arm64

package fetch

import "unsafe"

func begin([]unsafe.Pointer) {}

func beginWriting([]unsafe.Pointer) {}
