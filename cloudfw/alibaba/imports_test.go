package alibaba_test

import (
	"os/exec"
	"strings"
	"testing"
)

// The SDK's types and errors end here: no other package imports it, not in its tests either.
func TestOnlyThisPackageImportsTheSDK(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}{{range .TestImports}} {{.}}{{end}}{{range .XTestImports}} {{.}}{{end}}`, "fwsync/...").Output()
	if err != nil {
		t.Fatalf("listing the packages: %v", err)
	}
	guarded := false
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		for _, imported := range fields[1:] {
			if !strings.HasPrefix(imported, "github.com/aliyun/alibaba-cloud-sdk-go/") {
				continue
			}
			if guarded = true; fields[0] != "fwsync/cloudfw/alibaba" {
				t.Errorf("%s imports %s", fields[0], imported)
			}
		}
	}
	if !guarded {
		t.Error("nobody imports the SDK: the test guards nothing")
	}
}
