#include "go_asm.h"
#include "textflag.h"

// What a message of smtpd begins with that says nothing: two that never say more, and
// "disconnect".
DATA quiet<>+0(SB)/8, $const_wordConnect
DATA quiet<>+8(SB)/8, $const_wordAnonymous
DATA quiet<>+16(SB)/8, $const_wordDisconnect
DATA quiet<>+24(SB)/8, $const_wordDisconnect
GLOBL quiet<>(SB), RODATA|NOPTR, $32

// 16 times '=', 16 times '/'.
DATA marks<>+0(SB)/8, $"========"
DATA marks<>+8(SB)/8, $"========"
DATA marks<>+16(SB)/8, $"////////"
DATA marks<>+24(SB)/8, $"////////"
GLOBL marks<>(SB), RODATA|NOPTR, $32

// func siftQuickly(s *sifting)
//
// In what follows SI is the text, DI the ends, CX the line's number, DX where it begins,
// R8 the place in kept, R11 the line's tag, R13 the length from there on, R12 the program.
TEXT ·siftQuickly(SB), NOSPLIT, $0-8
	MOVQ s+0(FP), R9
	MOVQ sifting_text(R9), SI
	MOVQ sifting_ends(R9), DI
	MOVQ sifting_line(R9), CX
	MOVQ sifting_start(R9), DX
	MOVQ sifting_found(R9), R8
	SHLQ $3, R8
	ADDQ sifting_kept(R9), R8
	VMOVDQU (sifting_usual+usual_mask)(R9), Y0
	VMOVDQU (sifting_usual+usual_mask+32)(R9), Y1
	VMOVDQU (sifting_usual+usual_same)(R9), Y2
	VMOVDQU (sifting_usual+usual_same+32)(R9), Y3
	VMOVDQU quiet<>(SB), Y7
	VMOVDQU marks<>(SB), Y8
	MOVL $0x5d5d5d5d, AX // ']'
	VMOVD AX, X9
	VPBROADCASTD X9, X9
	MOVL $0x3a3a3a3a, AX // ':'
	VMOVD AX, X10
	VPBROADCASTD X10, X10

loop:
	CMPQ CX, (sifting_ends+8)(R9)
	JGE done
	CMPQ DX, sifting_plain(R9)
	JGT done

	// The header must be the usual one.
	LEAQ (SI)(DX*1), R11
	VPAND (R11), Y0, Y4
	VPAND 32(R11), Y1, Y5
	VPXOR Y2, Y4, Y4
	VPXOR Y3, Y5, Y5
	VPOR Y5, Y4, Y4
	VPTEST Y4, Y4
	JNZ done
	MOVLQSX (DI)(CX*4), R12
	ADDQ (sifting_usual+usual_tag)(R9), R11
	LEAQ (SI)(R12*1), R15 // where the line ends
	MOVQ R15, R13
	SUBQ R11, R13
	LEAQ -8(R13), AX
	CMPQ AX, $const_longest
	JHI done
	LEAQ 1(R12), DX

	// The program: AX is 0 if it is the one in the table.
	MOVQ (R11), AX
	MOVQ 8(R11), BX
	MOVQ BX, R10
	SHLQ $24, R10
	XORQ AX, R10
	MOVQ $const_quickFactor, R12
	IMULQ R12, R10
	SHRQ $58, R10
	SHLQ $6, R10
	MOVQ sifting_programs(R9), R12
	ADDQ R10, R12
	XORQ quick_head(R12), AX
	ANDQ quick_mask(R12), BX
	XORQ quick_names(R12), BX
	ORQ BX, AX
	MOVQ 16(R11), BX
	ANDQ (quick_mask+8)(R12), BX
	XORQ (quick_names+8)(R12), BX
	ORQ BX, AX
	CMPQ quick_class(R12), $const_cleaner
	JEQ cleaner

	// The message begins 3 bytes behind BX.
	MOVQ quick_pid(R12), BX
	VPCMPEQB (R11)(BX*1), X9, X4
	VPMOVMSKB X4, R10
	ORL $0x100, R10
	BSFL R10, R10
	ADDQ R10, BX
	VPBROADCASTQ 3(R11)(BX*1), Y4
	VPCMPEQQ Y4, Y7, Y4
	VMOVMSKPD Y4, R10 // "disconnect" has the upper two of four bits
	VPBROADCASTQ -8(R15), Y5
	VPCMPEQB Y5, Y8, Y5
	VPMOVMSKB Y5, R15 // the lower half has the '=', the upper one the '/'
	DECL R15
	CMPL R15, $0xffff
	SBBL R15, R15 // all bits if there is a '=' and no '/', else none
	ORL $3, R15
	ANDL R15, R10
	NEGL R10
	SBBL R10, R10 // all bits if the message says nothing, else none
	ORQ $(const_silent|const_askedSilent), R10
	ANDQ quick_class(R12), R10 // not 0 if the line says nothing …
	SUBQ BX, R13
	SUBQ $11, R13
	SARQ $63, R13
	ORQ R13, AX
	NEGQ AX
	SBBQ AX, AX
	NOTQ AX
	ANDQ AX, R10 // … of that program, and long enough
	ANDQ quick_server(R12), AX
	MOVQ R10, BX
	ANDL $(const_askedSilent|const_askedServer), BX
	ORQ BX, AX
	SHLQ $48, AX
	ORQ sifting_header(R9), AX
	ORQ CX, AX
	MOVQ AX, (R8)
	LEAQ 8(R8), AX
	ANDL $(const_silent|const_server), R10
	CMPL R10, $1
	CMOVQCS AX, R8
	INCQ CX
	JMP loop

cleaner:
	// The id begins 19 bytes and its colon is 19 bytes behind BX.
	VPCMPEQB 16(R11), X9, X4
	VPMOVMSKB X4, BX
	ORL $0x100, BX
	BSFL BX, BX
	VPCMPEQB 19(R11)(BX*1), X10, X4
	VPMOVMSKB X4, R10
	ORL $0x10000, R10
	BSFL R10, R10
	ADDQ R10, BX
	SHRQ $4, R10
	ORQ R10, AX
	MOVQ $const_wordMessage, R12
	XORQ 21(R11)(BX*1), R12
	ORQ R12, AX
	SUBQ BX, R13
	SUBQ $29, R13
	SARQ $63, R13
	ORQ R13, AX
	MOVQ sifting_header(R9), R10
	ORQ CX, R10
	MOVQ R10, (R8)
	LEAQ 8(R8), R10
	NEGQ AX
	CMOVQCS R10, R8
	INCQ CX
	JMP loop

done:
	MOVQ CX, sifting_line(R9)
	MOVQ DX, sifting_start(R9)
	SUBQ sifting_kept(R9), R8
	SHRQ $3, R8
	MOVQ R8, sifting_found(R9)
	VZEROUPPER
	RET
