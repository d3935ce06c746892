// Package sources reads logs — files, rotated files, standard input — as fast
// as they can be read and passes their signals on in order, with bounded
// memory, and says how healthy each source is.
//
// It knows files, positions and chunks; what a line means is maillog's, what
// signals amount to is the engine's in package detect.
package sources
