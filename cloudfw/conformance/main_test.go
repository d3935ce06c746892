package conformance

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMain lets more tests run at the same time than there are processors: they wait
// for the adapter's pace nearly all the time.
func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", "200"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}
