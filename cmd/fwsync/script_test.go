package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"fwsync/ledger"
	"fwsync/ledger/postgres"
	"fwsync/ledger/postgres/pgtest"
)

var update = flag.Bool("update", false, "rewrite the golden parts of the scripts")

func TestMain(m *testing.M) {
	// These tests wait for the limiter of calls more than they compute; -parallel on
	// the command line still wins, as it is read later.
	if err := flag.Set("test.parallel", "12"); err != nil {
		panic(err)
	}
	testscript.Main(stopping{m}, map[string]func(){"fwsync": main})
}

// stopping ends the PostgreSQL that tests have started, and removes what they have built.
type stopping struct{ *testing.M }

func (s stopping) Run() int {
	defer pgtest.Stop()
	code := s.M.Run()
	if builtIn != "" {
		_ = os.RemoveAll(builtIn)
	}
	return code
}

// Every script is a small world of its own: a folder, a home, no credentials, no
// terminal, UTC. Beside testscript's own commands there are
//
//	status N COMMAND…     runs the command, which must end with exactly this status
//	sim …                 looks at or edits the simulated cloud, see simcmd_test.go
//	jq FILE PATH WANT     compares one value of a JSON file
//	serve FOLDER          serves its files over HTTP, at $SERVED
//	countries FILE N=CC…  writes a database of countries in MaxMind's format
//	planid FILE           puts the id of the latest plan of a history into $PLAN
//	mask FILE             replaces times, ids and speeds, for comparing whole outputs
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, params(root, "testdata/script"))
}

// TestScriptsOnPostgres are the scripts whose ledger is a real PostgreSQL: LEDGER is
// the URL of a schema of its own, with PASSWORD in it.
func TestScriptsOnPostgres(t *testing.T) {
	server := pgtest.Shared(t)
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	p := params(root, "testdata/postgres")
	plain := p.Setup
	var schemas atomic.Int64
	p.Setup = func(env *testscript.Env) error {
		address := server.TCP(pgtest.Admin, server.Password, "postgres")
		address.RawQuery = fmt.Sprintf("search_path=script_%d", schemas.Add(1))
		env.Setenv("LEDGER", address.String())
		env.Setenv("PASSWORD", server.Password)
		return plain(env)
	}
	p.Cmds["hold"] = hold
	testscript.Run(t, p)
}

// hold takes the lease of the script's ledger until its end, as whom it names.
func hold(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: hold WHO…")
	}
	store, err := postgres.Open(context.Background(), ts.Getenv("LEDGER"), postgres.Options{})
	ts.Check(err)
	lease, err := store.Acquire(context.Background(), ledger.Claim{Holder: strings.Join(args, " ")})
	ts.Check(err)
	ts.Defer(func() { _, _ = lease.Close(), store.Close() })
}

func params(root, dir string) testscript.Params {
	return testscript.Params{
		Dir:                 dir,
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
			"planid": planID,

			"countries": countryDatabase,
			"serve":     serveFolder,
		},
	}
}

func serveFolder(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: serve FOLDER")
	}
	server := httptest.NewServer(http.FileServer(http.Dir(ts.MkAbs(args[0]))))
	ts.Setenv("SERVED", server.URL)
	ts.Defer(server.Close)
}

func planID(ts *testscript.TestScript, _ bool, args []string) {
	var value historyAnswer
	ts.Check(json.Unmarshal(readFile(ts, args[0]), &value))
	ts.Setenv("PLAN", value.Events[0].Plan[:12])
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
