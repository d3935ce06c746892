package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/simulator"
	"fwsync/ledger"
)

// rest lets both hosts work undisturbed until the cloud is as it must be, stops them,
// and has a plan find nothing to do.
func (c *chaos) rest() {
	c.t.Helper()
	want := c.wanted()
	for _, h := range c.hosts {
		h.kill()
		_ = os.Remove(h.answers())
		h.begin()
	}
	<-time.After(leaseTTL) // the lease of whoever was killed ends
	late := time.Now().Add(90 * time.Second)
	for (!maps.Equal(blockedIn(c.cloud), want) || !c.answering()) && time.Now().Before(late) {
		<-time.After(100 * time.Millisecond)
	}
	for _, h := range c.hosts {
		if err := h.run.Process.Signal(syscall.SIGTERM); err != nil {
			c.t.Error(err)
		}
		if err := h.run.Wait(); err != nil {
			c.t.Errorf("stopping the run of %s: %v", h.net, err)
		}
	}
	// A pass that was stopped may have left a step.
	reportOf(c.t, c.hosts[0].start("reconcile", "-o", "json"))
	if got := blockedIn(c.cloud); !maps.Equal(got, want) {
		c.t.Errorf("blocked are %d, want %d; missing %v, too many %v", len(got), len(want), without(want, got), without(got, want))
	}
	if r := reportOf(c.t, c.hosts[len(c.hosts)-1].start("plan", "-o", "json")); r.Changes() || r.Summary.Gaps != 0 || r.Recovered != "" {
		c.t.Errorf("in the end a plan says %+v %s", r.Summary, r.Recovered)
	}
}

// answers is the file in which a run says where to ask.
func (h *mailhost) answers() string { return filepath.Join(h.dir, ".fwsync", "run.address") }

func (c *chaos) answering() bool {
	for _, h := range c.hosts {
		if _, err := os.Stat(h.answers()); err != nil {
			return false
		}
	}
	return true
}

// wanted is who must be blocked: whoever failed five times, and whom people blocked, but
// nobody whom people let go.
func (c *chaos) wanted() map[string]bool {
	all := maps.Clone(c.standing)
	for address, times := range c.written {
		if times >= 5 && !c.lifted[address] {
			all[address] = true
		}
	}
	return all
}

func without(a, b map[string]bool) []string {
	return slices.Sorted(maps.Keys(maps.Collect(func(yield func(string, bool) bool) {
		for k := range a {
			if !b[k] && !yield(k, true) {
				return
			}
		}
	})))
}

// sent is a request that changes the cloud, as the cloud's own log of calls has it.
type sent struct {
	simulator.Call
	lease int64
}

var leaseOf = regexp.MustCompile(`\blease/(\d+)\b`)

// checkOneWriter demands that the fencing tokens of the requests never go back (promise
// P10). What no lease can prevent is the one request that a process was about to send
// when it was stopped: one for each pause may come when it goes on, and is counted.
func (c *chaos) checkOneWriter() (writes []sent, late int) {
	c.t.Helper()
	if err := c.cloud.LogError(); err != nil {
		c.t.Fatal(err)
	}
	for lines := json.NewDecoder(&c.calls); ; {
		var w sent
		err := lines.Decode(&w.Call)
		if err == io.EOF {
			break
		}
		if err != nil {
			c.t.Fatal(err)
		}
		if !w.Write {
			continue
		}
		if found := leaseOf.FindStringSubmatch(w.UserAgent); found != nil {
			w.lease, _ = strconv.ParseInt(found[1], 10, 64)
		} else {
			c.t.Errorf("%s at %s bears no lease: %q", w.Action, w.Time, w.UserAgent)
		}
		writes = append(writes, w)
	}
	slices.SortStableFunc(writes, func(a, b sent) int { return a.Time.Compare(b.Time) }) // as they came
	if len(writes) == 0 {
		c.t.Fatal("nothing was written")
	}
	newest, excused := int64(0), map[int]bool{}
	for _, w := range writes {
		if w.lease >= newest {
			newest = w.lease
			continue
		}
		i := slices.IndexFunc(c.pauses, func(p pause) bool { return !w.Time.Before(p.to) && w.Time.Sub(p.to) < time.Second })
		if i < 0 || excused[i] {
			c.t.Errorf("%s at %s under lease %d, after lease %d had written", w.Action, w.Time, w.lease, newest)
			continue
		}
		excused[i] = true
		late++
	}
	return writes, late
}

// actionsOf are the calls that a step may be.
var actionsOf = map[cloudfw.Op]string{
	cloudfw.CreateBook: "AddAddressBook", cloudfw.AppendAddresses: "ModifyAddressBook", cloudfw.RemoveAddresses: "ModifyAddressBook",
	cloudfw.MarkBook: "ModifyAddressBook", cloudfw.DeleteBook: "DeleteAddressBook",
	cloudfw.InsertRule: "AddControlPolicy", cloudfw.MoveRule: "ModifyControlPolicyPriority", cloudfw.EditRule: "ModifyControlPolicy", cloudfw.DeleteRule: "DeleteControlPolicy",
	cloudfw.CreateList: "CreatePrefixList", cloudfw.EditList: "ModifyPrefixList", cloudfw.MarkList: "ModifyPrefixList", cloudfw.DeleteList: "DeletePrefixList",
	cloudfw.AuthoriseRules: "AuthorizeSecurityGroup", cloudfw.RevokeRules: "RevokeSecurityGroup", cloudfw.EditGroupRule: "ModifySecurityGroupRule",
}

// checkHistory demands that each write has its entry in the journal, made before it and
// not closed before it came.
func (c *chaos) checkHistory(writes []sent) {
	c.t.Helper()
	store, err := openLedger(c.t.Context(), &Config{Ledger: c.ledger, Instance: "check"})
	if err != nil {
		c.t.Fatal(err)
	}
	defer store.Close()
	past := ledger.Past{Limit: 1 << 20}
	entries, err := store.PastEntries(c.t.Context(), past)
	if err != nil {
		c.t.Fatal(err)
	}
	plans, err := store.PastPlans(c.t.Context(), past)
	if err != nil {
		c.t.Fatal(err)
	}
	known := map[string]bool{}
	for _, p := range plans {
		known[p.ID] = true
	}
	type key struct {
		plan string
		step int
	}
	closed := map[key]time.Time{}
	for _, e := range entries {
		if e.Outcome != ledger.Started {
			closed[key{e.PlanID, e.Step}] = e.At
		}
		if !known[e.PlanID] {
			c.t.Errorf("the journal has a step of the plan %q, which is not in the record", e.PlanID)
		}
	}
	for _, w := range writes {
		told := slices.ContainsFunc(entries, func(e ledger.JournalEntry) bool {
			end, ended := closed[key{e.PlanID, e.Step}]
			return e.Outcome == ledger.Started && strings.HasPrefix(w.Action, actionsOf[cloudfw.Op(e.Op)]) &&
				!e.At.After(w.Time) && (!ended || !end.Before(w.Time.Truncate(time.Millisecond)))
		})
		if !told {
			c.t.Errorf("%s at %s under lease %d is not in the journal", w.Action, w.Time, w.lease)
		}
	}
	if open, err := store.Unfinished(c.t.Context()); err != nil || len(open) != 0 {
		c.t.Errorf("left open in the journal: %+v %v", open, err)
	}
}

// checkDecisions demands of the ledger one block for each attacker, none for whoever
// failed less often, and all that people were told is stored.
func (c *chaos) checkDecisions() {
	c.t.Helper()
	store, err := openLedger(c.t.Context(), &Config{Ledger: c.ledger, Instance: "check"})
	if err != nil {
		c.t.Fatal(err)
	}
	defer store.Close()
	decisions, err := store.Decisions(c.t.Context(), time.Time{})
	if err != nil {
		c.t.Fatal(err)
	}
	blocks := map[string]int{}
	for _, d := range decisions {
		if d.Verdict != ledger.Block {
			continue
		}
		address := d.Prefix.Addr().String()
		blocks[address]++
		if written, attacker := c.written[address]; attacker && (d.Count < 5 || d.Count > written || d.Rule != "sasl-bruteforce" || len(d.Evidence) == 0) {
			c.t.Errorf("%s failed %d times, and the ledger says %+v", address, written, d)
		}
	}
	want := maps.Clone(c.byPeople)
	for address, times := range c.written {
		if times >= 5 {
			want[address] = 1
		}
	}
	if !maps.Equal(blocks, want) {
		for address, n := range want {
			if blocks[address] != n {
				c.t.Errorf("%s: %d decisions to block it, want %d (%d failures)", address, blocks[address], n, c.written[address])
			}
		}
		for address := range blocks {
			if want[address] == 0 {
				c.t.Errorf("%s: a decision to block it, after %d failures", address, c.written[address])
			}
		}
	}
}

// tellLogs shows the end of each log, for a run that went wrong.
func (c *chaos) tellLogs() {
	for _, h := range c.hosts {
		text, _ := os.ReadFile(filepath.Join(h.dir, "run.log"))
		c.t.Log(fmt.Sprintf("%s:\n", h.net) + string(text[max(0, len(text)-6000):]))
	}
}
