package policies

import "fwsync/cloudfw"

// capacity takes over the declared collateral. Without a budget the widths mean
// nothing and are not kept.
func (c *checker) capacity() {
	var first place
	for _, doc := range c.docs {
		e := doc.Capacity
		if e == nil {
			continue
		}
		if first.known() {
			c.report.at(e.at, "", `"capacity" is declared twice, first at %s`, first)
			continue
		}
		first = e.at
		if e.Collateral.n > 0 {
			c.policy.Collateral = cloudfw.Collateral{Innocents: e.Collateral.n, WidestIPv4: e.WidestIPv4.n, WidestIPv6: e.WidestIPv6.n}
		}
	}
}
