// Package postgres keeps the ledger in a PostgreSQL database that many hosts share.
//
// A transaction that has returned is as durable as the server makes it (its setting
// synchronous_commit, which fwsync does not touch). A lost connection is made anew
// with the next call; no call outlives its context or Options.CallTimeout.
//
// What may live here: SQL, the schema with its migrations, the mapping between rows
// and the values of package ledger, and the only use of the PostgreSQL driver. What
// may not: any opinion about decisions beyond what ledger.Store promises.
package postgres
