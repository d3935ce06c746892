package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"fwsync/ledger"

	"github.com/gofrs/flock"
)

// maxHolder is how many bytes of a lock file are shown to people.
const maxHolder = 200

// Lock is the part of the writer lease that the operating system keeps (promise P10):
// it drops it when the process ends, however it ends. It is safe for concurrent use.
type Lock struct {
	file  *flock.Flock
	close func() error
}

// TakeLock takes the lease of the ledger at path, by a lock on the file path.lock
// beside it, which is made if missing (mode 0600, its folder 0700) and never
// removed. It does not wait: a lease held elsewhere is a
// *ledger.HeldError.
//
// The ledger itself need not exist. The lease does not keep others from reading
// the ledger or adding decisions to it.
func TakeLock(path string) (*Lock, error) {
	path, err := resolve(path)
	if err != nil {
		return nil, err
	}
	path += ".lock"
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("taking the writer lease %q: %w", path, err)
	}
	file := flock.New(path, flock.SetPermissions(0o600))
	taken, err := file.TryLock()
	if err != nil {
		return nil, fmt.Errorf("taking the writer lease %q: %w", path, err)
	}
	if !taken {
		return nil, &ledger.HeldError{Lease: path, Holder: readHolder(path)}
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	note := fmt.Sprintf("pid %d on %s since %s\n", os.Getpid(), host, time.Now().UTC().Format(time.RFC3339))
	if err := os.WriteFile(path, []byte(note), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("signing the writer lease: %w", err), file.Close())
	}
	lock := &Lock{file: file}
	lock.close = sync.OnceValue(lock.release)
	return lock, nil
}

// Close gives the lease back. Calling it again does nothing but return the same.
func (l *Lock) Close() error { return l.close() }

func (l *Lock) release() error {
	// The note goes before the lease, so that it never names a past holder; the
	// file stays, since removing it would let two processes lock two files.
	err := os.Truncate(l.file.Path(), 0)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err := errors.Join(err, l.file.Close()); err != nil {
		return fmt.Errorf("giving back the writer lease: %w", err)
	}
	return nil
}

func readHolder(path string) string {
	note, err := os.ReadFile(path)
	if err != nil {
		return "an unknown process"
	}
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, string(note[:min(len(note), maxHolder)]))
	if text == "" {
		return "an unknown process"
	}
	return ledger.CleanText(text)
}
