//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package simulator

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lock keeps other processes from writing the state file until unlock is called.
// It locks a file beside it, since the state file itself is replaced on each save.
func (f *stateFile) lock() (unlock func(), err error) {
	file, err := os.OpenFile(f.path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking state file %q: %w", f.path, err)
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("locking state file %q: %w", f.path, err)
	}
	return func() { file.Close() }, nil
}

// syncFolder makes a rename in the folder durable.
func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
