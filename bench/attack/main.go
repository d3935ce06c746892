// Command attack measures a fwsync run under attack: it writes a mail log at a steady
// rate, in which attackers guess passwords one after the other, and looks at a simulated
// cloud of its own for the call that blocks each of them.
//
//	go run ./bench/attack -binary ./fwsync -for 60s -rate 20000 -attackers 1000
package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"fwsync/cloudfw/simulator"
	"fwsync/policies"
)

func main() {
	binary := flag.String("binary", "fwsync", "the program to measure")
	length := flag.Duration("for", time.Minute, "how long the attack lasts")
	rate := flag.Int("rate", 20_000, "lines a second")
	attackers := flag.Int("attackers", 1000, "how many of them are attackers, spread over the time")
	flag.Parse()
	if err := run(*binary, *length, *rate, *attackers); err != nil {
		fmt.Fprintln(os.Stderr, "attack:", err)
		os.Exit(1)
	}
}

// cloud notes when an address is first named in a call.
type cloud struct {
	http.Handler
	mu    sync.Mutex
	named map[string]time.Time
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if form, err := url.ParseQuery(string(body) + "&" + r.URL.RawQuery); err == nil && form.Get("AddressList") != "" {
		c.mu.Lock()
		for _, a := range strings.Split(form.Get("AddressList"), ",") {
			if a = strings.TrimSuffix(a, "/32"); c.named[a].IsZero() {
				c.named[a] = time.Now()
			}
		}
		c.mu.Unlock()
	}
	c.Handler.ServeHTTP(w, r)
}

func run(binary string, length time.Duration, rate, attackers int) error {
	dir, err := os.MkdirTemp("", "attack")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	world := simulator.DefaultWorld()
	sim, err := simulator.New(simulator.Options{World: &world})
	if err != nil {
		return err
	}
	c := &cloud{Handler: sim.Handler(), named: map[string]time.Time{}}
	server := httptest.NewServer(c)
	defer server.Close()
	log, err := prepare(dir)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(binary, "run")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "FWSYNC_CLOUD=alibaba", "FWSYNC_ALIBABA_REGION=cn-hangzhou", "FWSYNC_ALIBABA_INSECURE=true",
		"FWSYNC_ALIBABA_ENDPOINT="+strings.TrimPrefix(server.URL, "http://"), "ALIBABA_CLOUD_ACCESS_KEY_ID="+simulator.DefaultKey, "ALIBABA_CLOUD_ACCESS_KEY_SECRET="+simulator.DefaultSecret)
	ready := make(chan struct{})
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer cmd.Wait() //nolint:errcheck // it is interrupted
	defer func() { _ = cmd.Process.Signal(os.Interrupt) }()
	go func() {
		once := sync.OnceFunc(func() { close(ready) })
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if strings.Contains(lines.Text(), "msg=pass") {
				once()
			}
			if strings.Contains(lines.Text(), "level=ERROR") || strings.Contains(lines.Text(), "level=WARN") {
				fmt.Fprintln(os.Stderr, lines.Text())
			}
		}
		once()
	}()
	<-ready
	written, err := attack(log, length, rate, attackers)
	if err != nil {
		return err
	}
	// What is under way comes to rest.
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		c.mu.Lock()
		left := 0
		for a := range written {
			if c.named[a].IsZero() {
				left++
			}
		}
		c.mu.Unlock()
		if left == 0 {
			break
		}
	}
	return report(c, written, cmd.Process.Pid, float64(rate))
}

func prepare(dir string) (*os.File, error) {
	text, err := policies.Preset("smtp")
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(filepath.Join(dir, "policies"), 0o700); err != nil {
		return nil, err
	}
	for name, data := range map[string]string{
		"policies/smtp.yaml": string(text),
		"fwsync.yaml":        "policies: policies\nlisten: off\nsources:\n  - { name: mail, file: mail.log }\nlimits: { new_blocks: 100000 }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			return nil, err
		}
	}
	return os.Create(filepath.Join(dir, "mail.log"))
}

// attack writes the log, 20 times a second, and returns when the fifth failure of each
// attacker was written. Each of them fails ten times within half a second; the other
// lines are what a busy server writes beside.
func attack(log *os.File, length time.Duration, rate, attackers int) (map[string]time.Time, error) {
	const slice = 50 * time.Millisecond
	slices := int(length / slice)
	written := map[string]time.Time{}
	failures := make([][]int, slices+20)
	for n := range attackers {
		at := n * slices / attackers
		for f := range 10 {
			failures[at+f] = append(failures[at+f], n)
		}
	}
	seen := make([]int, attackers)
	var text bytes.Buffer
	begun := time.Now()
	other := 0
	for i, now := range failures {
		time.Sleep(time.Until(begun.Add(time.Duration(i) * slice)))
		text.Reset()
		stamp := time.Now().UTC().Format(time.Stamp)
		var fifth []string
		for _, n := range now {
			a := net.IPv4(byte(20+n>>16), byte(n>>8), byte(n), 77).String()
			fmt.Fprintf(&text, "%s mx postfix/smtpd[%d]: warning: unknown[%s]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=u%d\n", stamp, n, a, n%50)
			if seen[n]++; seen[n] == 5 {
				fifth = append(fifth, a)
			}
		}
		for range rate/20 - len(now) {
			other++
			switch other % 4 {
			case 0:
				fmt.Fprintf(&text, "%s mx postfix/smtpd[%d]: connect from unknown[198.51.100.%d]\n", stamp, other%1000, other%250)
			case 1:
				fmt.Fprintf(&text, "%s mx postfix/smtpd[%d]: 4k%d: client=unknown[198.51.100.%d]\n", stamp, other%1000, 100000+other%99999, other%250)
			case 2:
				fmt.Fprintf(&text, "%s mx postfix/qmgr[7]: 4k%d: from=<a@example.com>, size=1234, nrcpt=1 (queue active)\n", stamp, 100000+other%99999)
			default:
				fmt.Fprintf(&text, "%s mx postfix/smtpd[%d]: disconnect from unknown[198.51.100.%d] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5\n", stamp, other%1000, other%250)
			}
		}
		if _, err := log.Write(text.Bytes()); err != nil {
			return nil, err
		}
		for _, a := range fifth {
			written[a] = time.Now()
		}
	}
	return written, nil
}

func report(c *cloud, written map[string]time.Time, pid int, rate float64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var took []time.Duration
	for a, at := range written {
		if named := c.named[a]; !named.IsZero() {
			took = append(took, named.Sub(at))
		}
	}
	if len(took) == 0 {
		return fmt.Errorf("none of %d attackers was blocked", len(written))
	}
	slices.Sort(took)
	at := func(q float64) time.Duration { return took[int(q*float64(len(took)-1))].Round(time.Millisecond) }
	fmt.Printf("%d attackers at %.0f lines/s: %d blocked; from the fifth failure to the call: median %s, p99 %s, longest %s; peak memory %d MB\n",
		len(written), rate, len(took), at(.5), at(.99), at(1), peak(pid)>>20)
	return nil
}

func peak(pid int) int64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kb), "kB")), 10, 64)
			return n << 10
		}
	}
	return 0
}
