// Command loggen writes mail logs of any size in the shapes of a genuine
// Postfix and Dovecot log (see examples/postfix.log), with the truth about who
// attacked. The same flags give the same bytes.
//
//	go run ./bench/loggen -size 1G -attackers 20000 -seed 1 -out big.log -truth big.truth.json
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	g := options{}
	size := flag.String("size", "10M", "stop after this many bytes (K, M or G)")
	out := flag.String("out", "-", "log file, - is standard output")
	truth := flag.String("truth", "", "JSON file with what each source did")
	flag.IntVar(&g.attackers, "attackers", 2000, "addresses that attack; as many innocent ones besides")
	flag.Uint64Var(&g.seed, "seed", 1, "the same seed gives the same log")
	flag.BoolVar(&g.rfc3339, "rfc3339", false, "stamps like 2026-03-02T00:00:00.123456+00:00")
	flag.Parse()
	if err := run(g, *size, *out, *truth); err != nil {
		fmt.Fprintln(os.Stderr, "loggen:", err)
		os.Exit(1)
	}
}

func run(g options, size, out, truth string) error {
	var err error
	if g.size, err = bytesOf(size); err != nil {
		return err
	}
	if g.attackers < 1 || g.attackers > 1_000_000 {
		return fmt.Errorf("attackers %d is not between 1 and 1000000", g.attackers)
	}
	to := os.Stdout
	if out != "-" {
		if to, err = os.Create(out); err != nil {
			return err
		}
		defer to.Close()
	}
	found, err := generate(g, to)
	if err != nil {
		return err
	}
	if out != "-" {
		if err := to.Close(); err != nil {
			return err
		}
	}
	if truth == "" {
		return nil
	}
	b, err := json.Marshal(found)
	if err != nil {
		return err
	}
	return os.WriteFile(truth, append(b, '\n'), 0o644)
}

func bytesOf(s string) (int64, error) {
	unit := int64(1)
	if i := strings.IndexAny(s, "KMG"); i >= 0 && i == len(s)-1 {
		unit = map[byte]int64{'K': 1 << 10, 'M': 1 << 20, 'G': 1 << 30}[s[i]]
		s = s[:i]
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 || n > 1<<40/unit {
		return 0, fmt.Errorf("size %q is not a number of bytes such as 300M", s)
	}
	return n * unit, nil
}

type options struct {
	size      int64
	attackers int
	seed      uint64
	rfc3339   bool
}

// Truth is what the generated log is about.
type Truth struct {
	Lines int64 `json:"lines"`
	Bytes int64 `json:"bytes"`
	// Sources has every address that did something worth a signal against it.
	Sources map[string]*Source `json:"sources"`
	// Bruteforce has those with 5 failed logins in some 600 seconds, last minus first.
	Bruteforce []string `json:"bruteforce_ips"`
	// Victims are only named inside attackers' text.
	Victims []string `json:"injected_victims"`
}

// Source is what one address did.
type Source struct {
	Attacker    bool `json:"attacker"`
	AuthFail    int  `json:"auth_fail"`
	AuthFailMax int  `json:"auth_fail_max_window"`
	Relay       int  `json:"relay"`

	recent []time.Time
}

const (
	window    = 600 * time.Second
	threshold = 5
	// perLine is the mean time between two lines.
	perLine = time.Second / 60
	// open is how many sessions are interleaved.
	open = 24
)

func generate(o options, to io.Writer) (*Truth, error) {
	w := newWorld(o)
	found := &Truth{Sources: map[string]*Source{}, Victims: w.victims}
	out := bufio.NewWriterSize(to, 1<<20)
	now := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	var sessions [open][]line
	var text []byte
	for found.Bytes < o.size {
		i := w.r.IntN(open)
		if len(sessions[i]) == 0 {
			sessions[i] = w.session()
		}
		l := sessions[i][0]
		sessions[i] = sessions[i][1:]
		now = now.Add(time.Duration(w.r.Int64N(int64(2 * perLine)))).Truncate(time.Microsecond)
		at := now
		if o.rfc3339 {
			text = now.AppendFormat(text[:0], "2006-01-02T15:04:05.000000-07:00")
		} else {
			at = now.Truncate(time.Second)
			text = now.AppendFormat(text[:0], time.Stamp)
		}
		text = fmt.Appendf(text, " mailserver %s: %s\n", l.program, l.message)
		if _, err := out.Write(text); err != nil {
			return nil, err
		}
		found.Lines++
		found.Bytes += int64(len(text))
		found.note(l, at)
	}
	for ip, s := range found.Sources {
		if s.AuthFailMax >= threshold {
			found.Bruteforce = append(found.Bruteforce, ip)
		}
	}
	slices.Sort(found.Bruteforce)
	return found, out.Flush()
}

func (t *Truth) note(l line, at time.Time) {
	if l.what == nothing {
		return
	}
	s := t.Sources[l.who.ip]
	if s == nil {
		s = &Source{Attacker: l.who.attacks != ""}
		t.Sources[l.who.ip] = s
	}
	if l.what == relay {
		s.Relay++
		return
	}
	s.AuthFail++
	s.recent = append(s.recent, at)
	for at.Sub(s.recent[0]) > window {
		s.recent = s.recent[1:]
	}
	s.AuthFailMax = max(s.AuthFailMax, len(s.recent))
}
