package gates

import (
	"strings"
	"testing"
)

func TestP3TooWidePrefixesAreRefused(t *testing.T) {
	for _, wide := range []string{"0.0.0.0/0", "128.0.0.0/1", "8.0.0.0/8", "2001::/16", "::/0"} {
		got := check(t, Input{Intent: intentOf(prefixes(wide)...)})
		expect(t, got, "prefix-width", wide)
	}
	limits := DefaultLimits()
	limits.WidestIPv4 = 8
	if got := check(t, Input{Intent: intentOf(prefixes("8.0.0.0/8")...), Limits: limits}); len(got) > 0 {
		t.Errorf("with the override: %v", got)
	}
}

func TestP3TheFlagForAWidePrefixIsNamed(t *testing.T) {
	f := prefixWidth(computed(t, Input{Intent: intentOf(prefixes("8.0.0.0/15", "8.8.0.0/16", "2600::/31")...)}))
	if f.Passed != 1 || len(f.Withheld) != 2 {
		t.Fatalf("finding = %+v", f)
	}
	for i, flag := range []string{"--widest-ipv4 15", "--widest-ipv6 31"} {
		if f.Withheld[i].Flag != flag || !strings.Contains(f.Withheld[i].Hint, flag) {
			t.Errorf("withheld = %+v, want the flag %s", f.Withheld[i], flag)
		}
	}
}
