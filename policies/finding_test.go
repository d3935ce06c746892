package policies

import "testing"

// A policy file may come from a stranger's change request: what a finding quotes
// from it, in the message as in the hint, must not steer the reader's terminal.
func TestFindingsQuoteNoControlCharacters(t *testing.T) {
	for _, text := range []string{
		"groups:\n  \"s\\x10tp\": [192.0.2.1]\nallowlist: [partner]\n",
		"\"gro\\e[2Jups\": {}\n",
		"allowlist: [\"\\e]0;x\\a\"]\n",
	} {
		for _, finding := range refusal(t, text) {
			checkCaret(t, finding)
		}
	}
}
