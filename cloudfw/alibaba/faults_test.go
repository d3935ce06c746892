package alibaba

import (
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/simulator"
)

func TestAThrottledCallIsRepeatedAfterTheTimeTheServiceAsksFor(t *testing.T) {
	for _, c := range []struct {
		what   string
		action string
		do     func(r *rig) error
	}{
		{"a read", "DescribeAssetList", func(r *rig) error { _, err := r.Observe(t.Context(), cloudfw.Scope{}); return err }},
		{"a write", "AddAddressBook", func(r *rig) error {
			return r.Execute(t.Context(), bookStep(cloudfw.CreateBook, "192.0.2.1/32"))
		}},
	} {
		r := newRig(t, world())
		r.cloud.Inject(simulator.Fault{Action: c.action, Kind: simulator.FaultThrottle, Count: 2, RetryAfter: 7 * time.Second})
		if err := c.do(r); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		if n := r.count(c.action); n != 3 {
			t.Errorf("%s: called %d times, want 3", c.what, n)
		}
		if slept := r.sleptInAll(); slept < 13*time.Second || slept > 20*time.Second {
			t.Errorf("%s: waited %v, want about twice 7s", c.what, slept)
		}
	}
}

func (r *rig) count(action string) int {
	n := 0
	for _, c := range r.cloud.Calls() {
		if c.Action == action {
			n++
		}
	}
	return n
}

func TestAThrottlingThatNeverEndsIsThrottled(t *testing.T) {
	r := newRig(t, world())
	r.cloud.Inject(simulator.Fault{Kind: simulator.FaultThrottle, Count: -1})
	err := r.Execute(t.Context(), bookStep(cloudfw.CreateBook, "192.0.2.1/32"))
	if cloudfw.KindOf(err) != cloudfw.Throttled || !strings.Contains(err.Error(), "after 5 attempts") {
		t.Errorf("got %v", err)
	}
	if n := r.count("AddAddressBook"); n != 5 {
		t.Errorf("called %d times, want 5", n)
	}
}

func TestAReadIsRepeatedWhateverBrokeIt(t *testing.T) {
	for _, kind := range []simulator.FaultKind{
		simulator.FaultUnavailable, simulator.FaultInternal, simulator.FaultResetBefore, simulator.FaultResetAfter, simulator.FaultMalformed,
	} {
		for _, action := range []string{"DescribeControlPolicy", "DescribeAddressBook", "DescribeAssetList", "DescribeSecurityGroups", "DescribeSecurityGroupAttribute", "DescribePrefixLists"} {
			r := newRig(t, world())
			want := r.observe(t, "sg-mail").Fingerprint()
			r.cloud.ResetCalls()
			r.cloud.Inject(simulator.Fault{Action: action, Kind: kind, Count: 2})
			snap, err := r.Observe(t.Context(), cloudfw.Scope{Groups: []string{"sg-mail"}})
			if err != nil {
				t.Errorf("%s of %s: %v", kind, action, err)
			} else if snap.Fingerprint() != want {
				t.Errorf("%s of %s: another snapshot", kind, action)
			}
		}
	}
}

func TestAReadThatStaysBrokenIsUnavailable(t *testing.T) {
	r := newRig(t, world())
	r.cloud.Inject(simulator.Fault{Action: "DescribeAssetList", Kind: simulator.FaultUnavailable, Count: -1})
	_, err := r.Observe(t.Context(), cloudfw.Scope{})
	if cloudfw.KindOf(err) != cloudfw.Unavailable {
		t.Errorf("got %v", err)
	}
	if n := r.count("DescribeAssetList"); n != 5 {
		t.Errorf("called %d times, want 5", n)
	}
}

func TestAWriteThatMayHaveHappenedIsUnknownAndNotRepeated(t *testing.T) {
	for _, fault := range []simulator.Fault{
		{Kind: simulator.FaultResetAfter}, {Kind: simulator.FaultResetBefore}, {Kind: simulator.FaultMalformed},
		{Kind: simulator.FaultUnavailable}, {Kind: simulator.FaultUnavailable, AfterEffect: true},
		{Kind: simulator.FaultInternal, AfterEffect: true}, {Kind: simulator.FaultCode, Code: "ErrorRecordLog", AfterEffect: true},
	} {
		r := newRig(t, world())
		fault.Writes, fault.Count = true, -1
		r.cloud.Inject(fault)
		step := bookStep(cloudfw.CreateBook, "192.0.2.1/32")
		err := r.Execute(t.Context(), step)
		if cloudfw.KindOf(err) != cloudfw.UnknownOutcome {
			t.Errorf("%+v: %v", fault, err)
		}
		if n := len(r.writes()); n != 1 {
			t.Errorf("%+v: %d writing calls, want 1", fault, n)
		}
		if want := fault.AfterEffect || fault.Kind == simulator.FaultResetAfter || fault.Kind == simulator.FaultMalformed; cloudfw.Done(step, r.observe(t)) != want {
			t.Errorf("%+v: done should be %v", fault, want)
		}
	}
}

func TestARefusalIsDeniedAndNotRepeated(t *testing.T) {
	r := newRig(t, world())
	r.cloud.Inject(simulator.Fault{Action: "DescribeAssetList", Kind: simulator.FaultDenied, Count: -1})
	_, err := r.Observe(t.Context(), cloudfw.Scope{})
	if cloudfw.KindOf(err) != cloudfw.Denied || !strings.Contains(err.Error(), "Forbidden.RAM") {
		t.Errorf("got %v", err)
	}
	if n := r.count("DescribeAssetList"); n != 1 {
		t.Errorf("called %d times", n)
	}
}

func TestAnUnknownCodeIsInvalidWithItsCodeAndRequest(t *testing.T) {
	r := newRig(t, world())
	r.cloud.Inject(simulator.Fault{Action: "AddAddressBook", Kind: simulator.FaultCode, Code: "-200142"})
	err := r.Execute(t.Context(), bookStep(cloudfw.CreateBook, "192.0.2.1/32"))
	var e *cloudfw.Error
	if cloudfw.KindOf(err) != cloudfw.Invalid {
		t.Fatalf("got %v", err)
	}
	e = err.(*cloudfw.Error)
	if e.Code != "-200142" || e.RequestID == "" || e.Op != "AddAddressBook" || !strings.Contains(e.Subject, bookName) {
		t.Errorf("got %+v", e)
	}
}

func TestAWrongSecretIsDeniedWithoutAnySecret(t *testing.T) {
	cloud, err := simulator.New(simulator.Options{Keys: map[string]string{"LTAItestKeyNumberOne": "right-secret"}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(cloud.Handler())
	t.Cleanup(server.Close)
	for _, c := range []CredentialSource{
		{AccessKeyID: "LTAItestKeyNumberOne", AccessKeySecret: "wrong-secret", SecurityToken: "token+with/odd=chars"},
		{AccessKeyID: "LTAItestKeyNumberTwo", AccessKeySecret: "wrong-secret"},
	} {
		o := testOptions(server)
		o.Credentials = c
		a, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(a.Close)
		_, err = a.Observe(t.Context(), cloudfw.Scope{})
		if cloudfw.KindOf(err) != cloudfw.Denied {
			t.Errorf("got %v", err)
		}
		demandNoSecret(t, err.Error(), c.AccessKeyID, c.AccessKeySecret, c.SecurityToken)
	}
}

func demandNoSecret(t *testing.T, text string, secrets ...string) {
	t.Helper()
	for _, s := range secrets {
		if s != "" && strings.Contains(text, s) {
			t.Errorf("%q holds the secret %q", text, s)
		}
	}
	for _, word := range []string{"Signature=", "SecurityToken=", "AccessKeyId=", "SignatureNonce="} {
		if i := strings.Index(text, word); i >= 0 && !strings.HasPrefix(text[i+len(word):], redacted) {
			t.Errorf("%q holds %s", text, word)
		}
	}
}

func TestACanceledReadReturnsAtOnceAsCanceled(t *testing.T) {
	r := newRig(t, world())
	r.cloud.Inject(simulator.Fault{Action: "DescribeAssetList", Kind: simulator.FaultHang, Count: -1})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for r.count("DescribeAssetList") == 0 {
			runtime.Gosched()
		}
		cancel()
	}()
	began := time.Now()
	_, err := r.Observe(ctx, cloudfw.Scope{})
	if cloudfw.KindOf(err) != cloudfw.Canceled {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestACanceledWriteThatWasSentIsUnknown(t *testing.T) {
	r := newRig(t, world())
	r.cloud.Inject(simulator.Fault{Writes: true, Kind: simulator.FaultHang, AfterEffect: true})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for len(r.writes()) == 0 {
			runtime.Gosched()
		}
		cancel()
	}()
	err := r.Execute(ctx, bookStep(cloudfw.CreateBook, "192.0.2.1/32"))
	if cloudfw.KindOf(err) != cloudfw.UnknownOutcome {
		t.Errorf("got %v", err)
	}
	if n := len(r.writes()); n != 1 {
		t.Errorf("%d writing calls", n)
	}
}

func TestWhatIsCanceledBeforehandMakesNoCall(t *testing.T) {
	r := newRig(t, world())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Observe(ctx, cloudfw.Scope{}); cloudfw.KindOf(err) != cloudfw.Canceled {
		t.Errorf("got %v", err)
	}
	if err := r.Execute(ctx, bookStep(cloudfw.CreateBook, "192.0.2.1/32")); cloudfw.KindOf(err) != cloudfw.Canceled {
		t.Errorf("got %v", err)
	}
	if n := len(r.cloud.Calls()); n != 0 {
		t.Errorf("%d calls", n)
	}
}

func TestAWriteThatNeverReachedTheServiceIsRepeatedAndUnavailable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{URL: "http://" + listener.Addr().String()}
	listener.Close()
	r := openAt(t, server)
	err = r.Execute(t.Context(), bookStep(cloudfw.CreateBook, "192.0.2.1/32"))
	if cloudfw.KindOf(err) != cloudfw.Unavailable || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v", err)
	}
	if want := (cloudfw.Traffic{Writes: 5}); r.Traffic() != want {
		t.Errorf("traffic %+v, want %+v", r.Traffic(), want)
	}
	demandNoSecret(t, err.Error(), simulator.DefaultKey)
}

// manyPolicies is a world with more policies and books than fit on one page.
func manyPolicies(n int) simulator.Options {
	w := simulator.DefaultWorld()
	for i := range n {
		w.AddressBooks = append(w.AddressBooks, simulator.AddressBook{
			Name: fmt.Sprintf("book-%03d", i), Type: "ip", Description: "one of many", Addresses: []string{fmt.Sprintf("10.0.%d.0/24", i)},
		})
		w.Policies = append(w.Policies, simulator.Policy{
			Direction: "in", Action: "drop", SourceType: "group", Source: fmt.Sprintf("book-%03d", i), DestinationType: "net", Destination: "0.0.0.0/0",
			Proto: "ANY", Applications: []string{"ANY"}, Description: fmt.Sprintf("number %d", i), Order: i + 2,
		})
	}
	return simulator.Options{World: &w}
}

func TestListsOfManyPagesAreReadWhole(t *testing.T) {
	for _, n := range []int{49, 50, 99, 100, 160} {
		r := newRig(t, manyPolicies(n))
		snap := r.observe(t)
		if len(snap.Rules) != n+1 || len(snap.Books) != n+1 {
			t.Errorf("%d and %d of %d", len(snap.Rules), len(snap.Books), n+1)
		}
		for i, rule := range snap.Rules {
			if rule.Order != i+1 {
				t.Fatalf("rule %d has position %d", i, rule.Order)
			}
		}
		pages := (n + 1 + pageSize - 1) / pageSize
		if got, want := r.count("DescribeControlPolicy"), pages+3; got != want {
			t.Errorf("%d rules took %d calls, want %d", n+1, got, want)
		}
	}
}

func TestAListThatChangesBetweenPagesIsBegunAnew(t *testing.T) {
	for what, fault := range map[string]simulator.Fault{
		"a short page":  {Kind: simulator.FaultShortPage},
		"an empty page": {Kind: simulator.FaultEmptyPage},
		"a policy inserted before the second page": {Kind: simulator.FaultInterfere, Skip: 1, Do: func(c *simulator.Cloud) {
			insertAbove(c)
		}},
		"a policy gone before the second page": {Kind: simulator.FaultInterfere, Skip: 1, Do: deleteFirst},
		"a policy moved before the second page": {Kind: simulator.FaultInterfere, Skip: 1, Do: func(c *simulator.Cloud) {
			s := c.Snapshot()
			if err := c.MoveControlPolicy(s.Policies[110].UUID, 1); err != nil {
				panic(err)
			}
		}},
	} {
		r := newRig(t, manyPolicies(120))
		fault.Action = "DescribeControlPolicy"
		r.cloud.Inject(fault)
		// One list at a time, so that the fault meets the list with many pages.
		rules, err := r.readPolicies(t.Context(), cloudfw.ListKey{Direction: cloudfw.In, Family: cloudfw.IPv4})
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		live := r.cloud.Snapshot().Policies
		if len(rules) != len(live) {
			t.Errorf("%s: read %d rules of %d", what, len(rules), len(live))
		}
		for _, p := range live {
			if !slices.ContainsFunc(rules, func(r cloudfw.FirewallRule) bool { return r.ID == p.UUID && r.Order == p.Order }) {
				t.Errorf("%s: policy %d is not among the rules", what, p.Order)
			}
		}
		if n := r.count("DescribeControlPolicy"); n < 4 {
			t.Errorf("%s: only %d calls", what, n)
		}
	}
}

func insertAbove(c *simulator.Cloud) {
	s := c.Snapshot()
	for i := range s.Policies {
		s.Policies[i].Order++
	}
	s.Policies = append(s.Policies, simulator.Policy{
		Direction: "in", Action: "accept", SourceType: "net", Source: "192.0.2.77/32", DestinationType: "net", Destination: "0.0.0.0/0",
		Proto: "ANY", Applications: []string{"ANY"}, Description: "a colleague's", Order: 1,
	})
	if err := c.Load(s); err != nil {
		panic(err)
	}
}

func deleteFirst(c *simulator.Cloud) {
	if err := c.DeleteControlPolicy(c.Snapshot().Policies[0].UUID); err != nil {
		panic(err)
	}
}

func TestAListThatNeverHoldsStillIsUnavailable(t *testing.T) {
	r := newRig(t, manyPolicies(120))
	r.cloud.Inject(simulator.Fault{Action: "DescribeControlPolicy", Kind: simulator.FaultEmptyPage, Count: -1})
	_, err := r.readPolicies(t.Context(), cloudfw.ListKey{Direction: cloudfw.In, Family: cloudfw.IPv4})
	if cloudfw.KindOf(err) != cloudfw.Unavailable {
		t.Errorf("got %v", err)
	}
}

func TestEmptyPagesOfGroupsAreNoEmptyGroups(t *testing.T) {
	for _, action := range []string{"DescribeSecurityGroups", "DescribeSecurityGroupAttribute", "DescribePrefixLists"} {
		r := newRig(t, world())
		r.run(t, listStep(cloudfw.CreateList, prefixes("198.51.100.7/32"), nil), "sg-mail")
		r.run(t, cloudfw.Step{Op: cloudfw.AuthoriseRules, GroupID: "sg-mail", GroupRules: []cloudfw.GroupRule{
			{Direction: cloudfw.In, Action: cloudfw.Drop, Protocol: cloudfw.AnyProtocol, Peer: cloudfw.Peer{Kind: cloudfw.List, Value: "fwsync-test-blocked4"}, Priority: 1},
		}}, "sg-mail")
		r.cloud.Inject(simulator.Fault{Action: action, Kind: simulator.FaultEmptyPage, Count: -1})
		if snap, err := r.Observe(t.Context(), cloudfw.Scope{Groups: []string{"sg-mail"}}); cloudfw.KindOf(err) != cloudfw.Unavailable {
			t.Errorf("%s: %v with %+v", action, err, snap.Groups)
		}
	}
}

func TestABookOfTwoThousandAddressesGoesOutAndComesBack(t *testing.T) {
	r := newRig(t, simulator.Options{})
	addresses := make([]string, 2000)
	for i := range addresses {
		addresses[i] = fmt.Sprintf("203.%d.%d.%d/32", i/500, i/100, i%100)
	}
	step := bookStep(cloudfw.CreateBook, addresses...)
	snap := r.run(t, step)
	if n := len(snap.Books[0].Prefixes); n != 2000 {
		t.Errorf("%d addresses came back", n)
	}
	r.run(t, bookStep(cloudfw.RemoveAddresses, addresses[:1999]...))
}
