package maillog

import (
	"encoding/binary"
	"math/bits"
)

// word is the number that the first 8 bytes of b are.
func word(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

func wordOf(s string) uint64 { return word([]byte(s + "\x00\x00\x00\x00\x00\x00\x00\x00")) }

var (
	wordPostfix    = wordOf("postfix/")
	wordDovecot    = wordOf("dovecot:")
	wordSubmission = wordOf("submissi")
	wordAnonymous  = wordOf("Anonymou")
	wordConnect    = wordOf("connect ")
	wordSMTPD      = wordOf("smtpd[")
	wordAuth       = wordOf(" auth: ")
	wordIMAP       = wordOf(" imap(")
	wordLMTP       = wordOf(" lmtp(")
)

// quiet are the Postfix programs that write no signals, each with its bracket.
var quiet = func() (table [quietSlots]uint64) {
	for _, name := range [...]string{"qmgr[", "lmtp[", "smtp[", "local[", "anvil[", "bounce[", "pickup[", "pipe[", "virtual["} {
		w := wordOf(name)
		if table[quietSlot(w)] != 0 {
			panic("two quiet programs share a slot: " + name)
		}
		table[quietSlot(w)] = w
	}
	return table
}()

const quietSlots = 256

func quietSlot(w uint64) uint64 { return w * 0x9e3779b97f4a7c15 >> 56 }

// skips reports that a line, from its tag on, is one of those that say nothing
// and that a busy server writes most. It looks at a few words with as few
// branches as it can; what it is not certain of, the parser reads.
func skips(tagged []byte) bool {
	if len(tagged) < 48 {
		return false
	}
	switch word(tagged) {
	case wordPostfix:
		w := word(tagged[8:])
		at := first(w, '[')
		if at > 7 {
			if w != wordSubmission || string(tagged[16:25]) != "on/smtpd[" {
				return false
			}
			at = 16
		} else if w &= 1<<(8*at+8) - 1; w != wordSMTPD {
			return quiet[quietSlot(w)] == w
		}
		pid := word(tagged[9+at:])
		end := first(pid, ']')
		if end > 7 {
			return false
		}
		said := word(tagged[12+at+end:])
		return said == wordConnect || said == wordAnonymous
	case wordDovecot:
		w := word(tagged[8:])
		return w<<8>>8 == wordAuth || w<<16>>16 == wordIMAP || w<<16>>16 == wordLMTP
	}
	return false
}

const ones, tops = 0x0101010101010101, 0x8080808080808080

// first is the place of the first byte c in w, 8 if there is none.
func first(w uint64, c byte) int { return bits.TrailingZeros64(equal(w, c)) >> 3 }

// equal is not zero if a byte of w is c; its lowest bit that is set is the top bit
// of the first such byte.
func equal(w uint64, c byte) uint64 { return below(w^ones*uint64(c), 1) }

// below is not zero if a byte of w is less than c, at most 128; its lowest bit that
// is set is the top bit of the first such byte.
func below(w uint64, c byte) uint64 { return (w - ones*uint64(c)) &^ w & tops }
