package main

import (
	"bufio"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fwsync/cloudfw/alibaba"
	"fwsync/policies"
)

// Every fwsync command line in the documentation is one that the program accepts:
// the command exists and so does each flag. What they do is for the scripts.
func TestCommandsInTheDocsExist(t *testing.T) {
	seen := 0
	command := regexp.MustCompile("(?:^(?:go run \\./cmd/)?|&& |`)fwsync ([a-z][^`#|&\n]*)")
	for _, file := range []string{"README.md", "docs/configuration.md", "docs/decisions.md", "docs/faults.md", "docs/feeds.md", "docs/history.md", "docs/incidents.md", "docs/notices.md", "docs/lint.md", "docs/run.md", "docs/sources.md", "CONTRIBUTING.md", "bench/README.md", "examples/README.md", "terraform/README.md", "fwsync.yaml"} {
		data, err := os.ReadFile(filepath.Join("../..", file))
		if err != nil {
			t.Fatal(err)
		}
		// Prose may begin with the program's name too; commands stand in code.
		fenced := false
		var code []string
		for line := range strings.Lines(string(data)) {
			if strings.HasPrefix(line, "```") {
				fenced = !fenced
				continue
			}
			if fenced || strings.Contains(line, "`") {
				code = append(code, command.FindAllString(line, -1)...)
			}
		}
		for _, text := range code {
			m := command.FindStringSubmatch(text)
			words := strings.Fields(m[1])
			root := newRoot()
			cmd, rest, err := root.Find(words)
			if err != nil || cmd == root || !strings.HasPrefix("fwsync "+strings.Join(words, " "), cmd.CommandPath()) {
				t.Errorf("%s: fwsync %s: no such command", file, words[0])
				continue
			}
			seen++
			known := flagNames(cmd)
			for _, word := range rest {
				if name, ok := strings.CutPrefix(word, "--"); ok && !slices.Contains(known, name) && name != "help" {
					t.Errorf("%s: fwsync %s: no flag --%s", file, words[0], name)
				}
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d commands found: the test guards nothing", seen)
	}
}

// The runbook for the bad night works as it stands, line after line.
func TestTheIncidentRunbookWorks(t *testing.T) {
	page, err := os.ReadFile("../../docs/incidents.md")
	if err != nil {
		t.Fatal(err)
	}
	_, night, _ := strings.Cut(string(page), "## At 3 a.m.")
	code := regexp.MustCompile("(?s)```sh\n(.*?)```").FindStringSubmatch(night)
	if code == nil {
		t.Fatal("the page has no runbook")
	}
	_, url := serveWorld(t, nil)
	run := quickstart(t, build(t), url)
	succeeds(t, run("reconcile"))
	ran := 0
	for line := range strings.Lines(code[1]) {
		line, _, _ = strings.Cut(line, " #")
		shell := run()
		shell.Path, shell.Args = "/bin/sh", []string{"sh", "-ec", strings.Replace(line, "fwsync", shell.Path, 1)}
		succeeds(t, shell)
		ran++
	}
	if ran < 8 {
		t.Errorf("only %d lines ran", ran)
	}
}

// The commands of the page on history do what it says, one after the other.
func TestTheHistoryPageWorks(t *testing.T) {
	page, err := os.ReadFile("../../docs/history.md")
	if err != nil {
		t.Fatal(err)
	}
	_, url := serveWorld(t, nil)
	run := quickstart(t, build(t), url)
	succeeds(t, run("block", "198.51.100.7", "--for", "2h", "--reason", "test"))
	succeeds(t, run("reconcile"))
	ran := 0
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		for line := range strings.Lines(block[1]) {
			line, _, _ = strings.Cut(line, " #")
			command := run(strings.Fields(line)[1:]...)
			ran++
			if strings.HasPrefix(line, "fwsync rollback") {
				if out, err := command.CombinedOutput(); err == nil || !strings.Contains(string(out), "no plan was applied up to then") {
					t.Errorf("%s: %v\n%s", line, err, out) // there was nothing yet
				}
				continue
			}
			succeeds(t, command)
		}
	}
	if ran < 9 {
		t.Errorf("only %d lines ran", ran)
	}
}

// The signals that the page on detection declares pass the analysis and their tests.
func TestTheSignalsOfThePageOnDetectionAreValid(t *testing.T) {
	page, err := os.ReadFile("../../docs/detection.md")
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	for _, b := range regexp.MustCompile("(?s)```yaml\n(signals:.*?)```").FindAllStringSubmatch(string(page), -1) {
		policy, err := policies.Parse([]policies.File{{Name: "detection.md", Data: []byte(b[1] + "targets: [{ internet-firewall: { rules: all } }]\nrules: [{ name: drop-attackers, from: $blocked, to: any, action: drop }]\n")}}, policyOptions())
		if err != nil {
			t.Errorf("%s\n%v", b[1], err)
			continue
		}
		declared += len(policy.Signals)
	}
	if declared == 0 {
		t.Error("no signals found: the test guards nothing")
	}
}

// The terraform module grants exactly the calls that the code makes.
func TestTerraformGrantsWhatTheCodeCalls(t *testing.T) {
	file, err := os.Open("../../terraform/main.tf")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var granted []string
	action := regexp.MustCompile(`"((?:yundun-cloudfirewall|ecs):[A-Za-z]+)"`)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if m := action.FindStringSubmatch(lines.Text()); m != nil {
			granted = append(granted, m[1])
		}
	}
	var called []string
	for _, api := range alibaba.APIs() {
		called = append(called, api.Permission())
	}
	slices.Sort(granted)
	slices.Sort(called)
	if !slices.Equal(granted, called) {
		t.Errorf("granted\n%v\ncalled\n%v", granted, called)
	}
}

// The page on faults names a test for each, which exists.
func TestThePageOnFaultsNamesTestsThatExist(t *testing.T) {
	page, err := os.ReadFile("../../docs/faults.md")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	err = filepath.WalkDir("../..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile("`(Test[A-Za-z0-9]+)`").FindAllStringSubmatch(string(page), -1)
	if len(names) < 20 {
		t.Errorf("only %d tests are named", len(names))
	}
	for _, name := range names {
		if !strings.Contains(all.String(), "func "+name[1]+"(") {
			t.Errorf("there is no %s", name[1])
		}
	}
}
