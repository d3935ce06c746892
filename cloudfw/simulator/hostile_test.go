package simulator

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// FuzzHandler sends arbitrary parameters to every action: there must be no panic,
// a JSON object must come back, and every invariant must hold.
func FuzzHandler(f *testing.F) {
	f.Add(uint8(0), "Direction=in&AclAction=drop&NewOrder=-1")
	f.Add(uint8(3), "Permissions.1.IpProtocol=tcp&Permissions.01.PortRange=1/1&Permissions.99999999999999999999.X=1")
	f.Add(uint8(5), "GroupName=aa&GroupType=ip&Description=bb&AddressList=1.2.3.4,,%00")
	f.Add(uint8(9), "CurrentPage=2147483647&PageSize=50&Direction=in")
	f.Add(uint8(11), "SecurityGroupId=sg-mail&NextToken=b2Zmc2V0OjE")
	names := Actions()
	f.Fuzz(func(t *testing.T, which uint8, query string) {
		world := DefaultWorld()
		c, err := New(Options{World: &world, SkipSignature: true, SkipNonce: true, SkipTimestamp: true})
		if err != nil {
			t.Fatal(err)
		}
		name := names[int(which)%len(names)]
		for version := range map[string]bool{versionCloudfw: true, versionECS: true, versionSTS: true} {
			form := url.Values{"Action": {name}, "Version": {version}, "RegionId": {"cn-hangzhou"}}
			r := httptest.NewRequest(http.MethodPost, "/?"+form.Encode(), strings.NewReader(query))
			w := httptest.NewRecorder()
			c.Handler().ServeHTTP(w, r)
			var body map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
				t.Fatalf("%s: %q: %v", name, w.Body, err)
			}
			if _, has := body["Code"]; has == (w.Code < 300) {
				t.Fatalf("%s: status %d: %s", name, w.Code, w.Body)
			}
			if err := c.Check(); err != nil {
				t.Fatalf("%s %q: %v", name, query, err)
			}
		}
	})
}

// FuzzDecodeState feeds arbitrary state files: no panic, and what is accepted holds.
func FuzzDecodeState(f *testing.F) {
	world := DefaultWorld()
	raw, err := json.Marshal(world)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"version":1,"policies":[` + policyJSON(0) + `]}`))
	f.Add([]byte(`{"version":1,"securityGroups":[{"rules":[{}]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := decodeState(raw)
		if err != nil || s.check(DefaultLimits(), Assumptions{}) != nil {
			return
		}
		if _, err := New(Options{World: s}); err != nil {
			t.Fatalf("an accepted state does not start: %v", err)
		}
	})
}

func TestConcurrentCallersKeepTheInvariants(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	uuid := c.firewall("AddAddressBook", "GroupName", "blocked", "GroupType", "ip", "Description", "some", "AddressList", "198.51.100.0").text("GroupUuid")
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range 15 {
				c.firewall("AddControlPolicy", policyArgs("NewOrder", "1")...)
				c.firewall("ModifyAddressBook", "GroupUuid", uuid, "GroupName", "blocked", "Description", "some", "ModifyMode", "Append",
					"AddressList", "198.51.100."+strconv.Itoa(1+worker*15+i))
				c.firewall("DescribeControlPolicy", "Direction", "in", "CurrentPage", "1", "PageSize", "50")
				for _, b := range outerBorders {
					b.add(c, 1, "one of many")
					b.read(c)
				}
				c.rules("sg-mail")
				cloud.Snapshot()
			}
		})
	}
	all.Wait()
	s := cloud.Snapshot()
	if len(s.Policies) != 181 || len(s.AddressBooks[1].Addresses) != 61 {
		t.Errorf("%d policies and %d addresses, want 181 and 61", len(s.Policies), len(s.AddressBooks[1].Addresses))
	}
}

// TestStandardLibraryOnly holds the simulator apart from what it is to test.
func TestStandardLibraryOnly(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range file.Imports {
			path, err := strconv.Unquote(i.Path.Value)
			if first, _, _ := strings.Cut(path, "/"); err != nil || first == "fwsync" || strings.Contains(first, ".") {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}
