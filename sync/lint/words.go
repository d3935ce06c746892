package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"fwsync/cloudfw"
)

// mostNamed is how many rules a message names.
const mostNamed = 4

// named lists rules for a message: rule "a" (accept) at file:3 and rule "b" …
func (s *survey) named(rules []int) string {
	var texts []string
	for i, at := range rules {
		if i == mostNamed && len(rules) > mostNamed+1 {
			texts = append(texts, fmt.Sprintf("%d more", len(rules)-i))
			break
		}
		texts = append(texts, told(s.rules[at]))
	}
	return sentence(texts)
}

// told is a rule as messages name it.
func told(r cloudfw.Rule) string {
	text := fmt.Sprintf("rule %q (%s)", r.Name, r.Action)
	if r.Declared != "" {
		text += " at " + r.Declared
	}
	return text
}

// sentence joins texts as a sentence does.
func sentence(texts []string) string {
	if n := len(texts); n > 1 {
		return strings.Join(texts[:n-1], ", ") + " and " + texts[n-1]
	}
	return strings.Join(texts, "")
}

// verb is what a rule does with its packets.
func verb(r cloudfw.Rule) string {
	switch r.Action {
	case cloudfw.Drop:
		return "drop"
	case cloudfw.Log:
		return "log"
	}
	return "accept"
}

// ascending are the members of a set in the order of the rules.
func ascending(set map[int]bool) []int { return slices.Sorted(maps.Keys(set)) }
