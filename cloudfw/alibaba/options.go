package alibaba

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Options say which account is opened and how it is treated. The zero value of a
// field takes the default that its comment names; Region has none.
type Options struct {
	Region      string           // of the security groups and prefix lists, such as "cn-hangzhou"
	NewRegion   bool             // take a region that is not among Regions()
	Site        Site             // default China
	Endpoint    string           // host:port for all products; default: the vendor's own endpoints
	Insecure    bool             // plain http; only together with Endpoint, for the simulator
	Credentials CredentialSource // default: the first configured one of Sources

	ConnectTimeout time.Duration // default 5 s
	ReadTimeout    time.Duration // from a request's start to the end of its answer, connecting apart; default 20 s
	CallTimeout    time.Duration // of one call with all its attempts and pauses; default 3 minutes
	QPS            float64       // calls per second and API; default 8, below 10 so that people keep a share
	Pace           *Pace         // shared by the accounts that are one account, such as its regions; excludes QPS
	MaxAttempts    int           // calls for one request at the most, 1 to 20; default 5

	// Held is asked right before each request that changes the account, after all
	// waiting: an error of it refuses the request, unsent. Default: nobody is asked.
	Held func(ctx context.Context) error
	// Fence is the fencing token of the lease that Held asks about, for the record: the
	// user agent of a request that changes the account has lease/TOKEN in it, which the
	// vendor's own log of calls keeps. Default, and 0: nothing is added.
	Fence func() int64

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
	o.CallTimeout = cmp.Or(o.CallTimeout, 3*time.Minute)
	o.MaxAttempts = cmp.Or(o.MaxAttempts, 5)
	o.UserAgent = cmp.Or(o.UserAgent, "fwsync")
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if err := o.checkPlace(); err != nil {
		return o, err
	}
	switch {
	case o.ConnectTimeout < 0 || o.ReadTimeout < 0 || o.CallTimeout < 0:
		return o, errors.New("timeouts must be positive")
	case o.QPS < 0 || o.QPS >= vendorLimit:
		return o, fmt.Errorf("%g calls per second is not above 0 and below %d, the vendor's limit for everybody together", o.QPS, vendorLimit)
	case o.Pace != nil && o.QPS != 0:
		return o, errors.New("a shared pace has its own rate: leave the calls per second out")
	case o.Pace != nil && o.Pace.hurried && !o.Insecure:
		return o, errors.New("a hurried pace is for a simulator only")
	case o.MaxAttempts < 1 || o.MaxAttempts > 20:
		return o, fmt.Errorf("%d attempts is not between 1 and 20", o.MaxAttempts)
	case !userAgentPattern.MatchString(o.UserAgent):
		return o, fmt.Errorf("user agent %q holds more than letters, digits and ._/+-", o.UserAgent)
	case o.Insecure && o.Endpoint == "":
		return o, errors.New("plain http is only for an endpoint of your own, never for the vendor's")
	}
	if o.Pace == nil {
		o.Pace = NewPace(o.QPS)
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
