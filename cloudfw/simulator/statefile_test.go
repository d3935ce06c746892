package simulator

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestStateFileRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.json")
	world := DefaultWorld()
	first := newCloud(t, Options{StateFile: path, World: &world})
	c := serve(t, first)
	c.firewall("AddControlPolicy", policyArgs("NewOrder", "1")...)
	c.firewall("AddAddressBook", "GroupName", "assets", "GroupType", "asset", "Description", "some", "AssetMemberUids", "[1, 2]")
	c.ecs("CreatePrefixList", "PrefixListName", "blocked", "AddressFamily", "IPv6", "MaxEntries", "3", "Entry.1.Cidr", "2001:db8::/32")
	want := first.Snapshot()
	second := newCloud(t, Options{StateFile: path, World: &State{}})
	got := second.Snapshot()
	if a, b := asJSON(t, want), asJSON(t, got); a != b {
		t.Errorf("got\n%s\nwant\n%s", b, a)
	}
	third := newCloud(t, Options{})
	if err := third.Load(want); err != nil {
		t.Fatal(err)
	}
	if a, b := asJSON(t, want), asJSON(t, third.Snapshot()); a != b {
		t.Errorf("after Load got\n%s\nwant\n%s", b, a)
	}
	raw, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(raw), "\n  \"version\": 1,\n") || !strings.Contains(string(raw), `"source": "0.0.0.0/0"`) {
		t.Errorf("the file is not made for people: %v\n%s", err, raw)
	}
}

func asJSON(t *testing.T, s State) string {
	t.Helper()
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestSnapshotSharesNothing(t *testing.T) {
	world := DefaultWorld()
	cloud := newCloud(t, Options{World: &world})
	s := cloud.Snapshot()
	s.Policies[0].Applications[0] = "changed"
	s.AddressBooks[0].Addresses[0] = "changed"
	s.SecurityGroups[0].Rules[0].Protocol = "changed"
	world.SecurityGroups[0].Rules[1].Protocol = "changed"
	if !reflect.DeepEqual(cloud.Snapshot(), DefaultWorld()) {
		t.Errorf("editing a snapshot or the starting world changed the cloud")
	}
}

func TestUnusableStateFileIsNamedAndKept(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "line 1"},
		{"torn", "{\n  \"version\": 1,\n  \"pol", "line 3"},
		{"not JSON", "hello", "line 1"},
		{"a wrong type", "{\n\"version\": \"one\"}", "line 2"},
		{"a misspelt key", `{"version": 1, "polices": []}`, `"polices"`},
		{"two documents", `{"version": 1}{"version": 1}`, "more text"},
		{"another version", `{"version": 2}`, "version 2"},
		{"a hole in the order", `{"version": 1, "policies": [` + policyJSON(2) + `]}`, "place 1"},
		{"a dangling book", `{"version": 1, "policies": [` + strings.Replace(policyJSON(1), `"net","source":"198.51.100.7/32"`, `"group","source":"nobody"`, 1) + `]}`, "ErrorAddressGroupNotExist"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cloud.json")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := New(Options{StateFile: path})
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q and the path", err, tt.want)
			}
			if raw, err := os.ReadFile(path); err != nil || string(raw) != tt.text {
				t.Errorf("the file was changed to %q, %v", raw, err)
			}
		})
	}
}

func policyJSON(order int) string {
	return fmt.Sprintf(`{"direction":"in","order":%d,"action":"drop","sourceType":"net","source":"198.51.100.7/32",`+
		`"destinationType":"net","destination":"192.0.2.25/32","proto":"TCP","application":"ANY","description":"by hand"}`, order)
}

func TestHandWrittenStateIsCompleted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.json")
	text := `{"version": 1, "addressBooks": [{"name": "blocked", "type": "ip", "description": "by hand", "addresses": ["198.51.100.1 a note"]}],
		"policies": [` + strings.Replace(policyJSON(0), "by hand", "first", 1) + `,` + strings.Replace(policyJSON(0), "by hand", "second", 1) + `],
		"securityGroups": [{"name": "mail", "vpcId": "vpc-1", "type": "normal", "rules": [
			{"direction": "ingress", "protocol": "tcp", "portRange": "25/25", "policy": "drop", "sourceCidr": "198.51.100.1/32"}]}]}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cloud := newCloud(t, Options{StateFile: path})
	s := cloud.Snapshot()
	if s.Policies[1].Description != "second" || s.Policies[1].Order != 2 || s.Policies[1].UUID == "" || s.Policies[1].UUID == s.Policies[0].UUID || s.AddressBooks[0].UUID == "" {
		t.Errorf("got %+v", s)
	}
	c := serve(t, cloud)
	c.ecs("AuthorizeSecurityGroup", ruleArgs(s.SecurityGroups[0].ID, "IpProtocol=TCP PortRange=25/25 Policy=Drop Priority=1 SourceCidrIp=198.51.100.1/32")...)
	if got := c.rules(s.SecurityGroups[0].ID); len(got) != 1 || got[0] != "ingress Drop TCP 25/25 198.51.100.1/32 1" {
		t.Errorf("got %v", got)
	}
}

func TestFailedSaveLeavesMemoryUnchanged(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	cloud := newCloud(t, Options{StateFile: filepath.Join(folder, "cloud.json")})
	c := serve(t, cloud)
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	c.want("InternalError", versionCloudfw, "AddControlPolicy", policyArgs()...)
	if n := len(cloud.Snapshot().Policies); n != 0 {
		t.Errorf("%d policies after the failed save", n)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	c.firewall("AddControlPolicy", policyArgs()...)
}

func TestRefusedCallsDoNotTouchTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.json")
	cloud := newCloud(t, Options{StateFile: path})
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cloud.AddControlPolicy(Policy{}); err == nil {
		t.Fatal("an empty policy was accepted")
	}
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("the file was written: %v", err)
	}
}

func TestProcessesShareOneStateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.json")
	one, two := newCloud(t, Options{StateFile: path}), newCloud(t, Options{StateFile: path})
	done := make(chan error, 2)
	for _, c := range []*Cloud{one, two} {
		go func() {
			for i := range 20 {
				if _, err := c.AddControlPolicy(tcpPolicy("in", -1, fmt.Sprint(i))); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if a, b := len(one.Snapshot().Policies), len(two.Snapshot().Policies); a != 40 || b != 40 {
		t.Errorf("the two see %d and %d policies of 40", a, b)
	}
	if err := os.WriteFile(path, []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := one.AddControlPolicy(tcpPolicy("in", -1, "x")); code(err) != "InternalError" {
		t.Errorf("writing over a file somebody broke: %v", err)
	}
	if raw, _ := os.ReadFile(path); string(raw) != "torn" {
		t.Errorf("the broken file was overwritten")
	}
}

const childEnv = "SIMULATOR_TEST_STATE_FILE"

// TestKilledWriter is both the killer and, in a child process, the writer.
func TestKilledWriter(t *testing.T) {
	if path := os.Getenv(childEnv); path != "" {
		cloud, err := New(Options{StateFile: path})
		if err != nil {
			t.Fatal(err)
		}
		for {
			if _, err := cloud.AddControlPolicy(tcpPolicy("in", 1, "one more")); err != nil {
				t.Fatal(err)
			}
			fmt.Println("written")
		}
	}
	path := filepath.Join(t.TempDir(), "cloud.json")
	written := 0
	for round := range 5 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledWriter$")
		child.Env = append(slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "GOCOVERDIR=") }), childEnv+"="+path)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for range 7 + 3*round {
			if !lines.Scan() {
				t.Fatal("the writer ended early")
			}
			written++
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
			written++
		}
		if err := child.Wait(); err == nil {
			t.Fatal("the writer was not killed")
		}
		cloud, err := New(Options{StateFile: path})
		if err != nil {
			t.Fatalf("after kill %d: %v", round, err)
		}
		// The write in flight may be there without having been reported.
		if n := len(cloud.Snapshot().Policies); n < written || n > written+1 {
			t.Fatalf("after kill %d: %d policies, %d were reported", round, n, written)
		} else {
			written = n
		}
	}
}
