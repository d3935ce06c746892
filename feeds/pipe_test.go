//go:build unix

package feeds

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestAPipeIsNotWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	for _, from := range []Origin{File{Path: path}, Fail2ban{Path: path}, File{Path: filepath.Dir(path)}} {
		if _, err := from.Read(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "it is ") {
			t.Errorf("%v", err)
		}
	}
}
