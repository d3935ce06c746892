// Package sqlite keeps the ledger in one SQLite file on a local disk, and the
// writer lease of a single host in a lock file beside it.
//
// A transaction that has returned survives power loss (write-ahead log,
// synchronous=FULL). A file that is damaged, belongs to another program or was
// written by a newer fwsync is refused and left as it is.
//
// What may live here: SQL, the schema with its migrations, and the mapping
// between rows and the values of package ledger. What may not: any opinion about
// decisions beyond what ledger.Store promises.
package sqlite
