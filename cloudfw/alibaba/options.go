package alibaba

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	wirefw "github.com/aliyun/alibaba-cloud-sdk-go/services/cloudfw"
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

// Options say which account is opened and how it is treated. The zero value of a
// field takes the default that its comment names; Region has none.
type Options struct {
	Region      string           // of the security groups and prefix lists, such as "cn-hangzhou"
	Site        Site             // default China
	Endpoint    string           // host:port for both products; default: the vendor's own endpoints
	Insecure    bool             // plain http; only together with Endpoint, for the simulator
	Credentials CredentialSource // default: the first configured one of Sources

	ConnectTimeout time.Duration // default 5 s
	ReadTimeout    time.Duration // from a request's start to the end of its answer, connecting apart; default 20 s
	QPS            float64       // calls per second and API; default 8, below 10 so that people keep a share
	MaxAttempts    int           // calls for one request at the most, 1 to 20; default 5

	Logger    *slog.Logger // debug messages, without secrets; default none
	UserAgent string       // default "fwsync"
}

var (
	regionPattern    = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	userAgentPattern = regexp.MustCompile(`^[A-Za-z0-9._/+-]+$`)
)

// complete checks the options and fills in the defaults.
func (o Options) complete() (Options, error) {
	o.Site = cmp.Or(o.Site, China)
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, 5*time.Second)
	o.ReadTimeout = cmp.Or(o.ReadTimeout, 20*time.Second)
	o.QPS = cmp.Or(o.QPS, 8)
	o.MaxAttempts = cmp.Or(o.MaxAttempts, 5)
	o.UserAgent = cmp.Or(o.UserAgent, "fwsync")
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	switch {
	case !regionPattern.MatchString(o.Region):
		return o, fmt.Errorf("region %q is not a region id such as cn-hangzhou", o.Region)
	case o.Site != China && o.Site != International:
		return o, fmt.Errorf("site %q is neither %s nor %s", o.Site, China, International)
	case o.ConnectTimeout < 0 || o.ReadTimeout < 0:
		return o, errors.New("timeouts must be positive")
	case o.QPS <= 0 || o.QPS >= 10:
		return o, fmt.Errorf("%g calls per second is not above 0 and below 10, the vendor's limit for everybody together", o.QPS)
	case o.MaxAttempts < 1 || o.MaxAttempts > 20:
		return o, fmt.Errorf("%d attempts is not between 1 and 20", o.MaxAttempts)
	case !userAgentPattern.MatchString(o.UserAgent):
		return o, fmt.Errorf("user agent %q holds more than letters, digits and ._/+-", o.UserAgent)
	case o.Insecure && o.Endpoint == "":
		return o, errors.New("plain http is only for an endpoint of your own, never for the vendor's")
	}
	if o.Endpoint != "" {
		host, port, err := net.SplitHostPort(o.Endpoint)
		if err != nil || host == "" || port == "" || strings.ContainsAny(o.Endpoint, "/@?#% ") {
			return o, fmt.Errorf("endpoint %q is not host:port", redact(o.Endpoint))
		}
	}
	// The SDK reads this variable before we run and would print signed requests.
	if slices.Contains(strings.Split(os.Getenv("DEBUG"), ","), "sdk") {
		return o, errors.New("environment variable DEBUG=sdk makes the vendor's SDK print signed requests: unset it")
	}
	return o, nil
}

// endpointMaps copies the SDK's tables once; it fills them lazily and unguarded.
var endpointMaps = sync.OnceValue(func() map[string]map[string]string {
	return map[string]map[string]string{
		firewallProduct: wirefw.GetEndpointMap(),
		computeProduct:  ecs.GetEndpointMap(),
	}
})

// place is where the calls of a product go: the host and the region to name.
func (o Options) place(product string) (host, region string) {
	region = o.Region
	if product == firewallProduct && o.Site == International {
		region = "ap-southeast-1"
	}
	switch {
	case o.Endpoint != "":
		host = o.Endpoint
	case endpointMaps()[product][region] != "":
		host = endpointMaps()[product][region]
	case product == firewallProduct:
		host = "cloudfw.aliyuncs.com"
	default:
		host = "ecs." + region + ".aliyuncs.com"
	}
	return host, region
}

func (o Options) scheme() string {
	if o.Insecure {
		return "HTTP"
	}
	return "HTTPS"
}
