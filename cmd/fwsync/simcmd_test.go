package main

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"fwsync/cloudfw/simulator"
)

// clouds are the served simulators, by the script's folder.
var clouds sync.Map

// served is a simulator that the script serves to the programs it runs.
type served struct{ cloud *simulator.Cloud }

// simulated looks at or edits the simulated cloud of the script: the one it serves,
// or the world in .fwsync/simulator.json.
//
//	sim serve [ASSUMPTION…]       serves a cloud and points fwsync at it
//	sim advance DURATION          moves the served cloud's clock, not fwsync's
//	sim drops ADDRESS             prints which policies in force drop an IPv4 address that comes in
//	sim fail ACTION KIND [COUNT]  the next calls of ACTION (- for every write) go wrong
//	sim heal                      ends all that was to go wrong
//	sim deny [PERMISSION…]        takes permissions away; without any, gives all back
//	sim calls                     prints the writing calls since the last time
//	sim dump                      prints policies, books and group rules, sorted
//	sim marks                     the same, and how books and lists are described
//	sim check                     fails when an invariant of the cloud is broken
//	sim accept-on-top SOURCE      a colleague's accept rule at position 1
//	sim describe-book NAME TEXT   a colleague writes another description
//	sim delete-rule N, sim disable-rule N, sim rename-rule N TEXT   IPv4 policies
func simulated(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: sim COMMAND…")
	}
	if args[0] == "serve" {
		serve(ts, args[1:])
		return
	}
	cloud := cloudOf(ts)
	switch args[0] {
	case "fail":
		fault := simulator.Fault{Action: args[1], Kind: simulator.FaultKind(args[2]), Skew: 20 * time.Minute}
		if args[1] == "-" {
			fault.Action, fault.Writes = "", true
		}
		if len(args) > 3 {
			_, err := fmt.Sscan(args[3], &fault.Count)
			ts.Check(err)
		}
		cloud.Inject(fault)
	case "heal":
		cloud.ClearFaults()
	case "deny":
		ts.Check(cloud.SetPermissions(map[string]simulator.Permissions{simulator.AnyKey: {Deny: args[1:]}}))
	case "calls":
		calls := slices.DeleteFunc(cloud.Calls(), func(c simulator.Call) bool { return !c.Write })
		write(ts, fmt.Sprintf("writing calls: %d\n", len(calls)))
		for _, c := range calls {
			write(ts, strings.TrimSpace(c.Action+" "+c.Code)+"\n")
		}
		cloud.ResetCalls()
	case "dump":
		write(ts, dump(cloud.Snapshot()))
	case "marks":
		state := cloud.Snapshot()
		text := dump(state)
		for _, b := range state.AddressBooks {
			text += fmt.Sprintf("%s %q\n", b.Name, b.Description)
		}
		for _, l := range state.PrefixLists {
			text += fmt.Sprintf("%s %q\n", l.Name, l.Description)
		}
		write(ts, text)
	case "advance":
		d, err := time.ParseDuration(args[1])
		ts.Check(err)
		cloud.AdvanceClock(d)
	case "drops":
		write(ts, drops(cloud.Engine(), args[1]))
	case "check":
		ts.Check(cloud.Check())
	case "accept-on-top":
		_, err := cloud.AddControlPolicy(simulator.Policy{Direction: "in", IPVersion: 4, Order: 1, Action: "accept", SourceType: "net", Source: args[1],
			DestinationType: "net", Destination: "0.0.0.0/0", Proto: "ANY", Application: "ANY", Description: "a colleague was here"})
		ts.Check(err)
	case "describe-book":
		for _, b := range cloud.Snapshot().AddressBooks {
			if b.Name == args[1] {
				ts.Check(cloud.DescribeAddressBook(b.UUID, args[2]))
				return
			}
		}
		ts.Fatalf("there is no book %s", args[1])
	case "delete-rule":
		ts.Check(cloud.DeleteControlPolicy(policyAt(ts, cloud, args[1]).UUID))
	case "disable-rule":
		ts.Check(cloud.ModifyControlPolicy(policyAt(ts, cloud, args[1]).UUID, func(p *simulator.Policy) { p.Disabled = true }))
	case "rename-rule":
		ts.Check(cloud.ModifyControlPolicy(policyAt(ts, cloud, args[1]).UUID, func(p *simulator.Policy) { p.Description = args[2] }))
	default:
		ts.Fatalf("unknown sim command %q", args[0])
	}
}

func serve(ts *testscript.TestScript, assumptions []string) {
	world := simulator.DefaultWorld()
	options := simulator.Options{World: &world}
	for _, name := range assumptions {
		reading := reflect.ValueOf(&options.Assume).Elem().FieldByName(name)
		if !reading.IsValid() {
			ts.Fatalf("there is no assumption %s", name)
		}
		reading.SetBool(true)
	}
	cloud, err := simulator.New(options)
	ts.Check(err)
	server := httptest.NewServer(cloud.Handler())
	ts.Defer(server.Close)
	ts.Setenv("FWSYNC_CLOUD", "alibaba")
	ts.Setenv("FWSYNC_ALIBABA_REGION", "cn-hangzhou")
	ts.Setenv("FWSYNC_ALIBABA_ENDPOINT", strings.TrimPrefix(server.URL, "http://"))
	ts.Setenv("FWSYNC_ALIBABA_INSECURE", "true")
	ts.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", simulator.DefaultKey)
	ts.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", simulator.DefaultSecret)
	clouds.Store(ts.Getenv("WORK"), &served{cloud})
	ts.Defer(func() { clouds.Delete(ts.Getenv("WORK")) })
}

func cloudOf(ts *testscript.TestScript) *simulator.Cloud {
	if s, ok := clouds.Load(ts.Getenv("WORK")); ok {
		return s.(*served).cloud
	}
	cloud, err := simulator.New(simulator.Options{StateFile: ts.MkAbs(".fwsync/simulator.json")})
	ts.Check(err)
	return cloud
}

func policyAt(ts *testscript.TestScript, cloud *simulator.Cloud, order string) simulator.Policy {
	for _, p := range cloud.Snapshot().Policies {
		if p.Direction == "in" && p.IPVersion != 6 && fmt.Sprint(p.Order) == order {
			return p
		}
	}
	ts.Fatalf("there is no IPv4 policy #%s", order)
	return simulator.Policy{}
}

// drops prints the policies in force whose source book holds the address.
func drops(engine simulator.Engine, address string) string {
	var b strings.Builder
	for _, p := range engine.Policies {
		at := slices.IndexFunc(engine.AddressBooks, func(k simulator.AddressBook) bool { return k.Name == p.Source })
		if p.Direction != "in" || p.Action != "drop" || at < 0 || !slices.Contains(engine.AddressBooks[at].Addresses, address+"/32") {
			continue
		}
		end := "for ever"
		if p.EndTime > 0 {
			end = "until " + time.Unix(p.EndTime, 0).UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(&b, "dropped by #%d %s %s\n", p.Order, p.Source, end)
	}
	return b.String() + fmt.Sprintf("policies: %d\n", strings.Count(b.String(), "\n"))
}

// dump prints what enforces something, without ids and times; all ports, which have
// two spellings, as none.
func dump(s simulator.State) string {
	var b strings.Builder
	for _, p := range s.Policies {
		state := ""
		if p.Disabled {
			state = " (disabled)"
		}
		fmt.Fprintf(&b, "%s ipv%d #%d %s %s:%s to %s:%s %s %s %q%s\n", p.Direction, max(p.IPVersion, 4), p.Order, p.Action, p.SourceType, p.Source, p.DestinationType, p.Destination, p.Proto, strings.TrimPrefix(p.DestPort, "0/0"), p.Description, state)
	}
	for _, k := range s.AddressBooks {
		fmt.Fprintf(&b, "book %s: %d addresses\n", k.Name, len(k.Addresses))
	}
	for _, g := range s.SecurityGroups {
		for _, r := range g.Rules {
			fmt.Fprintf(&b, "group %s %s %s %d %q\n", g.ID, r.Direction, r.Policy, r.Priority, r.Description)
		}
	}
	for _, l := range s.PrefixLists {
		fmt.Fprintf(&b, "list %s: %d of %d entries\n", l.Name, len(l.Entries), l.MaxEntries)
	}
	return b.String()
}

// jq compares one value: jq FILE path.to.value WANT, where a number in the path is
// an index and "len" the length.
func jq(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: jq FILE PATH WANT")
	}
	var value any
	if err := json.Unmarshal(readFile(ts, args[0]), &value); err != nil {
		ts.Fatalf("%s is not JSON: %v", args[0], err)
	}
	for _, key := range strings.Split(args[1], ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[key]
		case []any:
			if key == "len" {
				value = len(v)
				continue
			}
			var i int
			if _, err := fmt.Sscan(key, &i); err != nil || i >= len(v) {
				ts.Fatalf("%s: no element %q", args[1], key)
			}
			value = v[i]
		default:
			ts.Fatalf("%s: %q is below a %T", args[1], key, v)
		}
	}
	if got := fmt.Sprint(value); (got == args[2]) == neg {
		ts.Fatalf("%s is %s, want %s", args[1], got, args[2])
	}
}

var masks = []struct {
	pattern *regexp.Regexp
	text    string
}{
	{regexp.MustCompile(`20\d\d-\d\d-\d\dT[0-9:.]+Z`), "TIME"},
	{regexp.MustCompile(`20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ`), "TIME"},
	{regexp.MustCompile(`ac100000-[0-9a-f-]+`), "RULE"},
	{regexp.MustCompile(`sgr-sim\d+`), "GROUPRULE"},
	{regexp.MustCompile(`pl-sim\d+`), "LIST"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "HOST"},
}

// mask rewrites a file in place; "stdout" becomes the script's stdout again.
func mask(ts *testscript.TestScript, _ bool, args []string) {
	text := string(readFile(ts, args[0]))
	for _, m := range masks {
		text = m.pattern.ReplaceAllString(text, m.text)
	}
	text = strings.ReplaceAll(text, ts.Getenv("WORK"), "$WORK")
	// The columns that hold them lose their padding with their width.
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		fields := strings.Fields(line)
		if len(fields) == 6 && slices.Contains(fields, "healthy") {
			fields[4] = "SPEED"
		}
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		lines[i] = strings.TrimRight(indent+strings.Join(fields, " "), " ")
	}
	text = strings.Join(lines, "\n")
	if args[0] == "stdout" {
		write(ts, text)
		return
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}
