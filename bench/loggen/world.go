package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
)

// line is one log line without its stamp; what says whether the truth counts
// it against who.
type line struct {
	program, message string
	what             int
	who              *host
}

const (
	nothing = iota
	authFail
	relay
)

// host is one address and, for an attacker, what it does.
type host struct {
	ip, peer string
	attacks  string
	typos    int
}

// world is everybody who sends mail, and the dice.
type world struct {
	r         *rand.Rand
	attackers []*host
	innocent  []*host
	weight    []float64 // cumulated activity of the attackers
	victims   []string
}

func newWorld(o options) *world {
	w := &world{r: rand.New(rand.NewPCG(o.seed, 0x6d61696c))}
	for i := 1; i < 20; i++ {
		w.victims = append(w.victims, fmt.Sprintf("198.51.100.%d", i))
	}
	var kinds []string
	for kind, share := range map[string]int{"brute": 60, "relay": 10, "http": 6, "pipelining": 4, "scan": 8, "toomany": 3, "harvest": 3, "pregreet": 2, "imap": 3, "inject": 1} {
		for range share {
			kinds = append(kinds, kind)
		}
	}
	sort.Strings(kinds) // a map's order is not the seed's
	taken := map[string]bool{}
	total := 0.0
	for i := range o.attackers {
		h := w.host(taken)
		h.attacks = kinds[w.r.IntN(len(kinds))]
		w.attackers = append(w.attackers, h)
		// A few attackers do most of the work.
		total += math.Pow(float64(i+10), -0.8)
		w.weight = append(w.weight, total)
	}
	for range max(200, o.attackers) {
		w.innocent = append(w.innocent, w.host(taken))
	}
	return w
}

func (w *world) host(taken map[string]bool) *host {
	for {
		ip, v6 := "", w.r.IntN(50) == 0
		if v6 {
			ip = fmt.Sprintf("2001:db8:%x:%x::%x", 1+w.r.IntN(65535), 1+w.r.IntN(65535), 1+w.r.IntN(65535))
		} else {
			ip = fmt.Sprintf("%d.%d.%d.%d", 11+w.r.IntN(88), w.r.IntN(256), w.r.IntN(256), 1+w.r.IntN(254))
		}
		if taken[ip] {
			continue
		}
		taken[ip] = true
		name := "unknown"
		if !v6 {
			switch w.r.IntN(10) {
			case 0:
				name = fmt.Sprintf("host-%d.static.example.org", w.r.IntN(1e6))
			case 1:
				name = fmt.Sprintf("mail%d.corp%d.example.com", w.r.IntN(9), w.r.IntN(997))
			case 2:
				name = ip + ".in-addr.example.net"
			case 3:
				name = fmt.Sprintf("%d-%d.dyn.isp%d.example.net", w.r.IntN(256), w.r.IntN(256), w.r.IntN(50))
			}
		}
		return &host{ip: ip, peer: name + "[" + ip + "]"}
	}
}

func (w *world) attacker() *host {
	at := w.r.Float64() * w.weight[len(w.weight)-1]
	return w.attackers[min(sort.SearchFloat64s(w.weight, at), len(w.attackers)-1)]
}

func (w *world) one(of ...string) string { return of[w.r.IntN(len(of))] }

func (w *world) pid() int { return 1000 + w.r.IntN(98999) }

func (w *world) user() string {
	return w.one("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy")
}

func (w *world) guess() string {
	return w.one("admin", "info", "test", "support", "root", "sales", "office", "postmaster@example.com", "scanner", "backup", "alice", "bob")
}

func (w *world) domain() string {
	return w.one("partner.example.net", "lists.example.org", "shop.example.net", "bank.example.org", "corp.example.org")
}

const letters = "BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789"

func (w *world) letters(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[w.r.IntN(len(letters))]
	}
	return string(b)
}

// queueID is a short or a long one, as the server is configured.
func (w *world) queueID() string {
	if w.r.IntN(2) == 0 {
		return fmt.Sprintf("%010X", w.r.Int64N(1<<40))
	}
	return "4" + w.letters(13)
}
