//go:build race

package storetest

// underRace is whether the race detector is at work: everything takes ten times as long.
const underRace = true
