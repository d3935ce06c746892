//go:build !race

package detect_test

const underRace = false
