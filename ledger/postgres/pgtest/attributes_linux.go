package pgtest

import "syscall"

// attributes run a server as somebody, and end it with the tests, however they end.
func attributes(who *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: who, Pdeathsig: syscall.SIGQUIT}
}
