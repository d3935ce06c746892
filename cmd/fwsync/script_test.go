package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the golden parts of the scripts")

func TestMain(m *testing.M) {
	// These tests wait for the limiter of calls more than they compute; -parallel on
	// the command line still wins, as it is read later.
	if err := flag.Set("test.parallel", "12"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"fwsync": main})
}

// Every script is a small world of its own: a folder, a home, no credentials, no
// terminal, UTC. Beside testscript's own commands there are
//
//	status N COMMAND…     runs the command, which must end with exactly this status
//	sim …                 looks at or edits the simulated cloud, see simcmd_test.go
//	jq FILE PATH WANT     compares one value of a JSON file
//	countries FILE N=CC…  writes a database of countries in MaxMind's format
//	mask FILE             replaces times, ids and speeds, for comparing whole outputs
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("ROOT", root)
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("TZ", "UTC")
			env.Setenv("NO_COLOR", "1")
			for _, name := range []string{"SSH_CONNECTION", "FWSYNC_CONFIG", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"} {
				env.Setenv(name, "")
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": status,
			"sim":    simulated,
			"jq":     jq,
			"mask":   mask,

			"countries": countryDatabase,
		},
	})
}

func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND…")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := err.(interface{ ExitCode() int })
		if !ok {
			ts.Fatalf("running %s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

// write keeps a helper's output as the script's stdout.
func write(ts *testscript.TestScript, text string) {
	if _, err := fmt.Fprint(ts.Stdout(), text); err != nil {
		ts.Fatalf("writing: %v", err)
	}
}

func readFile(ts *testscript.TestScript, name string) []byte {
	data, err := os.ReadFile(ts.MkAbs(name))
	if name == "stdout" || name == "stderr" {
		return []byte(ts.ReadFile(name))
	}
	ts.Check(err)
	return data
}
