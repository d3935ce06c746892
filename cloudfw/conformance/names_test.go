package conformance

import (
	"testing"

	"fwsync/cloudfw"
	"fwsync/cloudfw/simulator"
)

// Another program may have made a book or list of the same name anew: the name
// stands for the present one.
func TestANameStandsForTheObjectThatBearsItNow(t *testing.T) {
	t.Parallel()
	s := newService(t, simulator.Options{})
	ours, err := s.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := s.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := trial{owner: "conf"}
	book, list := r.book("anew", cloudfw.IPv4, "192.0.2.1/32"), r.list("anew", cloudfw.IPv4, 3, "192.0.2.1/32")
	rule := r.groupRule(cloudfw.In, "anew")
	rule.Peer = cloudfw.Peer{Kind: cloudfw.List, Value: list.Name}
	for _, c := range []struct {
		account cloudfw.Account
		step    cloudfw.Step
	}{
		{ours, cloudfw.Step{Op: cloudfw.CreateBook, Book: book}},
		{theirs, cloudfw.Step{Op: cloudfw.DeleteBook, Book: book}},
		{theirs, cloudfw.Step{Op: cloudfw.CreateBook, Book: book}},
		{ours, cloudfw.Step{Op: cloudfw.AppendAddresses, Book: book, Prefixes: parse("192.0.2.9/32")}},
		{ours, cloudfw.Step{Op: cloudfw.CreateList, List: list}},
		{theirs, cloudfw.Step{Op: cloudfw.DeleteList, List: list}},
		{theirs, cloudfw.Step{Op: cloudfw.CreateList, List: list}},
		{ours, cloudfw.Step{Op: cloudfw.EditList, List: list, Prefixes: parse("192.0.2.9/32")}},
		{ours, authorise("sg-mail", rule)},
	} {
		if err := c.account.Execute(t.Context(), c.step); err != nil {
			t.Errorf("%s: %v", describe(c.step), err)
		}
	}
}
