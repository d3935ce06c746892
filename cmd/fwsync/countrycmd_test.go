package main

import (
	"net"
	"os"
	"strings"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	"github.com/rogpeppe/go-internal/testscript"
)

// countryDatabase writes a database of countries in MaxMind's format.
func countryDatabase(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: countries FILE NETWORK=CODE…")
	}
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "GeoLite2-Country", IncludeReservedNetworks: true})
	ts.Check(err)
	for _, arg := range args[1:] {
		network, code, _ := strings.Cut(arg, "=")
		_, n, err := net.ParseCIDR(network)
		ts.Check(err)
		ts.Check(tree.Insert(n, mmdbtype.Map{"country": mmdbtype.Map{"iso_code": mmdbtype.String(code)}}))
	}
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = tree.WriteTo(f)
	ts.Check(err)
	ts.Check(f.Close())
}
