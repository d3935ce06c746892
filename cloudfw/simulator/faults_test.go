package simulator

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestErrorFaults(t *testing.T) {
	for _, tt := range []struct {
		kind   FaultKind
		code   string
		status int
	}{
		{FaultThrottle, "Throttling.User", 400},
		{FaultUnavailable, "ServiceUnavailable", 503},
		{FaultInternal, "InternalError", 500},
		{FaultDenied, "Forbidden.RAM", 403},
		{FaultCode, "-200142", 400},
	} {
		t.Run(string(tt.kind), func(t *testing.T) {
			cloud, c := newWorld(t, Options{})
			f := Fault{Action: "AddControlPolicy", Kind: tt.kind, Skip: 1, Count: 2}
			if tt.kind == FaultCode {
				f.Code = tt.code
			}
			cloud.Inject(f)
			c.firewall("DescribeAddressBook")
			for i, want := range []string{"", tt.code, tt.code, ""} {
				a := c.want(want, versionCloudfw, "AddControlPolicy", policyArgs()...)
				if want != "" && a.status != tt.status {
					t.Errorf("call %d: status %d", i, a.status)
				}
			}
			if n := len(cloud.Snapshot().Policies); n != 3 {
				t.Errorf("%d policies, want the failed calls without effect", n)
			}
			cloud.Inject(Fault{Writes: true, Kind: tt.kind, Code: f.Code, AfterEffect: true})
			c.firewall("DescribeAddressBook")
			c.want(tt.code, versionCloudfw, "AddControlPolicy", policyArgs()...)
			if n := len(cloud.Snapshot().Policies); n != 4 {
				t.Errorf("%d policies, want the failed call to have taken effect", n)
			}
			calls := cloud.Calls()
			if last := calls[len(calls)-1]; last.Fault != tt.kind || last.Code != tt.code {
				t.Errorf("logged %+v", last)
			}
		})
	}
}

func TestThrottleFaultCarriesTheRetryHint(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	cloud.Inject(Fault{Kind: FaultThrottle, RetryAfter: 1500 * time.Millisecond})
	if a := c.want("Throttling.User", versionCloudfw, "DescribeAddressBook"); a.header.Get("x-acs-retry-after") != "1500" {
		t.Errorf("got header %q", a.header.Get("x-acs-retry-after"))
	}
}

func TestResetFaults(t *testing.T) {
	for _, tt := range []struct {
		kind     FaultKind
		policies int
	}{{FaultResetBefore, 1}, {FaultResetAfter, 2}} {
		t.Run(string(tt.kind), func(t *testing.T) {
			cloud, c := newWorld(t, Options{})
			cloud.Inject(Fault{Action: "AddControlPolicy", Kind: tt.kind})
			resp, err := c.send(versionCloudfw, "AddControlPolicy", policyArgs()...)
			if err == nil {
				resp.Body.Close()
				t.Fatalf("got status %d, want a broken connection", resp.StatusCode)
			}
			if n := len(cloud.Snapshot().Policies); n != tt.policies {
				t.Errorf("%d policies, want %d", n, tt.policies)
			}
			if calls := cloud.Calls(); len(calls) != 1 || calls[0].Fault != tt.kind || calls[0].Code != "" {
				t.Errorf("logged %+v, want one call: no client may repeat it unseen", calls)
			}
			c.firewall("DescribeAddressBook")
		})
	}
}

func TestHangFaultEndsWithTheClient(t *testing.T) {
	for _, after := range []bool{false, true} {
		cloud, c := newWorld(t, Options{})
		cloud.Inject(Fault{Kind: FaultHang, AfterEffect: after})
		ctx, cancel := context.WithCancel(t.Context())
		hanging := *c
		hanging.t = withContext{t, ctx}
		done := make(chan error, 1)
		go func() {
			resp, err := hanging.send(versionCloudfw, "AddControlPolicy", policyArgs()...)
			if err == nil {
				resp.Body.Close()
			}
			done <- err
		}()
		// The log shows the fault once the call is about to hang.
		for {
			if calls := cloud.Calls(); len(calls) == 1 && calls[0].Fault == FaultHang {
				break
			}
			runtime.Gosched()
		}
		c.firewall("DescribeAddressBook")
		cancel()
		if err := <-done; err == nil {
			t.Error("the hanging call was answered")
		}
		if n := len(cloud.Snapshot().Policies); (n == 2) != after {
			t.Errorf("after effect %v: %d policies", after, n)
		}
	}
}

type withContext struct {
	testing.TB
	ctx context.Context
}

func (w withContext) Context() context.Context { return w.ctx }

func TestHangFaultEndsWithTheServer(t *testing.T) {
	cloud := newCloud(t, Options{SkipSignature: true, SkipTimestamp: true, SkipNonce: true})
	cloud.Inject(Fault{Kind: FaultHang})
	s, err := Listen("127.0.0.1:0", cloud.Handler())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		resp, err := http.Get(s.URL() + "/?Action=DescribeAddressBook&Version=2017-12-07")
		if err == nil {
			resp.Body.Close()
		}
		done <- err
	}()
	for {
		if calls := cloud.Calls(); len(calls) == 1 && calls[0].Fault == FaultHang {
			break
		}
		runtime.Gosched()
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil {
		t.Error("the hanging call was answered")
	}
}

func TestMalformedFault(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	cloud.Inject(Fault{Kind: FaultMalformed})
	resp, err := c.send(versionCloudfw, "AddControlPolicy", policyArgs()...)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 || json.Valid(raw) || !strings.HasPrefix(string(raw), `{"RequestId":`) {
		t.Errorf("got status %d, %q, %v", resp.StatusCode, raw, err)
	}
	if n := len(cloud.Snapshot().Policies); n != 2 {
		t.Errorf("%d policies, want the call to have taken effect", n)
	}
}

func TestStaleFault(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	c.firewall("AddControlPolicy", policyArgs()...)
	cloud.Inject(Fault{Action: "DescribeControlPolicy", Kind: FaultStale, Count: 2})
	for i, want := range []string{"1", "1", "2"} {
		a := c.firewall("DescribeControlPolicy", "Direction", "in", "CurrentPage", "1", "PageSize", "50")
		if a.text("TotalCount") != want {
			t.Errorf("read %d: got %s policies, want %s", i, a.text("TotalCount"), want)
		}
	}
}

func TestInterfereFault(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	cloud.Inject(Fault{Action: "ModifyControlPolicyPosition", Kind: FaultInterfere, Do: func(c *Cloud) {
		if _, err := c.AddControlPolicy(tcpPolicy("in", 1, "a colleague's")); err != nil {
			t.Error(err)
		}
	}})
	c.firewall("AddControlPolicy", policyArgs()...)
	c.firewall("ModifyControlPolicyPosition", "Direction", "in", "OldOrder", "2", "NewOrder", "1")
	var got []string
	for _, p := range cloud.Snapshot().Policies {
		got = append(got, p.Description)
	}
	if text := strings.Join(got, ", "); text != "web console, added by hand, a colleague's, drop one" {
		t.Errorf("the call by position must have moved the wrong policy: %s", text)
	}
}

func TestPageFaults(t *testing.T) {
	for _, tt := range []struct {
		kind             FaultKind
		numbered, tokens int
	}{{FaultEmptyPage, 0, 0}, {FaultShortPage, 2, 5}} {
		t.Run(string(tt.kind), func(t *testing.T) {
			cloud, c := newWorld(t, Options{})
			for i := range 3 {
				if _, err := cloud.AddControlPolicy(tcpPolicy("in", -1, "more")); err != nil {
					t.Fatal(i, err)
				}
			}
			for range 10 {
				c.ecs("CreateSecurityGroup")
			}
			cloud.Inject(Fault{Action: "DescribeControlPolicy", Kind: tt.kind})
			a := c.firewall("DescribeControlPolicy", "Direction", "in", "CurrentPage", "1", "PageSize", "50")
			if len(a.items("Policys")) != tt.numbered || a.text("TotalCount") != "4" {
				t.Errorf("got %d of %s", len(a.items("Policys")), a.text("TotalCount"))
			}
			cloud.Inject(Fault{Action: "DescribeSecurityGroups", Kind: tt.kind})
			seen, token := 0, ""
			for page := 0; page == 0 || token != ""; page++ {
				args := []string{"MaxResults", "10"}
				if token != "" {
					args = append(args, "NextToken", token)
				}
				a := c.ecs("DescribeSecurityGroups", args...)
				n := len(a.items("SecurityGroups", "SecurityGroup"))
				if page == 0 && n != tt.tokens {
					t.Errorf("the first page holds %d groups", n)
				}
				seen += n
				token = a.text("NextToken")
			}
			if seen != 11 {
				t.Errorf("following the tokens gives %d groups of 11", seen)
			}
		})
	}
}

func TestFaultsCanBeClearedAndNamed(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	cloud.Inject(Fault{Kind: FaultInternal, Count: -1})
	for range 3 {
		c.want("InternalError", versionCloudfw, "DescribeAddressBook")
	}
	cloud.ClearFaults()
	c.firewall("DescribeAddressBook")
	for _, kind := range faultKinds {
		if got, err := ParseFaultKind(string(kind)); err != nil || got != kind {
			t.Errorf("%s: got %s, %v", kind, got, err)
		}
	}
	if _, err := ParseFaultKind("flood"); err == nil || !strings.Contains(err.Error(), "reset-after") {
		t.Errorf("got %v", err)
	}
	cloud.Inject(Fault{Kind: "flood"})
	c.want("InternalError", versionCloudfw, "AddControlPolicy", policyArgs()...)
	if n := len(cloud.Snapshot().Policies); n != 1 {
		t.Errorf("%d policies after an unknown fault", n)
	}
}

func TestRateLimitPerAPI(t *testing.T) {
	now := noon
	_, c := newWorld(t, Options{RatePerAPI: 10, Clock: func() time.Time { return now }})
	for range 10 {
		c.firewall("DescribeAddressBook")
	}
	a := c.want("Throttling.User", versionCloudfw, "DescribeAddressBook")
	if got := a.header.Get("x-acs-retry-after"); got != "100" {
		t.Errorf("got retry hint %q", got)
	}
	c.firewall("DescribePolicyAdvancedConfig")
	now = now.Add(100 * time.Millisecond)
	c.firewall("DescribeAddressBook")
	c.want("Throttling.User", versionCloudfw, "DescribeAddressBook")
	now = now.Add(time.Hour)
	c.override = map[string]string{"Timestamp": now.Format("2006-01-02T15:04:05Z")}
	for range 10 {
		c.firewall("DescribeAddressBook")
	}
	c.want("Throttling.User", versionCloudfw, "DescribeAddressBook")
}

func TestFaultsByChanceRepeatWithTheSeed(t *testing.T) {
	run := func(seed uint64) string {
		cloud, c := newWorld(t, Options{Seed: seed})
		cloud.Inject(Fault{Kind: FaultThrottle, Probability: 0.3})
		var struck strings.Builder
		for range 200 {
			struck.WriteString(map[bool]string{true: "x", false: "."}[c.call(versionCloudfw, "DescribeAddressBook").code() != ""])
		}
		return struck.String()
	}
	first := run(1)
	if n := strings.Count(first, "x"); n < 35 || n > 85 {
		t.Errorf("%d of 200 calls at 0.3: %s", n, first)
	}
	if again := run(1); again != first {
		t.Errorf("the same seed gave\n%s, then\n%s", first, again)
	}
	if other := run(2); other == first {
		t.Error("another seed gave the same faults")
	}
}

func TestFaultsByChanceEndWithTheirCount(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	cloud.Inject(Fault{Kind: FaultInternal, Probability: 0.5, Count: 3})
	struck := 0
	for range 100 {
		if c.call(versionCloudfw, "DescribeAddressBook").code() != "" {
			struck++
		}
	}
	if struck != 3 || len(cloud.Faults()) != 0 {
		t.Errorf("struck %d times, %d faults are left", struck, len(cloud.Faults()))
	}
}

// bytes sends a call and returns status and answer whatever they are.
func (c client) bytes(version, action string, pairs ...string) (int, string) {
	c.t.Helper()
	resp, err := c.send(version, action, pairs...)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

func TestAnswersOfTheWrongShape(t *testing.T) {
	for _, tt := range []struct {
		fault  Fault
		status int
		want   string
	}{
		{Fault{Kind: FaultWrongTypes}, 400, `"Code":-200142,"Message":{"en":"The request was refused."},"Recommend":[]}`},
		{Fault{Kind: FaultWrongTypes, Code: "NotANumber"}, 400, `"Code":false,`},
		{Fault{Kind: FaultOKError}, 200, `"Code":"InternalError","Message":"The request processing`},
		{Fault{Kind: FaultOKError, Code: "-200511"}, 200, `"Code":"-200511",`},
	} {
		for _, after := range []bool{false, true} {
			cloud, c := newWorld(t, Options{})
			tt.fault.AfterEffect = after
			cloud.Inject(tt.fault)
			status, raw := c.bytes(versionCloudfw, "AddControlPolicy", policyArgs()...)
			if status != tt.status || !strings.Contains(raw, tt.want) || !json.Valid([]byte(raw)) {
				t.Errorf("%s: got %d %s", tt.fault.Kind, status, raw)
			}
			if n := len(cloud.Snapshot().Policies); (n == 2) != after {
				t.Errorf("%s, after effect %v: %d policies", tt.fault.Kind, after, n)
			}
		}
	}
}

func TestRepeatedPagesAreAChainWithoutEnd(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	for range 3 {
		c.firewall("AddControlPolicy", policyArgs()...)
	}
	cloud.Inject(Fault{Kind: FaultRepeatPage, Count: -1})
	first := ""
	for number := range 5 {
		a := c.firewall("DescribeControlPolicy", "Direction", "in", "CurrentPage", string(rune('1'+number)), "PageSize", "2")
		items := a.items("Policys")
		if len(items) != 2 || a.text("TotalCount") != "4" {
			t.Fatalf("page %d: %s", number+1, a.raw)
		}
		if id, _ := items[0]["AclUuid"].(string); first == "" {
			first = id
		} else if id != first {
			t.Errorf("page %d begins with %s, want the first page again", number+1, id)
		}
	}
	token := ""
	for range 5 {
		args := []string{"MaxResults", "10"}
		if token != "" {
			args = append(args, "NextToken", token)
		}
		a := c.ecs("DescribeSecurityGroups", args...)
		if token = a.text("NextToken"); token == "" || len(a.items("SecurityGroups", "SecurityGroup")) != 1 {
			t.Fatalf("the chain ends: %s", a.raw)
		}
	}
	cloud.ClearFaults()
	if a := c.ecs("DescribeSecurityGroups", "MaxResults", "10", "NextToken", token); a.text("NextToken") != "" {
		t.Errorf("the chain goes on without the fault: %s", a.raw)
	}
}

func TestALimitComesIntoForceInTheMiddle(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	uuid := c.firewall("AddAddressBook", "GroupName", "blocked", "GroupType", "ip", "Description", "some",
		"AddressList", "198.51.100.1,198.51.100.2,198.51.100.3").text("GroupUuid")
	cloud.Inject(Fault{Action: "ModifyAddressBook", Kind: FaultLimit, Skip: 1, Limits: Limits{AddressesPerBook: 3}})
	add := func(code, address string) {
		t.Helper()
		c.want(code, versionCloudfw, "ModifyAddressBook", "GroupUuid", uuid, "GroupName", "blocked", "Description", "some", "ModifyMode", "Append", "AddressList", address)
	}
	add("", "198.51.100.4")
	add("ErrorAddressCountExceed", "198.51.100.5")
	add("ErrorAddressCountExceed", "198.51.100.5")
	if err := cloud.Check(); err != nil {
		t.Errorf("what is beyond a lowered quota is no fault of the account: %v", err)
	}
	if err := cloud.SetLimits(Limits{AddressesPerBook: 5}); err != nil {
		t.Error(err)
	}
	add("", "198.51.100.5")
	if err := cloud.SetLimits(Limits{Books: -1}); err == nil || cloud.Limits().Books != DefaultLimits().Books {
		t.Errorf("a negative limit: %v, then %d", err, cloud.Limits().Books)
	}
}

func TestClockSkewIsExpiredOnlyBeyondTheWindow(t *testing.T) {
	for _, tt := range []struct {
		skew time.Duration
		code string
	}{{20 * time.Minute, "InvalidTimeStamp.Expired"}, {-20 * time.Minute, "InvalidTimeStamp.Expired"}, {14 * time.Minute, ""}} {
		cloud, c := newWorld(t, Options{})
		cloud.Inject(Fault{Kind: FaultClockSkew, Skew: tt.skew})
		c.want(tt.code, versionCloudfw, "AddControlPolicy", policyArgs()...)
		if n := len(cloud.Snapshot().Policies); (n == 1) != (tt.code != "") {
			t.Errorf("skew %v: %d policies", tt.skew, n)
		}
		c.firewall("DescribeAddressBook")
		if offset := cloud.AdvanceClock(tt.skew); offset != tt.skew || !cloud.Now().Equal(noon.Add(tt.skew)) {
			t.Errorf("advanced by %v, now %v", offset, cloud.Now())
		}
		c.want(tt.code, versionCloudfw, "DescribeAddressBook")
	}
}
