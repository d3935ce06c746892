// Command aggregate reads IPv4 addresses and prefixes, one a line, and prints the
// fewest prefixes that hold exactly them: what `iprange FILE` does, with
// cloudfw/condense. With -generate it prints so many addresses instead, always the
// same ones, half of them crowded into 4,096 subnets as attackers are.
package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"

	"fwsync/cloudfw"
	"fwsync/cloudfw/condense"
)

func main() {
	generate := flag.Int("generate", 0, "print so many addresses")
	flag.Parse()
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	var err error
	if *generate > 0 {
		addresses(out, *generate)
	} else {
		err = aggregate(out, flag.Arg(0))
	}
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "aggregate:", err)
		os.Exit(1)
	}
}

func addresses(out *bufio.Writer, n int) {
	random := rand.New(rand.NewPCG(1, 2))
	var subnets [4096]uint32
	for i := range subnets {
		subnets[i] = random.Uint32() &^ 0xff
	}
	var line []byte
	for i := range n {
		a := random.Uint32()
		if i%2 == 0 {
			a = subnets[a>>8&4095] | a&0xff
		}
		line = netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)}).AppendTo(line[:0])
		out.Write(append(line, '\n'))
	}
}

func aggregate(out *bufio.Writer, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	prefixes := make([]netip.Prefix, 0, bytes.Count(data, []byte("\n"))+1)
	for len(data) > 0 {
		var line []byte
		line, data, _ = bytes.Cut(data, []byte("\n"))
		if len(line) == 0 {
			continue
		}
		p, err := cloudfw.ParsePrefix(string(line))
		if err != nil {
			return err
		}
		prefixes = append(prefixes, p)
	}
	var line []byte
	for _, p := range condense.Aggregate(prefixes) {
		if p.IsSingleIP() { // as iprange prints it
			line = p.Addr().AppendTo(line[:0])
		} else {
			line = p.AppendTo(line[:0])
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}
