package policies

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fwsync/cloudfw"
)

// TestsFolder is where the tests of a policy lie, in its own folder, where it is not
// read as part of the policy.
const TestsFolder = "tests"

// Test is log lines and what a policy must decide on them.
type Test struct {
	Name     string
	Start    time.Time // dates stamps without a year: none is before
	Lines    string    // the log; or
	Log      string    // the path of its file
	Exact    bool      // Expect are all decisions there may be
	Expect   []Expected
	Never    []netip.Prefix // no decision may touch these
	Declared string         // file:line
}

// Expected is a decision that a test wants.
type Expected struct {
	Prefix   netip.Prefix
	Rule     string
	For      time.Duration // from the last signal to the end; 0: not compared
	Until    time.Time     // zero: not compared
	Attempt  int           // the how-manieth block of the prefix by the rule
	Declared string
}

// A file of tests: testDocument and what is in it are read as policy files are.
type testDocument struct {
	Tests records[testEntry] `json:"tests"`
}

type testEntry struct {
	spot
	Name   word                   `json:"name"`
	Start  word                   `json:"start,omitempty"`
	Lines  word                   `json:"lines,omitempty"`
	Log    word                   `json:"log,omitempty"`
	Expect records[expectedEntry] `json:"expect,omitempty"`
	Never  words                  `json:"never,omitempty"`
}

type expectedEntry struct {
	spot
	Prefix  word   `json:"prefix"`
	Rule    word   `json:"rule"`
	For     span   `json:"for,omitempty"`
	Until   word   `json:"until,omitempty"`
	Attempt number `json:"attempt,omitempty" jsonschema:"minimum=1,maximum=1000"`
}

// defaultStart has a 29th of February.
var defaultStart = time.Date(2028, time.January, 1, 0, 0, 0, 0, time.UTC)

// LoadTests reads files of tests: each path is a file, or a folder with *.yaml and
// *.yml directly in it. What they expect is checked against the policy. A folder that is
// not there holds no tests; else every error is an *Error with all that is wrong.
func (p *Policy) LoadTests(paths ...string) ([]Test, error) {
	rep := &report{}
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && filepath.Base(path) == TestsFolder:
		case err != nil:
			rep.about(path, len(files), "", "%s", cause(err, "no such file or folder"))
		case info.IsDir():
			inside, err := folder(path)
			if err != nil {
				rep.about(path, len(files), "", "reading the folder: %s", cause(err, "it is gone"))
			}
			files = append(files, inside...)
		default:
			files = append(files, path)
		}
	}
	c := &testChecker{report: rep, policy: p, seen: map[string]place{}}
	for i, name := range files {
		data, err := readFile(name)
		if err != nil {
			rep.about(name, i, "", "reading the file: %s", cause(err, "it is gone"))
			continue
		}
		r, doc := newReader(&source{name: name, index: i}, rep), &testDocument{}
		if before := len(rep.found); !r.document(data, doc) {
			if len(rep.found) == before {
				rep.about(name, i, "", "the file holds no tests")
			}
			continue
		}
		for j := range doc.Tests {
			c.test(&doc.Tests[j])
		}
	}
	if err := rep.err(); err != nil {
		return nil, err
	}
	return c.tests, nil
}

type testChecker struct {
	report *report
	policy *Policy
	seen   map[string]place
	tests  []Test
}

func (c *testChecker) test(e *testEntry) {
	t := Test{Name: e.Name.text, Lines: e.Lines.text, Start: defaultStart, Exact: !e.lacks("expect"), Declared: declared(e.at)}
	if first, again := c.seen[t.Name]; again && e.Name.at.known() {
		c.report.at(e.Name.at, "", "test %q is written twice, first at %s", t.Name, first)
	}
	c.seen[t.Name] = e.Name.at
	switch {
	case e.Lines.at.known() && e.Log.at.known():
		c.report.at(e.Log.at, "", `a test has "lines" or "log", not both`)
	case e.lacks("lines", "log"):
		c.report.at(e.at, "write lines: | and the log's lines below it, or log: with a file", `the test has no "lines" and no "log"`)
	case e.lacks("expect", "never"):
		c.report.at(e.at, "write expect: [] if nobody may be blocked", `the test has no "expect" and no "never"`)
	}
	if w := e.Log; w.at.known() {
		t.Log = w.text
		if !filepath.IsAbs(t.Log) {
			t.Log = filepath.Join(filepath.Dir(e.at.src.name), t.Log)
		}
		if info, err := os.Stat(t.Log); err != nil {
			c.report.at(w.at, "the path starts at the folder of this file", "log %q: %s", w.text, cause(err, "no such file"))
		} else if info.IsDir() {
			c.report.at(w.at, "", "log %q is a folder", w.text)
		}
	}
	if w := e.Start; w.at.known() {
		var ok bool
		if t.Start, ok = moment(w.text); !ok {
			c.report.at(w.at, "", `"start" must be a day such as 2026-11-23 or a time such as 2026-11-23T20:17:43Z, not %q`, w.text)
		}
	}
	for i := range e.Expect {
		t.Expect = append(t.Expect, c.expected(&e.Expect[i], t.Expect))
	}
	for _, w := range e.Never {
		if p, ok := c.prefix(w); ok {
			t.Never = append(t.Never, p)
		}
	}
	c.tests = append(c.tests, t)
}

// expected checks one decision; before are those of the test that are before it.
func (c *testChecker) expected(e *expectedEntry, before []Expected) Expected {
	x := Expected{Rule: e.Rule.text, For: e.For.d, Attempt: e.Attempt.n, Declared: declared(e.at)}
	x.Prefix, _ = c.prefix(e.Prefix)
	if w := e.Until; w.at.known() {
		var ok bool
		if x.Until, ok = moment(w.text); !ok {
			c.report.at(w.at, "", `"until" must be a time such as 2026-11-23T20:17:43Z, not %q`, w.text)
		}
	}
	if x.Attempt == 0 {
		x.Attempt = 1
		for _, b := range before {
			if b.Prefix == x.Prefix && b.Rule == x.Rule {
				x.Attempt = max(x.Attempt, b.Attempt+1)
			}
		}
	} else if slices.ContainsFunc(before, func(b Expected) bool { return b.Prefix == x.Prefix && b.Rule == x.Rule && b.Attempt == x.Attempt }) {
		c.report.at(e.Attempt.at, "", "attempt %d of %s by %s is expected twice", x.Attempt, x.Prefix, x.Rule)
	}
	if w := e.Rule; w.at.known() {
		at := slices.IndexFunc(c.policy.Detections, func(d Detection) bool { return d.Name == w.text })
		switch {
		case at < 0:
			var names []string
			for _, d := range c.policy.Detections {
				names = append(names, d.Name)
			}
			c.report.at(w.at, didYouMean(w.text, names), "the policy has no detection %q", w.text)
		case c.policy.Detections[at].Block == nil:
			c.report.at(w.at, fmt.Sprintf("add a block to it at %s", c.policy.Detections[at].Declared), "detection %q only reports and blocks nobody", w.text)
		}
	}
	return x
}

func (c *testChecker) prefix(w word) (netip.Prefix, bool) {
	if !w.at.known() {
		return netip.Prefix{}, false
	}
	p, err := cloudfw.ParsePrefix(w.text)
	if err != nil {
		c.report.at(w.at, "", "%q is not an address or a prefix", w.text)
		return p, false
	}
	return p, true
}

// moment reads a day or a time.
func moment(text string) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, strings.TrimSpace(text)); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
