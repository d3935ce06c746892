//go:build !amd64

package maillog

const readsClientsQuickly = false

// clientQuickly reads HOST[ADDR] where the processor helps; here it does not.
func clientQuickly([]byte) (addr uint32, end int) { return 0, 0 }
