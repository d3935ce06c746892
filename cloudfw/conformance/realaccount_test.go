package conformance

import (
	"context"
	"flag"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"fwsync/cloudfw"
	"fwsync/cloudfw/alibaba"
	"fwsync/cloudfw/simulator"
)

// Flags of the run on an account that is not simulated; docs/real-account.md says
// how to use them.
var (
	realAccount  = flag.Bool("real-account", false, "run the suite on the account of the vendor's usual credentials")
	realRegion   = flag.String("region", "", "region of the security group and the prefix lists")
	realSite     = flag.String("site", string(alibaba.China), "china or international")
	realPrefix   = flag.String("prefix", "fwsync-conf-", "what the names of everything made begin with")
	realGroup    = flag.String("group", "", "security group that may be edited; empty leaves groups alone")
	realNAT      = flag.String("nat", "", "NAT gateway whose policies may be edited; empty leaves them alone")
	realVPC      = flag.String("vpc", "", "ACL group of a VPC firewall (cen-… or vfw-…) that may be edited; empty leaves them alone")
	realCapacity = flag.Bool("capacity", false, "fill a book of addresses and the security group up to their documented limits")
	realEndpoint = flag.String("endpoint", "", "host:port of a simulator on this machine instead of the vendor")
	realInsecure = flag.Bool("insecure", false, "plain HTTP, only together with -endpoint")
)

func TestRealAccount(t *testing.T) {
	if !*realAccount {
		t.Skip("needs -real-account, see docs/real-account.md")
	}
	if *realEndpoint != "" && !loopback(*realEndpoint) {
		t.Fatalf("-endpoint %s is not on this machine; to reach the vendor leave it out", *realEndpoint)
	}
	s := Subject{
		Open: func(ctx context.Context) (cloudfw.Account, error) {
			a, err := alibaba.Open(ctx, alibaba.Options{
				Region: *realRegion, Site: alibaba.Site(*realSite), Endpoint: *realEndpoint, Insecure: *realInsecure, UserAgent: "fwsync-conformance",
			})
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() {
				for _, c := range a.Calls() {
					t.Logf("%5d × %s", c.Count, c.API)
				}
				a.Close()
			})
			return a, nil
		},
		Prefix: *realPrefix, Group: *realGroup, Borders: []cloudfw.Border{{}}, Slow: *realEndpoint == "",
	}
	if *realNAT != "" {
		s.Borders = append(s.Borders, cloudfw.Border{NAT: *realNAT})
	}
	if *realVPC != "" {
		s.Borders = append(s.Borders, cloudfw.Border{VPC: *realVPC})
	}
	s.Limits.RulesPerCall = cloudfw.DefaultLimits().RulesPerCall
	if *realCapacity {
		limits := cloudfw.DefaultLimits()
		s.Limits.AddressesPerBook, s.Limits.RulesPerGroup = limits.AddressesPerBook, limits.RulesPerGroup
	}
	Run(t, s)
}

func loopback(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// The way to a real account, as far as it goes without one: the same test in a
// process of its own, pointed at a simulated account.
func TestTheRealAccountRunWorksAgainstASimulator(t *testing.T) {
	t.Parallel()
	s := newService(t, simulator.Options{Keys: map[string]string{"LTAIconformance": "its-secret"}})
	before := s.cloud.Snapshot()
	env := []string{"ALIBABA_CLOUD_ACCESS_KEY_ID=LTAIconformance", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=its-secret", "HOME=" + t.TempDir()}
	flags := []string{"-real-account", "-region", "cn-hangzhou", "-prefix", "fwsync-conf-", "-group", "sg-mail", "-nat", nat.NAT, "-vpc", vpc.VPC}
	here := []string{"-endpoint", s.host, "-insecure"}

	out, err := rerun(t, "^TestRealAccount$/^(snapshots|books_in_use_stay|prefix_lists|group_rules)$", env, append(flags, here...)...)
	if err != nil || strings.Count(out, "    --- PASS: TestRealAccount/") != 4 || !strings.Contains(out, "× DescribeVpcFirewallControlPolicy") {
		t.Errorf("%v:\n%s", err, out)
	}
	demandUntouched(t, before, s.cloud.Snapshot())
	s.cloud.ResetCalls()

	for what, c := range map[string]struct {
		flags []string
		says  string
	}{
		"without the flag":          {append(slices.Clone(flags[1:]), here...), "needs -real-account"},
		"an endpoint far away":      {append(slices.Clone(flags), "-endpoint", "192.0.2.1:80", "-insecure"), "is not on this machine"},
		"plain HTTP to the vendor":  {append(slices.Clone(flags), "-insecure"), "never for the vendor's"},
		"a prefix without an owner": {append(append(slices.Clone(flags), here...), "-prefix", "test"), "fwsync-OWNER-"},
	} {
		out, err := rerun(t, "^TestRealAccount$", env, c.flags...)
		if !strings.Contains(out, c.says) || (err == nil) != (what == "without the flag") {
			t.Errorf("%s: %v, want %q:\n%s", what, err, c.says, out)
		}
	}
	if n := len(s.cloud.Calls()); n != 0 {
		t.Errorf("%d calls were made by runs that must not begin", n)
	}
}
