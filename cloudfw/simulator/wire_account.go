package simulator

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// wireAsset is an element of Assets (reference §2.7).
type wireAsset struct {
	InternetAddress    string
	IntranetAddress    string
	IpVersion          int
	ProtectStatus      string
	RegionID           string
	ResourceType       string
	ResourceInstanceId string
	BindInstanceId     string
	Name               string
	MemberUid          int64
	AliUid             int64
	SgStatus           string
	SyncStatus         string
}

func describeAssetList(c *call) (any, error) {
	p := c.params
	number, size := pageNumbers(p, 0, 0, maxPolicyPage)
	region, status, search := p.text("RegionNo"), p.text("Status"), p.text("SearchItem")
	kind, version := p.text("ResourceType"), p.text("IpVersion")
	p.ignore("SgStatus", "MemberUid", "UserType", "Type", "NewResourceTag")
	state, err := c.read()
	if err != nil {
		return nil, err
	}
	// An account id that is not a number would be a hand-made one; 0 then.
	account, _ := strconv.ParseInt(state.AccountID, 10, 64)
	found := []wireAsset{}
	for _, a := range state.Assets {
		w := wireAsset{
			InternetAddress: a.InternetAddress, IntranetAddress: a.IntranetAddress, IpVersion: 4, ProtectStatus: a.ProtectStatus,
			RegionID: a.RegionID, ResourceType: a.ResourceType, ResourceInstanceId: a.ResourceInstanceID, BindInstanceId: a.BindInstanceID,
			Name: a.Name, MemberUid: account, AliUid: account, SgStatus: "open", SyncStatus: "synced",
		}
		if addr, err := netip.ParseAddr(a.InternetAddress); err == nil && addr.Is6() {
			w.IpVersion = 6
		}
		named := slices.ContainsFunc([]string{a.InternetAddress, a.IntranetAddress, a.Name, a.ResourceInstanceID}, func(s string) bool {
			return strings.Contains(s, search)
		})
		if named && matches(region, a.RegionID) && matches(status, a.ProtectStatus) && matches(kind, a.ResourceType) &&
			matches(version, strconv.Itoa(w.IpVersion)) {
			found = append(found, w)
		}
	}
	return struct {
		TotalCount int // a number here, unlike in the policy lists (reference §0.10)
		Assets     []wireAsset
	}{len(found), numberedPage(found, number, size, c.fault)}, nil
}
