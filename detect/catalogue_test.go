package detect_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fwsync/detect"
)

func catalogue(t *testing.T, names ...string) *detect.Catalogue {
	t.Helper()
	var list []detect.Declaration
	for _, n := range names {
		list = append(list, detect.Declaration{Name: n, Phase: detect.Exploitation})
	}
	c, err := detect.NewCatalogue(list)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestACatalogueNamesItsKinds(t *testing.T) {
	c, err := detect.NewCatalogue([]detect.Declaration{{Name: "web.b", Meaning: "B."}, {Name: "web.a"}})
	if err != nil {
		t.Fatal(err)
	}
	kinds := c.Kinds()
	if len(kinds) != len(detect.Kinds())+2 {
		t.Fatalf("%d kinds", len(kinds))
	}
	for _, k := range kinds {
		back, err := c.Kind(c.Name(k))
		if !k.Valid() || err != nil || back != k {
			t.Errorf("%d %q: %v, %v", k, c.Name(k), back, err)
		}
	}
	last := kinds[len(kinds)-1]
	if c.Name(last) != "web.b" || c.Meaning(last) != "B." || last.String() != "" || last.Success() {
		t.Errorf("the last is %q: %q", c.Name(last), c.Meaning(last))
	}
	var none *detect.Catalogue
	if none.Name(last) != "" || none.Name(detect.SMTPScan) != "smtp.scan" || none.Meaning(detect.SMTPScan) == "" {
		t.Error("without declarations the built-in kinds have their names, and no other")
	}
	if _, err := none.Kind("web.a"); err == nil {
		t.Error("nil knows web.a")
	}
	for _, bad := range []string{"", "web", "web.", ".x", "Web.x", "web.x.y", "web.x-y", "1.x", "smtp.auth_failed", "web." + strings.Repeat("x", 60)} {
		if _, err := detect.NewCatalogue([]detect.Declaration{{Name: bad}}); err == nil {
			t.Errorf("%q is a name", bad)
		}
	}
}

// A state goes by names: declaring more signals, fewer, or the same in another order
// loses nothing of those that stay.
func TestTheStateOfDeclaredSignalsSurvivesAChangeOfThePolicy(t *testing.T) {
	engineFor := func(c *detect.Catalogue, names ...string) *detect.Engine {
		var rules []detect.Rule
		for _, n := range names {
			k, err := c.Kind(n)
			if err != nil {
				t.Fatal(err)
			}
			rules = append(rules, detect.Rule{Name: n, Signals: []detect.Kind{k, detect.SMTPScan}, Threshold: 3, Within: time.Hour})
		}
		e := engine(t, detect.Limits{}, rules...)
		e.Name(c)
		return e
	}
	observe := func(e *detect.Engine, c *detect.Catalogue, name string, seconds ...int) {
		k, err := c.Kind(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range seconds {
			e.Observe(sig(k, "192.0.2.1", time.Duration(s)*time.Second))
		}
	}
	before := catalogue(t, "web.b", "web.c")
	e := engineFor(before, "web.b", "web.c")
	observe(e, before, "web.b", 1, 2)
	observe(e, before, "web.c", 1, 2, 3)
	state, err := e.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for i, after := range [][]string{{"web.b", "web.c"}, {"web.c", "web.b"}, {"web.a", "web.b"}, {"web.a", "web.b", "web.bb", "web.c"}, {"web.b"}} {
		c := catalogue(t, after...)
		e := engineFor(c, after...)
		if err := e.UnmarshalBinary(state); err != nil {
			t.Fatal(err)
		}
		e.Drain()
		observe(e, c, "web.b", 4)
		ds := e.Drain()
		if len(ds) != 1 || ds[0].Rule != "web.b" || ds[0].Count != 3 {
			t.Errorf("%d: %+v", i, ds)
		}
		kinds := map[string]int64{}
		for _, p := range e.Phases() {
			for k, n := range p.Kinds {
				kinds[c.Name(k)] += n
			}
		}
		want := map[string]int64{"web.b": 3, "web.c": 3}
		if len(after) < 3 && after[0] != "web.c" && after[1%len(after)] != "web.c" {
			delete(want, "web.c")
		}
		if fmt.Sprint(kinds) != fmt.Sprint(want) {
			t.Errorf("%d: the phases have %v, want %v", i, kinds, want)
		}
	}
	// Without the names of before nothing is mistaken for something else.
	other := engineFor(catalogue(t, "web.x", "web.y"), "web.x", "web.y")
	if err := other.UnmarshalBinary(state); err != nil || len(other.Detections()) != 0 {
		t.Errorf("%v, %+v", err, other.Detections())
	}
}
