//go:build !linux

package sources

import (
	"io"
	"os"
)

// promptly knows no faster way here.
func promptly(file *os.File) io.Reader { return file }
