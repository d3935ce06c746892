//go:build race

package detect_test

// underRace leaves out what takes minutes under the race detector and has nothing
// concurrent in it.
const underRace = true
