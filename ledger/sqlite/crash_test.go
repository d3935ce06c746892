package sqlite

import (
	"bufio"
	"database/sql"
	"errors"
	"os"
	"strconv"
	"testing"
	"time"

	"fwsync/ledger/storetest"
)

// P6: a process killed at any moment leaves whole intakes, and all it had reported.
func TestP6AKilledProcessLosesNothingItReported(t *testing.T) {
	path := newPath(t)
	for round := range 5 {
		cmd := process(t, "endless", path)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		reported := 0
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if reported, err = strconv.Atoi(lines.Text()); err != nil {
				t.Fatal(err)
			}
			if reported == 20+round {
				cmd.Process.Kill() // what it still says before it dies counts too
			}
		}
		cmd.Wait()

		s := open(t, path)
		windows, err := s.Windows(t.Context())
		saved, numberErr := strconv.Atoi(string(windows))
		if err := errors.Join(err, numberErr); err != nil {
			t.Fatal(err)
		}
		if saved < reported || saved > reported+1 {
			t.Errorf("intake %d is the last saved, %d the last reported", saved, reported)
		}
		positions, err := s.Positions(t.Context())
		if err != nil || string(positions["log"]) != strconv.Itoa(saved) {
			t.Errorf("position %s (error %v), want that of intake %d", positions["log"], err, saved)
		}
		all, err := s.Decisions(t.Context(), time.Time{})
		if err != nil || len(all)%5 != 0 || len(all) < 5*saved {
			t.Errorf("%d decisions (error %v) are not whole intakes of 5", len(all), err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// P6: the same for power loss, as far as a copy of the files in the middle of a
// transaction shows it.
func TestP6FilesCopiedInTheMiddleOfATransactionAreTheOldState(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	old, err := s.Add(t.Context(), storetest.Many(10))
	if err != nil {
		t.Fatal(err)
	}
	// A small cache spills the unfinished transaction into the log.
	if _, err := s.writer.ExecContext(t.Context(), `PRAGMA cache_size = 10`); err != nil {
		t.Fatal(err)
	}
	rows, err := s.prepare(storetest.Many(5000))
	if err != nil {
		t.Fatal(err)
	}
	var during, torn string
	err = s.change(t.Context(), "testing", func(tx *sql.Tx) error {
		if err := save(t.Context(), tx, rows); err != nil {
			return err
		}
		during = copyLedger(t, path, 0)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	after := copyLedger(t, path, 0)
	torn = copyLedger(t, path, 3000) // the end of the log did not reach the disk

	for _, tc := range []struct {
		name, path string
		want       int
	}{
		{"before the commit", during, len(old)},
		{"after the commit", after, len(old) + len(rows)},
		{"with a torn log", torn, len(old)},
	} {
		got, err := open(t, tc.path).Decisions(t.Context(), time.Time{})
		if err != nil || len(got) != tc.want {
			t.Errorf("copied %s: %d decisions (error %v), want %d", tc.name, len(got), err, tc.want)
		}
	}
}

func copyLedger(t *testing.T, path string, cut int) string {
	t.Helper()
	target := newPath(t)
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if suffix == "-wal" {
			if len(content) < 100_000 {
				t.Fatalf("the log has only %d bytes: the test would show nothing", len(content))
			}
			content = content[:len(content)-cut]
		}
		if err := os.WriteFile(target+suffix, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return target
}
