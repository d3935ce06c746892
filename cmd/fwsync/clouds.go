package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"fwsync/cloudfw"
	"fwsync/cloudfw/alibaba"
	"fwsync/cloudfw/simulator"
	"fwsync/cloudfw/wrap"
	"fwsync/sync/reconcile"
)

// cloud is an opened account, or the reason why it could not be opened.
type cloud struct {
	config  CloudConfig
	title   string
	account cloudfw.Account
	vendor  *alibaba.Account // nil when it could not be opened
	meter   *wrap.Meter      // likewise
	close   func()
}

// paces are shared by the clouds that are one account: the vendor's limit holds for
// all its regions together.
type paces struct {
	mu sync.Mutex
	by map[AlibabaConfig]*alibaba.Pace
	lease
}

// lease is how the clouds ask about the writer lease of the process; its fields may be nil.
type lease struct {
	held  func(context.Context) error // asked before each change
	token func() int64                // goes out with it
}

func (p *paces) of(c AlibabaConfig) *alibaba.Pace {
	key := c
	key.Region, key.NewRegion, key.ReadOnly = "", false, false
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.by == nil {
		p.by = map[AlibabaConfig]*alibaba.Pace{}
	}
	if p.by[key] == nil {
		p.by[key] = alibaba.NewPace(c.QPS)
	}
	return p.by[key]
}

// openClouds opens the accounts that the configuration names, at the same time. One
// of several that cannot be opened fails by itself, when it is looked at; a single
// one fails here.
//
// Before each change of any of them the lease is asked.
func openClouds(ctx context.Context, c *Config, l lease) ([]*cloud, error) {
	clouds, failures := make([]*cloud, len(c.Clouds)), make([]error, len(c.Clouds))
	shared := paces{lease: l}
	var wg sync.WaitGroup
	for i, config := range c.Clouds {
		wg.Go(func() { clouds[i], failures[i] = openCloud(ctx, c, config, &shared) })
	}
	wg.Wait()
	if len(c.Clouds) == 1 {
		return clouds, failures[0]
	}
	for i, err := range failures {
		if err != nil {
			clouds[i].account = unopened{err}
		}
	}
	return clouds, nil
}

// openCloud opens one account. The simulator is a real server on a loopback port of
// its own; nothing but the address differs for the code that talks to it. The cloud
// has its title and can be closed also with an error.
func openCloud(ctx context.Context, c *Config, config CloudConfig, shared *paces) (*cloud, error) {
	opened := &cloud{config: config, close: func() {}}
	options := vendorOptions(config.Alibaba)
	shut := func() {}
	if config.Cloud == "simulator" {
		opened.title = "simulator (" + config.Simulator.State + ")"
		server, err := serveSimulator(config.Simulator.State)
		if err != nil {
			return opened, err
		}
		shut = func() { _ = server.Close() }
		options = alibaba.Options{
			Region: "cn-hangzhou", Endpoint: server.Addr(), Insecure: true,
			Credentials: alibaba.CredentialSource{Name: alibaba.FromOptions, AccessKeyID: simulator.DefaultKey, AccessKeySecret: simulator.DefaultSecret},
		}
	} else {
		opened.title = "alibaba " + config.Alibaba.Region
		if config.Alibaba.Endpoint != "" {
			opened.title += " at " + config.Alibaba.Endpoint
		}
		if config.Alibaba.Insecure && !loopback(config.Alibaba.Endpoint) {
			return opened, withHint(fmt.Errorf("%s: alibaba.insecure is set for the endpoint %q", c.file, config.Alibaba.Endpoint), "plain HTTP is for a simulator on a loopback address only")
		}
		if q := config.Alibaba.QPS; q < 0 || q >= 10 {
			return opened, withHint(fmt.Errorf("%s: alibaba.calls_per_second is %g", c.file, q), "above 0 and below 10, the vendor's limit for everybody together")
		}
		options.Pace = shared.of(config.Alibaba)
	}
	options.Held, options.Fence = shared.held, shared.token
	account, err := alibaba.Open(ctx, options)
	if err != nil {
		shut()
		return opened, err
	}
	opened.vendor = account
	opened.close = func() { account.Close(); shut() }
	return opened, opened.wrapped(c)
}

// wrapped puts the concerns round the account that hold for every one.
func (c *cloud) wrapped(config *Config) error {
	var account cloudfw.Account = c.vendor
	if c.config.Alibaba.ReadOnly {
		account = wrap.ReadOnly(account)
	}
	if config.Audit != "" {
		file, err := os.OpenFile(config.Audit, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return withHint(fmt.Errorf("opening the audit file: %w", err), "name a file that may be written in audit, or take the key out")
		}
		before := c.close
		c.close = func() { before(); _ = file.Close() }
		account = wrap.Audit(account, wrap.NewLines(file).Write)
	}
	c.meter = wrap.Measure(account)
	c.account = c.meter
	return nil
}

func vendorOptions(a AlibabaConfig) alibaba.Options {
	o := alibaba.Options{
		Region: a.Region, NewRegion: a.NewRegion, Site: alibaba.Site(a.Site), Endpoint: a.Endpoint, Insecure: a.Insecure,
		ReadTimeout: a.Timeout, CallTimeout: a.CallTimeout, Logger: slog.Default(),
		Credentials: alibaba.CredentialSource{Name: a.Credentials, Profile: a.Profile, RoleARN: a.RoleARN, ExternalID: a.ExternalID},
	}
	if a.Through != "" {
		o.Credentials.Through = strings.Split(a.Through, ",")
	}
	return o
}

func serveSimulator(state string) (*simulator.Server, error) {
	if err := os.MkdirAll(filepath.Dir(state), 0o700); err != nil { // the ledger may be elsewhere
		return nil, withHint(fmt.Errorf("starting the simulator: %w", err), "name a folder that may be written in state")
	}
	world := simulator.DefaultWorld()
	sim, err := simulator.New(simulator.Options{StateFile: state, World: &world})
	if err != nil {
		return nil, withHint(fmt.Errorf("starting the simulator: %w", err), "repair the file, or move it away to start with a fresh world")
	}
	server, err := simulator.Listen("127.0.0.1:0", sim.Handler())
	if err != nil {
		return nil, fmt.Errorf("starting the simulator: %w", err)
	}
	return server, nil
}

func loopback(endpoint string) bool {
	host, _, err := net.SplitHostPort(endpoint)
	addr, parseErr := netip.ParseAddr(host)
	return err == nil && (host == "localhost" || parseErr == nil && addr.IsLoopback())
}

// limits are the vendor's, with the quota of the account.
func (c *CloudConfig) limits() cloudfw.Limits {
	limits := cloudfw.DefaultLimits()
	limits.SpreadUnits = c.SpreadUnits
	return limits
}

// seen is the cloud as the core looks at it.
func (c *cloud) seen() reconcile.Cloud {
	return reconcile.Cloud{
		Name: c.config.Name, Title: c.title, Reader: c.account, Limits: c.config.limits(),
		Traffic: c.traffic, Calls: c.calls, Timings: c.timings, Identity: c.identity,
	}
}

// identity is the number of the account.
func (c *cloud) identity(ctx context.Context) (string, error) {
	if closed, ok := c.account.(unopened); ok {
		return "", closed.error
	}
	who, err := c.vendor.Identity(ctx)
	return who.AccountID, err
}

// timings are how long what was done took.
func (c *cloud) timings() []reconcile.Timing {
	if c.meter == nil {
		return nil
	}
	var all []reconcile.Timing
	for _, sum := range c.meter.Sums() {
		all = append(all, reconcile.Timing{Op: string(sum.Op), Outcome: sum.Outcome, Count: sum.Count, Seconds: sum.Total.Seconds(), Longest: sum.Longest.Seconds()})
	}
	return all
}

func (c *cloud) traffic() cloudfw.Traffic {
	if c.vendor == nil {
		return cloudfw.Traffic{}
	}
	return c.vendor.Traffic()
}

func (c *cloud) calls() []reconcile.Call {
	all := []reconcile.Call{}
	if c.vendor == nil {
		return all
	}
	for _, call := range c.vendor.Calls() {
		all = append(all, reconcile.Call{
			API: call.API, Write: call.Write, Count: call.Count, Outcomes: call.Outcomes, Seconds: call.Took.Seconds(), Waited: call.Waited.Seconds(),
		})
	}
	return all
}

// unopened is an account that answers every question with the reason why it could
// not be opened.
type unopened struct{ error }

func (u unopened) Observe(context.Context, cloudfw.Scope) (cloudfw.Snapshot, error) {
	return cloudfw.Snapshot{}, u.error
}

func (u unopened) Execute(context.Context, cloudfw.Step) error {
	return errors.Join(errors.New("the account is not open"), u.error)
}
