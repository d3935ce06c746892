package maillog

import "golang.org/x/sys/cpu"

// wide says that the processor has the instructions that the assembly of this package uses.
var wide = cpu.X86.HasAVX2 && cpu.X86.HasBMI1

// siftQuickly sifts lines with the usual header as siftLine does, and ends at the first
// other one.
//
//go:noescape
func siftQuickly(s *sifting)
