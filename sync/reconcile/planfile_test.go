package reconcile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/ledger/sqlite"
	"fwsync/policies"
	"fwsync/sync/gates"
	"fwsync/sync/reconcile"
)

// still is an account that shows one state and counts what is asked of it.
type still struct {
	live    cloudfw.Snapshot
	changed int
}

func (s *still) Observe(context.Context, cloudfw.Scope) (cloudfw.Snapshot, error) { return s.live, nil }

func (s *still) Execute(context.Context, cloudfw.Step) error {
	s.changed++
	return errors.New("this account is only looked at")
}

// desk is an installation before a plan file.
type desk struct {
	controller reconcile.Controller
	account    *still
	store      *sqlite.Store
	now        time.Time
	id         string // the account's
}

func deskPolicy(t *testing.T, more string) *policies.Policy {
	t.Helper()
	p, err := policies.Parse([]policies.File{{Name: "p.yaml", Data: []byte(`
rules:
  - { name: drop-attackers, from: $blocked, to: any, action: drop }
` + more + `
targets:
  - internet-firewall: { rules: all }
`)}}, policies.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	d := &desk{account: &still{live: seenWorld()}, store: store, now: start, id: "1000000000000001"}
	d.account.live.Sort()
	if _, err := store.Add(t.Context(), []ledger.Decision{{Verdict: ledger.Block, Prefix: netip.MustParsePrefix("198.51.100.77/32"), Start: start.Add(-time.Minute), End: start.Add(time.Hour), Reason: "test", Author: "test", Attempt: 1}}); err != nil {
		t.Fatal(err)
	}
	d.controller = reconcile.Controller{
		Look: reconcile.Look{
			Policy: deskPolicy(t, ""), Owner: "edge", Ledger: store, Gates: gates.DefaultLimits(), Now: func() time.Time { return d.now },
			Clouds: []reconcile.Cloud{{
				Title: "simulator", Reader: d.account, Limits: cloudfw.DefaultLimits(),
				Traffic: func() cloudfw.Traffic { return cloudfw.Traffic{} }, Calls: func() []reconcile.Call { return nil },
				Identity: func(context.Context) (string, error) { return d.id, nil },
			}},
		},
		Accounts: []cloudfw.Account{d.account}, Author: "test",
	}
	return d
}

func (d *desk) file(t *testing.T) reconcile.PlanFile {
	t.Helper()
	report, fresh, err := d.controller.Preview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.controller.File(t.Context(), report, fresh)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func written(t *testing.T, f reconcile.PlanFile) []byte {
	t.Helper()
	var text bytes.Buffer
	if err := f.Write(&text); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// Promise P8: whatever does not fit any more is its own error, with its reason and
// something to do about it, and nothing is done.
func TestP8APlanFileOfAnotherWorldIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, d *desk, f *reconcile.PlanFile)
		want   string
		hint   string
	}{
		"another owner": {func(_ *testing.T, d *desk, _ *reconcile.PlanFile) { d.controller.Owner = "other" },
			`it is of owner "edge", the configuration's is "other"`, "apply it where it was made"},
		"another account": {func(_ *testing.T, d *desk, _ *reconcile.PlanFile) { d.id = "2000000000000002" },
			"it is for account 1000000000000001, these credentials are of account 2000000000000002", "use the credentials"},
		"another cloud": {func(_ *testing.T, d *desk, _ *reconcile.PlanFile) {
			d.controller.Clouds[0].Title = "alibaba cn-beijing"
		},
			"it is for simulator, the configuration names alibaba cn-beijing", "apply it where it was made"},
		"more clouds": {func(_ *testing.T, d *desk, _ *reconcile.PlanFile) {
			d.controller.Clouds = append(d.controller.Clouds, d.controller.Clouds[0])
		}, "it is for 1 clouds, the configuration names 2", "make a new one"},
		"too late": {func(_ *testing.T, d *desk, _ *reconcile.PlanFile) { d.now = start.Add(31 * time.Minute) },
			"it expired at 2026-11-24T12:30:00Z", "make a new one"},
		"too early": {func(_ *testing.T, d *desk, _ *reconcile.PlanFile) { d.now = start.Add(-2 * time.Minute) },
			"it was made at 2026-11-24T12:00:00Z, which is yet to come", "compare the clocks"},
		"other policies": {func(t *testing.T, d *desk, _ *reconcile.PlanFile) {
			d.controller.Policy = deskPolicy(t, "  - { name: mail, from: any, to: 192.0.2.25, protocol: tcp, ports: [25], action: accept }")
		}, "the policies have changed since", "make a new one"},
		"another book": {func(_ *testing.T, d *desk, _ *reconcile.PlanFile) { d.account.live.Books[0].Prefixes = hosts(1, 9) },
			"the cloud has changed since", "make a new one"},
		"a decision taken back": {func(t *testing.T, d *desk, _ *reconcile.PlanFile) {
			if _, err := d.store.Revoke(t.Context(), ledger.Revocation{Prefixes: []netip.Prefix{netip.MustParsePrefix("198.51.100.77/32")}, Verdict: ledger.Block, At: start, By: "test"}); err != nil {
				t.Fatal(err)
			}
		}, "the decisions, the protected ranges or the limits have changed since", "make a new one"},
		"a protected range since": {func(_ *testing.T, d *desk, _ *reconcile.PlanFile) {
			d.controller.Providers = []cloudfw.Exempt{{Prefix: netip.MustParsePrefix("198.51.100.0/24"), Reason: "cdn"}}
		}, "the decisions, the protected ranges or the limits have changed since", "make a new one"},
		"used": {func(t *testing.T, d *desk, f *reconcile.PlanFile) {
			if _, err := d.store.UsePlan(t.Context(), ledger.AppliedPlan{ID: f.Plans[0].Plan.ID, StartedAt: start, Author: "test"}); err != nil {
				t.Fatal(err)
			}
		}, "it has been applied before", "a plan file is used once"},
		"used and stopped half-way": {func(t *testing.T, d *desk, f *reconcile.PlanFile) {
			if err := d.store.Record(t.Context(), ledger.JournalEntry{PlanID: f.Plans[0].Plan.ID, Step: 1, At: start, Op: "create book", Outcome: ledger.Finished}); err != nil {
				t.Fatal(err)
			}
			d.account.live.Books = nil // what it did is no change of somebody else's
		}, "it has been applied before, from 2026-11-24T12:00:00Z on, up to step 1 of 2", "a plan file is used once"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			f := d.file(t)
			c.change(t, d, &f)
			_, err := d.controller.ApplyFile(t.Context(), f)
			stale, ok := errors.AsType[*reconcile.Stale](err)
			if !ok || !strings.Contains(stale.Reason, c.want) || !strings.Contains(stale.Hint(), c.hint) {
				t.Errorf("error = %v (%+v), want %q and the hint %q", err, stale, c.want, c.hint)
			}
			if d.account.changed > 0 {
				t.Errorf("%d calls changed the cloud", d.account.changed)
			}
		})
	}
	t.Run("what moved is told", func(t *testing.T) {
		d := newDesk(t)
		f := d.file(t)
		d.account.live.Books[0].Prefixes = hosts(1, 2, 9)
		_, err := d.controller.ApplyFile(t.Context(), f)
		stale, _ := errors.AsType[*reconcile.Stale](err)
		if stale == nil || !slices.Equal(stale.Moved, []string{"book office +1 -1: +198.51.100.9/32, -198.51.100.3/32"}) {
			t.Errorf("error = %v, moved %+v", err, stale)
		}
	})
	t.Run("as it was, it is applied", func(t *testing.T) {
		d := newDesk(t)
		_, err := d.controller.ApplyFile(t.Context(), d.file(t))
		if d.account.changed == 0 {
			t.Errorf("nothing was done: %v", err)
		}
	})
	t.Run("what a gate withholds is not done and the file is not used up", func(t *testing.T) {
		d := newDesk(t)
		f := d.file(t)
		d.controller.Gates.NewBlocks = gates.Budget{}
		report, err := d.controller.ApplyFile(t.Context(), f)
		if err != nil || len(report.Refusals) == 0 || d.account.changed > 0 {
			t.Errorf("error %v, refusals %v, %d calls", err, report.Refusals, d.account.changed)
		}
		d.controller.Gates = gates.DefaultLimits()
		if _, err := d.controller.ApplyFile(t.Context(), f); d.account.changed == 0 {
			t.Errorf("nothing was done afterwards: %v", err)
		}
	})
}

// The same input gives the same bytes, in any order of the decisions, and a file that
// was read writes itself again.
func TestP8ThePlanFileIsDeterministic(t *testing.T) {
	d := newDesk(t)
	report, _, err := d.controller.Preview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var fresh []ledger.Decision
	for _, p := range hosts(90, 60, 75) {
		fresh = append(fresh, ledger.Decision{Verdict: ledger.Block, Prefix: p, Start: start, Reason: "bad \xff bytes", Author: "fwsync", Rule: "sasl"})
	}
	first, err := d.controller.File(t.Context(), report, fresh)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(fresh)
	second, err := d.controller.File(t.Context(), report, fresh)
	if err != nil {
		t.Fatal(err)
	}
	text := written(t, first)
	if !bytes.Equal(text, written(t, second)) {
		t.Error("the order of the decisions shows in the file")
	}
	read, err := reconcile.ReadPlanFile(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, written(t, read)) {
		t.Error("a file that was read writes another")
	}
	if bytes.Contains(text, []byte(`["198.51.100`)) {
		t.Error("several items stand on one line")
	}
}

// Everything that is no plan file of this version is refused with its own reason.
func TestP8AFileThatIsNotOursIsRefused(t *testing.T) {
	text := string(written(t, newDesk(t).file(t)))
	for name, c := range map[string]struct{ file, want, hint string }{
		"empty":          {"", "this is not a plan file", "make a new one"},
		"cut off":        {text[:len(text)/2], "this is not a plan file", "make a new one"},
		"something else": {`{"schema": "fwsync.report/v1"}`, `its schema is "fwsync.report/v1"`, "make a new one"},
		"newer":          {strings.Replace(text, "planfile/v4", "planfile/v12", 1), "made by a newer fwsync: its format is v12, this fwsync reads v4", "update fwsync"},
		"newer, with more in it": {strings.Replace(text, `"schema": "fwsync.planfile/v4"`, `"schema": "fwsync.planfile/v5", "colour": "red"`, 1),
			"made by a newer fwsync", "update fwsync"},
		"older":                 {strings.Replace(text, "planfile/v4", "planfile/v2", 1), "made by an older fwsync: its format is v2", "make a new one"},
		"with more in it":       {strings.Replace(text, `"plans": [`, `"colour": "red", "plans": [`, 1), "unknown field", "make a new one"},
		"no plan":               {`{"schema": "fwsync.planfile/v4", "plans": []}`, "holds no plan", "make a new one"},
		"another end":           {strings.Replace(text, `"expires_at": "2026`, `"expires_at": "2036`, 1), "was edited", "change the policies"},
		"another account":       {strings.Replace(text, "1000000000000001", "1000000000000002", 1), "was edited", "change the policies"},
		"another address":       {strings.ReplaceAll(text, "198.51.100.77", "198.51.100.78"), "was edited", "change the policies"},
		"another object's hash": {strings.Replace(text, `"text": "strict mode false"`, `"text": "strict mode true"`, 1), "was edited", "change the policies"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.file == text {
				t.Fatal("the case changes nothing")
			}
			_, err := reconcile.ReadPlanFile(strings.NewReader(c.file))
			bad, ok := errors.AsType[*reconcile.FileError](err)
			if !ok || !strings.Contains(bad.Reason, c.want) || !strings.Contains(bad.Hint(), c.hint) {
				t.Errorf("error = %v, want %q and the hint %q", err, c.want, c.hint)
			}
		})
	}
}

// Every object that was read is in the file with a hash of its own.
func TestP8EveryObjectReadIsInTheFile(t *testing.T) {
	f := newDesk(t).file(t)
	names := map[string]bool{}
	for _, o := range f.Plans[0].Objects {
		if names[o.Object] || len(o.Hash) != 32 {
			t.Errorf("object %+v", o)
		}
		names[o.Object] = true
	}
	for _, name := range []string{"rule a", "rule d", "book office", "prefix list partners", "security group sg-1", "rule g of security group sg-1", "public address 192.0.2.25", "internet border"} {
		if !names[name] {
			t.Errorf("no %q among %v", name, names)
		}
	}
	if _, err := json.Marshal(f); err != nil {
		t.Fatal(err)
	}
}
