package alibaba

import (
	"strings"
	"testing"

	"fwsync/cloudfw/simulator"
)

func TestEveryCallIsListedOnceAndServedByTheSimulator(t *testing.T) {
	served := map[string]bool{}
	for _, name := range simulator.Actions() {
		served[name] = true
	}
	seen := map[API]bool{}
	reads := 0
	for _, api := range APIs() {
		if seen[api] || !served[api.Name] {
			t.Errorf("%s: listed before %v, served %v", api.Permission(), seen[api], served[api.Name])
		}
		seen[api] = true
		if looks := strings.HasPrefix(api.Name, "Describe"); looks == api.Write {
			t.Errorf("%s: writes %v", api.Name, api.Write)
		} else if looks {
			reads++
		}
	}
	if len(seen) != 41 || reads != 17 {
		t.Errorf("%d calls, %d of them reads", len(seen), reads)
	}
	APIs()[0].Name = "mine"
	if APIs()[0].Name == "mine" {
		t.Error("the list is shared")
	}
}

func TestRequestsCarryTheirParametersWhereTheyBelong(t *testing.T) {
	r := newRequest(modifyAddressBook, fields{"GroupUuid": "g"}, fields{"AddressList": "a,b"})
	if r.GetQueryParams()["GroupUuid"] != "g" || r.GetFormParams()["AddressList"] != "a,b" || r.GetProduct() != "Cloudfw" ||
		r.GetVersion() != "2017-12-07" || r.GetActionName() != "ModifyAddressBook" || r.GetMethod() != "POST" {
		t.Errorf("%v %v %s %s %s", r.GetQueryParams(), r.GetFormParams(), r.GetProduct(), r.GetVersion(), r.GetActionName())
	}
	list := fields{}
	list.setList("RepeatDays", []string{"3", "1"})
	if list["RepeatDays.1"] != "3" || list["RepeatDays.2"] != "1" || len(list) != 2 {
		t.Errorf("%v", list)
	}
	first := fields{"a": "1"}
	if both := first.with(fields{"a": "2", "b": "3"}); first["a"] != "1" || both["a"] != "2" || both["b"] != "3" || fields(nil).with(first)["a"] != "1" {
		t.Errorf("%v and %v", first, both)
	}
}
