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
	wordDisconnect = wordOf("disconne")
	wordOnSMTPD    = wordOf("on/smtpd")
	wordCleanup    = wordOf("cleanup[")
	wordMessage    = wordOf("message-")
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

// What glance found.
const (
	nothing = -1 // the line says nothing that we count
	unknown = 0  // the parser must read it; else it is smtpd's message that begins here
)

// glance looks at a line, from its tag on, and tells those that say nothing and that a
// busy server writes most, and where smtpd's messages begin. It looks at a few words with
// as few branches as it can; what it is not certain of, the parser reads.
func glance(tagged []byte) int {
	if len(tagged) < 48 {
		return unknown
	}
	switch word(tagged) {
	case wordPostfix:
		w := word(tagged[8:])
		at := first(w, '[')
		switch {
		case at > 7:
			if w != wordSubmission || word(tagged[16:])<<8 != wordOnSMTPD<<8 || tagged[24] != '[' {
				return unknown
			}
			at = 16
		case w&(1<<(8*at+8)-1) != wordSMTPD:
			if w == wordCleanup {
				return glanceCleanup(tagged)
			}
			w &= 1<<(8*at+8) - 1
			if quiet[quietSlot(w)] == w {
				return nothing
			}
			return unknown
		}
		pid := word(tagged[9+at:])
		end := first(pid, ']')
		if end > 7 {
			return unknown
		}
		message := 12 + at + end
		switch word(tagged[message:]) {
		case wordConnect, wordAnonymous:
			return nothing
		case wordDisconnect:
			if !failedSome(word(tagged[len(tagged)-8:])) {
				return nothing
			}
		}
		// Only of what stands behind a whole header is it said where it begins.
		if end == 0 || tagged[message-2] != ':' || tagged[message-1] != ' ' || !allDigits(pid, end) {
			return unknown
		}
		return message
	case wordDovecot:
		w := word(tagged[8:])
		if w<<8>>8 == wordAuth || w<<16>>16 == wordIMAP || w<<16>>16 == wordLMTP {
			return nothing
		}
	}
	return unknown
}

// glanceCleanup finds "cleanup[PID]: ID: message-id=".
func glanceCleanup(tagged []byte) int {
	end := first(word(tagged[16:]), ']')
	if end > 7 || len(tagged) < 56 {
		return unknown
	}
	id := tagged[19+end:]
	colon := first(word(id), ':')
	if colon > 7 {
		colon = 8 + first(word(id[8:]), ':')
	}
	if colon < 16 && word(id[colon+2:]) == wordMessage {
		return nothing
	}
	return unknown
}

// failedSome reports whether the end of a line is "/4" and not "=4", as that of a
// session in which not every command succeeded.
func failedSome(end uint64) bool {
	other := ^within(end, '0', '9') & tops
	if other == 0 {
		return true
	}
	return end>>(bits.Len64(other)-8)&0xff == '/'
}

// allDigits reports whether the first n bytes of w are digits; n is at most 7.
func allDigits(w uint64, n int) bool {
	all := uint64(tops) & (1<<(8*n) - 1)
	return within(w, '0', '9')&all == all
}

// within has the top bit of each byte of w set that is from a to b; both are at most 127.
func within(w uint64, a, b byte) uint64 {
	low := w &^ tops
	return (low + ones*(128-uint64(a))) &^ (low + ones*(127-uint64(b))) &^ w & tops
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
