package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fwsync/cloudfw/simulator"
	"fwsync/ledger/postgres/pgtest"
)

var (
	chaosSeed   = flag.Uint64("chaos-seed", 6, "of TestChaos: the order of disturbances and attacks")
	chaosRounds = flag.Int("chaos-rounds", 200, "of TestChaos: how many disturbances")
)

// leaseTTL is the shortest one that may be configured: a pause is longer than it.
const leaseTTL = 2 * time.Second

// arenas run beside each other, each with its share of the disturbances: the time goes by
// in waiting for leases to end and calls to be made again.
const arenas = 4

// Two controllers share one ledger and one cloud, while attackers come, people decide,
// both processes are killed and paused beyond their lease, and the cloud fails. In the
// end the cloud is what it must be, the record is complete, and there was one writer at
// any time. The seed makes the order of what happens, not its timing.
func TestChaosTwoControllersOneCloud(t *testing.T) {
	t.Parallel()
	rounds := *chaosRounds
	if testing.Short() || underRace {
		rounds = min(rounds, 20)
	}
	t.Logf("seed %d, %d disturbances (-chaos-seed, -chaos-rounds)", *chaosSeed, rounds)
	binary, server := build(t), pgtest.Start(t)
	for i := range arenas {
		t.Run(fmt.Sprintf("arena %d", i+1), func(t *testing.T) {
			t.Parallel()
			c := newChaos(t, binary, server.Fresh(), *chaosSeed+uint64(i)<<32, "198.51.100", "203.0.113")
			c.disturb(max(rounds/arenas, 5))
		})
	}
}

// One controller and its ledger in a file: killed at any time, also while it saves
// everything because it was asked to stop, it loses nothing that was acknowledged, and
// counts nothing twice.
func TestP6KilledAtRandomNothingAcknowledgedIsLost(t *testing.T) {
	t.Parallel()
	rounds := *chaosRounds / 2
	if testing.Short() || underRace {
		rounds = min(rounds, 10)
	}
	t.Logf("seed %d, %d kills", *chaosSeed, rounds)
	c := newChaos(t, build(t), filepath.Join(t.TempDir(), "ledger.db"), *chaosSeed, "198.51.100")
	ended := make(chan struct{})
	var people sync.WaitGroup
	people.Go(func() { c.people(c.dice(9), ended) })
	h, random := c.hosts[0], c.dice(0)
	h.begin()
	for range rounds {
		late := h.attack(random)
		wait(random, 700*time.Millisecond)
		if random.IntN(2) == 0 {
			_ = h.run.Process.Signal(syscall.SIGTERM)
			wait(random, 20*time.Millisecond)
		}
		h.count("kill")
		h.kill()
		h.begin()
		late()
	}
	close(ended)
	people.Wait()
	c.check()
}

// disturb makes the disturbances and looks at what they left: half of them are kills
// and pauses of either host, half faults of the cloud.
func (c *chaos) disturb(rounds int) {
	before, started := foreign(c.cloud.Snapshot()), time.Now()
	each := max(rounds/4, 1)
	var all, people sync.WaitGroup
	for i, h := range c.hosts {
		all.Go(func() { h.live(c.dice(i), each) })
	}
	all.Go(func() { c.faults(c.dice(8), rounds-2*each) })
	ended := make(chan struct{})
	people.Go(func() { c.people(c.dice(9), ended) })
	all.Wait()
	close(ended)
	people.Wait()
	c.t.Logf("%d kills, %d pauses, %d faults in %s", c.did["kill"], c.did["pause"], c.did["fault"], time.Since(started).Round(time.Second))
	c.cloud.ClearFaults()
	c.check()
	if after := foreign(c.cloud.Snapshot()); after != before {
		c.t.Errorf("what is not ours was\n%s\nand is\n%s", before, after)
	}
}

// check lets all come to rest and looks at what is left.
func (c *chaos) check() {
	c.rest()
	writes, late := c.checkOneWriter()
	c.checkHistory(writes)
	c.checkDecisions()
	if err := c.cloud.Check(); err != nil {
		c.t.Error(err)
	}
	c.t.Logf("%d writes, the last under lease %d, %d sent late by a paused process", len(writes), writes[len(writes)-1].lease, late)
	if c.t.Failed() {
		c.tellLogs()
	}
}

// dice are one of several that the seed makes.
func (c *chaos) dice(n int) *rand.Rand { return rand.New(rand.NewPCG(c.seed, uint64(n))) }

// chaos is two hosts, one ledger and one cloud.
type chaos struct {
	t      *testing.T
	seed   uint64
	binary string
	ledger string
	cloud  *simulator.Cloud
	calls  bytes.Buffer // of the simulator, one JSON object a line
	hosts  []*mailhost

	mu       sync.Mutex
	did      map[string]int
	pauses   []pause
	written  map[string]int  // failed logins in the logs, by address
	lifted   map[string]bool // attackers that people unblocked or allowed
	byPeople map[string]int  // blocks that people made, by address
	standing map[string]bool // … and which of them are in force
}

// pause is a time for which a process was stopped.
type pause struct{ from, to time.Time }

func newChaos(t *testing.T, binary, ledger string, seed uint64, nets ...string) *chaos {
	c := &chaos{
		t: t, seed: seed, binary: binary, ledger: ledger,
		did: map[string]int{}, written: map[string]int{}, lifted: map[string]bool{}, byPeople: map[string]int{}, standing: map[string]bool{},
	}
	world := simulator.DefaultWorld()
	var err error
	if c.cloud, err = simulator.New(simulator.Options{World: &world, CallLog: &c.calls, Seed: seed}); err != nil {
		t.Fatal(err)
	}
	for i, net := range nets {
		c.hosts = append(c.hosts, newHost(c, fmt.Sprintf("mx%d", i+1), net))
	}
	return c
}

// mailhost is a machine with a mail log and a fwsync run.
type mailhost struct {
	*chaos
	start func(args ...string) *exec.Cmd
	dir   string
	net   string // where its attackers come from
	last  int    // of them
	run   *exec.Cmd
	// writing gets word of requests that change the cloud.
	writing chan struct{}
}

// ServeHTTP is the cloud as the host sees it.
func (h *mailhost) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Query().Get("Action"), "Describe") {
		select {
		case h.writing <- struct{}{}:
		default:
		}
	}
	h.cloud.Handler().ServeHTTP(rw, r)
}

// untilItWrites returns when the next request that changes the cloud comes from the
// host, or after a while.
func (h *mailhost) untilItWrites() {
	select {
	case <-h.writing: // an earlier one
	default:
	}
	select {
	case <-h.writing:
	case <-time.After(time.Second):
	}
}

func newHost(c *chaos, name, net string) *mailhost {
	h := &mailhost{chaos: c, net: net, writing: make(chan struct{}, 1)}
	server := httptest.NewServer(h)
	c.t.Cleanup(server.Close)
	h.start = quickstart(c.t, c.binary, server.URL)
	h.dir = h.start().Dir
	h.write("fwsync.yaml", fmt.Sprintf("policies: policies\nlisten: 127.0.0.1:0\nledger: %q\ninstance: %s\nlease_ttl: %s\nalibaba: { timeout: 1s, call_timeout: 5s }\nsources:\n  - { name: mail, file: mail.log }\n", c.ledger, name, leaseTTL))
	h.write("mail.log", "")
	return h
}

func (h *mailhost) write(name, text string) {
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o600); err != nil {
		h.t.Error(err)
	}
}

func (h *mailhost) append(name, text string) {
	f, err := os.OpenFile(filepath.Join(h.dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		f.Close()
	}
	if err != nil {
		h.t.Error(err)
	}
}

// begin starts its fwsync run.
func (h *mailhost) begin() {
	h.run = h.start("run")
	out, err := os.OpenFile(filepath.Join(h.dir, "run.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		h.t.Error(err)
		return
	}
	defer out.Close()
	h.run.Stderr = out
	// What outlives a test that fails would work on.
	h.run.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := h.run.Start(); err != nil {
		h.t.Error(err)
	}
}

func (h *mailhost) kill() {
	_ = h.run.Process.Kill()
	_ = h.run.Wait()
}

// live is one kill or pause after the other, with attacks around each, most of them
// while the host changes the cloud.
func (h *mailhost) live(random *rand.Rand, rounds int) {
	h.begin()
	for range rounds {
		h.attack(random)()
		wait(random, 4*time.Second)
		late := h.attack(random)
		pause := random.IntN(3) == 0
		if pause || random.IntN(2) == 0 {
			h.untilItWrites()
		}
		if pause {
			h.count("pause")
			h.pause(random)
		} else {
			h.count("kill")
			h.kill()
			h.begin()
		}
		late()
	}
}

// pause stops the process beyond its lease; some are killed before they can go on.
func (h *mailhost) pause(random *rand.Rand) {
	p := pause{from: time.Now()}
	_ = h.run.Process.Signal(syscall.SIGSTOP)
	h.attack(random)()
	<-time.After(leaseTTL + leaseTTL/10)
	wait(random, leaseTTL/2)
	if random.IntN(4) == 0 {
		h.kill()
		h.begin()
		return
	}
	p.to = time.Now()
	h.mu.Lock()
	h.pauses = append(h.pauses, p)
	h.mu.Unlock()
	_ = h.run.Process.Signal(syscall.SIGCONT)
}

// attack writes failed logins of a new address: enough to be blocked, one too few, or
// some now and the others when the result is called.
func (h *mailhost) attack(random *rand.Rand) (rest func()) {
	if h.last++; h.last > 239 {
		return func() {} // the office begins there
	}
	address, now, later := fmt.Sprintf("%s.%d", h.net, h.last), 5+random.IntN(5), 0
	switch random.IntN(4) {
	case 0:
		now = 4
	case 1:
		now, later = 3, 2+random.IntN(3)
	}
	h.mu.Lock()
	h.written[address] = now + later
	h.mu.Unlock()
	line := func() string {
		return fmt.Sprintf("%s mx postfix/smtpd[7]: warning: unknown[%s]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=bob\n", time.Now().UTC().Format(time.Stamp), address)
	}
	h.append("mail.log", strings.Repeat(line(), now))
	return func() { h.append("mail.log", strings.Repeat(line(), later)) }
}

// faults has the cloud fail that often, one call at a time, so that others get through.
func (c *chaos) faults(random *rand.Rand, times int) {
	for range times {
		c.count("fault")
		c.cloud.Inject(trouble(random))
		wait(random, 3*time.Second)
	}
}

// trouble is a fault of the cloud.
func trouble(random *rand.Rand) simulator.Fault {
	f := simulator.Fault{Count: 1, Writes: random.IntN(2) == 0, AfterEffect: random.IntN(2) == 0}
	f.Kind = []simulator.FaultKind{
		simulator.FaultThrottle, simulator.FaultUnavailable, simulator.FaultInternal, simulator.FaultHang,
		simulator.FaultResetBefore, simulator.FaultResetAfter, simulator.FaultMalformed,
	}[random.IntN(7)]
	return f
}

// people block, unblock and allow at one of the hosts until they are told to stop. What
// is acknowledged is to be in force in the end.
func (c *chaos) people(random *rand.Rand, ended <-chan struct{}) {
	for n := 100; n < 255; n++ {
		select {
		case <-ended:
			return
		case <-time.After(time.Duration(random.IntN(600)) * time.Millisecond):
		}
		h := c.hosts[random.IntN(len(c.hosts))]
		mine := fmt.Sprintf("192.0.2.%d", n)
		if c.cli(h, "block", mine, "--for", "2h", "--reason", "chaos") {
			c.mu.Lock()
			c.byPeople[mine], c.standing[mine] = 1, true
			c.mu.Unlock()
		}
		target := fmt.Sprintf("192.0.2.%d", 100+random.IntN(n-99))
		if attacker := c.attacker(random); attacker != "" && random.IntN(2) == 0 {
			target = attacker
		}
		verb := []string{"unblock", "unblock", "allow"}[random.IntN(3)]
		if c.cli(h, verb, target, "--reason", "chaos") {
			c.mu.Lock()
			delete(c.standing, target)
			c.lifted[target] = true
			c.mu.Unlock()
		}
	}
}

// attacker is an address that was seen to be blocked in the cloud, or none.
func (c *chaos) attacker(random *rand.Rand) string {
	var all []string
	for a := range blockedIn(c.cloud) {
		if !strings.HasPrefix(a, "192.0.2.") {
			all = append(all, a)
		}
	}
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	return all[random.IntN(len(all))]
}

// cli runs a command to its end and reports whether it was acknowledged. That there is no
// block to take back is no failure.
func (c *chaos) cli(h *mailhost, args ...string) bool {
	out, err := h.start(args...).CombinedOutput()
	if err != nil && !strings.Contains(string(out), "no active block") {
		c.t.Errorf("%s: %v\n%s", args, err, out)
	}
	return err == nil
}

func (c *chaos) count(what string) {
	c.mu.Lock()
	c.did[what]++
	c.mu.Unlock()
}

// wait lets a random time pass, for something to be under way at the next disturbance.
func wait(random *rand.Rand, most time.Duration) {
	<-time.After(time.Duration(random.Int64N(int64(most))))
}

// blockedIn are the addresses in the cloud's books of blocked ones.
func blockedIn(cloud *simulator.Cloud) map[string]bool {
	all := map[string]bool{}
	for _, b := range cloud.Snapshot().AddressBooks {
		if strings.Contains(b.Name, "-blocked") {
			for _, a := range b.Addresses {
				all[strings.TrimSuffix(a, "/32")] = true
			}
		}
	}
	return all
}

// foreign is what of the cloud does not bear our mark, without the orders of policies,
// which shift.
func foreign(s simulator.State) string {
	ours := func(description string) bool { return strings.HasPrefix(description, "fwsync ") }
	s.Serial = 0
	s.Policies = slices.DeleteFunc(s.Policies, func(p simulator.Policy) bool { return ours(p.Description) })
	for i := range s.Policies {
		s.Policies[i].Order = i
	}
	s.AddressBooks = slices.DeleteFunc(s.AddressBooks, func(b simulator.AddressBook) bool { return ours(b.Description) })
	s.PrefixLists = slices.DeleteFunc(s.PrefixLists, func(l simulator.PrefixList) bool { return ours(l.Description) })
	for i, g := range s.SecurityGroups {
		s.SecurityGroups[i].Rules = slices.DeleteFunc(g.Rules, func(r simulator.SecurityRule) bool { return ours(r.Description) })
	}
	text, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}
