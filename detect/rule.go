package detect

import (
	"errors"
	"fmt"
	"time"
)

// Bounds of a rule's numbers.
const (
	MaxThreshold = 4096
	MaxDistinct  = 256 // the threshold of a rule that counts different things
	MaxWithin    = 31 * 24 * time.Hour
	MaxWeight    = 100
)

// HalfMembers is the least number of different addresses of a /64 that may be
// detected as a whole.
const HalfMembers = 3

// SuccessMemory is how long, in log time, a success speaks for an address.
const SuccessMemory = 24 * time.Hour

// Subject is whose signals a rule counts together.
type Subject uint8

// The subjects.
const (
	// OfAddress: one source address. For IPv6 the signals of all addresses of a /64
	// are counted together as well, but those of addresses that the rule has
	// detected by themselves; the /64 is detected at the same threshold if they
	// come from HalfMembers addresses or more.
	OfAddress Subject = iota
	// OfNetwork: the addresses of one network.
	OfNetwork
	// OfAccount: everybody who tries one account.
	OfAccount
	// OfSite: all sources together.
	OfSite
)

// Measure is what of the signals a rule counts.
type Measure uint8

// The measures.
const (
	// Signals counts every signal.
	Signals Measure = iota
	// Accounts counts the different accounts that one address tries.
	Accounts
	// Addresses counts the different addresses that try one account.
	Addresses
	// Networks counts the different networks from which one account is used.
	Networks
	// Countries counts the countries from which one account is used. An address
	// without a country, as Engine.Locate tells it, does not count.
	Countries
)

// places are measures of where an account is used from: success speaks for nobody.
func (m Measure) places() bool { return m == Networks || m == Countries }

// Rule is a threshold over signals. Which Measure goes with which Subject:
//
//	OfAddress  Signals    the plain detection
//	OfAddress  Accounts   spraying: one address, many accounts
//	OfNetwork  Signals    many weak members: Threshold signals by Members addresses
//	OfAccount  Addresses  distributed: every address that takes part is detected
//	OfAccount  Networks   far apart: the account may be stolen
//	OfAccount  Countries  likewise, farther
//	OfSite     Signals    a storm: it has no prefix and blocks nobody
type Rule struct {
	// Name is unique among the rules of one engine.
	Name string
	// Signals are the kinds that count; at least one. Successes are for Networks and
	// Countries only.
	Signals []Kind
	Of      Subject
	Count   Measure
	// Threshold, 1 to MaxThreshold (of different things 2 to MaxDistinct), within a
	// closed window of Within (last minus first <= Within, 1s to MaxWithin) makes
	// a detection.
	Threshold int
	Within    time.Duration
	// Members is the least number of different addresses (IPv6: of /64s) of a
	// network within the window, HalfMembers to MaxDistinct. Only OfNetwork.
	Members int
	// IPv4Bits and IPv6Bits are how wide a network is: 16 to 31 (0 means 24) and
	// 32 to 63 (0 means 48). Only OfNetwork.
	IPv4Bits, IPv6Bits int
	// LegitimateThreshold replaces Threshold where there was a success in the last
	// 24 hours of log time: Threshold to 4×MaxThreshold. 0 means 4×Threshold for
	// an address and never for a network. Not for accounts and the site: an
	// address with a success is never detected for taking part in a distributed attack.
	LegitimateThreshold int
	// Weight is what one signal adds to the score, 1 to MaxWeight; 0 means 1.
	Weight int
	// Acts says that what the rule detects is dealt with one by one (blocked). The
	// signals of such an address no longer count against its network and against
	// accounts: those rules look for attackers that are weak by themselves.
	Acts bool
}

// Limits bound the engine's memory, whatever the log says.
type Limits struct {
	// MaxSources is the most counters, one for each rule and source, and success
	// marks that are kept exactly; 0 means 1,000,000 (about 100 to 200 MB when
	// full). What comes beyond is counted in a sketch: see Stats.Sketched.
	MaxSources int
	// MaxEvidence is the most sources that hold samples of their lines, up to 3
	// of 300 bytes each and rule; 0 means 20,000. Crossings come first.
	MaxEvidence int
	// Seed of the keyed hashes; 0 means random. It decides nothing as long as
	// MaxSources is not reached; beyond, the same seed gives the same detections.
	Seed uint64
}

func (r *Rule) legitimate() int {
	switch {
	case r.LegitimateThreshold != 0:
		return r.LegitimateThreshold
	case r.Of == OfAddress:
		return 4 * r.Threshold
	}
	return r.Threshold
}

func (r *Rule) bits() (ipv4, ipv6 int) {
	ipv4, ipv6 = r.IPv4Bits, r.IPv6Bits
	if ipv4 == 0 {
		ipv4 = 24
	}
	if ipv6 == 0 {
		ipv6 = 48
	}
	return ipv4, ipv6
}

func (r *Rule) weight() int { return max(1, r.Weight) }

func (r *Rule) check() error {
	if r.Name == "" {
		return errors.New("name is empty")
	}
	if len(r.Signals) == 0 {
		return errors.New("signals are empty")
	}
	for i, k := range r.Signals {
		if !k.Valid() {
			return fmt.Errorf("signal %d is not a known kind", i+1)
		}
		if k.Success() && !r.Count.places() {
			return fmt.Errorf("signal %s speaks for an address and cannot be counted against it", k)
		}
	}
	switch [2]uint8{uint8(r.Of), uint8(r.Count)} {
	case [2]uint8{uint8(OfAddress), uint8(Signals)}, [2]uint8{uint8(OfAddress), uint8(Accounts)}, [2]uint8{uint8(OfNetwork), uint8(Signals)},
		[2]uint8{uint8(OfAccount), uint8(Addresses)}, [2]uint8{uint8(OfAccount), uint8(Networks)}, [2]uint8{uint8(OfAccount), uint8(Countries)}, [2]uint8{uint8(OfSite), uint8(Signals)}:
	default:
		return errors.New("this cannot be counted of that subject")
	}
	least, most := 1, MaxThreshold
	if r.Count != Signals {
		least, most = 2, MaxDistinct
	}
	if r.Threshold < least || r.Threshold > most {
		return fmt.Errorf("threshold %d is not between %d and %d", r.Threshold, least, most)
	}
	if r.Within < time.Second || r.Within > MaxWithin {
		return fmt.Errorf("within %s is not between 1s and %s", r.Within, MaxWithin)
	}
	if l := r.LegitimateThreshold; l != 0 {
		if r.Of != OfAddress && r.Of != OfNetwork {
			return errors.New("a legitimate threshold is for addresses and networks")
		}
		if l < r.Threshold || l > 4*most {
			return fmt.Errorf("legitimate threshold %d is not between the threshold %d and %d", l, r.Threshold, 4*most)
		}
	}
	if r.Weight < 0 || r.Weight > MaxWeight {
		return fmt.Errorf("weight %d is not between 1 and %d", r.Weight, MaxWeight)
	}
	if r.Of != OfNetwork {
		if r.Members != 0 || r.IPv4Bits != 0 || r.IPv6Bits != 0 {
			return errors.New("members and bits are for networks")
		}
		return nil
	}
	if r.Members < HalfMembers || r.Members > MaxDistinct {
		return fmt.Errorf("members %d is not between %d and %d", r.Members, HalfMembers, MaxDistinct)
	}
	v4, v6 := r.bits()
	if v4 < 16 || v4 > 31 {
		return fmt.Errorf("IPv4 bits %d are not between 16 and 31", v4)
	}
	if v6 < 32 || v6 > 63 {
		return fmt.Errorf("IPv6 bits %d are not between 32 and 63", v6)
	}
	return nil
}

func (l Limits) filled() (Limits, error) {
	if l.MaxSources == 0 {
		l.MaxSources = 1_000_000
	}
	if l.MaxEvidence == 0 {
		l.MaxEvidence = 20_000
	}
	if l.MaxSources < 16 || l.MaxSources > 100_000_000 {
		return l, fmt.Errorf("max sources %d is not between 16 and 100000000", l.MaxSources)
	}
	if l.MaxEvidence < 0 {
		return l, fmt.Errorf("max evidence %d is negative", l.MaxEvidence)
	}
	return l, nil
}
