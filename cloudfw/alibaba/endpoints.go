package alibaba

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
)

// Site is the vendor's site on which the account was opened. It decides where the
// Cloud Firewall is managed from, whatever the region of the servers.
type Site string

// The sites.
const (
	China         Site = "china"         // the default: the region's own endpoint (reference §1.6)
	International Site = "international" // the firewall is managed from ap-southeast-1
)

// internationalRegion manages the firewalls of the international site.
const internationalRegion = "ap-southeast-1"

// door is where the calls of a product go.
type door struct{ scheme, host, region string }

// firewallHosts are the regions with an endpoint of the firewall's own (reference
// §1.6); the others share one.
var firewallHosts = map[string]string{
	"cn-hangzhou":       "cloudfw.cn-hangzhou.aliyuncs.com",
	internationalRegion: "cloudfw.ap-southeast-1.aliyuncs.com",
}

// computeHosts copies the SDK's table once; it fills it lazily and unguarded.
var computeHosts = sync.OnceValue(ecs.GetEndpointMap)

// door is where the calls of a product go and the region that they name.
func (o Options) door(product string) door {
	to := door{scheme: o.scheme(), region: o.Region}
	if product == firewallProduct && o.Site == International {
		to.region = internationalRegion
	}
	switch {
	case o.Endpoint != "":
		to.host = o.Endpoint
	case product == firewallProduct:
		to.host = cmp.Or(firewallHosts[to.region], "cloudfw.aliyuncs.com")
	case product == tokenProduct:
		to.host = cmp.Or(o.Credentials.STSEndpoint, "sts.aliyuncs.com")
	default:
		to.host = cmp.Or(computeHosts()[to.region], "ecs."+to.region+".aliyuncs.com")
	}
	return to
}

func (o Options) scheme() string {
	if o.Insecure {
		return "HTTP"
	}
	return "HTTPS"
}

// regions are the vendor's regions as far as this version knows them.
var regions = []string{
	"ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-5",
	"ap-southeast-6", "ap-southeast-7", "cn-beijing", "cn-beijing-finance-1", "cn-chengdu", "cn-fuzhou", "cn-guangzhou",
	"cn-hangzhou", "cn-hangzhou-finance", "cn-heyuan", "cn-hongkong", "cn-huhehaote", "cn-nanjing", "cn-north-2-gov-1",
	"cn-qingdao", "cn-shanghai", "cn-shanghai-finance-1", "cn-shenzhen", "cn-shenzhen-finance-1", "cn-wuhan-lr",
	"cn-wulanchabu", "cn-zhangjiakou", "cn-zhengzhou-jva", "eu-central-1", "eu-west-1", "me-central-1", "me-east-1",
	"na-south-1", "us-east-1", "us-southeast-1", "us-west-1",
}

// Regions lists the region ids that this version knows, in alphabetical order.
func Regions() []string { return slices.Clone(regions) }

// checkPlace reports a site or a region that does not exist. At an endpoint of one's
// own, and with NewRegion, any well-formed region will do.
func (o Options) checkPlace() error {
	if o.Site != China && o.Site != International {
		return fmt.Errorf("site %q is neither %s nor %s", o.Site, China, International)
	}
	if !regionPattern.MatchString(o.Region) {
		return fmt.Errorf("region %q is not a region id such as cn-hangzhou%s", o.Region, near(o.Region, regions))
	}
	if o.Endpoint == "" && !o.NewRegion && !slices.Contains(regions, o.Region) {
		return fmt.Errorf("there is no region %s%s", o.Region, near(o.Region, regions))
	}
	return nil
}

// near lists the known words that are most like the wrong one, for an error text.
func near(wrong string, known []string) string {
	type match struct {
		word     string
		distance int
	}
	var matches []match
	wrong = strings.ToLower(strings.TrimSpace(wrong))
	for _, word := range known {
		d := editDistance(wrong, word)
		if wrong != "" && (strings.Contains(word, wrong) || strings.Contains(wrong, word)) {
			d = min(d, 1)
		}
		if d <= 3 {
			matches = append(matches, match{word, d})
		}
	}
	if len(matches) == 0 {
		return ""
	}
	slices.SortStableFunc(matches, func(a, b match) int { return cmp.Compare(a.distance, b.distance) })
	const most = 3
	words := make([]string, 0, most)
	for _, m := range matches[:min(most, len(matches))] {
		words = append(words, m.word)
	}
	return "; did you mean " + strings.Join(words, ", ") + "?"
}

// editDistance counts the letters to change, add or drop between two words.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
