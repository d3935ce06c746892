package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"fwsync/ledger"

	codes "modernc.org/sqlite/lib"
)

// DefaultBusyTimeout is how long a call waits for another process's transaction.
const DefaultBusyTimeout = 5 * time.Second

// maxReaders bounds the connections that read while one writes.
const maxReaders = 4

// Options tune a Store. The zero value is right for production.
type Options struct {
	// BusyTimeout is how long a call waits for another process's transaction before
	// it fails with ledger.ErrLocked; 0 means DefaultBusyTimeout. A context that ends
	// sooner ends the wait.
	BusyTimeout time.Duration
	// Instance is whose positions and windows the store reads and keeps. The one name
	// "" is enough for a file that one host uses.
	Instance string
}

// Open opens the ledger in the file at path and brings its schema up to date. A
// missing file is made (mode 0600), and so is its folder (mode 0700); the file
// appears complete or not at all. The file must be on a local disk.
//
// Errors: ledger.ErrCorrupt for a file that is not a healthy database (damaged,
// cut off, emptied, or gone while its write-ahead log is still there), which is
// left untouched; ledger.ErrLocked when another process holds it for longer than
// Options.BusyTimeout; and an explained error for a path that is no regular file,
// lacks permission, belongs to another program, or comes from a newer fwsync.
//
// Any number of processes may have the same ledger open.
func Open(ctx context.Context, path string, opts Options) (*Store, error) {
	path, err := resolve(path)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, busy: opts.BusyTimeout, instance: ledger.CleanText(opts.Instance), recall: new(ledger.Recall)}
	if s.busy <= 0 {
		s.busy = DefaultBusyTimeout
	}
	exists, err := inspect(path)
	if err != nil {
		return nil, err
	}
	if !exists {
		if err := create(ctx, path); err != nil {
			return nil, fmt.Errorf("creating ledger %q: %w", path, err)
		}
	}
	if err := accessible(path); err != nil {
		return nil, fmt.Errorf("opening ledger %q: %w", path, err)
	}

	if s.file, err = os.Stat(path); err != nil {
		return nil, fmt.Errorf("opening ledger %q: %w", path, err)
	}
	if s.readers, err = connect(path, "ro", s.busy, maxReaders); err != nil {
		return nil, fmt.Errorf("opening ledger %q: %w", path, err)
	}
	if s.writer, err = connect(path, "rw", s.busy, 1); err != nil {
		_ = s.readers.Close()
		return nil, fmt.Errorf("opening ledger %q: %w", path, err)
	}
	if err := s.begin(ctx); err != nil {
		err = s.explain(ctx, "opening", err)
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// begin makes sure that the file is a healthy ledger before the first connection
// that could write to it: closing such a one moves the log into the file.
func (s *Store) begin(ctx context.Context) error {
	known, err := fs.Glob(migrations, migrationFiles)
	if err != nil {
		return err
	}
	_, err = schemaVersion(ctx, s.readers, len(known))
	// A crash outside WAL mode, say in a restored backup, is undone by writing.
	if err != nil && primaryCode(err) != codes.SQLITE_READONLY {
		return err
	}
	// A restored backup may also have come back without its WAL mode.
	if _, err := s.writer.ExecContext(ctx, `PRAGMA journal_mode = WAL`); err != nil {
		return err
	}
	return migrate(ctx, s.writer, migrations)
}

// resolve follows symbolic links, so that one ledger has one name: SQLite keeps
// its log, and Lock its lock file, beside the real file.
func resolve(path string) (string, error) {
	if path == "" {
		return "", errors.New("the ledger's path is empty")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("locating ledger %q: %w", path, err)
	}
	if target, err := filepath.EvalSymlinks(abs); err == nil {
		return target, nil
	}
	if folder, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		return filepath.Join(folder, filepath.Base(abs)), nil
	}
	return abs, nil
}

// inspect looks at the file without opening it: closing a second descriptor of a
// database drops the locks that the same process holds on it.
func inspect(path string) (exists bool, err error) {
	// The log comes first: a log seen now had its database by then.
	log, logErr := os.Stat(path + "-wal")
	hasLog := logErr == nil && log.Size() > 0
	file, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && hasLog:
		return false, fmt.Errorf("opening ledger %q: %w: the file is missing, but its log %q is there; restore the file from a backup",
			path, ledger.ErrCorrupt, path+"-wal")
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("opening ledger %q: %w", path, err)
	case file.IsDir():
		return false, fmt.Errorf("opening ledger %q: it is a directory, give the path of a file", path)
	case !file.Mode().IsRegular():
		return false, fmt.Errorf("opening ledger %q: it is not a regular file (%s)", path, file.Mode().Type())
	case file.Size() == 0:
		return false, fmt.Errorf("opening ledger %q: %w: the file is empty, which a ledger never is; restore a backup, or remove it if there never was one",
			path, ledger.ErrCorrupt)
	}
	return true, nil
}

// create makes the database under another name and links it into place when it is
// complete. When somebody else was faster, theirs stays.
func create(ctx context.Context, path string) error {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	draft, err := os.CreateTemp(folder, filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(draft.Name()) }()
	if err := draft.Close(); err != nil {
		return err
	}
	db, err := connect(draft.Name(), "rw", DefaultBusyTimeout, 1)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `PRAGMA journal_mode = WAL`)
	if err == nil {
		err = migrate(ctx, db, migrations)
	}
	// Closing moves the log into the file and removes it.
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	if err := os.Link(draft.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(folder)
}

// syncFolder makes a new name in the folder survive power loss.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // a folder cannot be synced there
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }()
	return folder.Sync()
}

// connect opens no connection yet; the settings hold for each one made later. The
// mode is "ro" or "rw", neither of which conjures up an empty ledger in place of
// a lost one.
func connect(path, mode string, busy time.Duration, conns int) (*sql.DB, error) {
	query := url.Values{
		"_busy_timeout": {strconv.FormatInt(max(1, busy.Milliseconds()), 10)},
		"_foreign_keys": {"1"},
		"_synchronous":  {"FULL"},
		"_txlock":       {"immediate"}, // a reader that turns writer could be refused half-way
		"_defensive":    {"1"},
		"_dqs":          {"0"},
		"_error_rc":     {"1"},
		"mode":          {mode},
	}
	name := filepath.ToSlash(path)
	if !strings.HasPrefix(name, "/") {
		name = "/" + name // a Windows drive
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: name, RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}
