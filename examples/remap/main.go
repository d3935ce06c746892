// Command remap makes examples/postfix.log and examples/postfix.truth.json
// from the lab's original log and truth: it replaces the lab's loopback
// addresses, one to one, by addresses of the documentation ranges. Run it in
// the root of the repository:
//
//	go run ./examples/remap
//
// It changes addresses and names made of addresses, nothing else.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "remap:", err)
		os.Exit(1)
	}
}

func run(root string) error {
	log, truth, err := remapped(root)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, "examples", "postfix.log"), log, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "examples", "postfix.truth.json"), truth, 0o644)
}

// remapped returns the two files' contents.
func remapped(root string) (log, truth []byte, err error) {
	dir := filepath.Join(root, "detect", "maillog", "testdata")
	original, err := unpack(filepath.Join(dir, "postfix-real.log.gz"))
	if err != nil {
		return nil, nil, err
	}
	lab, err := unpack(filepath.Join(dir, "postfix-real.truth.json.gz"))
	if err != nil {
		return nil, nil, err
	}
	m, err := newMapping(original)
	if err != nil {
		return nil, nil, err
	}
	truth, err = m.truth(lab)
	return m.log(original), truth, err
}

func unpack(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return io.ReadAll(z)
}

// mapping says which documentation address stands for which lab address.
type mapping map[netip.Addr]netip.Addr

var (
	labAddress = regexp.MustCompile(`\b127\.\d{1,3}\.\d{1,3}\.\d{1,3}\b`)
	// Reverse names spell their address: 127-10-0-6.static… and dsl-5-0-10-127.dyn…
	labName = regexp.MustCompile(`\b(127-\d{1,3}-\d{1,3}-\d{1,3}|\d{1,3}-\d{1,3}-\d{1,3}-127)\b`)
)

// newMapping distributes the addresses that the log names. The order is that
// of the lab addresses, so the result does not depend on who comes first.
func newMapping(log []byte) (mapping, error) {
	seen := mapping{}
	for _, text := range labAddress.FindAll(log, -1) {
		a, err := netip.ParseAddr(string(text))
		if err != nil {
			return nil, fmt.Errorf("the log names %q: %w", text, err)
		}
		seen[a] = netip.Addr{}
	}
	// Kept free: our two servers, the victim that attackers name, addresses
	// the documentation uses, the office network, what attackers' texts name.
	innocent := pool("192.0.2.", 1, 254, 1, 25, 26)
	attackers := [2][]netip.Addr{
		pool("203.0.113.", 10, 239, 6),
		append(pool("198.51.100.", 30, 127, 4, 77), pool("198.51.100.", 193, 254, 4)...),
	}
	turn := 0
	for _, a := range slices.SortedFunc(mapKeys(seen), netip.Addr.Compare) {
		b := a.As4()
		switch {
		case b == [4]byte{127, 0, 0, 1}: // the server
			seen[a] = netip.MustParseAddr("192.0.2.25")
		case b[1] == 68 && b[2] == 0: // the distributed attack stays one block
			seen[a] = netip.AddrFrom4([4]byte{198, 51, 100, 128 + b[3]})
		case b[1] >= 20 && b[1] <= 31: // the lab's innocents
			seen[a], innocent = innocent[0], innocent[1:]
		default:
			from := &attackers[turn%2]
			turn++
			if len(*from) == 0 {
				return nil, fmt.Errorf("no documentation address is left for %s", a)
			}
			seen[a], *from = (*from)[0], (*from)[1:]
		}
	}
	return seen, nil
}

func mapKeys(m mapping) func(func(netip.Addr) bool) {
	return func(yield func(netip.Addr) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func pool(prefix string, first, last, step int, except ...int) (out []netip.Addr) {
	for i := first; i <= last; i += step {
		if !slices.Contains(except, i) {
			out = append(out, netip.MustParseAddr(fmt.Sprint(prefix, i)))
		}
	}
	return out
}

func (m mapping) address(text string) string {
	if a, err := netip.ParseAddr(text); err == nil && m[a].IsValid() {
		return m[a].String()
	}
	return text
}

func (m mapping) name(text string) string {
	parts := strings.Split(text, "-")
	reversed := parts[0] != "127"
	if reversed {
		slices.Reverse(parts)
	}
	parts = strings.Split(m.address(strings.Join(parts, ".")), ".")
	if reversed {
		slices.Reverse(parts)
	}
	return strings.Join(parts, "-")
}

func (m mapping) log(original []byte) []byte {
	out := labAddress.ReplaceAllFunc(original, func(b []byte) []byte { return []byte(m.address(string(b))) })
	return labName.ReplaceAllFunc(out, func(b []byte) []byte { return []byte(m.name(string(b))) })
}

// source is what the reduced truth says about one address.
type source struct {
	Label       string `json:"label"`
	Attacker    bool   `json:"attacker"`
	AuthFail    int    `json:"auth_fail"`
	RelayDenied int    `json:"relay_denied"`
	AuthFail600 int    `json:"auth_fail_max_600s"`
}

func (m mapping) truth(lab []byte) ([]byte, error) {
	var in struct {
		Sources map[string]struct {
			Label    string
			Attacker bool
			Counts   map[string]int
			Max600   int `json:"auth_fail_max_600s"`
		}
		Bruteforce []string `json:"sasl_bruteforce_ips"`
		Victims    []string `json:"injected_victims"`
	}
	if err := json.Unmarshal(lab, &in); err != nil {
		return nil, err
	}
	out := struct {
		Sources    map[string]source `json:"sources"`
		Bruteforce []string          `json:"sasl_bruteforce_ips"`
		Victims    []string          `json:"injected_victims"`
	}{map[string]source{}, nil, in.Victims}
	for ip, s := range in.Sources {
		out.Sources[m.address(ip)] = source{s.Label, s.Attacker, s.Counts["auth_fail"], s.Counts["relay_denied"], s.Max600}
	}
	for _, ip := range in.Bruteforce {
		out.Bruteforce = append(out.Bruteforce, m.address(ip))
	}
	slices.Sort(out.Bruteforce)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", " ")
	err := e.Encode(out)
	return b.Bytes(), err
}
