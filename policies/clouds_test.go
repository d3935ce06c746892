package policies

import (
	"slices"
	"strings"
	"testing"

	"fwsync/cloudfw"
)

const bordered = `
groups:
  offices: [10.1.0.0/16]
rules:
  - { name: drop-attackers, from: $blocked, to: any, action: drop }
  - { name: no-callbacks, direction: out, from: any, to: $blocked, action: drop }
  - { name: web-out, direction: out, from: offices, to: any, protocol: tcp, ports: [443], action: accept }
  - { name: apart, direction: between, from: offices, to: 10.2.0.0/16, action: drop }
targets:
  - internet-firewall: { rules: all, cloud: [one, two] }
  - nat-firewall: { id: ngw-1, rules: web-out, cloud: one }
  - vpc-firewall: { id: cen-1, cloud: two }
  - security-group: { id: sg-mail, cloud: one }
  - security-group: { id: sg-mail, cloud: two }
`

func TestEachTargetIsInItsClouds(t *testing.T) {
	options := strict
	options.Clouds = []string{"one", "two"}
	p, err := Parse([]File{{"p.yaml", []byte(bordered)}}, options)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"one internet-firewall", "two internet-firewall", "one nat-firewall ngw-1", "two vpc-firewall cen-1",
		"one security-group sg-mail", "two security-group sg-mail",
	}
	var got []string
	for _, target := range p.Targets {
		got = append(got, target.Cloud+" "+target.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("targets %q, want %q", got, want)
	}
	nat := p.Targets[2]
	for _, r := range p.Rules {
		if took := nat.Takes(r); took != (r.Name == "web-out") {
			t.Errorf("the NAT firewall takes %s: %v", r.Name, took)
		}
	}
	if len(p.In("one").Targets) != 3 || len(p.In("two").Targets) != 3 || len(p.In("three").Targets) != 0 {
		t.Error("the parts of the policy for each cloud hold other targets")
	}
	if p.In("one").Hash() == p.In("two").Hash() {
		t.Error("different parts have the same hash")
	}
}

func TestSeveralCloudsHaveToBeNamed(t *testing.T) {
	for text, want := range map[string]string{
		strings.ReplaceAll(bordered, ", cloud: two", ""):                            `several clouds are configured and target "vpc-firewall cen-1" names none`,
		strings.ReplaceAll(bordered, "cloud: two", "cloud: tow"):                    `there is no cloud "tow"`,
		strings.ReplaceAll(bordered, "sg-mail, cloud: two", "sg-mail, cloud: one"):  `target "security-group sg-mail" is declared twice`,
		strings.ReplaceAll(bordered, "cloud: [one, two]", "cloud: [one, two, one]"): `target "internet-firewall" is declared twice`,
		strings.ReplaceAll(bordered, "cloud: [one, two]", "cloud: []"):              `"cloud" is empty`,
	} {
		options := strict
		options.Clouds = []string{"one", "two"}
		_, err := Parse([]File{{"p.yaml", []byte(text)}}, options)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestOneCloudNeedsNoName(t *testing.T) {
	p := parseOne(t, two)
	if whole := p.In("anything"); len(whole.Targets) != len(p.Targets) {
		t.Errorf("targets without a cloud are in no cloud")
	}
	if p.Targets[0].Kind != cloudfw.InternetFirewall || p.Targets[0].Cloud != "" {
		t.Errorf("first target %+v", p.Targets[0])
	}
}
