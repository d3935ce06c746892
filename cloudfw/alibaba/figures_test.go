package alibaba

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/simulator"
)

func TestFiguresOfTheAccountAreRead(t *testing.T) {
	small := size{policies: 3, nat: 2, vpc: 4}
	world, _ := small.account()
	r := newRig(t, simulator.Options{World: &world})
	counts, err := r.RuleCounts(t.Context())
	if want := (RuleCounts{InternetIn: 3, NAT: 2, VPC: 4, Total: 9}); err != nil || counts != want {
		t.Errorf("counts %+v (%v), want %+v", counts, err, want)
	}
	for _, border := range []cloudfw.Border{{}, natBorder, vpcBorder} {
		want := map[cloudfw.BorderKind]int{cloudfw.InternetBorder: 3, cloudfw.NATBorder: 2, cloudfw.VPCBorder: 4}[border.Kind()]
		if first, last, err := r.PriorUsed(t.Context(), border.Keys()[0]); err != nil || first != 1 || last != want {
			t.Errorf("%s: positions %d to %d (%v), want 1 to %d", border, first, last, err, want)
		}
	}
	if _, _, err := r.PriorUsed(t.Context(), cloudfw.ListKey{Border: natBorder, Direction: cloudfw.In, Family: cloudfw.IPv4}); cloudfw.KindOf(err) != cloudfw.Invalid {
		t.Errorf("a list that is none: %v", err)
	}
	if n := r.Traffic(); n.Reads != 4 || n.Writes != 0 {
		t.Errorf("traffic %+v", n)
	}
}

func TestTheIdentityIsToldWithoutAnyPermission(t *testing.T) {
	o := world()
	o.Permissions = map[string]simulator.Permissions{simulator.DefaultKey: {Allow: []string{}}}
	r := newRig(t, o)
	id, err := r.Identity(t.Context())
	if err != nil || id.AccountID == "" || !strings.Contains(id.ARN, id.AccountID) || id.Kind != "Account" {
		t.Errorf("identity %+v (%v)", id, err)
	}
}

func TestRiskEventsOfManyPagesAreReadInOrder(t *testing.T) {
	var w simulator.State
	const base = 1_760_000_000
	for i := range 37 {
		w.RiskEvents = append(w.RiskEvents, simulator.RiskEvent{
			ID: fmt.Sprintf("event-%02d", i), Name: "brute force", SrcIP: fmt.Sprintf("198.51.100.%d", i), DstIP: "192.0.2.25", Direction: "in",
			AttackType: 5, RuleResult: 1 + i%2, VulLevel: 2, RuleSource: 1, FirstEventTime: base + int64(i), LastEventTime: base + 100 - int64(i), EventCount: 1000 + i,
		})
	}
	w.RiskEvents[4].SrcIPTag = "CDN"
	r := newRig(t, simulator.Options{World: &w})
	events, err := r.RiskEvents(t.Context(), time.Unix(base, 0), time.Unix(base+1000, 0))
	if err != nil || len(events) != 37 {
		t.Fatalf("%d events (%v)", len(events), err)
	}
	if n := r.count("DescribeRiskEventGroup"); n != 4 {
		t.Errorf("took %d calls, want 4", n)
	}
	for i, e := range events {
		n := 36 - i
		want := cloudfw.RiskEvent{
			ID: fmt.Sprintf("event-%02d", n), Name: "brute force", Source: netip.MustParseAddr(fmt.Sprintf("198.51.100.%d", n)), Destination: netip.MustParseAddr("192.0.2.25"),
			Direction: cloudfw.In, Attack: 5, Level: 2, Count: int64(1000 + n), First: time.Unix(base+int64(n), 0).UTC(), Last: time.Unix(base+100-int64(n), 0).UTC(), Blocked: n%2 == 1,
		}
		if n == 4 {
			want.SourceTag = "CDN"
		}
		if e != want {
			t.Errorf("event %d is %+v, want %+v", i, e, want)
		}
	}
	if none, err := r.RiskEvents(t.Context(), time.Unix(base-1000, 0), time.Unix(base-500, 0)); err != nil || len(none) != 0 || none == nil {
		t.Errorf("before all of them: %v (%v)", none, err)
	}
	if _, err := r.RiskEvents(t.Context(), time.Unix(base, 0), time.Unix(base, 0)); cloudfw.KindOf(err) != cloudfw.Invalid {
		t.Errorf("no span: %v", err)
	}
}

func TestARiskEventWithoutASourceIsLeftOut(t *testing.T) {
	r := answering(t, 200, `{"RequestId":"R-1","TotalCount":2,"DataList":[{"EventId":"a","SrcIP":"nobody"},{"EventId":"b","SrcIP":"::ffff:192.0.2.9","DstIP":"","EventCount":"7"}]}`)
	events, err := r.RiskEvents(t.Context(), time.Unix(1, 0), time.Unix(2, 0))
	if err != nil || len(events) != 1 || events[0].Source.String() != "192.0.2.9" || events[0].Destination.IsValid() || events[0].Count != 7 {
		t.Errorf("got %+v (%v)", events, err)
	}
}
