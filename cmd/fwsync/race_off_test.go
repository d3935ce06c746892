//go:build !race

package main

// underRace is whether the race detector is at work: everything takes ten times as long.
const underRace = false
