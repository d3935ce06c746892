package gates

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fwsync/cloudfw"
	"fwsync/sync/plan"
)

var now = time.Date(2026, 11, 23, 20, 30, 0, 0, time.UTC)

func intentOf(blocked ...netip.Prefix) cloudfw.Intent {
	intent := cloudfw.Intent{
		Owner:   "edge",
		Targets: []cloudfw.Target{{Kind: cloudfw.InternetFirewall}},
		Rules: []cloudfw.Rule{
			{Name: "drop-attackers", Direction: cloudfw.In, From: cloudfw.Side{Blocked: true}, To: cloudfw.Side{Any: true}, Protocol: cloudfw.AnyProtocol, Application: "ANY", Action: cloudfw.Drop},
		},
	}
	for _, p := range blocked {
		intent.Blocked = append(intent.Blocked, cloudfw.Block{Prefix: p})
	}
	return intent
}

func planOf(intent cloudfw.Intent, live cloudfw.Snapshot) (plan.Plan, error) {
	return plan.Compute(plan.Input{Intent: intent, Live: live, Limits: cloudfw.DefaultLimits(), Now: now})
}

func computed(t testing.TB, in Input) Input {
	t.Helper()
	p, err := planOf(in.Intent, in.Live)
	if err != nil {
		t.Fatal(err)
	}
	in.Plan = p
	if in.Limits == (Limits{}) {
		in.Limits = DefaultLimits()
	}
	return in
}

func check(t testing.TB, in Input) []Refusal {
	t.Helper()
	return Check(computed(t, in))
}

func expect(t *testing.T, got []Refusal, gate, text string) {
	t.Helper()
	for _, r := range got {
		if r.Gate == gate && strings.Contains(r.Message, text) {
			if r.Hint == "" {
				t.Errorf("the refusal %q has no hint", r.Message)
			}
			return
		}
	}
	t.Errorf("refusals = %v, want one of gate %s with %q", got, gate, text)
}

func prefixes(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		p, err := cloudfw.ParsePrefix(text)
		if err != nil {
			panic(err)
		}
		all = append(all, p)
	}
	return all
}

// blockedAlready is an account in which our one book blocks the prefixes.
func blockedAlready(ps []netip.Prefix) cloudfw.Snapshot {
	const owner = cloudfw.Owner("edge")
	b := cloudfw.AddressBook{
		ID: "b1", Family: cloudfw.IPv4, Name: owner.BookName("blocked4-1"), Prefixes: cloudfw.SortPrefixes(ps),
		Description: cloudfw.Marker{Owner: owner, Kind: "book", Name: "blocked4-1"}.String(), References: 1,
	}
	r := cloudfw.FirewallRule{
		ID: "r1", Order: 1, Direction: cloudfw.In, Family: cloudfw.IPv4, Action: cloudfw.Drop, Protocol: cloudfw.AnyProtocol, Application: "ANY",
		Source: cloudfw.Peer{Kind: cloudfw.Book, Value: b.Name}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"},
		Description: cloudfw.Marker{Owner: owner, Kind: "rule", Name: "old"}.String(),
	}
	return cloudfw.Snapshot{Books: []cloudfw.AddressBook{b}, Rules: []cloudfw.FirewallRule{r}}
}

func many(n int) []netip.Prefix {
	var all []netip.Prefix
	for i := range n {
		all = append(all, netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 1, byte(i >> 8), byte(i)}), 32))
	}
	return all
}

// Every gate is asked, in a fixed order, and says what it looked at and let pass, also
// when another one withholds.
func TestEachGateSaysWhatItLookedAt(t *testing.T) {
	in := computed(t, Input{Intent: intentOf(prefixes("198.51.100.7", "10.0.0.1")...)})
	findings := Run(in)
	var order []string
	for _, f := range findings {
		order = append(order, f.Gate)
		if f.LookedAt == "" || f.Withheld == nil {
			t.Errorf("gate %s: %+v", f.Gate, f)
		}
	}
	if got, want := strings.Join(order, " "), "ownership never-block prefix-width operator drop-everything blast-radius capacity proof source-health expiry"; got != want {
		t.Errorf("order = %s, want %s", got, want)
	}
	text, err := json.Marshal(findings[1])
	if err != nil {
		t.Fatal(err)
	}
	want := `{"gate":"never-block","looked_at":"2 blocks","passed":1,"withheld":[{"what":"10.0.0.1/32","why":"private (RFC 1918)",`
	if !strings.HasPrefix(string(text), want) {
		t.Errorf("finding = %s, want it to begin with %s", text, want)
	}
	if got := Refusals(findings); len(got) != 1 || got[0].Gate != "never-block" {
		t.Errorf("refusals = %v", got)
	}
}

func TestManyThingsWithheldAreOneRefusalThatCountsThem(t *testing.T) {
	var private []netip.Prefix
	for i := range 40 {
		private = append(private, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 32))
	}
	got := check(t, Input{Intent: intentOf(private...)})
	if len(got) != 1 || !strings.HasSuffix(got[0].Message, "and 35 more") {
		t.Errorf("refusals = %v", got)
	}
}
