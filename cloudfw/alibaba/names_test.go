package alibaba

import (
	"net/http/httptest"
	"testing"

	"fwsync/cloudfw"
)

// A name stands for the object that bears it now, also for an account that remembers
// an older one.
func TestANameThatIsGivenToANewObjectIsLookedUpAgain(t *testing.T) {
	first := newRig(t, world())
	server := httptest.NewServer(first.cloud.Handler())
	t.Cleanup(server.Close)
	second := openAt(t, server)
	second.cloud = first.cloud

	grouped := cloudfw.Step{Op: cloudfw.AuthoriseRules, GroupID: "sg-mail", GroupRules: []cloudfw.GroupRule{
		{Direction: cloudfw.In, Action: cloudfw.Drop, Protocol: cloudfw.AnyProtocol, Peer: cloudfw.Peer{Kind: cloudfw.List, Value: "fwsync-test-blocked4"}, Priority: 1, Description: "d"},
	}}
	anew := func(steps ...cloudfw.Step) {
		t.Helper()
		first.execute(t, steps[0])
		second.observe(t)
		for _, step := range steps[1:] {
			first.execute(t, step)
		}
	}
	for what, c := range map[string]struct {
		before []cloudfw.Step // the second account looks after the first of them
		step   cloudfw.Step
		after  cloudfw.Step
	}{
		"appending to a book":   {[]cloudfw.Step{bookStep(cloudfw.CreateBook, "192.0.2.1/32"), bookStep(cloudfw.DeleteBook), bookStep(cloudfw.CreateBook, "192.0.2.1/32")}, bookStep(cloudfw.AppendAddresses, "192.0.2.2/32"), bookStep(cloudfw.DeleteBook)},
		"deleting a book":       {[]cloudfw.Step{bookStep(cloudfw.CreateBook, "192.0.2.1/32"), bookStep(cloudfw.DeleteBook), bookStep(cloudfw.CreateBook, "192.0.2.1/32")}, bookStep(cloudfw.DeleteBook), cloudfw.Step{}},
		"editing a prefix list": {[]cloudfw.Step{listStep(cloudfw.CreateList, prefixes("192.0.2.1/32"), nil), listStep(cloudfw.DeleteList, nil, nil), listStep(cloudfw.CreateList, prefixes("192.0.2.1/32"), nil)}, listStep(cloudfw.EditList, prefixes("192.0.2.2/32"), nil), listStep(cloudfw.DeleteList, nil, nil)},
		"deleting a list":       {[]cloudfw.Step{listStep(cloudfw.CreateList, prefixes("192.0.2.1/32"), nil), listStep(cloudfw.DeleteList, nil, nil), listStep(cloudfw.CreateList, prefixes("192.0.2.1/32"), nil)}, listStep(cloudfw.DeleteList, nil, nil), cloudfw.Step{}},
	} {
		anew(c.before...)
		if err := second.Execute(t.Context(), c.step); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if c.after.Op != "" {
			first.execute(t, c.after)
		}
	}
	anew(listStep(cloudfw.CreateList, prefixes("192.0.2.1/32"), nil), listStep(cloudfw.DeleteList, nil, nil), listStep(cloudfw.CreateList, prefixes("192.0.2.1/32"), nil))
	if err := second.Execute(t.Context(), grouped); err != nil {
		t.Errorf("referring to a list: %v", err)
	}
	if snap := first.observe(t, "sg-mail"); !cloudfw.Done(grouped, snap) {
		t.Errorf("the rule is not there: %+v", snap.Groups)
	}
	// What is really gone is not found, after one look.
	reads := second.Traffic().Reads
	if err := second.Execute(t.Context(), bookStep(cloudfw.DeleteBook)); cloudfw.KindOf(err) != cloudfw.NotFound || second.Traffic().Reads != reads+1 {
		t.Errorf("%v after %d reads", err, second.Traffic().Reads-reads)
	}
}
