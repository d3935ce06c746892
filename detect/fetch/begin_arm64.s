#include "textflag.h"

// func begin(places []unsafe.Pointer)
TEXT ·begin(SB), NOSPLIT, $0-24
	MOVD places_base+0(FP), R0
	MOVD places_len+8(FP), R1
	CBZ R1, done

loop:
	MOVD.P 8(R0), R2
	PRFM (R2), PLDL1KEEP
	SUB $1, R1
	CBNZ R1, loop

done:
	RET

// func beginWriting(places []unsafe.Pointer)
TEXT ·beginWriting(SB), NOSPLIT, $0-24
	MOVD places_base+0(FP), R0
	MOVD places_len+8(FP), R1
	CBZ R1, done

loop:
	MOVD.P 8(R0), R2
	PRFM (R2), PSTL1KEEP
	SUB $1, R1
	CBNZ R1, loop

done:
	RET
