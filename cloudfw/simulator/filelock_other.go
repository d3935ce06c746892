//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package simulator

// lock does nothing here: on this system one process at a time may use a state file.
func (f *stateFile) lock() (unlock func(), err error) { return func() {}, nil }

// syncFolder does nothing here: a folder cannot be synced on this system.
func syncFolder(string) error { return nil }
