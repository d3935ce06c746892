package conformance

import (
	"context"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"fwsync/cloudfw"
	"fwsync/cloudfw/simulator"
)

// broken is an account that does one thing wrong.
type broken struct {
	cloudfw.Account
	observe func(cloudfw.Snapshot) cloudfw.Snapshot
	execute func(ctx context.Context, inner cloudfw.Account, step cloudfw.Step) error
}

func (b broken) Observe(ctx context.Context, scope cloudfw.Scope) (cloudfw.Snapshot, error) {
	snap, err := b.Account.Observe(ctx, scope)
	if err == nil && b.observe != nil {
		snap = b.observe(snap)
	}
	return snap, err
}

func (b broken) Execute(ctx context.Context, step cloudfw.Step) error {
	if b.execute == nil {
		return b.Account.Execute(ctx, step)
	}
	return b.execute(ctx, b.Account, step)
}

// fault is one thing that can be wrong.
type fault struct {
	name    string
	topic   string // that has to notice
	says    string // a part of what it has to say
	leaves  bool   // clearing up cannot work either
	account broken
}

var faults = []fault{
	{name: "snapshot without order", topic: "snapshots", says: "not sorted", account: broken{observe: func(s cloudfw.Snapshot) cloudfw.Snapshot {
		slices.Reverse(s.Books)
		return s
	}}},
	{name: "disabled is lost", topic: "rules_read_back", says: "another rule", account: broken{observe: func(s cloudfw.Snapshot) cloudfw.Snapshot {
		for i := range s.Rules {
			s.Rules[i].Disabled = false
		}
		return s
	}}},
	{name: "validity is not written", topic: "rules_read_back", says: "another rule", account: on(cloudfw.InsertRule, func(ctx context.Context, inner cloudfw.Account, step cloudfw.Step) error {
		rule := *step.Rule
		rule.Validity = cloudfw.Validity{}
		step.Rule = &rule
		return inner.Execute(ctx, step)
	})},
	{name: "edit is delete and insert", topic: "rules_are_edited_in_place", says: "Done does not find", account: on(cloudfw.EditRule, func(ctx context.Context, inner cloudfw.Account, step cloudfw.Step) error {
		if err := inner.Execute(ctx, cloudfw.Step{Op: cloudfw.DeleteRule, Rule: step.Rule}); err != nil {
			return err
		}
		return inner.Execute(ctx, insert(*step.Rule, step.Rule.Order))
	})},
	{name: "moves go one too far", topic: "rules_keep_their_order", says: "Done does not find", account: on(cloudfw.MoveRule, func(ctx context.Context, inner cloudfw.Account, step cloudfw.Step) error {
		rule := *step.Rule
		rule.Order = max(1, rule.Order-1)
		if step.From == 1 {
			rule.Order++
		}
		step.Rule = &rule
		return inner.Execute(ctx, step)
	})},
	{name: "deletions are swallowed", topic: "rules_keep_their_order", says: "is still there after", leaves: true, account: on(cloudfw.DeleteRule, func(context.Context, cloudfw.Account, cloudfw.Step) error { return nil })},
	{name: "append covers", topic: "books_change_by_address", says: "after appending 150 addresses to one: 150", account: on(cloudfw.AppendAddresses, func(ctx context.Context, inner cloudfw.Account, step cloudfw.Step) error {
		if err := inner.Execute(ctx, step); err != nil {
			return err
		}
		return inner.Execute(ctx, cloudfw.Step{Op: cloudfw.RemoveAddresses, Book: step.Book, Prefixes: map[cloudfw.Family][]netip.Prefix{
			cloudfw.IPv4: parse("192.0.2.1/32"), cloudfw.IPv6: parse("2001:db8::1/128"),
		}[step.Book.Family]})
	})},
	{name: "book in use is another kind", topic: "books_in_use_stay", says: "want conflict", account: kindly(cloudfw.Conflict, cloudfw.Invalid)},
	{name: "quota is another kind", topic: "prefix_lists", says: "want quota exceeded", account: kindly(cloudfw.Quota, cloudfw.Conflict)},
	{name: "not found is another kind", topic: "what_is_not_there", says: "want not found", account: kindly(cloudfw.NotFound, cloudfw.Invalid)},
	{name: "a colleague's rule moves", topic: "books_read_back", says: "another order from here", leaves: true, account: on(cloudfw.CreateBook, func(ctx context.Context, inner cloudfw.Account, step cloudfw.Step) error {
		snap, err := inner.Observe(ctx, cloudfw.Scope{})
		if err != nil {
			return err
		}
		rule := snap.Rules[0]
		rule.Order = 2
		if err := inner.Execute(ctx, cloudfw.Step{Op: cloudfw.MoveRule, Rule: &rule, From: 1}); err != nil {
			return err
		}
		return inner.Execute(ctx, step)
	})},
	{name: "canceled although done", topic: "cancellation", says: "there is an effect", account: broken{execute: func(ctx context.Context, inner cloudfw.Account, step cloudfw.Step) error {
		if err := inner.Execute(context.WithoutCancel(ctx), step); err != nil || ctx.Err() == nil {
			return err
		}
		return &cloudfw.Error{Op: string(step.Op), Kind: cloudfw.Canceled}
	}}},
	{name: "an error without a kind", topic: "what_makes_no_sense", says: "without a kind", account: broken{execute: func(ctx context.Context, inner cloudfw.Account, step cloudfw.Step) error {
		if err := inner.Execute(ctx, step); err != nil {
			return os.ErrInvalid
		}
		return nil
	}}},
	{name: "one of many is lost", topic: "editors_at_the_same_time", says: "want one", account: on(cloudfw.InsertRule, func(ctx context.Context, inner cloudfw.Account, step cloudfw.Step) error {
		if strings.HasSuffix(step.Rule.Description, "editor-3.2") {
			return nil
		}
		return inner.Execute(ctx, step)
	})},
	{name: "the reply is lost", topic: "group_rules", says: "outcome unknown", account: on(cloudfw.EditGroupRule, func(ctx context.Context, inner cloudfw.Account, step cloudfw.Step) error {
		if err := inner.Execute(ctx, step); err != nil {
			return err
		}
		return &cloudfw.Error{Op: "ModifySecurityGroupRule", Kind: cloudfw.UnknownOutcome}
	})},
}

// on is an account that treats one operation its own way.
func on(op cloudfw.Op, do func(context.Context, cloudfw.Account, cloudfw.Step) error) broken {
	return broken{execute: func(ctx context.Context, inner cloudfw.Account, step cloudfw.Step) error {
		if step.Op != op || ctx.Err() != nil {
			return inner.Execute(ctx, step)
		}
		return do(ctx, inner, step)
	}}
}

// kindly is an account that takes one kind of error for another.
func kindly(kind, other cloudfw.Kind) broken {
	return broken{execute: func(ctx context.Context, inner cloudfw.Account, step cloudfw.Step) error {
		err := inner.Execute(ctx, step)
		if cloudfw.KindOf(err) == kind {
			return &cloudfw.Error{Op: string(step.Op), Kind: other}
		}
		return err
	}}
}

// The account that TestBrokenAccount is about, in a process of its own.
const (
	brokenBy   = "CONFORMANCE_BROKEN_BY"
	brokenHost = "CONFORMANCE_BROKEN_HOST"
)

func TestBrokenAccount(t *testing.T) {
	name := os.Getenv(brokenBy)
	if name == "" {
		t.Skip("run by TestTheSuiteNoticesWhatIsWrong")
	}
	i := slices.IndexFunc(faults, func(f fault) bool { return f.name == name })
	s := (&service{host: os.Getenv(brokenHost), cloud: mustCloud(t)}).subject(t, 6, func(_ *testing.T, a cloudfw.Account) cloudfw.Account {
		account := faults[i].account
		account.Account = a
		return account
	})
	s.Stall = nil
	Run(t, s)
}

// mustCloud is a cloud for its limits only.
func mustCloud(t *testing.T) *simulator.Cloud {
	t.Helper()
	cloud, err := simulator.New(simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return cloud
}

// Each fault fails its topic with the right words, and whatever failed, nothing of
// the suite's stays behind.
func TestTheSuiteNoticesWhatIsWrong(t *testing.T) {
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			s := newService(t, simulator.Options{})
			before := s.cloud.Snapshot()
			out, err := rerun(t, "^TestBrokenAccount$/^"+fault.topic+"$", []string{brokenBy + "=" + fault.name, brokenHost + "=" + s.host})
			if err == nil || !strings.Contains(out, fault.says) || !strings.Contains(out, "--- FAIL: TestBrokenAccount/"+fault.topic) {
				t.Errorf("%v, want a failure that says %q:\n%s", err, fault.says, out)
			}
			if !fault.leaves {
				demandUntouched(t, before, s.cloud.Snapshot())
			}
		})
	}
}

// rerun runs tests of this binary in a process of their own.
func rerun(t *testing.T, pattern string, env []string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"-test.run=" + pattern, "-test.v", "-test.timeout=5m"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
