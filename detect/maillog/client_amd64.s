#include "go_asm.h"
#include "textflag.h"

// What the four digits of an octet count, and the same to add up pairs.
DATA weights<>+0(SB)/8, $0x010a6400010a6400
DATA weights<>+8(SB)/8, $0x010a6400010a6400
DATA weights<>+16(SB)/8, $0x0001000100010001
DATA weights<>+24(SB)/8, $0x0001000100010001
GLOBL weights<>(SB), RODATA|NOPTR, $32

// '0', 9 and, for each octet, 255.
DATA digits<>+0(SB)/8, $0x3030303030303030
DATA digits<>+8(SB)/8, $0x3030303030303030
DATA digits<>+16(SB)/8, $0x0909090909090909
DATA digits<>+24(SB)/8, $0x0909090909090909
DATA digits<>+32(SB)/8, $0x000000ff000000ff
DATA digits<>+40(SB)/8, $0x000000ff000000ff
GLOBL digits<>(SB), RODATA|NOPTR, $48

// What ends a host's name: '[', ']', and the blank and all below it.
DATA hostEnds<>+0(SB)/8, $0x5b5b5b5b5b5b5b5b
DATA hostEnds<>+8(SB)/8, $0x5d5d5d5d5d5d5d5d
DATA hostEnds<>+16(SB)/8, $0x2020202020202020
GLOBL hostEnds<>(SB), RODATA|NOPTR, $24

// func clientAVX2(b []byte, table *[256]octets) (addr uint32, end int)
//
// It may look at up to 96 bytes, if they are in the page that b begins in: what is behind
// b there does no harm, as the bracket must be within b.
TEXT ·clientAVX2(SB), NOSPLIT, $0-48
	MOVQ b_base+0(FP), SI
	MOVQ b_len+8(FP), CX
	TESTQ CX, CX
	JZ no
	MOVQ SI, AX
	ANDL $4095, AX
	CMPL AX, $(4096-96)
	JHI no

	MOVQ $0x5b6e776f6e6b6e75, AX // "unknown[", as most attackers are called
	MOVL $8, DI
	CMPQ AX, (SI)
	JEQ address

	// The host: DI is where it ends.
	XORL DI, DI
	VPBROADCASTQ hostEnds<>+0(SB), Y4
	VPBROADCASTQ hostEnds<>+8(SB), Y5
	VPBROADCASTQ hostEnds<>+16(SB), Y6

host:
	VMOVDQU (SI)(DI*1), Y0
	VPCMPEQB Y4, Y0, Y1
	VPCMPEQB Y5, Y0, Y2
	VPMINUB Y6, Y0, Y3
	VPCMPEQB Y0, Y3, Y3
	VPOR Y1, Y2, Y2
	VPOR Y2, Y3, Y3
	VPMOVMSKB Y3, AX
	TESTL AX, AX
	JNZ stopped
	ADDQ $32, DI
	CMPQ DI, $64
	JLT host
	JMP no

stopped:
	BSFL AX, AX
	VPMOVMSKB Y1, BX
	BTL AX, BX
	JCC no
	LEAQ 1(DI)(AX*1), DI

address:
	// The address: R8 gets the bits of the first four bytes that are no digits.
	VMOVDQU (SI)(DI*1), X0
	VPSUBB digits<>+0(SB), X0, X1
	VPMINUB digits<>+16(SB), X1, X2
	VPCMPEQB X1, X2, X2
	VPMOVMSKB X2, AX
	XORL $0xffff, AX
	BLSRL AX, BX
	BLSRL BX, BX
	BLSRL BX, BX
	JZ no
	BLSMSKL BX, BX
	ANDL BX, AX
	MOVL AX, R8
	IMULL $const_octetsFactor, AX
	SHRL $24, AX
	SHLL $6, AX
	MOVQ table+24(FP), R9
	ADDQ AX, R9
	CMPL R8, octets_stops(R9)
	JNE no
	VPCMPEQB octets_ends(R9), X0, X0
	VPMOVMSKB X0, AX
	ANDL R8, AX
	CMPL AX, R8
	JNE no
	VPSHUFB octets_shuffle(R9), X1, X1
	VPMADDUBSW weights<>+0(SB), X1, X1
	VPMADDWD weights<>+16(SB), X1, X1
	VMOVDQU octets_least(R9), X2
	VPCMPGTD X1, X2, X2
	VPCMPGTD digits<>+32(SB), X1, X3
	VPOR X2, X3, X3
	VPTEST X3, X3
	JNZ no
	VPACKUSDW X1, X1, X1
	VPACKUSWB X1, X1, X1
	VMOVD X1, AX
	MOVL octets_end(R9), BX
	ADDQ DI, BX
	CMPQ BX, CX
	JHI no
	MOVL AX, addr+32(FP)
	MOVQ BX, end+40(FP)
	VZEROUPPER
	RET

no:
	MOVL $0, addr+32(FP)
	MOVQ $0, end+40(FP)
	VZEROUPPER
	RET
