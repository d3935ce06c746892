package wrap

import (
	"strings"
	"testing"

	"fwsync/cloudfw"
)

func TestAReadOnlyAccountRefusesEveryStepWithoutACall(t *testing.T) {
	f := &fake{}
	err := ReadOnly(f).Execute(t.Context(), step("fwsync-edge-blocked4-1"))
	if cloudfw.KindOf(err) != cloudfw.Denied || len(f.executed) != 0 {
		t.Fatalf("got %v after %d calls", err, len(f.executed))
	}
	for _, part := range []string{"delete book", "fwsync-edge-blocked4-1", "read-only"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not name %q", err, part)
		}
	}
}
