package lint

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fwsync/cloudfw"
	"fwsync/policies"
)

const (
	groups = `
groups:
  office: [203.0.113.0/24]
  servers: [192.0.2.25, 192.0.2.26]
`
	signal   = "signals:\n  - { name: web.failed, pattern: 'denied <address>', tests: [{ line: denied 192.0.2.1, address: 192.0.2.1 }, { line: no, none: true }] }\n"
	dropping = "  - { name: drop-attackers, from: $blocked, to: any, action: drop }\n"
	internet = "targets: [{internet-firewall: {rules: all}}]\n"
)

func parse(t testing.TB, text string) *policies.Policy {
	t.Helper()
	p, err := policies.Parse([]policies.File{{Name: "p.yaml", Data: []byte(text)}}, policies.Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return p
}

// Each check, on what it is for and on what looks alike and is meant.
func TestChecks(t *testing.T) {
	cases := []struct {
		check string
		text  string
		want  string // part of the one finding; "" for none
		at    int    // line
	}{
		{"never-matches", groups + "rules:\n  - { name: out, direction: out, from: servers, to: office, action: drop }\n  - { name: beside, direction: out, from: servers, to: office, protocol: tcp, action: drop }\n" +
			"targets: [{nat-firewall: {id: ngw-a, rules: [out]}}]\n", `rule "beside" is enforced nowhere`, 7},
		{"never-matches", "rules:\n  - { name: six, direction: between, from: '2001:db8::/32', to: any, action: drop }\ntargets: [{vpc-firewall: {id: cen-a}}]\n", `rule "six" can never match`, 2},
		{"never-matches", "rules:\n  - { name: six, from: '2001:db8::/32', to: any, action: drop }\n" + internet, "", 0},

		{"contradiction", groups + "rules:\n  - { name: mail, from: any, to: servers, protocol: tcp, ports: [25], action: accept }\n  - { name: no-mail, from: office, to: servers, protocol: tcp, ports: [25], action: drop }\n" + internet,
			`rule "no-mail" would drop what rule "mail" (accept) at p.yaml:6 takes first`, 7},
		{"contradiction", groups + "rules:\n  - { name: low, from: any, to: servers, protocol: tcp, ports: [1-100], action: accept }\n  - { name: high, from: any, to: servers, protocol: tcp, ports: [101-200], action: drop }\n  - { name: both, from: any, to: servers, protocol: tcp, ports: [50-150], action: drop }\n" + internet,
			`because of rule "low" (accept) at p.yaml:6 and rule "high" (drop) at p.yaml:7`, 8},
		{"contradiction", groups + "rules:\n  - { name: office, from: office, to: servers, action: accept }\n  - { name: rest, from: any, to: servers, action: drop }\n" + internet, "", 0},
		// A block that ends lets the rule decide again.
		{"contradiction", groups + "rules:\n" + dropping + "  - { name: office, from: office, to: servers, action: accept }\n" + internet, "", 0},
		// Dead for one family only.
		{"contradiction", "rules:\n  - { name: four, from: 0.0.0.0/0, to: 192.0.2.25, action: accept }\n  - { name: both, from: any, to: ['192.0.2.25', '2001:db8::25'], action: drop }\n" + internet, "", 0},

		{"shadowed-rule", groups + "rules:\n" + dropping + "  - { name: again, from: $blocked, to: servers, action: drop }\n" + internet, `rule "again" never decides a packet: rule "drop-attackers" (drop) at p.yaml:6 takes them all`, 7},
		{"shadowed-rule", groups + "rules:\n  - { name: wide, from: any, to: servers, protocol: tcp, ports: [20-30], action: log }\n  - { name: mail, from: any, to: servers, protocol: tcp, ports: [25], application: SMTP, action: accept }\n" + internet, `rule "mail" never decides`, 7},
		{"shadowed-rule", groups + "rules:\n  - { name: mail, from: any, to: servers, protocol: tcp, ports: [25], application: SMTP, action: accept }\n  - { name: port, from: any, to: servers, protocol: tcp, ports: [25], action: accept }\n" + internet, "", 0},
		// The NAT firewall takes the second rule alone.
		{"shadowed-rule", "rules:\n  - { name: one, direction: out, from: any, to: 198.51.100.0/24, action: drop }\n  - { name: two, direction: out, from: any, to: 198.51.100.7, action: drop }\n" +
			"targets: [{internet-firewall: {rules: all}}, {nat-firewall: {id: ngw-a, rules: [two]}}]\n", "", 0},

		{"dead-rule", groups + "rules:\n  - { name: one, from: any, to: 192.0.2.25, protocol: tcp, ports: [25], action: accept }\n  - { name: two, from: any, to: 192.0.2.26, protocol: tcp, ports: [25], action: log }\n  - { name: both, from: office, to: servers, protocol: tcp, ports: [25], action: accept }\n" + internet,
			`together rule "one" (accept) at p.yaml:6 and rule "two" (log) at p.yaml:7 take them all`, 8},
		{"dead-rule", groups + "rules:\n  - { name: one, from: any, to: 192.0.2.25, protocol: tcp, ports: [25], action: accept }\n  - { name: both, from: office, to: servers, protocol: tcp, ports: [25], action: accept }\n" + internet, "", 0},

		{"redundant-rule", groups + "rules:\n  - { name: one, from: office, to: servers, protocol: tcp, ports: [25], action: accept }\n  - { name: all, from: any, to: servers, protocol: tcp, ports: [25], action: accept }\n" + internet,
			`rule "one" could be left out: rule "all" (accept) at p.yaml:7 would do the same`, 6},
		{"redundant-rule", groups + "rules:\n  - { name: one, from: office, to: servers, protocol: tcp, ports: [25], action: accept }\n  - { name: no, from: any, to: servers, action: drop }\n" + internet, "", 0},
		// What nobody declares anything about may meet rules of other people.
		{"redundant-rule", groups + "rules:\n  - { name: one, from: office, to: servers, protocol: tcp, ports: [25], action: accept }\n" + internet, "", 0},
		// Logging is an effect.
		{"redundant-rule", groups + "rules:\n  - { name: one, from: office, to: servers, protocol: tcp, ports: [25], action: log }\n  - { name: all, from: any, to: servers, protocol: tcp, ports: [25], action: accept }\n" + internet, "", 0},
		// In strict mode the rule below drops what is not recognised.
		{"redundant-rule", groups + "rules:\n  - { name: one, from: office, to: servers, protocol: tcp, ports: [25], action: accept }\n  - { name: two, from: office, to: servers, protocol: tcp, ports: [20-30], application: SMTP, action: accept }\n  - { name: all, from: any, to: servers, protocol: tcp, ports: [25], action: accept }\n" + internet, "", 0},

		{"overruled-in-part", groups + "rules:\n  - { name: mail, from: any, to: servers, protocol: tcp, ports: [25], action: accept }\n  - { name: badnet, from: 198.51.100.0/24, to: any, action: drop }\n" + internet,
			`rule "badnet" does not drop all it names: rule "mail" (accept) at p.yaml:6 lets part of it through first`, 7},
		{"overruled-in-part", groups + "rules:\n  - { name: one, from: 198.51.100.7, to: servers, protocol: tcp, ports: [25], action: accept }\n  - { name: badnet, from: 198.51.100.0/24, to: any, action: drop }\n" + internet, "", 0},
		{"overruled-in-part", groups + "rules:\n  - { name: first, from: 198.51.100.0/24, to: servers, action: drop }\n  - { name: mail, from: any, to: servers, protocol: tcp, ports: [25], action: accept }\n  - { name: badnet, from: 198.51.100.0/24, to: any, action: drop }\n" + internet, "", 0},

		{"too-wide", groups + "rules:\n  - { name: all, from: any, to: any, action: accept }\n" + internet, `rule "all" lets everything from everywhere through`, 6},
		{"too-wide", groups + "rules:\n  - { name: halves, from: [0.0.0.0/1, 128.0.0.0/1], to: servers, protocol: tcp, action: accept }\n" + internet, `rule "halves" lets everybody reach every port`, 6},
		{"too-wide", groups + "rules:\n  - { name: half, from: [office, 64.0.0.0/2], to: servers, protocol: tcp, ports: [25], action: accept }\n" + internet, "accepts from 64.0.0.0/2, which is 1/4 of all addresses", 6},
		{"too-wide", groups + "rules:\n  - { name: mail, from: any, to: servers, protocol: tcp, ports: [25], action: accept }\n  - { name: office, from: office, to: servers, action: accept }\n  - { name: ping, from: any, to: servers, protocol: icmp, action: accept }\n" +
			"  - { name: six, from: '2000::/3', to: '2001:db8::25', protocol: tcp, ports: [25], action: accept }\n  - { name: out, direction: out, from: any, to: any, action: accept }\n  - { name: rest, from: any, to: servers, action: drop }\n" + internet, "", 0},

		{"dead-incident-rule", groups + "rules:\n" + dropping + internet + "incidents:\n  storm:\n    summary: less\n    rules:\n      - { name: cut, from: any, to: servers, action: drop }\n      - { name: but, from: office, to: servers, action: accept }\n",
			`rule "but" of incident "storm" never decides a packet: rule "cut" (drop)`, 13},
		{"dead-incident-rule", groups + "rules:\n  - { name: rest, from: any, to: servers, action: drop }\n" + internet + "incidents:\n  storm:\n    summary: less\n    rules:\n      - { name: but, from: office, to: servers, action: accept }\n      - { name: cut, from: any, to: servers, action: drop }\n", "", 0},

		{"allowlist-dropped", groups + "allowlist: [office]\nrules:\n  - { name: no, from: 203.0.113.128/25, to: any, action: drop }\n" + internet, `203.0.113.0/24 is on the allowlist (office), and rule "no" (drop)`, 7},
		{"allowlist-dropped", groups + "allowlist: [office]\nrules:\n  - { name: yes, from: office, to: any, action: accept }\n  - { name: no, from: 203.0.0.0/16, to: any, action: drop }\n" + internet, "", 0},
		{"allowlist-dropped", groups + "allowlist: [office]\nrules:\n" + dropping + "  - { name: rest, from: any, to: servers, action: drop }\n" + internet, "", 0},

		{"unused-group", groups + "rules:\n  - { name: rest, from: any, to: servers, action: drop }\n" + internet, `group "office" is used nowhere`, 0},
		{"unused-group", groups + "  all: [office]\nrules:\n  - { name: rest, from: [all, 198.51.100.1], to: servers, action: drop }\n" + internet, "", 0},

		{"unused-signal", signal + "rules:\n" + dropping + internet, `signal "web.failed" is counted by no detection`, 2},
		{"unused-signal", signal + "detections:\n  - { name: web, signals: [a.b, web.failed], threshold: 5, within: 10m, block: { for: 1h } }\nrules:\n" + dropping + internet, "", 0},

		{"idle-target", groups + "rules:\n" + dropping + "targets: [{internet-firewall: {rules: all}}, {nat-firewall: {id: ngw-a}}]\n", `target "nat-firewall ngw-a" takes none of the rules`, 0},
		{"idle-target", groups + "rules:\n" + dropping + "targets: [{internet-firewall: {rules: all}}, {security-group: {id: sg-a}}]\n", "", 0},

		{"detection-without-effect", "detections:\n  - { name: brute, signal: a.b, threshold: 5, within: 10m, block: { for: 1h } }\nrules:\n  - { name: out, direction: out, from: any, to: 198.51.100.0/24, action: drop }\ntargets: [{nat-firewall: {id: ngw-a}}]\n",
			`what detection "brute" blocks gets through all the same`, 2},
		{"detection-without-effect", "detections:\n  - { name: brute, signal: a.b, threshold: 5, within: 10m, block: { for: 1h } }\ntargets: [{security-group: {id: sg-a}}]\n", "", 0},

		{"report-only", "detections:\n  - { name: brute, signal: a.b, threshold: 5, within: 10m }\ntargets: [{security-group: {id: sg-a}}]\n", `detection "brute" reports and never blocks`, 2},
		{"report-only", "detections:\n  - { name: early, signal: a.b, threshold: 5, within: 10m }\n  - { name: brute, signal: a.b, threshold: 50, within: 10m, block: { for: 1h } }\ntargets: [{security-group: {id: sg-a}}]\n", "", 0},
	}
	covered := map[string]int{}
	for _, c := range cases {
		covered[c.check] |= 1
		if c.want == "" {
			covered[c.check] |= 2
		}
		in := Input{Policy: parse(t, c.text), Text: mentions(c.text)}
		var found []Finding
		for _, f := range Run(in) {
			if f.Check == c.check {
				found = append(found, f)
			}
		}
		switch {
		case c.want == "" && len(found) > 0:
			t.Errorf("%s\nfinds %v", c.text, found)
		case c.want != "" && (len(found) != 1 || !strings.Contains(found[0].Message, c.want) || found[0].Line != c.at):
			t.Errorf("%s\nfinds %v, want %s: %q at line %d", c.text, found, c.check, c.want, c.at)
		}
	}
	for _, c := range Checks() {
		if !c.Live && covered[c.Name] != 3 {
			t.Errorf("check %s has no case in which it finds something and one in which it does not", c.Name)
		}
	}
}

// mentions is a poor man's reading of the texts that stand as values.
func mentions(text string) Text {
	m := Text{Mentions: map[string]bool{}}
	for line := range strings.Lines(text) {
		_, value, _ := strings.Cut(line, ":")
		for _, word := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune("[]{},: \n", r) }) {
			m.Mentions[word] = true
		}
	}
	return m
}

// The policy that everybody begins with has nothing to complain about.
func TestThePresetIsClean(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "policies", "smtp.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := policies.Parse([]policies.File{{Name: "smtp.yaml", Data: data}}, policies.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if found := Run(Input{Policy: p, Text: mentions(string(data))}); len(found) > 0 {
		t.Errorf("finds %v", found)
	}
}

// What live lists are looked at for, with the positions in the list.
func TestLiveChecks(t *testing.T) {
	p := parse(t, groups+"rules:\n"+dropping+"  - { name: rest, from: any, to: servers, action: drop }\n"+internet)
	rule := func(order int, action cloudfw.Action, source, destination, description string) cloudfw.FirewallRule {
		return cloudfw.FirewallRule{ID: description, Order: order, Direction: cloudfw.In, Family: cloudfw.IPv4, Action: action, Protocol: cloudfw.AnyProtocol, Application: "ANY",
			Source: cloudfw.Peer{Kind: cloudfw.Net, Value: source}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: destination}, Description: description}
	}
	ours := func(name string) string {
		return cloudfw.Marker{Owner: "me", Kind: "rule", Name: name + ".4.00000000"}.String()
	}
	find := func(rules ...cloudfw.FirewallRule) []string {
		var texts []string
		for _, f := range Run(Input{Policy: p, Live: []Live{{"home", "me", cloudfw.Snapshot{Rules: rules}}}}) {
			texts = append(texts, f.String())
		}
		return texts
	}
	got := find(
		rule(1, cloudfw.Accept, "203.0.113.0/24", "192.0.2.25/32", "a colleague"),
		rule(2, cloudfw.Drop, "0.0.0.0/0", "192.0.2.0/24", ours("rest")),
		rule(3, cloudfw.Accept, "198.51.100.0/24", "192.0.2.25/32", "too late"),
		rule(4, cloudfw.Accept, "198.51.100.0/24", "192.0.3.25/32", "elsewhere"),
	)
	want := []string{
		`p.yaml:7:1: warning: home: internet-firewall in ipv4: our rule #2 (in drop any from 0.0.0.0/0 to 192.0.2.0/24) stands below #1 in accept any from 203.0.113.0/24 to 192.0.2.25/32 ("a colleague", not ours), which takes part of its packets [live-overruled]`,
		`home: internet-firewall in ipv4: note: rule #3 in accept any from 198.51.100.0/24 to 192.0.2.25/32 ("too late", not ours) never decides a packet: #2 in drop any from 0.0.0.0/0 to 192.0.2.0/24 (ours) takes them first [foreign-dead]`,
	}
	if len(got) != 2 || !strings.HasPrefix(got[0], want[0]) || !strings.HasPrefix(got[1], want[1]) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	got = find(rule(1, cloudfw.Accept, "0.0.0.0/0", "192.0.2.25/32", "a colleague"), rule(2, cloudfw.Drop, "0.0.0.0/0", "192.0.2.25/32", ours("rest")))
	if len(got) != 1 || !strings.Contains(got[0], "so that it never decides") {
		t.Errorf("got %q", got)
	}
	// In its place nothing is wrong; a marker of another owner makes a rule foreign.
	clean := []cloudfw.FirewallRule{rule(1, cloudfw.Drop, "198.51.100.7/32", "192.0.2.25/32", ours("rest")), rule(2, cloudfw.Accept, "0.0.0.0/0", "192.0.2.25/32", "a colleague")}
	if got = find(clean...); len(got) > 0 {
		t.Errorf("got %q", got)
	}
	other := slices.Clone(clean)
	other[0].Description = strings.Replace(other[0].Description, "me", "you", 1)
	if got = find(other...); len(got) > 0 {
		t.Errorf("got %q", got)
	}
}
