// Package condense makes a set of blocked prefixes fit into fewer places: without
// loss (Aggregate), by covering innocent addresses within a budget (Cover), and by
// ranking who stays when there is no room left. Select does all three.
//
// It is pure and knows no books, groups or targets: what the places are is
// cloudfw/lower's business. Everything is deterministic, the order of the input
// means nothing, and inputs are never changed.
package condense
