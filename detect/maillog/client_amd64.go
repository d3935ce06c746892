package maillog

// clientQuickly reads HOST[ADDR] at the start of b, for most of those with an IPv4 address. The
// lowest byte of addr is the address's first, end is behind the bracket, or 0 if what is there is
// not certain.
func clientQuickly(b []byte) (addr uint32, end int) {
	if !wide {
		return 0, 0
	}
	return clientAVX2(b, &octetsTable)
}

//go:noescape
func clientAVX2(b []byte, table *[256]octets) (addr uint32, end int)

// octets are how long the parts of an IPv4 address are, which tells where its dots and the
// bracket behind it stand.
type octets struct {
	shuffle [16]byte  // brings each part's digits to the end of four bytes
	ends    [16]byte  // the dots and the bracket where they must be
	least   [4]uint32 // what parts of these lengths are at least, without leading zeros
	stops   uint32    // the bits of the dots' and the bracket's places
	end     uint32    // what follows the bracket
	_       [8]byte
}

// octetsFactor was tried until no two shared a slot.
const octetsFactor = 0xaeca56bf

var octetsTable = func() (table [256]octets) {
	for lengths := range 3 * 3 * 3 * 3 {
		var o octets
		for i := range o.shuffle {
			o.shuffle[i] = 0x80 // nothing
		}
		at := 0
		for part := range 4 {
			n := lengths%3 + 1
			lengths /= 3
			for digit := range n {
				o.shuffle[4*part+4-n+digit] = byte(at + digit)
			}
			o.least[part] = [...]uint32{0, 10, 100}[n-1]
			at += n
			o.ends[at] = '.'
			o.stops |= 1 << at
			at++
		}
		o.ends[at-1] = ']'
		o.end = uint32(at)
		slot := &table[o.stops*octetsFactor>>24]
		if slot.stops != 0 {
			panic("two shapes of addresses share a slot")
		}
		*slot = o
	}
	return table
}()
