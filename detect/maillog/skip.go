package maillog

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strings"
)

// word is the number that the first 8 bytes of b are.
func word(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// What look compares with, as word has it.
const (
	wordConnect    = ' '<<56 | 't'<<48 | 'c'<<40 | 'e'<<32 | 'n'<<24 | 'n'<<16 | 'o'<<8 | 'c'
	wordDisconnect = 'e'<<56 | 'n'<<48 | 'n'<<40 | 'o'<<32 | 'c'<<24 | 's'<<16 | 'i'<<8 | 'd'
	wordAnonymous  = 'u'<<56 | 'o'<<48 | 'm'<<40 | 'y'<<32 | 'n'<<24 | 'o'<<16 | 'n'<<8 | 'A'
	wordMessage    = '-'<<56 | 'e'<<48 | 'g'<<40 | 'a'<<32 | 's'<<24 | 's'<<16 | 'e'<<8 | 'm'
	wordOnSMTPD    = 'd'<<56 | 'p'<<48 | 't'<<40 | 'm'<<32 | 's'<<24 | '/'<<16 | 'n'<<8 | 'o'
)

// quick is how the lines of a program that writes much begin: "postfix/qmgr[", "dovecot: auth:".
type quick struct {
	head        uint64 // the first 8 bytes
	names, mask [2]uint64
	pid         uint64 // where "[PID]: " begins
	class       uint64 // a set of the following
}

const (
	silent  = 1 << iota // all of its lines say nothing
	server              // smtpd, whose messages begin with what they say
	cleaner             // cleanup, most of whose lines say a message's id
)

const quickSlots = 64

// quickPrograms holds them by quickSlot.
var quickPrograms = func() (table [quickSlots]quick) {
	add := func(head, name string, class uint64) {
		q := quick{head: word([]byte(head)), pid: uint64(8 + len(strings.TrimSuffix(name, "["))), class: class}
		padded, mask := make([]byte, 24), make([]byte, 24)
		copy(padded, name)
		copy(mask, bytes.Repeat([]byte{0xff}, len(name)))
		for i := range q.names {
			q.names[i], q.mask[i] = word(padded[8*i:]), word(mask[8*i:])
		}
		slot := &table[quickSlot(q.head, q.names[0])]
		if slot.head != 0 {
			panic("two programs share a slot: " + name)
		}
		*slot = q
	}
	add("postfix/", "smtpd[", server)
	add("postfix/", "submission/smtpd", server)
	add("postfix/", "cleanup[", cleaner)
	for _, name := range [...]string{"qmgr[", "lmtp[", "smtp[", "local[", "anvil[", "bounce[", "pickup[", "pipe[", "virtual["} {
		add("postfix/", name, silent)
	}
	for _, name := range [...]string{" auth: ", " imap(", " lmtp("} {
		add("dovecot:", name, silent)
	}
	return table
}()

// quickSlot looks at the first 5 bytes of a name. The number was tried until no two
// programs shared a slot.
func quickSlot(head, name uint64) uint64 { return (head ^ name<<24) * 0xbb2edb20035b7399 >> 58 }

// window is how many bytes of a line look may look at, but for the last ones.
const window = 72

// look looks at a line, from its tag on, and tells those that say nothing and that a
// busy server writes most: skip is 1. It may tell where smtpd's "[PID]: " begins.
// tagged is the line's beginning, or all of it and whatever follows, last its last 8 bytes.
//
// Lines come in no order, so that a branch would be guessed wrong every other time:
// whatever may be asked of smtpd's lines is asked of all.
// What look is not certain of, the parser reads.
func look(tagged *[window]byte, last uint64, length int) (skip, pid uint64) {
	head, name := word(tagged[:]), word(tagged[8:])
	q := &quickPrograms[quickSlot(head, name)]
	differs := (head ^ q.head) | (name&q.mask[0] ^ q.names[0]) | (word(tagged[16:])&q.mask[1] ^ q.names[1])
	if q.class == cleaner {
		return saysID(tagged, length) & bit(differs == 0), 0
	}
	pid = q.pid & 31
	said := (pid + 3 + uint64(first(word(tagged[pid:pid+8]), ']'))) & 63
	message := word(tagged[said : said+8])
	quiet := bit(message == wordDisconnect) & bit(equal(last, '=') != 0) & bit(equal(last, '/') == 0)
	quiet |= bit(message == wordConnect) | bit(message == wordAnonymous)
	class := q.class & -bit(differs == 0)
	return (class | class>>1&quiet) & bit(int(said)+8 <= length) & 1, pid * (class >> 1)
}

// saysID is 1 for "postfix/cleanup[PID]: ID: message-id=…".
func saysID(at *[window]byte, length int) uint64 {
	id := 19 + first(word(at[16:]), ']')
	colon := id + first(word(at[id:]), ':')
	if colon == id+8 {
		colon += first(word(at[colon:]), ':')
	}
	return bit(word(at[colon+2:]) == wordMessage) & bit(colon < id+16) & bit(colon+10 <= length)
}

// bit is 1 for true, else 0.
func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

const ones, tops = 0x0101010101010101, 0x8080808080808080

// first is the place of the first byte c in w, 8 if there is none.
func first(w uint64, c byte) int { return bits.TrailingZeros64(equal(w, c)) >> 3 }

// equal is not zero if a byte of w is c; its lowest bit that is set is the top bit
// of the first such byte.
func equal(w uint64, c byte) uint64 { return below(w^ones*uint64(c), 1) }

// alphanumerics is how many bytes w begins with that are ASCII letters or digits.
func alphanumerics(w uint64) int {
	const low = ones * 0x7f
	digit := w&low ^ ones*'0'
	letter := (w|ones*0x20)&low ^ ones*0x60
	noDigit := digit + ones*(0x80-10)
	noLetter := letter + ones*(0x80-27) | ^(letter + low)
	return bits.TrailingZeros64((noDigit&noLetter|w)&tops) >> 3
}

// below is not zero if a byte of w is less than c, at most 128; its lowest bit that
// is set is the top bit of the first such byte.
func below(w uint64, c byte) uint64 { return (w - ones*uint64(c)) &^ w & tops }
