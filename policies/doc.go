// Package policies understands the policy files: it loads them with a position for
// every complaint, checks that they make sense as a whole, and merges them with the
// ledger's active decisions into a cloudfw.Intent.
//
// The files that a newcomer edits lie here too and are embedded as presets, beside
// the JSON Schema that editors use.
//
// What does not belong here: anything about books, positions, quotas and priorities
// (cloudfw/lower), counting signals (detect), deciding on durations of new blocks
// (sync/decide), and never-block rules that need the live account (sync/gates).
// Only Load reads files; everything else is pure.
package policies
