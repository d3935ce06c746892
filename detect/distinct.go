package detect

import (
	"math"
	"math/bits"
)

// distinct counts different sources in at most 12 KiB: exactly up to exactSources,
// by a HyperLogLog of 4,096 registers beyond (standard error 1.6 %). It needs no
// key: nothing is decided by it.
type distinct struct {
	set       []uint64 // open addressing; 0 is empty
	n         int
	registers []uint8
	sum       float64 // of 2^-register, kept with each change
	empty     int
}

const (
	exactSources = 512
	registerBits = 12
)

func (d *distinct) add(source key) {
	hi, lo := bits.Mul64(source.low^0x2d358dccaa6c78a5, source.high^0x8bb84b93962eacc9)
	hi, lo = bits.Mul64(hi^0x4b33a62ed433d4a3, lo^source.high^0x9e3779b97f4a7c15)
	d.addHash(max(hi^lo, 1))
}

func (d *distinct) addHash(h uint64) {
	if d.registers != nil {
		d.register(h)
		return
	}
	if d.set == nil {
		d.set = make([]uint64, 2*exactSources)
	}
	i := h & (2*exactSources - 1)
	for ; d.set[i] != 0; i = (i + 1) & (2*exactSources - 1) {
		if d.set[i] == h {
			return
		}
	}
	if d.n < exactSources {
		d.set[i] = h
		d.n++
		return
	}
	d.registers = make([]uint8, 1<<registerBits)
	d.sum, d.empty = 1<<registerBits, 1<<registerBits
	for _, known := range d.set {
		if known != 0 {
			d.register(known)
		}
	}
	d.register(h)
	d.set, d.n = nil, 0
}

func (d *distinct) register(h uint64) {
	r := &d.registers[h>>(64-registerBits)]
	to := uint8(bits.LeadingZeros64(h<<registerBits|1<<(registerBits-1)) + 1)
	if to <= *r {
		return
	}
	if *r == 0 {
		d.empty--
	}
	d.sum += power(to) - power(*r)
	*r = to
}

// power is 2^-n.
func power(n uint8) float64 { return math.Float64frombits(uint64(1023-int(n)) << 52) }

// count returns how many there were, and whether that is exact.
func (d *distinct) count() (n int, exact bool) {
	if d.registers == nil {
		return d.n, true
	}
	const m = 1 << registerBits
	estimate := 0.7213 / (1 + 1.079/m) * m * m / d.sum
	if estimate <= 2.5*m && d.empty > 0 {
		estimate = m * math.Log(m/float64(d.empty))
	}
	return int(math.Round(estimate)), false
}

func (d *distinct) clear() {
	clear(d.set)
	d.n, d.registers = 0, nil // the rest is set anew with the registers
}
