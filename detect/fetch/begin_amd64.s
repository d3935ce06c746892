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

// func beginWriting(places []unsafe.Pointer)
TEXT ·beginWriting(SB), NOSPLIT, $0-24
	MOVQ places_base+0(FP), SI
	MOVQ places_len+8(FP), CX
	TESTQ CX, CX
	JZ done

loop:
	MOVQ (SI), AX
	BYTE $0x0f; BYTE $0x0d; BYTE $0x08 // PREFETCHW (AX); nothing on the oldest processors
	ADDQ $8, SI
	DECQ CX
	JNZ loop

done:
	RET
