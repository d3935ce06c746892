package alibaba

import (
	"testing"

	"fwsync/cloudfw"
	"fwsync/cloudfw/simulator"
)

func TestARuleOfAGroupIsEditedInPlaceInBothDirections(t *testing.T) {
	r := newRig(t, world())
	r.run(t, listStep(cloudfw.CreateList, prefixes("198.51.100.7/32"), nil), "sg-mail")
	for _, direction := range []cloudfw.Direction{cloudfw.In, cloudfw.Out} {
		rule := cloudfw.GroupRule{
			Direction: direction, Action: cloudfw.Accept, Protocol: cloudfw.TCP, Ports: cloudfw.PortRange{First: 993, Last: 993},
			Peer: cloudfw.Peer{Kind: cloudfw.Net, Value: "203.0.113.0/24"}, Priority: 7, Description: "before",
		}
		listed := rule
		listed.Peer, listed.Priority = cloudfw.Peer{Kind: cloudfw.List, Value: "fwsync-test-blocked4"}, 8
		r.execute(t, cloudfw.Step{Op: cloudfw.AuthoriseRules, GroupID: "sg-mail", GroupRules: []cloudfw.GroupRule{rule, listed}})
		group, _ := r.observe(t, "sg-mail").Group("sg-mail")
		for _, live := range group.Rules {
			if live.Description != "before" {
				continue
			}
			live.Action, live.Ports, live.Priority, live.Description = cloudfw.Drop, cloudfw.PortRange{First: 25, Last: 26}, live.Priority+20, "after"
			if live.Peer.Kind == cloudfw.Net {
				live.Peer.Value = "203.0.113.128/25"
			} else {
				live.Peer.Value = "fwsync-test-blocked4" // by its name
			}
			snap := r.run(t, cloudfw.Step{Op: cloudfw.EditGroupRule, GroupID: "sg-mail", GroupRules: []cloudfw.GroupRule{live}}, "sg-mail")
			if after, _ := snap.Group("sg-mail"); len(after.Rules) != len(group.Rules) {
				t.Errorf("%s: %d rules became %d", direction, len(group.Rules), len(after.Rules))
			}
		}
	}
}

func TestWhatKindOfGroupItIsIsRead(t *testing.T) {
	r := newRig(t, simulator.Options{World: &simulator.State{SecurityGroups: []simulator.SecurityGroup{
		{ID: "sg-1", Name: "basic", VPCID: "vpc-1", Type: "normal"},
		{ID: "sg-2", Name: "isolated", VPCID: "vpc-1", Type: "normal", InnerAccess: "Drop"},
		{ID: "sg-3", Name: "advanced", VPCID: "vpc-1", Type: "enterprise", InnerAccess: "Drop"},
		{ID: "sg-4", Name: "managed", VPCID: "vpc-1", Type: "normal", ServiceManaged: true},
	}}})
	snap := r.observe(t, "sg-1", "sg-2", "sg-3", "sg-4")
	for i, want := range []cloudfw.SecurityGroup{
		{ID: "sg-1", Name: "basic"}, {ID: "sg-2", Name: "isolated", Isolated: true},
		{ID: "sg-3", Name: "advanced", Enterprise: true}, {ID: "sg-4", Name: "managed", Managed: true},
	} {
		if got := snap.Groups[i]; got.ID != want.ID || got.Name != want.Name || got.Isolated != want.Isolated || got.Enterprise != want.Enterprise || got.Managed != want.Managed || got.VPC != "vpc-1" {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestStrictModeIsRead(t *testing.T) {
	for value, want := range map[string]bool{"on": true, "off": false} {
		r := newRig(t, simulator.Options{World: &simulator.State{InternetSwitch: value}})
		if snap := r.observe(t); snap.Strict != want {
			t.Errorf("%s is read as %v", value, snap.Strict)
		}
	}
	r := answering(t, 200, `{"RequestId":"R-1","InternetSwitch":"maybe"}`)
	if _, err := r.readStrict(t.Context()); cloudfw.KindOf(err) != cloudfw.Unavailable {
		t.Errorf("an unknown setting: %v", err)
	}
}

// An object that goes between two calls of one observation is told from one that
// comes and goes all the time.
func TestAnObservationThatIsTornIsMadeAgainOnce(t *testing.T) {
	listed := func(r *rig) {
		r.run(t, listStep(cloudfw.CreateList, prefixes("198.51.100.7/32"), nil), "sg-mail")
		r.cloud.ResetCalls()
	}
	for what, c := range map[string]struct {
		fault simulator.Fault
		want  cloudfw.Kind
	}{
		"a group's rules gone once":  {simulator.Fault{Action: "DescribeSecurityGroupAttribute", Kind: simulator.FaultCode, Code: "InvalidSecurityGroupId.NotFound"}, ""},
		"a group's rules gone twice": {simulator.Fault{Action: "DescribeSecurityGroupAttribute", Kind: simulator.FaultCode, Code: "InvalidSecurityGroupId.NotFound", Count: 2}, cloudfw.Unavailable},
		"a list gone once":           {simulator.Fault{Action: "DescribePrefixListAttributes", Kind: simulator.FaultCode, Code: "InvalidPrefixListId.NotFound"}, ""},
		"a list gone for good": {simulator.Fault{Action: "DescribePrefixListAttributes", Kind: simulator.FaultInterfere, Do: func(c *simulator.Cloud) {
			s := c.Snapshot()
			s.PrefixLists = nil
			if err := c.Load(s); err != nil {
				panic(err)
			}
		}}, ""},
		"a group gone for good": {simulator.Fault{Action: "DescribeSecurityGroupAttribute", Kind: simulator.FaultInterfere, Do: func(c *simulator.Cloud) {
			s := c.Snapshot()
			s.SecurityGroups = nil
			if err := c.Load(s); err != nil {
				panic(err)
			}
		}}, cloudfw.NotFound},
	} {
		r := newRig(t, world())
		listed(r)
		r.cloud.Inject(c.fault)
		_, err := r.Observe(t.Context(), cloudfw.Scope{Groups: []string{"sg-mail"}})
		if cloudfw.KindOf(err) != c.want {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
		if n := r.count("DescribeSecurityGroups"); n != 2 {
			t.Errorf("%s: observed %d times", what, n)
		}
	}
}
