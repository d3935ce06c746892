#include "textflag.h"

// func putNewlinesAVX2(at []int32, text []byte, first int) int
//
// Most words of 64 bytes hold one newline or none: a place is written for each, and
// for none it is overwritten, so that no branch needs to be guessed.
TEXT ·putNewlinesAVX2(SB), NOSPLIT, $0-64
	MOVQ at_base+0(FP), DI
	MOVQ text_base+24(FP), SI
	MOVQ text_len+32(FP), CX
	MOVQ first+48(FP), DX
	XORQ R10, R10 // how many
	ADDQ SI, CX   // the text's end
	MOVQ $0x0a0a0a0a, AX
	MOVQ AX, X0
	VPBROADCASTD X0, Y0
	CMPQ SI, CX
	JAE done

loop:
	VPCMPEQB (SI), Y0, Y1
	VPCMPEQB 32(SI), Y0, Y2
	VPMOVMSKB Y1, AX
	VPMOVMSKB Y2, BX
	SHLQ $32, BX
	ORQ BX, AX
	BSFQ AX, R8
	ADDL DX, R8
	MOVL R8, (DI)(R10*4)
	CMPQ AX, $1
	SBBQ $-1, R10 // one more unless AX is 0
	LEAQ -1(AX), R9
	ANDQ AX, R9
	JNZ more

next:
	ADDQ $64, SI
	ADDQ $64, DX
	CMPQ SI, CX
	JB loop

done:
	MOVQ R10, ret+56(FP)
	VZEROUPPER
	RET

more:
	BSFQ R9, R8
	ADDL DX, R8
	MOVL R8, (DI)(R10*4)
	INCQ R10
	LEAQ -1(R9), AX
	ANDQ AX, R9
	JNZ more
	JMP next
