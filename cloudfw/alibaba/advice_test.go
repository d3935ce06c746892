package alibaba

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/simulator"
)

// hint is what a person is told to do.
func hint(err error) string {
	if h, ok := errors.AsType[*cloudfw.Error](err); ok {
		return h.Hint()
	}
	return ""
}

func TestAMissingPermissionIsNamed(t *testing.T) {
	o := world()
	o.Permissions = map[string]simulator.Permissions{simulator.DefaultKey: {Allow: []string{"*"}, Deny: []string{"yundun-cloudfirewall:AddAddressBook", "ecs:CreatePrefixList"}}}
	r := newRig(t, o)
	for want, step := range map[string]cloudfw.Step{
		"grant yundun-cloudfirewall:AddAddressBook to the identity of options": bookStep(cloudfw.CreateBook, "192.0.2.1/32"),
		"grant ecs:CreatePrefixList to the identity of options":                listStep(cloudfw.CreateList, prefixes("198.51.100.7/32"), nil),
	} {
		err := r.Execute(t.Context(), step)
		if cloudfw.KindOf(err) != cloudfw.Denied || !strings.Contains(hint(err), want) {
			t.Errorf("%v, hint %q, want %q", err, hint(err), want)
		}
	}
	// Without the detail, the call itself names the permission.
	r = answering(t, 403, `{"RequestId":"R-1","Code":"Forbidden.RAM","Message":"no","AccessDeniedDetail":"?"}`)
	if err := r.Execute(t.Context(), bookStep(cloudfw.CreateBook, "192.0.2.1/32")); !strings.Contains(hint(err), "grant yundun-cloudfirewall:AddAddressBook") {
		t.Errorf("hint %q", hint(err))
	}
}

func TestEveryRefusalSaysWhatToDo(t *testing.T) {
	for what, c := range map[string]struct {
		set   func(*simulator.Options)
		after func(*simulator.Cloud)
		kind  cloudfw.Kind
		hints string
		says  string
	}{
		"a wrong secret":     {set: func(o *simulator.Options) { o.Keys = map[string]string{simulator.DefaultKey: "another"} }, kind: cloudfw.Denied, hints: "the secret of options does not belong"},
		"an unknown key":     {set: func(o *simulator.Options) { o.Keys = map[string]string{"another": "another"} }, kind: cloudfw.Denied, hints: "the access key of options does not exist"},
		"an inactive key":    {set: func(o *simulator.Options) { o.InactiveKeys = []string{simulator.DefaultKey} }, kind: cloudfw.Denied, hints: "switched off"},
		"no cloud firewall":  {set: func(o *simulator.Options) { o.NoFirewall = true }, kind: cloudfw.Denied, hints: "buy or renew Cloud Firewall"},
		"a clock behind":     {set: func(*simulator.Options) {}, after: func(c *simulator.Cloud) { c.AdvanceClock(time.Hour) }, kind: cloudfw.Invalid, hints: "set the clock of this machine"},
		"the quota used up":  {set: func(o *simulator.Options) { o.Limits.Books = 1 }, kind: cloudfw.Quota, hints: "quota"},
		"an internal error":  {set: func(*simulator.Options) {}, after: func(c *simulator.Cloud) { c.Inject(simulator.Fault{Kind: simulator.FaultInternal, Count: -1}) }, kind: cloudfw.UnknownOutcome, hints: "reconcile"},
		"endless throttling": {set: func(*simulator.Options) {}, after: func(c *simulator.Cloud) { c.Inject(simulator.Fault{Kind: simulator.FaultThrottle, Count: -1}) }, kind: cloudfw.Throttled, hints: "try again"},
	} {
		o := world()
		c.set(&o)
		r := newRig(t, o)
		if c.after != nil {
			c.after(r.cloud)
		}
		err := r.Execute(t.Context(), bookStep(cloudfw.CreateBook, "192.0.2.1/32"))
		if cloudfw.KindOf(err) != c.kind || !strings.Contains(hint(err), c.hints) {
			t.Errorf("%s: %v, hint %q, want %s and %q", what, err, hint(err), c.kind, c.hints)
		}
	}
}

func TestAWrongClockIsMeasured(t *testing.T) {
	theirs := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		ours time.Time
		want string
	}{
		{theirs.Add(17 * time.Minute), "This machine's clock is 17m0s ahead of the service's."},
		{theirs.Add(-90 * time.Minute), "This machine's clock is 1h30m0s behind the service's."},
		{theirs, ""},
	} {
		recorder := httptest.NewRecorder()
		recorder.Header().Set("Date", "Sun, 01 Mar 2026 12:00:00 GMT")
		failure := &cloudfw.Error{Op: "X", Kind: cloudfw.Invalid, Code: "InvalidTimeStamp.Expired", Message: "Too old."}
		advise(failure, describeAssetList, outcome{asked: true, header: recorder.Header()}, "env", c.ours)
		if got := strings.TrimSpace(strings.TrimPrefix(failure.Message, "Too old.")); got != c.want || failure.Advice == "" {
			t.Errorf("said %q and advised %q, want %q", got, failure.Advice, c.want)
		}
	}
	if got := clockError(nil, theirs); got != "" {
		t.Errorf("without a date: %q", got)
	}
}

func TestTheNumbersThatOtherClientsRepeatAreNotTakenForRefusals(t *testing.T) {
	for _, c := range []struct {
		api  API
		code string
		want cloudfw.Kind
	}{
		{createNATPolicy, "-200142", cloudfw.UnknownOutcome}, {modifyNATPolicy, "-200511", cloudfw.UnknownOutcome},
		{createNATPolicy, "-200511", cloudfw.Invalid}, {addControlPolicy, "-200142", cloudfw.Invalid},
	} {
		out := outcome{asked: true, connected: true, status: 400, body: []byte(`{"RequestId":"R","Code":` + c.code + `,"Message":"busy"}`)}
		if failure := judge(c.api, "", out, &done{}); failure.Kind != c.want {
			t.Errorf("%s %s is %s, want %s", c.api.Name, c.code, failure.Kind, c.want)
		}
	}
}

func TestACallEndsWhenItsTimeIsUsedUp(t *testing.T) {
	r := newRig(t, world())
	r.options.CallTimeout = 100 * time.Millisecond
	r.options.MaxAttempts = 20
	r.pace.sleep = sleep
	r.pace.jitter = func(most time.Duration) time.Duration { return most / 10 }
	for what, c := range map[string]struct {
		fault simulator.Fault
		step  bool
		want  cloudfw.Kind
	}{
		"a read that hangs":             {simulator.Fault{Action: "DescribePolicyAdvancedConfig", Kind: simulator.FaultHang, Count: -1}, false, cloudfw.Unavailable},
		"a read that is broken":         {simulator.Fault{Action: "DescribePolicyAdvancedConfig", Kind: simulator.FaultInternal, Count: -1}, false, cloudfw.Unavailable},
		"a read that is throttled":      {simulator.Fault{Action: "DescribePolicyAdvancedConfig", Kind: simulator.FaultThrottle, RetryAfter: time.Hour, Count: -1}, false, cloudfw.Throttled},
		"a write that hangs":            {simulator.Fault{Action: "AddAddressBook", Kind: simulator.FaultHang, Count: -1}, true, cloudfw.UnknownOutcome},
		"a write that may not go ahead": {simulator.Fault{Action: "AddAddressBook", Kind: simulator.FaultThrottle, RetryAfter: time.Hour, Count: -1}, true, cloudfw.Throttled},
	} {
		r.cloud.ClearFaults()
		r.cloud.Inject(c.fault)
		r.pace.lanes = map[string]*lane{}
		var err error
		if c.step {
			err = r.Execute(t.Context(), bookStep(cloudfw.CreateBook, "192.0.2.1/32"))
		} else {
			_, err = r.readStrict(t.Context())
		}
		if cloudfw.KindOf(err) != c.want {
			t.Errorf("%s: %v, want %s", what, err, c.want)
		}
	}
	// The caller's own end stays what it is.
	r.cloud.ClearFaults()
	r.cloud.Inject(simulator.Fault{Kind: simulator.FaultHang, Count: -1})
	r.options.CallTimeout = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := r.readStrict(ctx); cloudfw.KindOf(err) != cloudfw.Canceled {
		t.Errorf("the caller's end: %v", err)
	}
}

func TestRegionsAndSitesThatDoNotExistAreRefusedWithTheNearest(t *testing.T) {
	bare(t)
	open := func(o Options) error {
		o.Credentials = CredentialSource{AccessKeyID: "id-1", AccessKeySecret: "secret"}
		a, err := Open(t.Context(), o)
		if err == nil {
			a.Close()
		}
		return err
	}
	for region, want := range map[string]string{
		"cn-hangzou": "did you mean cn-hangzhou", "hangzhou": "did you mean cn-hangzhou", "CN-Hangzhou": "did you mean cn-hangzhou",
		"ap-southeast-4": "did you mean ap-southeast-1", "eu-central": "did you mean eu-central-1", "moon-base-1": "there is no region moon-base-1", "": "is not a region id",
	} {
		if err := open(Options{Region: region}); cloudfw.KindOf(err) != cloudfw.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", region, err, want)
		}
	}
	for _, o := range []Options{{Region: "moon-base-1", NewRegion: true}, {Region: "moon-base-1", Endpoint: "127.0.0.1:1"}, {Region: "me-central-1", Site: International}} {
		if err := open(o); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for _, region := range Regions() {
		if err := open(Options{Region: region}); err != nil {
			t.Error(err)
		}
	}
}
