package simulator

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBordersAndEventsSurviveTheStateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.json")
	world := DefaultWorld()
	world.Roles = []Role{{ARN: testRole, Trusted: []string{}}, {ARN: testRole + "2"}}
	world.InvadeEvents = []InvadeEvent{{Name: "miner", RiskLevel: 3, LastTime: 5}}
	first := newCloud(t, Options{StateFile: path, World: &world})
	c := serve(t, first)
	outerBorders[0].add(c, -1, "nat", "DomainResolveType", "1")
	outerBorders[1].add(c, -1, "vpc", "MemberUid", "7")
	bookOf(c, "ack", "AckClusterConnectorId", "ac-1", "AckNamespaces.1", "mail", "AckLabels.1.Key", "app")
	if err := first.AddRiskEvents(riskEvent("scan", "198.51.100.1", 2, 1000)); err != nil {
		t.Fatal(err)
	}
	second := newCloud(t, Options{StateFile: path})
	if want, got := asJSON(t, first.Snapshot()), asJSON(t, second.Snapshot()); want != got {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	s := second.Snapshot()
	s.Roles[0].Trusted = append(s.Roles[0].Trusted, "changed")
	s.RiskEvents[0].AssetIPs[0] = "changed"
	s.AddressBooks[1].AckNamespaces[0] = "changed"
	s.NATGateways[0].Name = "changed"
	if strings.Contains(asJSON(t, second.Snapshot()), "changed") {
		t.Error("editing a snapshot changed the cloud")
	}
}

func TestAFileWithoutTheNewFieldsStaysSo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.json")
	if err := os.WriteFile(path, []byte(`{"version": 1, "policies": [`+policyJSON(1)+`]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	c := serve(t, newCloud(t, Options{StateFile: path}))
	c.firewall("AddControlPolicy", policyArgs()...)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"natGateways", "vpcFirewalls", "riskEvents", "invadeEvents", "roles", "natGateway", "memberUid"} {
		if strings.Contains(string(raw), `"`+key+`"`) {
			t.Errorf("the file has gained %s:\n%s", key, raw)
		}
	}
}

func TestHandWrittenBordersAreCompleted(t *testing.T) {
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "cloud.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	nat := func(description string) string {
		text := strings.Replace(policyJSON(0), `"application":"ANY"`, `"applications":["ANY"],"natGateway":"ngw-1"`, 1)
		text = strings.Replace(text, `"direction":"in"`, `"direction":"out"`, 1)
		return strings.Replace(text, "by hand", description, 1)
	}
	vpc := strings.Replace(strings.Replace(policyJSON(0), `"direction":"in",`, "", 1), `"proto":"TCP"`, `"proto":"TCP","destPort":"25/25","vpcFirewall":"cen-1"`, 1)
	cloud := newCloud(t, Options{StateFile: write(`{"version": 1, "natGateways": [{"id": "ngw-1"}, {"name": "unnamed"}], "vpcFirewalls": [{"id": "cen-1"}],
		"policies": [` + vpc + `,` + nat("first") + `,` + policyJSON(0) + `,` + nat("second") + `]}`)})
	s := cloud.Snapshot()
	var got []string
	for _, p := range s.Policies {
		got = append(got, p.label()+" "+p.Description)
		if p.UUID == "" {
			t.Errorf("no id: %+v", p)
		}
	}
	if want := "policy 1 (in, IPv4) by hand; policy 1 (ngw-1) first; policy 2 (ngw-1) second; policy 1 (cen-1) by hand"; strings.Join(got, "; ") != want {
		t.Errorf("got %s", strings.Join(got, "; "))
	}
	if !strings.HasPrefix(s.NATGateways[1].ID, "ngw-") {
		t.Errorf("got %+v", s.NATGateways)
	}
	for _, tt := range []struct{ text, want string }{
		{`{"version": 1, "natGateways": [{"idd": "ngw-1"}]}`, `"idd"`},
		{`{"version": 1, "policies": [` + nat("lost") + `]}`, "ErrorNatGatewayNotExist"},
		{`{"version": 1, "roles": [{"arn": "writer"}]}`, "not of the form"},
	} {
		if _, err := New(Options{StateFile: write(tt.text)}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v", tt.text, err)
		}
	}
}

func TestHolesInTheOrderNeedTheirReading(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.json")
	kept := Options{StateFile: path, Assume: Assumptions{BeyondEndKeepsOrder: true}}
	c := serve(t, newCloud(t, kept))
	c.firewall("AddControlPolicy", policyArgs("NewOrder", "7")...)
	if p := newCloud(t, kept).Snapshot().Policies[0]; p.Order != 7 {
		t.Errorf("got order %d", p.Order)
	}
	if _, err := New(Options{StateFile: path}); err == nil || !strings.Contains(err.Error(), "place 1") {
		t.Errorf("under the other reading: %v", err)
	}
}
