// Package ledger is the durable record of fwsync: decisions, how far each source
// has been read, applied plans and the journal of every call. It holds the values
// and the Store interface; ledger/sqlite keeps them in a file.
//
// A decision is never deleted: it ends, or somebody revokes it, and stays as
// history. Nothing here knows the cloud or the policy files.
package ledger
