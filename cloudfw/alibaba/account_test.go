package alibaba

import (
	"context"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/simulator"
)

// rig is an account over a simulated cloud, by real HTTP, with the sleeping
// recorded instead of done.
type rig struct {
	*Account
	cloud *simulator.Cloud

	mu    sync.Mutex
	slept []time.Duration
}

func newRig(t *testing.T, o simulator.Options) *rig {
	t.Helper()
	cloud, err := simulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(cloud.Handler())
	t.Cleanup(server.Close)
	r := openAt(t, server)
	r.cloud = cloud
	return r
}

// openAt opens an account at any local server.
func openAt(t *testing.T, server *httptest.Server) *rig {
	t.Helper()
	a, err := Open(t.Context(), testOptions(server))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	r := &rig{Account: a}
	a.pace.sleep = func(ctx context.Context, d time.Duration) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.slept = append(r.slept, d)
		return ctx.Err()
	}
	return r
}

func testOptions(server *httptest.Server) Options {
	return Options{
		Region: "cn-hangzhou", Endpoint: strings.TrimPrefix(server.URL, "http://"), Insecure: true,
		Credentials: CredentialSource{AccessKeyID: simulator.DefaultKey, AccessKeySecret: simulator.DefaultSecret},
	}
}

func (r *rig) observe(t *testing.T, groups ...string) cloudfw.Snapshot {
	t.Helper()
	snap, err := r.Observe(t.Context(), cloudfw.Scope{Groups: groups})
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

func (r *rig) execute(t *testing.T, step cloudfw.Step) {
	t.Helper()
	if err := r.Execute(t.Context(), step); err != nil {
		t.Fatal(err)
	}
}

// writes are the mutating calls that reached the cloud.
func (r *rig) writes() []simulator.Call {
	return slices.DeleteFunc(r.cloud.Calls(), func(c simulator.Call) bool { return !c.Write })
}

func (r *rig) sleptInAll() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	var sum time.Duration
	for _, d := range r.slept {
		sum += d
	}
	return sum
}

func world() simulator.Options {
	w := simulator.DefaultWorld()
	return simulator.Options{World: &w}
}

func TestAnEmptyAccountIsObservedAsEmptyAndComplete(t *testing.T) {
	r := newRig(t, simulator.Options{})
	snap := r.observe(t)
	if len(snap.Books)+len(snap.Rules)+len(snap.Groups)+len(snap.Lists)+len(snap.Assets) != 0 {
		t.Errorf("observed %+v of an empty cloud", snap)
	}
	if snap.Books == nil || snap.Rules == nil || snap.Groups == nil || snap.Lists == nil || snap.Assets == nil {
		t.Errorf("a part is nil: %+v", snap)
	}
	if time.Since(snap.TakenAt) > time.Minute {
		t.Errorf("taken at %v", snap.TakenAt)
	}
	if want := (cloudfw.Traffic{Reads: 8}); r.Traffic() != want {
		t.Errorf("made %+v calls, want %+v", r.Traffic(), want)
	}
}

func TestTheDefaultWorldIsObservedInTheModelsWords(t *testing.T) {
	r := newRig(t, world())
	snap := r.observe(t, "sg-mail")

	if len(snap.Books) != 1 || snap.Books[0].Name != "partners" || snap.Books[0].Family != cloudfw.IPv4 || snap.Books[0].ID == "" {
		t.Fatalf("books %+v", snap.Books)
	}
	if want := prefixes("198.51.100.0/24", "203.0.113.128/25"); !slices.Equal(snap.Books[0].Prefixes, want) {
		t.Errorf("the book holds %v, want %v", snap.Books[0].Prefixes, want)
	}
	if len(snap.Rules) != 1 {
		t.Fatalf("rules %+v", snap.Rules)
	}
	rule := snap.Rules[0]
	if rule.ID == "" || rule.Order != 1 || rule.Cost != 1 {
		t.Errorf("identity of %+v", rule)
	}
	want := cloudfw.FirewallRule{
		Direction: cloudfw.In, Family: cloudfw.IPv4, Action: cloudfw.Accept,
		Source: cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: "192.0.2.25/32"},
		Protocol: cloudfw.TCP, Ports: cloudfw.PortRange{First: 443, Last: 443}, Application: "ANY", Description: "web console, added by hand",
	}
	if !rule.Same(want) {
		t.Errorf("got  %+v\nwant %+v", rule, want)
	}
	group, ok := snap.Group("sg-mail")
	if !ok || group.Name != "mail" || group.VPC != "vpc-mail" || group.Managed || len(group.Rules) != 2 {
		t.Fatalf("group %+v", group)
	}
	ssh := cloudfw.GroupRule{
		Direction: cloudfw.In, Action: cloudfw.Accept, Protocol: cloudfw.TCP, Ports: cloudfw.PortRange{First: 22, Last: 22},
		Peer: cloudfw.Peer{Kind: cloudfw.Net, Value: "203.0.113.0/24"}, Priority: 10, Description: "office ssh",
	}
	if !group.Rules[0].Same(ssh) || group.Rules[0].ID == "" {
		t.Errorf("got  %+v\nwant %+v", group.Rules[0], ssh)
	}
	if len(snap.Assets) != 2 || snap.Assets[0].Address.String() != "192.0.2.25" || snap.Assets[0].Name != "mail-1" {
		t.Errorf("assets %+v", snap.Assets)
	}
	if again := r.observe(t, "sg-mail"); again.Fingerprint() != snap.Fingerprint() {
		t.Error("an unchanged account has another fingerprint")
	}
}

func TestAnUnknownGroupIsNotFoundByName(t *testing.T) {
	r := newRig(t, world())
	_, err := r.Observe(t.Context(), cloudfw.Scope{Groups: []string{"sg-mail", "sg-nowhere"}})
	if cloudfw.KindOf(err) != cloudfw.NotFound || !strings.Contains(err.Error(), "sg-nowhere") {
		t.Errorf("got %v", err)
	}
}

func TestCallsAreCountedByAPIAndMatchTheService(t *testing.T) {
	r := newRig(t, world())
	r.observe(t, "sg-mail")
	r.execute(t, bookStep(cloudfw.CreateBook, "192.0.2.1/32"))
	inCloud := map[string]int{}
	for _, c := range r.cloud.Calls() {
		inCloud[c.Action]++
	}
	for _, c := range r.Calls() {
		if inCloud[c.API] != c.Count {
			t.Errorf("%s: counted %d, the cloud saw %d", c.API, c.Count, inCloud[c.API])
		}
		if c.Write != (c.API == "AddAddressBook") {
			t.Errorf("%s: write=%v", c.API, c.Write)
		}
		delete(inCloud, c.API)
	}
	if len(inCloud) > 0 {
		t.Errorf("not counted: %v", inCloud)
	}
	if want := (cloudfw.Traffic{Reads: 10, Writes: 1}); r.Traffic() != want {
		t.Errorf("traffic %+v, want %+v", r.Traffic(), want)
	}
}

func TestCallsAreCountedByOutcomeAndByHowLongTheyWaited(t *testing.T) {
	cloud, err := simulator.New(world())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(cloud.Handler())
	defer server.Close()
	o := testOptions(server)
	o.Pace = NewHurriedPace(time.Now())
	a, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	r := &rig{Account: a, cloud: cloud}
	r.cloud.Inject(simulator.Fault{Action: "AddAddressBook", Kind: simulator.FaultThrottle, Count: 2, RetryAfter: time.Second})
	r.execute(t, bookStep(cloudfw.CreateBook, "192.0.2.1/32"))
	for _, c := range r.Calls() {
		if c.API != "AddAddressBook" {
			continue
		}
		if want := map[string]int{Passed: 1, string(cloudfw.Throttled): 2}; c.Count != 3 || !maps.Equal(c.Outcomes, want) {
			t.Errorf("counted %d calls, %v, want %v", c.Count, c.Outcomes, want)
		}
		if c.Waited < 2*time.Second || c.Took <= 0 {
			t.Errorf("waited %s though told to wait 1 s twice; the calls took %s", c.Waited, c.Took)
		}
		return
	}
	t.Error("the call is not counted")
}

func TestOneAccountServesManyAtOnce(t *testing.T) {
	r := newRig(t, world())
	before := r.observe(t, "sg-mail").Fingerprint()
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			snap, err := r.Observe(t.Context(), cloudfw.Scope{Groups: []string{"sg-mail"}})
			if err != nil {
				t.Error(err)
			} else if snap.Fingerprint() != before {
				t.Error("another fingerprint")
			}
			r.Traffic()
			r.Calls()
		})
	}
	wg.Wait()
}
