package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fwsync/ledger"
	"fwsync/ledger/storetest"

	"io/fs"
	"net"
)

func TestAMissingLedgerIsMadePrivateWithItsFolder(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "var", "lib", "ledger #1 100%?.db")
	s := open(t, path)
	if _, err := s.Add(t.Context(), []ledger.Decision{storetest.Block("192.0.2.1")}); err != nil {
		t.Fatal(err)
	}
	modes := map[string]fs.FileMode{}
	err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err != nil || name == root {
			return err
		}
		info, err := e.Info()
		modes[strings.TrimPrefix(name, root+"/")] = info.Mode().Perm()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	file := "var/lib/ledger #1 100%?.db"
	for name, want := range map[string]fs.FileMode{
		"var": 0o700, "var/lib": 0o700, file: 0o600, file + "-wal": 0o600, file + "-shm": 0o600,
	} {
		if got, ok := modes[name]; !ok || got != want {
			t.Errorf("%s has mode %v (there: %v), want %v", name, got, ok, want)
		}
		delete(modes, name)
	}
	if len(modes) != 0 {
		t.Errorf("left behind: %v", modes)
	}
}

func TestSettingsThatDurabilityRestsOn(t *testing.T) {
	s := open(t, newPath(t))
	for _, tc := range []struct{ pragma, want string }{
		{"journal_mode", "wal"}, {"synchronous", "2"}, {"foreign_keys", "1"}, {"busy_timeout", "5000"},
	} {
		var got string
		if err := s.writer.QueryRowContext(t.Context(), "PRAGMA "+tc.pragma).Scan(&got); err != nil || got != tc.want {
			t.Errorf("%s is %q (error %v), want %q", tc.pragma, got, err, tc.want)
		}
	}
	if _, err := s.readers.ExecContext(t.Context(), `DELETE FROM decisions`); err == nil {
		t.Error("a reading connection can write")
	}
	if n := s.writer.Stats().MaxOpenConnections; n != 1 {
		t.Errorf("%d writing connections, want 1", n)
	}
}

func TestPathsThatCannotBeALedgerAreExplained(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(folder, "socket")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for _, tc := range []struct{ name, path, want string }{
		{"no path", "", "empty"},
		{"a directory", folder, "is a directory"},
		{"a socket", socket, "not a regular file"},
		{"a file for a folder", filepath.Join(file, "ledger.db"), "not a directory"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Open(t.Context(), tc.path, Options{})
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), tc.path) {
				t.Errorf("error %v, want %q and the path", err, tc.want)
			}
			if errors.Is(err, ledger.ErrCorrupt) || errors.Is(err, ledger.ErrLocked) {
				t.Errorf("error %v claims more than it knows", err)
			}
		})
	}
}

func TestMissingPermissionsAreExplained(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may do everything")
	}
	for _, tc := range []struct {
		name         string
		file, folder fs.FileMode
		want         string
	}{
		{"a file that cannot be read", 0o000, 0o700, "readable and writable (mode ----------)"},
		{"a file that cannot be written", 0o400, 0o700, "readable and writable (mode -r--------)"},
		{"a folder that cannot be written", 0o600, 0o500, "folder must be writable (mode dr-x------)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := newPath(t)
			open(t, path).Close()
			if err := errors.Join(os.Chmod(path, tc.file), os.Chmod(filepath.Dir(path), tc.folder)); err != nil {
				t.Fatal(err)
			}
			defer os.Chmod(filepath.Dir(path), 0o700)
			_, err := Open(t.Context(), path, Options{})
			if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want %q and the path", err, tc.want)
			}
		})
	}
	t.Run("a new ledger in a folder that cannot be written", func(t *testing.T) {
		folder := t.TempDir()
		if err := os.Chmod(folder, 0o500); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(folder, 0o700)
		if _, err := Open(t.Context(), filepath.Join(folder, "ledger.db"), Options{}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("error %v, want permission denied", err)
		}
	})
}

func TestASymbolicLinkLeadsToTheSameLedgerAndLease(t *testing.T) {
	path := newPath(t)
	link := filepath.Join(t.TempDir(), "link.db")
	s := open(t, path)
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, link).Add(t.Context(), []ledger.Decision{storetest.Block("192.0.2.1")}); err != nil {
		t.Fatal(err)
	}
	if all, err := s.Decisions(t.Context(), time.Time{}); err != nil || len(all) != 1 {
		t.Errorf("decisions %v (error %v), want the one added through the link", all, err)
	}
	lease, err := TakeLock(path)
	if err != nil {
		t.Fatal(err)
	}
	defer lease.Close()
	var held *ledger.HeldError
	if _, err := TakeLock(link); !errors.As(err, &held) {
		t.Errorf("error %v, want the lease to be held", err)
	}
}

func TestABackupInAnotherJournalModeGetsItsLogBack(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	added, err := s.Add(t.Context(), []ledger.Decision{storetest.Block("192.0.2.1")})
	if err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(t.TempDir(), "backup.db")
	if _, err := s.writer.ExecContext(t.Context(), `VACUUM INTO ?`, backup); err != nil {
		t.Fatal(err)
	}
	restored := open(t, backup)
	var mode string
	if err := restored.writer.QueryRowContext(t.Context(), `PRAGMA journal_mode`).Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("journal mode %q (error %v), want wal", mode, err)
	}
	if all, err := restored.Decisions(t.Context(), time.Time{}); err != nil || len(all) != 1 || all[0].ID != added[0].ID {
		t.Errorf("decisions %v (error %v), want those of the backup", all, err)
	}
}
