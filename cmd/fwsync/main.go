// Command fwsync keeps the edge of an Alibaba Cloud account equal to what its
// policy files declare plus the attackers its detectors see, and proves that it
// did. One file per command: flags become one typed options value, one call into
// the core, one renderer. Exit codes are decided in exit.go and nowhere else.
package main

import "os"

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := interruptible()
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	return report(os.Stderr, root.ExecuteContext(ctx))
}
