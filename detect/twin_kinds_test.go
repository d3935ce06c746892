package detect_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/detect"
)

// plain is the slow twin of all kinds of rules: it keeps every arrival and looks
// at all of them for each signal.
type plain struct {
	rules []detect.Rule
	seen  map[plainKey]*plainPair
	ok    map[netip.Addr]time.Time
}

type plainKey struct{ rule, key string }

type plainPair struct {
	arrivals    []arrival
	members     []arrival
	full        bool // of accounts
	found, held bool
	count       int
	last        time.Time
}

type arrival struct {
	at   time.Time
	item string
}

func (n *plain) pair(rule, key string) *plainPair {
	k := plainKey{rule, key}
	if n.seen[k] == nil {
		n.seen[k] = &plainPair{}
	}
	return n.seen[k]
}

// most is the largest window with the latest arrival, of the last limit arrivals
// of different items.
func most(arrivals []arrival, within time.Duration, limit int) (int, []arrival) {
	var recent []arrival
	for i := len(arrivals) - 1; i >= 0 && len(recent) < limit; i-- {
		if a := arrivals[i]; a.item == "" || !slices.ContainsFunc(recent, func(b arrival) bool { return b.item == a.item }) {
			recent = append(recent, a)
		}
	}
	t := arrivals[len(arrivals)-1].at
	largest := 0
	for _, from := range recent {
		inside := 0
		for _, x := range recent {
			if !x.at.Before(from.at) && x.at.Sub(from.at) <= within {
				inside++
			}
		}
		if !from.at.After(t) && t.Sub(from.at) <= within {
			largest = max(largest, inside)
		}
	}
	return largest, recent
}

func (n *plain) legit(in netip.Prefix, t time.Time) bool {
	for a, last := range n.ok {
		if in.Contains(a) && t.Sub(last) <= detect.SuccessMemory {
			return true
		}
	}
	return false
}

func (n *plain) cross(p *plainPair, hold bool) {
	if p.found && (!p.held || hold) {
		return
	}
	p.found, p.held = true, hold
}

func unitOf(a netip.Addr) netip.Prefix {
	if a.Is4() {
		return netip.PrefixFrom(a, 32)
	}
	p, _ := a.Prefix(64)
	return p
}

func (n *plain) observe(s detect.Signal) {
	if s.Kind.Success() && s.Time.After(n.ok[s.Addr]) {
		n.ok[s.Addr] = s.Time
	}
	account := strings.ToLower(string(s.Account))
	own := map[string]bool{}
	dealt := false
	rules := func(of detect.Subject, do func(r detect.Rule)) {
		for _, r := range n.rules {
			if r.Of == of && slices.Contains(r.Signals, s.Kind) {
				do(r)
			}
		}
	}
	item := func(r detect.Rule) string {
		if r.Count == detect.Accounts {
			return account
		}
		return ""
	}
	area := func(r detect.Rule, in netip.Prefix, members, limit int, never bool) {
		if r.Count == detect.Accounts && account == "" {
			return
		}
		p := n.pair(r.Name, in.String())
		who := s.Addr.String()
		if r.Of == detect.OfNetwork {
			who = unitOf(s.Addr).String()
		}
		p.members = append(p.members, arrival{s.Time, who})
		different, _ := most(p.members, r.Within, detect.MaxDistinct)
		p.count += s.Times()
		now := 0
		times := s.Times()
		if r.Count == detect.Accounts {
			times = 1
		}
		for range times {
			p.arrivals = append(p.arrivals, arrival{s.Time, item(r)})
			k, _ := most(p.arrivals, r.Within, limit)
			now = max(now, k)
		}
		if now >= r.Threshold && different >= members {
			n.cross(p, !never && now < limit && n.legit(in, s.Time))
		}
		dealt = dealt || p.found && r.Acts
	}
	rules(detect.OfAddress, func(r detect.Rule) {
		if r.Count == detect.Accounts && account == "" {
			p := n.pair(r.Name, netip.PrefixFrom(s.Addr, s.Addr.BitLen()).String())
			own[r.Name] = p.found
			dealt = dealt || p.found && r.Acts
			return
		}
		limit := 4 * r.Threshold
		area(r, netip.PrefixFrom(s.Addr, s.Addr.BitLen()), 0, limit, false)
		own[r.Name] = n.pair(r.Name, netip.PrefixFrom(s.Addr, s.Addr.BitLen()).String()).found
	})
	if s.Addr.Is6() {
		in, _ := s.Addr.Prefix(64)
		rules(detect.OfAddress, func(r detect.Rule) {
			if !own[r.Name] {
				area(r, in, detect.HalfMembers, 4*r.Threshold, false)
			}
		})
	}
	rules(detect.OfNetwork, func(r detect.Rule) {
		bits := 24
		if s.Addr.Is6() {
			bits = 48
		}
		in, _ := s.Addr.Prefix(bits)
		before := dealt
		if !before {
			area(r, in, r.Members, r.Threshold, true)
		}
		dealt = before // networks do not deal with their members one by one
	})
	rules(detect.OfSite, func(r detect.Rule) {
		p := n.pair(r.Name, "")
		now := 0
		for range s.Times() {
			p.arrivals = append(p.arrivals, arrival{s.Time, ""})
			k, _ := most(p.arrivals, r.Within, r.Threshold)
			now = max(now, k)
		}
		if now >= r.Threshold || !p.found {
			p.count += s.Times()
		}
		p.found = p.found || now >= r.Threshold
	})
	if account == "" {
		return
	}
	rules(detect.OfAccount, func(r detect.Rule) {
		p := n.pair(r.Name, "account "+account)
		if r.Count == detect.Networks || r.Count == detect.Countries {
			bits := 16
			if s.Addr.Is6() {
				bits = 32
			}
			from, _ := s.Addr.Prefix(bits)
			place := from.String()
			if r.Count == detect.Countries {
				if place = oddCountry(s.Addr); place == "" {
					return
				}
			}
			p.arrivals = append(p.arrivals, arrival{s.Time, place})
			if k, _ := most(p.arrivals, r.Within, r.Threshold); k >= r.Threshold {
				n.member(r, netip.PrefixFrom(s.Addr, s.Addr.BitLen()), s, true)
			}
			return
		}
		if dealt {
			return
		}
		p.arrivals = append(p.arrivals, arrival{s.Time, unitOf(s.Addr).String()})
		k, recent := most(p.arrivals, r.Within, r.Threshold)
		if k < r.Threshold {
			p.full = false
			return
		}
		for i := len(recent) - 1; i >= 0 && !p.full; i-- {
			if a := recent[i]; a.item != unitOf(s.Addr).String() && s.Time.Sub(a.at).Abs() <= r.Within {
				if q := n.pair(r.Name, a.item); q.count == 0 || a.at.After(q.last) {
					n.member(r, netip.MustParsePrefix(a.item), detect.Signal{Time: a.at}, false)
				}
			}
		}
		p.full = true
		n.member(r, unitOf(s.Addr), s, false)
	})
}

func (n *plain) member(r detect.Rule, in netip.Prefix, s detect.Signal, bare bool) {
	p := n.pair(r.Name, in.String())
	p.count += s.Times()
	if s.Time.After(p.last) {
		p.last = s.Time
	}
	n.cross(p, !bare && n.legit(in, s.Time))
}

var everyKind = []func(r *detect.Rule){
	func(*detect.Rule) {},
	func(r *detect.Rule) { r.Count = detect.Accounts },
	func(r *detect.Rule) { r.Of, r.Members = detect.OfNetwork, detect.HalfMembers },
	func(r *detect.Rule) { r.Of, r.Count = detect.OfAccount, detect.Addresses },
	func(r *detect.Rule) {
		r.Of, r.Count, r.Signals = detect.OfAccount, detect.Networks, append(r.Signals, detect.SMTPAuthOK)
	},
	func(r *detect.Rule) {
		r.Of, r.Count, r.Signals = detect.OfAccount, detect.Countries, append(r.Signals, detect.SMTPAuthOK)
	},
	func(r *detect.Rule) { r.Of = detect.OfSite },
}

// oddCountry knows some countries, of addresses side by side.
func oddCountry(a netip.Addr) string {
	last := a.AsSlice()[len(a.AsSlice())-1]
	return []string{"", "AQ", "DE", "AQ", "CN"}[last%5]
}

func drawEveryRule(t *rapid.T) []detect.Rule {
	var rules []detect.Rule
	for i := range rapid.IntRange(1, 5).Draw(t, "rules") {
		r := detect.Rule{
			Name:      string(rune('a' + i)),
			Signals:   rapid.SliceOfNDistinct(rapid.SampledFrom([]detect.Kind{detect.SMTPAuthFailed, detect.SMTPRelayDenied}), 1, 2, rapid.ID).Draw(t, "signals"),
			Threshold: rapid.IntRange(2, 5).Draw(t, "threshold"),
			Within:    time.Duration(rapid.IntRange(5, 60).Draw(t, "within")) * time.Second,
			Acts:      rapid.Bool().Draw(t, "acts"),
		}
		everyKind[rapid.IntRange(0, len(everyKind)-1).Draw(t, "of")](&r)
		rules = append(rules, r)
	}
	return rules
}

func drawEverySignal(t *rapid.T, most int) []detect.Signal {
	clock := drawClock(t, 8_000)
	addrs := []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "198.51.100.1", "2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:3::1"}
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) detect.Signal {
		s := detect.Signal{
			Kind:  rapid.SampledFrom([]detect.Kind{detect.SMTPAuthFailed, detect.SMTPAuthFailed, detect.SMTPAuthFailed, detect.SMTPRelayDenied, detect.SMTPAuthOK}).Draw(t, "kind"),
			Addr:  netip.MustParseAddr(rapid.SampledFrom(addrs).Draw(t, "addr")),
			Count: rapid.SampledFrom([]int{0, 0, 0, 3}).Draw(t, "count"),
			Time:  clock(t),
			Raw:   []byte("x"),
		}
		if a := rapid.SampledFrom([]string{"", "root", "Info", "info", "a@example.com"}).Draw(t, "account"); a != "" {
			s.Account = []byte(a)
		}
		return s
	}), 0, most).Draw(t, "log")
}

func TestEveryKindOfRuleAgreesWithItsSlowTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := drawEveryRule(t)
		e, err := detect.New(rules, detect.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		e.Locate(oddCountry)
		twin := &plain{rules: rules, seen: map[plainKey]*plainPair{}, ok: map[netip.Addr]time.Time{}}
		for _, s := range drawEverySignal(t, 150) {
			e.Observe(s)
			twin.observe(s)
		}
		got := map[plainKey]detect.Detection{}
		for _, d := range e.Detections() {
			key := plainKey{d.Rule, ""}
			if d.Prefix.IsValid() {
				key.key = d.Prefix.String()
			}
			if _, twice := got[key]; twice {
				t.Fatalf("%v is there twice", key)
			}
			got[key] = d
		}
		for key, p := range twin.seen {
			if strings.HasPrefix(key.key, "account ") {
				continue
			}
			d, found := got[key]
			delete(got, key)
			if found != p.found || found && d.Count != p.count {
				t.Fatalf("%v: detected %v, twin %v\n%+v\n%+v", key, found, p.found, d, *p)
			}
			// A success that came later may withhold what was detected together with others; the other way round it may not.
			if found && d.Withheld != p.held && (p.held || d.Members == 0 && d.Of != detect.OfAccount) {
				t.Fatalf("%v: withheld %v, twin %v", key, d.Withheld, p.held)
			}
		}
		if len(got) > 0 {
			t.Fatalf("only the engine found %v", got)
		}
	})
}

func TestTheStateOfEveryKindOfRuleGoesOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules, signals := drawEveryRule(t), drawEverySignal(t, 80)
		// The state forgets what the longest window does not need.
		rules = append(rules, detect.Rule{Name: "long", Signals: []detect.Kind{detect.SMTPScan}, Threshold: 99, Within: time.Hour})
		for i := range signals {
			signals[i].Source, signals[i].Line, signals[i].Raw = "mail", int64(i+1), fmt.Appendf(nil, "line %d", i+1)
		}
		e, err := detect.New(rules, detect.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range signals {
			e.Observe(s)
		}
		want := map[pairKey]detect.Detection{}
		merge(want, e.Detections())
		at := rapid.IntRange(0, len(signals)).Draw(t, "split")
		got := splitRun(t, rules, signals, at)
		for key, w := range want {
			g := got[key]
			if (w.Members > 0 || w.Of == detect.OfAccount) && w.Withheld && (!g.Withheld || g.LegitimateAt.Before(w.LegitimateAt)) {
				g.Withheld, g.Legitimate, g.LegitimateBy, g.LegitimateAt, g.Score = w.Withheld, w.Legitimate, w.LegitimateBy, w.LegitimateAt, w.Score // the success, or a later one, came after the first run's report
			}
			if !reflect.DeepEqual(g, w) {
				t.Fatalf("split at %d, %v:\n got %+v\nwant %+v", at, key, g, w)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("split at %d: %d detections, want %d", at, len(got), len(want))
		}
	})
}
