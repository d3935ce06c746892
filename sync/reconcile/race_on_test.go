//go:build race

package reconcile_test

// underRace shortens what takes minutes under the race detector.
const underRace = true
