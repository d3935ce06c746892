package simulator

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// vendorRegions are the vendor's public region ids.
var vendorRegions = nameSet(
	"cn-qingdao", "cn-beijing", "cn-zhangjiakou", "cn-huhehaote", "cn-wulanchabu", "cn-hangzhou", "cn-shanghai", "cn-nanjing",
	"cn-fuzhou", "cn-wuhan-lr", "cn-zhengzhou-jva", "cn-shenzhen", "cn-heyuan", "cn-guangzhou", "cn-chengdu", "cn-hongkong",
	"ap-northeast-1", "ap-northeast-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-5", "ap-southeast-6",
	"ap-southeast-7", "ap-south-1", "us-east-1", "us-west-1", "us-southeast-1", "na-south-1", "eu-west-1", "eu-central-1",
	"me-east-1", "me-central-1", "cn-shanghai-finance-1", "cn-beijing-finance-1", "cn-shenzhen-finance-1", "cn-hangzhou-finance",
	"cn-north-2-gov-1",
)

// inKnownRegion refuses an ECS call to a region that there is not (reference §3.1).
func (c *Cloud) inKnownRegion(version, region string) error {
	if version != versionECS || region == "" || vendorRegions[region] || slices.Contains(c.opt.Regions, region) {
		return nil
	}
	return refuse(http.StatusNotFound, "InvalidRegionId.NotFound", "The specified RegionId %q does not exist.", region)
}

// region is where an ECS call works; empty for the products without regions.
func (c *call) region() string {
	if c.params.values["Version"] != versionECS {
		return ""
	}
	return c.params.values["RegionId"]
}

// elsewhere tells whether an object of the region home is out of sight of a call
// to region. Objects without a region are everywhere.
func elsewhere(home, region string) bool { return home != "" && region != "" && home != region }

// within returns what a call to the region sees: the security groups and prefix
// lists of the region and those without one.
func (s *State) within(region string) *State {
	foreignGroup := func(g SecurityGroup) bool { return elsewhere(g.Region, region) }
	foreignList := func(l PrefixList) bool { return elsewhere(l.Region, region) }
	if !slices.ContainsFunc(s.SecurityGroups, foreignGroup) && !slices.ContainsFunc(s.PrefixLists, foreignList) {
		return s
	}
	seen := *s
	seen.SecurityGroups = slices.DeleteFunc(slices.Clone(s.SecurityGroups), foreignGroup)
	seen.PrefixLists = slices.DeleteFunc(slices.Clone(s.PrefixLists), foreignList)
	return &seen
}

// reach refuses a write that names a security group or prefix list of another
// region, as if it were not there.
func (c *call) reach(s *State) error {
	region := c.region()
	if region == "" {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(c.params.values)) {
		id := c.params.values[name]
		// ResourceId.1 and Permissions.1.SourceGroupId alike.
		field := strings.TrimRight(name, ".0123456789")
		switch field = field[strings.LastIndexByte(field, '.')+1:]; field {
		case "SecurityGroupId", "SourceGroupId", "DestGroupId", "ResourceId":
			if i := s.groupIndex(id); i >= 0 && elsewhere(s.SecurityGroups[i].Region, region) {
				return noSuchGroup(id)
			}
		case "PrefixListId", "SourcePrefixListId", "DestPrefixListId":
			if i := s.prefixListIndex(id); i >= 0 && elsewhere(s.PrefixLists[i].Region, region) {
				return noSuchPrefixList(id)
			}
		}
	}
	return nil
}
