package lint

import (
	"fmt"
	"maps"
	"slices"
)

// The meaning of the files does not tell which groups a list was made of, so this one
// goes by what is written: a group is used when its name is a value somewhere.
var unusedGroup = Check{
	Name: "unused-group", Severity: Warning,
	Says: "a group that nothing refers to",
	find: func(s *survey, report func(Subject, string, string)) {
		if s.Text.Mentions == nil {
			return
		}
		for _, name := range slices.Sorted(maps.Keys(s.Policy.Groups)) {
			if !s.Text.Mentions[name] {
				report(Subject{GroupKind, name, ""}, fmt.Sprintf("group %q is used nowhere", name), "remove it, or use it in a rule, in another group or on the allowlist")
			}
		}
	},
}
