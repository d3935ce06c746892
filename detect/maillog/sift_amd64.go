package maillog

import "golang.org/x/sys/cpu"

var siftsQuickly = cpu.X86.HasAVX2

func siftQuickly(s *sifting) { siftAVX2(s) }

//go:noescape
func siftAVX2(s *sifting)
