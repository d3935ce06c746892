//go:build unix

package sources

import (
	"os"
	"syscall"
)

func identity(info os.FileInfo) (device, inode uint64) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Dev), uint64(s.Ino)
	}
	return 0, 0
}

// withoutWaiting opens a FIFO before it has a writer.
const withoutWaiting = syscall.O_NONBLOCK
