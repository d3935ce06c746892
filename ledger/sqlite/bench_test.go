package sqlite

import (
	"testing"

	"fwsync/ledger"
	"fwsync/ledger/storetest"
)

func BenchmarkStore(b *testing.B) {
	storetest.Benchmark(b, func(t testing.TB) storetest.Opener {
		path := newPath(t)
		return func(t testing.TB, instance string) ledger.Store {
			t.Helper()
			return openAs(t, path, instance)
		}
	})
}
