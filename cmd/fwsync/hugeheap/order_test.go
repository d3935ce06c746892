package hugeheap_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	_ "fwsync/cloudfw/alibaba"
	_ "fwsync/cmd/fwsync/hugeheap"
	_ "fwsync/ledger/sqlite"
)

// Were it initialised late, what it asks for would come too late.
func TestItIsInitialisedBeforeLibraries(t *testing.T) {
	itself := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	itself.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := itself.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var order []string
	for line := range strings.Lines(string(out)) {
		if rest, ok := strings.CutPrefix(line, "init "); ok {
			order = append(order, strings.Fields(rest)[0])
		}
	}
	at := slices.Index(order, "fwsync/cmd/fwsync/hugeheap")
	library := slices.IndexFunc(order, func(path string) bool { return strings.HasPrefix(path, "github.com/") })
	if at < 0 || library < 0 || at > library {
		t.Errorf("initialised as number %d, the first library as %d of %d", at, library, len(order))
	}
}
