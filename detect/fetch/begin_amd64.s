#include "textflag.h"

// func begin(places []unsafe.Pointer)
TEXT ·begin(SB), NOSPLIT, $0-24
	MOVQ places_base+0(FP), SI
	MOVQ places_len+8(FP), CX
	TESTQ CX, CX
	JZ done

loop:
	MOVQ (SI), AX
	PREFETCHT0 (AX)
	ADDQ $8, SI
	DECQ CX
	JNZ loop

done:
	RET
