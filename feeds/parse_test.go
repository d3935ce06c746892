package feeds

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		name   string
		format Format
		text   string
		want   string
		bad    int
		err    string
	}{
		{"plain text", Format{}, "# list\n198.51.100.7\n\n203.0.113.0/24 ; seen\n2001:db8::1 # v6\n", "198.51.100.7/32 203.0.113.0/24 2001:db8::1/128", 0, ""},
		{"windows line ends and a mark", Format{}, "\xef\xbb\xbf198.51.100.7\r\n198.51.100.8\r\n", "198.51.100.7/32 198.51.100.8/32", 0, ""},
		{"lines that are no addresses", Format{}, "198.51.100.7\nexample.com\n300.1.1.1\n198.51.100.1/24\n", "198.51.100.7/32", 3, ""},
		{"a web page", Format{}, "  <!DOCTYPE html><html>198.51.100.7", "", 0, "a web page"},
		{"csv by number, with a heading", Format{Kind: "csv", Column: "2"}, "when,ip\n2026,198.51.100.7\n2026,\"203.0.113.0/24\"\n", "198.51.100.7/32 203.0.113.0/24", 0, ""},
		{"csv by name", Format{Kind: "csv", Column: "IP"}, "# made today\nwhen,ip\n2026,198.51.100.7\nshort\n", "198.51.100.7/32", 1, ""},
		{"csv with a quote that nobody closes", Format{Kind: "csv", Column: "2"}, "2026,198.51.100.7\n\"2026,198.51.100.8\n2026,198.51.100.9\n2026,\"198.51.100.10\n2026,198.51.100.11\n", "198.51.100.7/32 198.51.100.9/32 198.51.100.10/32 198.51.100.11/32", 1, ""},
		{"csv with commas in quotes", Format{Kind: "csv", Column: "2"}, "\"spam, much\", \"198.51.100.7\"\n", "198.51.100.7/32", 0, ""},
		{"csv without the column", Format{Kind: "csv", Column: "address"}, "when,ip\n", "", 0, `no column "address"`},
		{"json", Format{Kind: "json"}, `["198.51.100.7", "203.0.113.0/24", "x"]`, "198.51.100.7/32 203.0.113.0/24", 1, ""},
		{"json with a path", Format{Kind: "json", Path: "data.[].ip"}, `{"data":[{"ip":"198.51.100.7"},{"ip":"2001:db8::/48"}]}`, "198.51.100.7/32 2001:db8::/48", 0, ""},
		{"json of another shape", Format{Kind: "json", Path: "data.[].ip"}, `{"error":"quota"}`, "", 0, `no "data"`},
		{"json that was cut off", Format{Kind: "json"}, `["198.51.100.7", "20`, "", 0, "cut off"},
		{"json with one part of another shape", Format{Kind: "json", Path: "data.[].ip"}, `{"more":[{"ip":1}],"data":[{"ip":"198.51.100.7"},{"host":"x"},{"ip":["y"]},7,{"ip":"198.51.100.8","port":{"a":[1]}}]}`, "198.51.100.7/32 198.51.100.8/32", 3, ""},
		{"json with something behind it", Format{Kind: "json"}, `["198.51.100.7"]["198.51.100.8"]`, "", 0, "something follows"},
		{"xml", Format{}, "<?xml version=\"1.0\"?><error/>", "", 0, "a web page"},
		{"a long json line", Format{Kind: "jsonl", Path: "ip"}, `{"why":"` + strings.Repeat("x", 100_000) + `","ip":"198.51.100.7"}` + "\n{\"ip\":\"198.51.100.8\"}", "198.51.100.7/32 198.51.100.8/32", 0, ""},
		{"ranges and masks are no prefixes", Format{}, "198.51.100.0 - 198.51.100.255\n198.51.100.0\t198.51.100.255\t24\n198.51.100.0 255.255.255.0\n198.51.100.7 17 times\n", "198.51.100.7/32", 3, ""},
		{"json lines", Format{Kind: "jsonl", Path: "ip"}, "{\"ip\":\"198.51.100.7\"}\n\n{\"ip\":7}\n{\n", "198.51.100.7/32", 2, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			entries, bad, err := c.format.parse([]byte(c.text))
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Fatalf("error %v, want %q", err, c.err)
			}
			var got []string
			for _, e := range entries {
				got = append(got, e.Prefix.String())
			}
			if err == nil && (strings.Join(got, " ") != c.want || bad != c.bad) {
				t.Errorf("read %v and %d bad, want %s and %d", got, bad, c.want, c.bad)
			}
		})
	}
}

func TestColumnsAreNumberedFromOne(t *testing.T) {
	for column, ok := range map[string]bool{"": true, "1": true, "ip": true, "0": false, "-1": false} {
		if err := (Format{Kind: "csv", Column: column}).Check(); (err == nil) != ok {
			t.Errorf("column %q: %v", column, err)
		}
	}
}

func TestPoisonedEntriesAreLeftOutOneByOne(t *testing.T) {
	f := Feed{}.Defaulted()
	entries, _, err := Format{}.parse([]byte("0.0.0.0/0\n10.0.0.1\n127.0.0.1\n198.51.0.0/16\n::/0\nfe80::1\n198.51.100.7\n198.51.100.7\n203.0.113.0/24\n2001:db8::/48\n2001:db8::/47\n"))
	if err != nil {
		t.Fatal(err)
	}
	kept, left := f.usable(entries)
	if got := fmt.Sprint(kept); len(kept) != 3 || left != 7 {
		t.Errorf("kept %s, left %d out", got, left)
	}
}

// plainly finds what follow does, with the whole value in memory.
func plainly(value any, path []string, take func(string)) bool {
	if len(path) == 0 {
		text, ok := value.(string)
		if ok {
			take(text)
		}
		return ok
	}
	if path[0] == "[]" {
		list, ok := value.([]any)
		for _, each := range list {
			if !plainly(each, path[1:], take) {
				take("")
			}
		}
		return ok
	}
	object, _ := value.(map[string]any)
	inner, ok := object[path[0]]
	return ok && plainly(inner, path[1:], take)
}

// What is found in JSON while it is read is what is in it.
func FuzzJSONPath(f *testing.F) {
	f.Add("[]", `["198.51.100.7", 7, {"a": ["b"]}, "x"]`)
	f.Add("data.[].ip", `{"data":[{"ip":"198.51.100.7"},{"ip":{}},[]], "rest": {"data": [[]]}}`)
	f.Add("[].[].a", `[[{"a":"1","b":{}}],[],7]`)
	f.Add("a.b", `{"a":{"b":"c"}}`)
	f.Fuzz(func(t *testing.T, path, text string) {
		var value any
		if path == "" || json.Unmarshal([]byte(text), &value) != nil || repeats([]byte(text)) {
			return
		}
		var got, want []string
		err := Format{Kind: "json", Path: path}.json([]byte(text), func(s string) { got = append(got, s) })
		ok := plainly(value, strings.Split(path, "."), func(s string) { want = append(want, s) })
		if ok != (err == nil) || !slices.Equal(got, want) {
			t.Errorf("found %q (%v), want %q (%t)", got, err, want, ok)
		}
	})
}

// repeats reports whether an object may have a name twice: then it means nothing certain.
func repeats(text []byte) bool {
	seen := map[string]bool{}
	dec := json.NewDecoder(bytes.NewReader(text))
	for {
		token, err := dec.Token()
		if err != nil {
			return false
		}
		if name, ok := token.(string); ok {
			if seen[name] && bytes.Contains(text, []byte("{")) {
				return true
			}
			seen[name] = true
		}
	}
}

func FuzzParseList(f *testing.F) {
	f.Add("plain", "198.51.100.7\n")
	f.Add("csv", "a,b\n1,198.51.100.7\n")
	f.Add("json", `["198.51.100.7"]`)
	f.Add("jsonl", "\"198.51.100.7\"\n")
	f.Fuzz(func(t *testing.T, kind, text string) {
		format := Format{Kind: kind}
		if format.Check() != nil {
			return
		}
		entries, _, _ := format.parse([]byte(text))
		for _, e := range entries {
			if !e.Prefix.IsValid() || e.Prefix != e.Prefix.Masked() {
				t.Errorf("%v is no prefix", e.Prefix)
			}
		}
	})
}
