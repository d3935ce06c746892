//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package sqlite

import (
	"fmt"
	"path/filepath"
	"syscall"
)

// accessible asks whether the file may be read and written and its folder take
// the log. SQLite would quietly open such a file for reading only.
func accessible(path string) error {
	const read, write, enter = 4, 2, 1
	if err := syscall.Access(path, read|write); err != nil {
		return fmt.Errorf("the file must be readable and writable%s: %w", mode(path), err)
	}
	folder := filepath.Dir(path)
	if err := syscall.Access(folder, write|enter); err != nil {
		return fmt.Errorf("its folder must be writable%s: %w", mode(folder), err)
	}
	return nil
}
