package simulator

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestFaultsAreReadFromLinesAndFiles(t *testing.T) {
	for _, tt := range []struct {
		line, file string
		want       Fault
	}{
		{"throttle,action=ModifyAddressBook,count=2,retry-after=200ms",
			`{"kind":"throttle","action":"ModifyAddressBook","count":2,"retryAfter":"200ms"}`,
			Fault{Kind: FaultThrottle, Action: "ModifyAddressBook", Count: 2, RetryAfter: 200 * time.Millisecond}},
		{"reset-after,writes,p=0.2", `{"kind":"reset-after","writes":true,"probability":0.2}`,
			Fault{Kind: FaultResetAfter, Writes: true, Probability: 0.2}},
		{" stale , skip=3 , count=-1", `{"kind":"stale","skip":3,"count":-1}`, Fault{Kind: FaultStale, Skip: 3, Count: -1}},
		{"code,code=-200142,after-effect", `{"kind":"code","code":"-200142","afterEffect":true}`,
			Fault{Kind: FaultCode, Code: "-200142", AfterEffect: true}},
		{"clock-skew,skew=-20m", `{"kind":"clock-skew","skew":"-20m0s"}`, Fault{Kind: FaultClockSkew, Skew: -20 * time.Minute}},
		{"limit,limit=AddressesPerBook:10,limit=books:3", `{"kind":"limit","limits":{"AddressesPerBook":10,"Books":3}}`,
			Fault{Kind: FaultLimit, Limits: Limits{AddressesPerBook: 10, Books: 3}}},
		{"editor,writes=false,spare=[x] ", `{"kind":"editor","spare":"[x]"}`, Fault{Kind: FaultEditor, Spare: "[x]"}},
	} {
		line, err := ParseFault(tt.line)
		if err != nil || !reflect.DeepEqual(line, tt.want) {
			t.Errorf("%s: got %+v, %v", tt.line, line, err)
		}
		file, err := ParseFaults([]byte("[" + tt.file + "]"))
		if err != nil || len(file) != 1 || !reflect.DeepEqual(file[0], tt.want) {
			t.Errorf("%s: got %+v, %v", tt.file, file, err)
		}
		raw, err := json.Marshal(tt.want.Spec())
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParseFaults(raw); err != nil || !reflect.DeepEqual(again[0], tt.want) {
			t.Errorf("written as %s and read again: %+v, %v", raw, again, err)
		}
	}
}

func TestBadFaultsAreRefusedByName(t *testing.T) {
	for line, want := range map[string]string{
		"flood":                             `unknown fault "flood"`,
		"":                                  `unknown fault ""`,
		"throttle,colour=red":               `unknown field "colour"`,
		"throttle,count=many":               `field "count" has the value "many": want a number`,
		"throttle,writes=perhaps":           "want nothing, true or false",
		"throttle,retry-after=soon":         `retryAfter "soon" is not a duration`,
		"throttle,retry-after=-1s":          "is negative",
		"stale,retry-after=1s":              "only kind throttle",
		"throttle,action=ModifyEverything":  `there is no action "ModifyEverything"`,
		"throttle,p=1":                      "not between 0 and 1",
		"throttle,p=-0.5":                   "not between 0 and 1",
		"throttle,skip=-1":                  "skip -1 is negative",
		"code":                              "needs a code",
		"clock-skew":                        "needs a skew",
		"stale,skew=1m":                     "needs a skew other than 0, and no other kind",
		"limit":                             "needs limits",
		"limit,limit=AddressesPerBook":      "want NAME:NUMBER",
		"limit,limit=Addresses:1":           `there is no "Addresses", want one of AddressesPerBook`,
		"limit,limit=Books:0":               "want a number from 1",
		"stale,spare=x":                     "only kind editor",
		"interfere":                         "use editor",
		"editor,limit=Books:99999999999999": "want NAME:NUMBER",
	} {
		if _, err := ParseFault(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", line, err, want)
		}
	}
	for file, want := range map[string]string{
		"":                                     "EOF",
		"[{\"kind\":\"stale\"},\n{\"kind\":}]": "line 2",
		`[{"kind":"stale"},{"kind":"flood"}]`:  "fault 2: unknown fault",
		`[{"kind":"stale","chance":0.1}]`:      `unknown field "chance"`,
		`[{"kind":"stale"}] x`:                 "more text",
		`"stale"`:                              "line 1",
	} {
		if _, err := ParseFaults([]byte(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", file, err, want)
		}
	}
}

func TestLimitsAreReadByName(t *testing.T) {
	l, err := ParseLimits("spreadunits=7", "Books=2", "SpreadUnits= 9")
	if err != nil || l != (Limits{SpreadUnits: 9, Books: 2}) {
		t.Errorf("got %+v, %v", l, err)
	}
	for _, text := range []string{"Books", "Books=", "Books=-1", "Books=x", "Shelves=1"} {
		if _, err := ParseLimit(text); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

// FuzzParseFaults feeds arbitrary lines and files: no panic, and what is accepted
// survives being written and read again.
func FuzzParseFaults(f *testing.F) {
	f.Add("throttle,action=ModifyAddressBook,count=2,retry-after=200ms")
	f.Add("limit,limit=Books:3,p=0.5")
	f.Add(`[{"kind":"clock-skew","skew":"-20m"}]`)
	f.Add(`{"kind":"code","code":"-200142","probability":1e-300}`)
	f.Fuzz(func(t *testing.T, text string) {
		faults, err := ParseFaults([]byte(text))
		if err != nil {
			one, err := ParseFault(text)
			if err != nil {
				return
			}
			faults = []Fault{one}
		}
		for _, fault := range faults {
			raw, err := json.Marshal(fault.Spec())
			if err != nil {
				t.Fatal(err)
			}
			again, err := ParseFaults(raw)
			if err != nil || len(again) != 1 || again[0].Kind != fault.Kind || again[0].Skew != fault.Skew || again[0].Limits != fault.Limits {
				t.Fatalf("%s: %+v, %v", raw, again, err)
			}
		}
	})
}
