// Package detect turns signals into detections.
//
// A signal is one fact about one source address, read from one log line; a
// detection is a rule's threshold that such signals crossed inside its window.
// Time is log time: the engine has no clock, does no I/O, takes no logger and
// never decides to block; it says who did what, how often and how that is known.
//
// Parsers of one log dialect live in sub-packages (detect/maillog), everything
// that opens a file or a socket in detect/sources. What a detection leads to
// (decisions, end times, the never-block gate) lives elsewhere.
package detect
