package policies

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The examples of the page on detection are what a policy may say.
func TestTheExampleOfThePageOnDecisionsSaysWhatIsTheDefault(t *testing.T) {
	page, err := os.ReadFile("../docs/decisions.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(string(page))
	if m == nil {
		t.Fatal("no example")
	}
	text := []byte(m[1] + "rules:\n  - { name: drop-attackers, from: $blocked, to: any, action: drop }\ntargets:\n  - internet-firewall: { rules: all }\n")
	policy, err := Parse([]File{{Name: "decisions.md", Data: text}}, Options{Signals: []string{"smtp.auth_failed"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, text); err != nil {
		t.Error(err)
	}
	p := *policy.Detections[0].Block
	if p.Forget != DefaultForget || p.CoolDown != DefaultCoolDown || p.Forgets() != p.Forget || (Penalty{}).CoolsDown() != p.CoolDown {
		t.Errorf("penalty %+v", p)
	}
}

func TestTheExamplesOfThePageOnDetectionAreValid(t *testing.T) {
	page, err := os.ReadFile("../docs/detection.md")
	if err != nil {
		t.Fatal(err)
	}
	const rest = `
rules:
  - { name: drop-attackers, from: $blocked, to: any, action: drop }
targets:
  - internet-firewall: { rules: all }
`
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) < 7 {
		t.Fatalf("only %d examples", len(blocks))
	}
	kinds := map[string]bool{}
	for _, b := range blocks {
		text := []byte(b[1] + rest)
		policy, err := Parse([]File{{Name: "detection.md", Data: text}}, Options{
			Signals:   strings.Fields("smtp.auth_failed imap.auth_failed pop3.auth_failed smtp.scan smtp.relay_denied smtp.auth_ok imap.auth_ok"),
			Successes: []string{"smtp.auth_ok", "imap.auth_ok"},
		})
		if err != nil {
			t.Errorf("%s\n%v", b[1], err)
			continue
		}
		if err := validate(t, text); err != nil {
			t.Errorf("%s\n%v", b[1], err)
		}
		for _, d := range policy.Detections {
			kinds[d.By+" "+d.Distinct] = true
		}
	}
	if len(kinds) != 7 {
		t.Errorf("the examples show %d kinds: %v", len(kinds), kinds)
	}
}
