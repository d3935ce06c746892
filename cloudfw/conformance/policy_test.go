package conformance

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"fwsync/cloudfw/alibaba"
	"fwsync/cloudfw/simulator"
)

// documentedPolicy is what the access policy in docs/real-account.md allows, sorted.
func documentedPolicy(t *testing.T) []string {
	t.Helper()
	page, err := os.ReadFile("../../docs/real-account.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```json\n")
	text, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("docs/real-account.md holds no JSON")
	}
	var policy struct {
		Version   string
		Statement []struct {
			Effect, Resource string
			Action           []string
		}
	}
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		t.Fatalf("the policy in docs/real-account.md: %v", err)
	}
	if len(policy.Statement) != 1 || policy.Version != "1" || policy.Statement[0].Effect != "Allow" || policy.Statement[0].Resource != "*" {
		t.Fatalf("the policy in docs/real-account.md is not one statement that allows: %+v", policy)
	}
	actions := policy.Statement[0].Action
	if !slices.IsSorted(actions) || slices.ContainsFunc(actions, func(a string) bool { return strings.Contains(a, "*") }) {
		t.Errorf("the actions in docs/real-account.md are not sorted, or stand for more than they say")
	}
	return actions
}

// callNames collects what simulated accounts were asked for.
type callNames struct {
	mu       sync.Mutex
	services int
	names    map[string]bool
}

func (c *callNames) add(calls []simulator.Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.services++
	if c.names == nil {
		c.names = map[string]bool{}
	}
	for _, call := range calls {
		c.names[call.Action] = true
	}
}

// permissions are the calls as access policies name them, sorted.
func (c *callNames) permissions(t *testing.T) []string {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for name := range c.names {
		i := slices.IndexFunc(alibaba.APIs(), func(a alibaba.API) bool { return a.Name == name })
		if i < 0 {
			t.Errorf("%s is called and not among the calls that the adapter says it makes", name)
			continue
		}
		all = append(all, alibaba.APIs()[i].Permission())
	}
	slices.Sort(all)
	return all
}
