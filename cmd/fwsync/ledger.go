package main

import (
	"context"
	"fmt"
	"os"

	"fwsync/ledger"
	"fwsync/ledger/postgres"
	"fwsync/ledger/sqlite"
)

// openLedger opens the ledger that the configuration names: a database of a server,
// or a file.
func openLedger(ctx context.Context, c *Config) (ledger.Store, error) {
	if postgres.IsURL(c.Ledger) {
		return opened(postgres.Open(ctx, c.Ledger, postgres.Options{Instance: c.Instance}))
	}
	return opened(sqlite.Open(ctx, c.Ledger, sqlite.Options{Instance: c.Instance}))
}

// opened keeps a nil pointer from becoming a store that is not nil.
func opened[S ledger.Store](s S, err error) (ledger.Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// ledgerPlace is where the ledger is, for people: without a password.
func ledgerPlace(c *Config) string {
	if postgres.IsURL(c.Ledger) {
		return postgres.Place(c.Ledger)
	}
	return c.Ledger
}

// holder is this process, for others who want the lease.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("pid %d on %s", os.Getpid(), host)
}
