package postgres

import (
	"testing"

	"fwsync/ledger"
	"fwsync/ledger/postgres/pgtest"
	"fwsync/ledger/storetest"
)

func BenchmarkStore(b *testing.B) {
	server := pgtest.Shared(b)
	storetest.Benchmark(b, func(testing.TB) storetest.Opener {
		address := server.Fresh()
		return func(t testing.TB, instance string) ledger.Store {
			t.Helper()
			return openAs(t, address, instance)
		}
	})
}
