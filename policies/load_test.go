package policies

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fwsync/cloudfw"
)

const target = "targets: [{internet-firewall: {rules: all}}]\n"

// write puts files into a fresh folder and returns it.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// parseOne parses one file's text and fails the test when it is refused.
func parseOne(t testing.TB, text string) *Policy {
	t.Helper()
	p, err := Parse([]File{{"p.yaml", []byte(text)}}, strict)
	if err != nil {
		t.Fatalf("refused:\n%v", err)
	}
	return p
}

// refusal parses one file's text, which must be refused, and returns the findings.
func refusal(t testing.TB, text string) []Finding {
	t.Helper()
	_, err := Parse([]File{{"p.yaml", []byte(text)}}, strict)
	refused, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("got %v, want findings", err)
	}
	return refused.Findings
}

func prefixes(texts ...string) []netip.Prefix {
	var ps []netip.Prefix
	for _, text := range texts {
		ps = append(ps, netip.MustParsePrefix(text))
	}
	return ps
}

func TestThePresetMeansWhatItSays(t *testing.T) {
	p, err := Load("smtp.yaml", strict)
	if err != nil {
		t.Fatal(err)
	}
	office, servers := prefixes("203.0.113.240/28"), prefixes("192.0.2.25/32", "192.0.2.26/32")
	want := &Policy{
		Groups: map[string][]netip.Prefix{"office": office, "smtp-servers": servers},
		Allowlist: []cloudfw.Exempt{
			{Prefix: servers[0], Reason: "smtp-servers"},
			{Prefix: servers[1], Reason: "smtp-servers"},
			{Prefix: office[0], Reason: "office"},
		},
		Detections: []Detection{
			{Name: "sasl-bruteforce", Signals: []string{"smtp.auth_failed"}, Threshold: 5, Within: 10 * time.Minute,
				Block: &Penalty{For: time.Hour, Escalate: []time.Duration{time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}}},
			{Name: "relay-abuse", Signals: []string{"smtp.relay_denied"}, Threshold: 3, Within: time.Hour, Block: &Penalty{For: 24 * time.Hour}},
			{Name: "protocol-abuse", Signals: []string{"smtp.non_smtp_command", "smtp.pipelining", "smtp.pregreet", "smtp.too_many_errors"},
				Threshold: 3, Within: 10 * time.Minute, Block: &Penalty{For: time.Hour}},
			{Name: "slow-bruteforce", Signals: []string{"smtp.auth_failed"}, Threshold: 30, Within: 7 * 24 * time.Hour, LegitimateThreshold: 1000, Block: &Penalty{For: 24 * time.Hour}},
			{Name: "spraying", Signals: []string{"smtp.auth_failed"}, Distinct: "accounts", Threshold: 10, Within: time.Hour, Block: &Penalty{For: 24 * time.Hour}},
			{Name: "weak-network", Signals: []string{"smtp.auth_failed"}, By: "network", Threshold: 30, Members: 8, Within: time.Hour},
			{Name: "distributed", Signals: []string{"smtp.auth_failed"}, By: "account", Distinct: "addresses", Threshold: 20, Within: time.Hour},
			{Name: "storm", Signals: []string{"smtp.auth_failed"}, By: "site", Threshold: 1000, Within: time.Minute},
		},
		Targets: []cloudfw.Target{
			{Kind: cloudfw.InternetFirewall},
			{Kind: cloudfw.SecurityGroupTarget, GroupID: "sg-mail", Via: cloudfw.ViaPrefixList, Capacity: 100},
		},
	}
	everyone, us := cloudfw.Side{Any: true}, cloudfw.Side{Group: "smtp-servers", Prefixes: servers}
	mail := []cloudfw.PortRange{{First: 465, Last: 465}, {First: 587, Last: 587}}
	rule := func(name string, from, to cloudfw.Side, protocol cloudfw.Protocol, ports []cloudfw.PortRange, application string, action cloudfw.Action) cloudfw.Rule {
		return cloudfw.Rule{Name: name, Direction: cloudfw.In, From: from, To: to, Protocol: protocol, Ports: ports, Application: application, Action: action}
	}
	atWork := cloudfw.Side{Group: "office", Prefixes: office}
	want.Rules = []cloudfw.Rule{
		rule("drop-attackers", cloudfw.Side{Blocked: true}, everyone, cloudfw.AnyProtocol, nil, "ANY", cloudfw.Drop),
		rule("admin", atWork, us, cloudfw.TCP, []cloudfw.PortRange{{First: 22, Last: 22}}, "ANY", cloudfw.Accept),
		rule("mail-in", everyone, us, cloudfw.TCP, []cloudfw.PortRange{{First: 25, Last: 25}}, "SMTP", cloudfw.Accept),
		rule("submission", everyone, us, cloudfw.TCP, mail, "ANY", cloudfw.Accept),
		rule("rest", everyone, us, cloudfw.AnyProtocol, nil, "ANY", cloudfw.Drop),
	}
	want.Incidents = []Incident{{Name: "smtp-storm", Summary: "submission only from the office", Rules: []cloudfw.Rule{
		rule("storm-submission", atWork, us, cloudfw.TCP, mail, "ANY", cloudfw.Accept),
		rule("storm-cut", everyone, us, cloudfw.TCP, mail, "ANY", cloudfw.Drop),
	}}}
	data, err := Preset("smtp")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	declaredAt := func(declared, name string) {
		file, line, _ := strings.Cut(declared, ":")
		n := slices.IndexFunc(lines, func(l string) bool {
			return strings.Contains(l, "name: "+name+",") || strings.Contains(l, "- name: "+name+" ")
		})
		if file != "smtp.yaml" || line != fmt.Sprint(n+1) {
			t.Errorf("%s is declared at %s, want smtp.yaml:%d", name, declared, n+1)
		}
	}
	for i, r := range slices.Concat(p.Rules, p.Incidents[0].Rules) {
		if i != 5 && r.Name != "" {
			declaredAt(r.Declared, r.Name)
		}
	}
	for i := range p.Detections {
		declaredAt(p.Detections[i].Declared, p.Detections[i].Name)
		p.Detections[i].Declared = ""
	}
	p.Rules = undeclared(p.Rules)
	p.Incidents[0].Rules = undeclared(p.Incidents[0].Rules)
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
}

func TestFilesOfAFolderAreOnePolicyInTheOrderOfTheirNames(t *testing.T) {
	dir := write(t, map[string]string{
		"20-rules.yml":  "rules: [{name: second, from: office, to: any, action: accept}]\nallowlist: [office]\n",
		"10-rules.yaml": "rules: [{name: first, from: $blocked, to: any, action: drop}]\nallowlist: [198.51.100.7]\n",
		"30.yaml":       "# later than its use\ngroups: {office: [203.0.113.0/24]}\n" + target,
		".#10.yaml":     "an editor's lock file",
		"README.md":     "rules: no",
		"40-empty.yaml": "",
	})
	if err := os.Mkdir(filepath.Join(dir, "folder.yaml"), 0o755); err != nil {
		t.Fatal(err)
	}
	p, err := Load(dir, strict)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Rules) != 2 || p.Rules[0].Name != "first" || p.Rules[1].Name != "second" || p.Rules[1].From.Group != "office" {
		t.Errorf("rules are %+v", p.Rules)
	}
	if want := []cloudfw.Exempt{{Prefix: prefixes("198.51.100.7/32")[0], Reason: "allowlist"}, {Prefix: prefixes("203.0.113.0/24")[0], Reason: "office"}}; !slices.Equal(p.Allowlist, want) {
		t.Errorf("allowlist is %v, want %v", p.Allowlist, want)
	}
	if p.Rules[0].Declared != filepath.Join(dir, "10-rules.yaml")+":1" {
		t.Errorf("declared at %s", p.Rules[0].Declared)
	}
}

func TestWhatCannotBeReadIsAFindingOfItsOwn(t *testing.T) {
	dir := write(t, map[string]string{"a.yaml": target, "big.yaml": "#" + strings.Repeat(" ", MaxFileBytes)})
	for link, to := range map[string]string{"gone.yaml": "nowhere", "pipe.yaml": "."} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Skip("symbolic links are not to be had: ", err)
		}
	}
	_, err := Load(dir, strict)
	want := strings.ReplaceAll(`DIR/big.yaml: the file has more than 4 MiB
   hint: split it into several files
DIR/gone.yaml: reading the file: it is gone
DIR/pipe.yaml: reading the file: not a regular file`, "DIR", dir)
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	missing := filepath.Join(dir, "missing")
	if _, err := Load(missing, strict); err == nil || err.Error() != missing+": no such file or folder" {
		t.Errorf("missing folder: %v", err)
	}
}

func TestSeveralPrefixesOnOneSideGetANameOfTheirOwn(t *testing.T) {
	p := parseOne(t, target+`
groups: { office: [203.0.113.0/24], vpn: [203.0.113.128/25, 198.51.100.0/25], all: [office, vpn, 192.0.2.1] }
rules:
  - { name: one, from: 192.0.2.1, to: all, action: accept }
  - { name: list, from: [office, vpn, "::ffff:192.0.2.9"], to: [vpn], action: accept }
`)
	if s := p.Rules[0].From; s.Group != "" || !slices.Equal(s.Prefixes, prefixes("192.0.2.1/32")) {
		t.Errorf("a literal is %+v", s)
	}
	if s := p.Rules[0].To; s.Group != "all" || !slices.Equal(s.Prefixes, prefixes("192.0.2.1/32", "198.51.100.0/25", "203.0.113.0/24")) {
		t.Errorf("a group of groups is %+v", s)
	}
	if s := p.Rules[1].From; s.Group != "list-from" || !slices.Equal(s.Prefixes, prefixes("192.0.2.9/32", "198.51.100.0/25", "203.0.113.0/24")) {
		t.Errorf("a list is %+v", s)
	}
	if s := p.Rules[1].To; s.Group != "vpn" {
		t.Errorf("a list of one is %+v", s)
	}
	if !slices.Equal(p.Groups["vpn"], prefixes("198.51.100.0/25", "203.0.113.128/25")) {
		t.Errorf("using a group changed it: %v", p.Groups["vpn"])
	}
}

func TestHostileFilesAreRefusedBeforeTheyCost(t *testing.T) {
	bomb := "groups:\n  g0: &g0 [192.0.2.1, 192.0.2.2]\n"
	for i := 1; i < 40; i++ {
		bomb += fmt.Sprintf("  g%d: &g%d [%s]\n", i, i, strings.Repeat(fmt.Sprintf("*g%d, ", i-1), 9)+"192.0.2.3")
	}
	var thousand strings.Builder
	thousand.WriteString("groups:\n  wide: [")
	for i := range 65536 {
		fmt.Fprintf(&thousand, "10.%d.%d.%d, ", i>>12&15, i>>4&255, i<<4&255)
	}
	thousand.WriteString("]\n")
	for i := range 400 {
		fmt.Fprintf(&thousand, "  g%d: [wide, 192.0.2.%d]\n", i, i%256)
	}
	var keys strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&keys, "k%d: v\n", i)
	}
	for name, c := range map[string]struct{ text, want string }{
		"aliases of aliases":        {bomb, "must be text, not a list"},
		"groups of wide groups":     {thousand.String(), "the groups stand for more than 1000000 addresses and prefixes in all"},
		"brackets within another":   {strings.Repeat("[", 1<<20), "the file has more than 500000 lines and list entries"},
		"forty brackets":            {strings.Repeat("[", 40) + strings.Repeat("]", 40), "the file is nested deeper than 32 levels"},
		"forty dashes":              {strings.Repeat("- ", 40), "the file is nested deeper than 32 levels"},
		"forty question marks":      {strings.Repeat("? ", 40), "the file is nested deeper than 32 levels"},
		"two hundred thousand keys": {keys.String(), "the file has more than 10000 keys"},
		"two thousand anchors":      {"groups:\n  a: [" + strings.Repeat("&a b, ", 2000) + "]\n", "the file has more than 1000 anchors, aliases and tags"},
		"a million lines":           {strings.Repeat("\n", 1<<20), "the file has more than 500000 lines and list entries"},
		"a mistake in every word":   {target + "allowlist: [" + strings.Repeat("a,", 490_000) + "]", "and more: only the first 1000 findings are listed"},
		"an alias of itself":        {"groups:\n  a: &a [*a]\n", "must be text, not a list"},
		"a zero byte":               {"groups: {}\x00", "the file is not UTF-8 text"},
		"an escape sequence":        {"\x1b[2J: 1\n" + target, "unknown key"},
	} {
		t.Run(name, func(t *testing.T) {
			findings := refusal(t, c.text)
			if !slices.ContainsFunc(findings, func(f Finding) bool { return strings.Contains(f.Message, c.want) }) {
				t.Errorf("got %d findings, first %s, want %q", len(findings), findings[0], c.want)
			}
			for _, f := range findings {
				checkCaret(t, f)
			}
		})
	}
}

func TestTenThousandAddressesAreNoBurden(t *testing.T) {
	var text strings.Builder
	text.WriteString(target + "groups:\n  partners:\n")
	for i := range 10_000 {
		fmt.Fprintf(&text, "    - 10.%d.%d.1\n", i/256, i%256)
	}
	if p := parseOne(t, text.String()); len(p.Groups["partners"]) != 10_000 {
		t.Errorf("%d addresses", len(p.Groups["partners"]))
	}
}

func TestAnUnknownPresetNamesTheKnownOnes(t *testing.T) {
	_, err := Preset("smpt")
	if err == nil || err.Error() != `unknown preset "smpt", known: smtp` {
		t.Errorf("got %v", err)
	}
	if _, err := Preset("../smtp"); err == nil {
		t.Error("a path is no preset")
	}
}
