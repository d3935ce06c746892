package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
)

var cloudNamePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// completeClouds checks the cloud or the clouds. The single one becomes an entry
// without a name, so that everything after this knows one form.
func (c *Config) completeClouds(bad func(key, value, want string) error) error {
	single := len(c.Clouds) == 0
	if single {
		c.Clouds = []CloudConfig{{Cloud: c.Cloud, Alibaba: c.Alibaba, Simulator: c.Simulator, SpreadUnits: c.Limits.SpreadUnits}}
	}
	seen := map[string]bool{}
	for i := range c.Clouds {
		cloud, at, state := &c.Clouds[i], "", "simulator.json"
		if !single {
			if !cloudNamePattern.MatchString(cloud.Name) {
				return bad(fmt.Sprintf("clouds[%d].name", i), cloud.Name, "a name is 1 to 40 of a-z, 0-9 and dashes and begins with a letter or a digit")
			}
			if seen[cloud.Name] {
				return bad(fmt.Sprintf("clouds[%d].name", i), cloud.Name, "each cloud has a name of its own")
			}
			seen[cloud.Name] = true
			at, state = "clouds."+cloud.Name+".", "simulator-"+cloud.Name+".json"
			cloud.Cloud = cmp.Or(cloud.Cloud, "simulator")
			cloud.SpreadUnits = cmp.Or(cloud.SpreadUnits, c.Limits.SpreadUnits)
			cloud.Alibaba.Timeout = cmp.Or(cloud.Alibaba.Timeout, c.Alibaba.Timeout)
			cloud.Alibaba.CallTimeout = cmp.Or(cloud.Alibaba.CallTimeout, c.Alibaba.CallTimeout)
		}
		switch cloud.Cloud {
		case "simulator":
		case "alibaba":
			if cloud.Alibaba.Region == "" {
				return bad(at+"alibaba.region", "", "name the region, such as cn-hangzhou")
			}
		default:
			return bad(at+"cloud", cloud.Cloud, "it is simulator (the default) or alibaba")
		}
		cloud.Simulator.State = c.within(cmp.Or(cloud.Simulator.State, filepath.Join(c.State, state)))
	}
	return nil
}

// cloudNames are the names that the targets of the policies may use. A single cloud
// has the empty one.
func (c *Config) cloudNames() []string {
	names := make([]string, len(c.Clouds))
	for i, cloud := range c.Clouds {
		names[i] = cloud.Name
	}
	return names
}
