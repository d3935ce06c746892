package maillog

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strings"
)

// word is the number that the first 8 bytes of b are.
func word(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// What a message is compared with, as word has it.
const (
	wordConnect    = ' '<<56 | 't'<<48 | 'c'<<40 | 'e'<<32 | 'n'<<24 | 'n'<<16 | 'o'<<8 | 'c'
	wordDisconnect = 'e'<<56 | 'n'<<48 | 'n'<<40 | 'o'<<32 | 'c'<<24 | 's'<<16 | 'i'<<8 | 'd'
	wordAnonymous  = 'u'<<56 | 'o'<<48 | 'm'<<40 | 'y'<<32 | 'n'<<24 | 'o'<<16 | 'n'<<8 | 'A'
	wordMessage    = '-'<<56 | 'e'<<48 | 'g'<<40 | 'a'<<32 | 's'<<24 | 's'<<16 | 'e'<<8 | 'm'
)

// quick is how the lines of a program that writes much begin: "postfix/qmgr[", "dovecot: auth:".
type quick struct {
	head        uint64 // the first 8 bytes
	names, mask [2]uint64
	pid         uint64 // where "[PID]: " begins
	class       uint64 // one of the following
	server      uint64 // pid if it is the server, else 0
}

const (
	silent  = 1 << iota // all of its lines say nothing
	server              // smtpd, whose messages begin with what they say
	cleaner             // cleanup, most of whose lines say a message's id
	// Likewise, but signals are declared for the program: 2 and 4 in a Kept's asked.
	askedSilent = 2 << 8
	askedServer = 4 << 8
	askedOther  = 1 << 8 // of what is in server
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
		if class == server {
			q.server = q.pid
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
func quickSlot(head, name uint64) uint64 { return (head ^ name<<24) * quickFactor >> 58 }

const quickFactor = 0xbb2edb20035b7399

// window is how many bytes from a line's tag on Sift may look at, but for the last ones.
const window = 72

// quiet is 1 if a message of smtpd that begins so, and whose line ends so, says nothing.
func quiet(message, last uint64) uint64 {
	q := bit(message == wordDisconnect) & bit(equal(last, '=') != 0) & bit(equal(last, '/') == 0)
	return q | bit(message == wordConnect) | bit(message == wordAnonymous)
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
