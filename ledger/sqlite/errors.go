package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"

	"fwsync/ledger"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// explain says what was being done to which file, and gives the two conditions
// that callers act on their names.
func (s *Store) explain(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	code := primaryCode(err)
	// The driver has many words for work that a context ended: its own error, a
	// finished transaction, a closed statement, an interrupt.
	if ended := ctx.Err(); ended != nil && (code == -1 || code == codes.SQLITE_INTERRUPT) && !errors.Is(err, ledger.ErrCorrupt) {
		return fmt.Errorf("%s ledger %q: %w", doing, s.path, ended)
	}
	switch code {
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED:
		return fmt.Errorf("%s ledger %q: %w (waited %s): %w", doing, s.path, ledger.ErrLocked, s.busy, err)
	case codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB:
		return fmt.Errorf("%s ledger %q: %w: %w%s; it was left as it is: keep a copy and restore a backup",
			doing, s.path, ledger.ErrCorrupt, err, s.damage(ctx))
	case codes.SQLITE_CANTOPEN, codes.SQLITE_READONLY, codes.SQLITE_PERM:
		return fmt.Errorf("%s ledger %q: no permission to read and write the file%s and its folder: %w",
			doing, s.path, mode(s.path), err)
	case codes.SQLITE_FULL:
		return fmt.Errorf("%s ledger %q: the disk is full, nothing was changed: %w", doing, s.path, err)
	case codes.SQLITE_IOERR:
		return fmt.Errorf("%s ledger %q: the disk did not take or give it, nothing was changed; look at its free space, quota and health: %w", doing, s.path, err)
	}
	return fmt.Errorf("%s ledger %q: %w", doing, s.path, err)
}

// primaryCode is SQLite's result code without its extension, or -1 for an error
// that is not SQLite's.
func primaryCode(err error) int {
	var failure *driver.Error
	if !errors.As(err, &failure) {
		return -1
	}
	return failure.Code() & 0xff
}

// damage is the first finding of SQLite's own check, or nothing when the file is
// too far gone for it.
func (s *Store) damage(ctx context.Context) string {
	var finding string
	err := s.readers.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&finding)
	if err != nil || finding == "ok" {
		return ""
	}
	return fmt.Sprintf(" (quick check: %s)", finding)
}

func mode(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (mode %s)", info.Mode())
}
