package sources

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestWhatIsInMemoryAndWhatIsNotReadTheSame(t *testing.T) {
	want := make([]byte, 1<<20+77)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(want)
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, want, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	check := func(from int64) {
		t.Helper()
		if _, err := f.Seek(from, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(promptly(f))
		if err != nil || !bytes.Equal(got, want[from:]) {
			t.Fatalf("from %d: %d of %d bytes, %v", from, len(got), int64(len(want))-from, err)
		}
		if at, _ := f.Seek(0, io.SeekCurrent); at != int64(len(want)) {
			t.Fatalf("from %d: the file stands at %d", from, at)
		}
	}
	check(0)
	check(12345)
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	// The second half leaves memory, where the file system lets it.
	if err := unix.Fadvise(int(f.Fd()), 1<<19, 1<<20, unix.FADV_DONTNEED); err != nil {
		t.Fatal(err)
	}
	check(0)

	reader := promptly(f)
	if n, err := reader.Read(make([]byte, 10)); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
	if _, err := f.WriteAt([]byte("more"), int64(len(want))); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(reader); err != nil || string(got) != "more" {
		t.Errorf("of what came later: %q, %v", got, err)
	}
	if reader.(*prompt).unable {
		t.Skip("NOT TESTED: the file system here does not tell what is in memory, so that all was read in the usual way")
	}
}

func TestFilesThatDoNotTellWhatIsInMemoryAreRead(t *testing.T) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	reader := promptly(f)
	got, err := io.ReadAll(reader)
	if err != nil || !bytes.HasPrefix(got, []byte("Name:")) {
		t.Errorf("%q, %v", got, err)
	}
	if !reader.(*prompt).unable {
		t.Error("it is asked again and again")
	}
	f.Close()
	if _, err := promptly(f).Read(make([]byte, 10)); err == nil {
		t.Error("a closed file is read")
	}
}
