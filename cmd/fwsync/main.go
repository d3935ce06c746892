// Command fwsync keeps the edge of an Alibaba Cloud account equal to what its
// policy files declare plus the attackers its detectors see, and proves that it
// did. One file per command: flags become one typed options value, one call into
// the core, one renderer. Exit codes are decided in exit.go and nowhere else.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	// A first signal ends the work between two steps; a second one ends the process.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		stop()
	}()
	root := newRoot()
	root.SetArgs(args)
	return report(os.Stderr, root.ExecuteContext(ctx))
}
