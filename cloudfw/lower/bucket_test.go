package lower

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fwsync/cloudfw"
)

var lapseNoon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// halfHour is the n-th after noon.
func halfHour(n int) time.Time { return lapseNoon.Add(time.Duration(n) * cloudfw.HalfHour) }

func numbered(n int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(n)}), 32)
}

func TestBucketsAreFewLateRatherThanEarlyAndStayAsTheyAre(t *testing.T) {
	for _, c := range []struct {
		name   string
		wanted map[int]int // the half hour of each address
		live   map[int]int // the bucket that it is in
		most   int
		want   string
	}{
		{"nothing", nil, nil, 4, ""},
		{"no bucket", map[int]int{1: 1}, nil, 0, ""},
		{"one each", map[int]int{1: 3, 2: 1, 3: 3}, nil, 4, "1:2 3:1,3"},
		{"as many as there may be", map[int]int{1: 1, 2: 2, 3: 3, 4: 4}, nil, 4, "1:1 2:2 3:3 4:4"},
		{"the nearest go together, into the later", map[int]int{1: 1, 2: 4, 3: 5, 4: 9, 5: 20}, nil, 4, "1:1 5:2,3 9:4 20:5"},
		{"of several as near the earlier", map[int]int{1: 1, 2: 2, 3: 3, 4: 4, 5: 5}, nil, 4, "2:1,2 3:3 4:4 5:5"},
		{"nobody is kept long, however near the buckets are", map[int]int{1: 1, 2: 2, 3: 3, 4: 4}, nil, 2, "2:1,2 4:3,4"},
		{"one for all", map[int]int{1: 1, 2: 40, 3: 3}, nil, 1, "40:1,2,3"},
		{"who is in a later one stays", map[int]int{1: 1, 2: 2}, map[int]int{1: 2, 2: 2}, 4, "2:1,2"},
		{"unless it is nobody's own any more", map[int]int{1: 1, 3: 3}, map[int]int{1: 2}, 4, "1:1 3:3"},
		{"longer: into a later one", map[int]int{1: 6, 2: 2}, map[int]int{2: 2}, 4, "2:2 6:1"},
		{"a new half hour moves the nearest, not all", map[int]int{1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 6: 17}, map[int]int{1: 2, 2: 2, 3: 4, 4: 8, 5: 16}, 4, "2:1,2 4:3 8:4 17:5,6"},
	} {
		wanted, live := map[netip.Prefix]time.Time{}, map[netip.Prefix]time.Time{}
		for n, end := range c.wanted {
			wanted[numbered(n)] = halfHour(end)
		}
		for n, end := range c.live {
			live[numbered(n)] = halfHour(end)
		}
		var got []string
		for _, b := range fill(wanted, live, c.most) {
			var members []string
			for _, p := range b.prefixes {
				members = append(members, fmt.Sprint(p.Addr().As4()[3]))
			}
			got = append(got, fmt.Sprintf("%d:%s", b.end.Sub(lapseNoon)/cloudfw.HalfHour, strings.Join(members, ",")))
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s: %q, want %q", c.name, text, c.want)
		}
	}
}

func TestABooksNameTellsItsEnd(t *testing.T) {
	for _, f := range cloudfw.Families {
		name := cloudfw.Owner("edge").BookName(bucketPurpose(f, halfHour(3)) + "2")
		if end, is := Lapse("edge", name); !is || !end.Equal(halfHour(3)) {
			t.Errorf("%s: %v, %t", name, end, is)
		}
	}
	for _, name := range []string{
		"", "blocked4-until-20261126-1330-1", "fwsync-edge-blocked4-1", "fwsync-edge-blocked4-until-", "fwsync-edge-blocked4-until-20261126-1330",
		"fwsync-edge-blocked4-until-20261126-1330-", "fwsync-edge-blocked4-until-20261126-1330-0", "fwsync-edge-blocked4-until-20261126-1330-01",
		"fwsync-edge-blocked4-until-20261126-1330-1x", "fwsync-edge-blocked4-until-20261326-1330-1", "fwsync-edge-blocked5-until-20261126-1330-1",
		"fwsync-edge2-blocked4-until-20261126-1330-1",
	} {
		if end, is := Lapse("edge", name); is {
			t.Errorf("%q ends at %v", name, end)
		}
	}
}
