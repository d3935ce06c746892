package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/alibaba"
	"fwsync/cloudfw/simulator"
	"fwsync/detect"
	"fwsync/detect/sources"
	"fwsync/ledger/sqlite"
	"fwsync/policies"
	"fwsync/sync/gates"
	"fwsync/sync/reconcile"
)

// policyOptions tell the policies which signals there are.
func policyOptions() policies.Options {
	var o policies.Options
	for _, k := range detect.Kinds() {
		o.Signals = append(o.Signals, k.String())
		if k.Success() {
			o.Successes = append(o.Successes, k.String())
		}
	}
	return o
}

func loadPolicy(path string) (*policies.Policy, error) { return policies.Load(path, policyOptions()) }

// cloud is an opened account and how to close it.
type cloud struct {
	*alibaba.Account
	name  string
	close func()
}

// openCloud opens the account that the configuration names. The simulator is a real
// server on a loopback port of its own; nothing but the address differs for the
// code that talks to it.
func openCloud(ctx context.Context, c *Config) (*cloud, error) {
	if c.Cloud == "simulator" {
		world := simulator.DefaultWorld()
		sim, err := simulator.New(simulator.Options{StateFile: c.Simulator.State, World: &world})
		if err != nil {
			return nil, withHint(fmt.Errorf("starting the simulator: %w", err), "repair the file, or move it away to start with a fresh world")
		}
		server, err := simulator.Listen("127.0.0.1:0", sim.Handler())
		if err != nil {
			return nil, fmt.Errorf("starting the simulator: %w", err)
		}
		account, err := alibaba.Open(ctx, alibaba.Options{
			Region: "cn-hangzhou", Endpoint: server.Addr(), Insecure: true,
			Credentials: alibaba.CredentialSource{Name: alibaba.FromOptions, AccessKeyID: simulator.DefaultKey, AccessKeySecret: simulator.DefaultSecret},
		})
		if err != nil {
			return nil, errors.Join(err, server.Close())
		}
		return &cloud{account, "simulator (" + c.Simulator.State + ")", func() { account.Close(); _ = server.Close() }}, nil
	}
	if c.Alibaba.Insecure && !loopback(c.Alibaba.Endpoint) {
		return nil, withHint(fmt.Errorf("%s: alibaba.insecure is set for the endpoint %q", c.file, c.Alibaba.Endpoint), "plain HTTP is for a simulator on a loopback address only")
	}
	account, err := alibaba.Open(ctx, alibaba.Options{
		Region: c.Alibaba.Region, Endpoint: c.Alibaba.Endpoint, Insecure: c.Alibaba.Insecure, ReadTimeout: c.Alibaba.Timeout,
		Credentials: alibaba.CredentialSource{Name: c.Alibaba.Credentials, Profile: c.Alibaba.Profile, RoleARN: c.Alibaba.RoleARN},
	})
	if err != nil {
		return nil, err
	}
	name := "alibaba " + c.Alibaba.Region
	if c.Alibaba.Endpoint != "" {
		name += " at " + c.Alibaba.Endpoint
	}
	return &cloud{account, name, account.Close}, nil
}

func loopback(endpoint string) bool {
	host, _, err := net.SplitHostPort(endpoint)
	addr, parseErr := netip.ParseAddr(host)
	return err == nil && (host == "localhost" || parseErr == nil && addr.IsLoopback())
}

// work is an opened installation: policies, ledger and cloud.
type work struct {
	config *Config
	policy *policies.Policy
	store  *sqlite.Store
	cloud  *cloud
	lease  *sqlite.Lease
}

// open opens everything that a command about the cloud needs. A command that may
// write takes the writer lease first (promise P10).
func open(ctx context.Context, g *global, writer bool) (w *work, err error) {
	w = &work{}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.config, err = loadConfig(g.config); err != nil {
		return w, err
	}
	if w.policy, err = loadPolicy(w.config.Policies); err != nil {
		return w, err
	}
	if writer {
		if w.lease, err = sqlite.Lock(w.config.Ledger); err != nil {
			return w, err
		}
	}
	if w.store, err = sqlite.Open(ctx, w.config.Ledger, sqlite.Options{}); err != nil {
		return w, err
	}
	w.cloud, err = openCloud(ctx, w.config)
	return w, err
}

func (w *work) close() {
	if w.cloud != nil {
		w.cloud.close()
	}
	if w.store != nil {
		_ = w.store.Close()
	}
	if w.lease != nil {
		_ = w.lease.Close()
	}
}

// look builds what reconcile needs to look around.
func (w *work) look(limits gates.Limits) (reconcile.Look, error) {
	owner, err := cloudfw.ParseOwner(w.config.Owner)
	if err != nil {
		return reconcile.Look{}, err
	}
	accountLimits := cloudfw.DefaultLimits()
	accountLimits.SpreadUnits = w.config.Limits.SpreadUnits
	l := reconcile.Look{
		Policy: w.policy, Owner: owner, Cloud: w.cloud.Account, CloudName: w.cloud.name, Ledger: w.store,
		Limits: accountLimits, Gates: limits, Operator: operator(w.config), Now: time.Now,
		Traffic: w.cloud.Traffic,
		Calls:   func() []reconcile.Call { return calls(w.cloud.Account) },
	}
	for _, s := range w.config.Sources {
		zone, err := time.LoadLocation(s.Zone)
		if err != nil {
			return l, err
		}
		l.Sources = append(l.Sources, reconcile.Source{Name: s.Name, Log: sources.Source{Path: s.File, Location: zone}, LastLineIsNow: s.Clock == "last-line"})
	}
	return l, nil
}

func (w *work) controller(limits gates.Limits) (*reconcile.Controller, error) {
	look, err := w.look(limits)
	return &reconcile.Controller{Look: look, Account: w.cloud.Account, Author: author()}, err
}

func calls(a *alibaba.Account) []reconcile.Call {
	all := []reconcile.Call{}
	for _, c := range a.Calls() {
		all = append(all, reconcile.Call{API: c.API, Write: c.Write, Count: c.Count})
	}
	return all
}

// author is who runs the command, for the record.
func author() string {
	if name := os.Getenv("SUDO_USER"); name != "" {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}

// operator is where the person comes from: the addresses of the configuration and
// the SSH connection that the command was started from.
func operator(c *Config) gates.Operator {
	var o gates.Operator
	for _, text := range c.Operator {
		if p, err := cloudfw.ParsePrefix(text); err == nil && p.IsSingleIP() {
			o.Addresses = append(o.Addresses, p.Addr())
		}
	}
	fields := strings.Fields(os.Getenv("SSH_CONNECTION"))
	if len(fields) != 4 {
		return o
	}
	client, err1 := netip.ParseAddr(fields[0])
	server, err2 := netip.ParseAddr(fields[2])
	port, err3 := strconv.ParseUint(fields[3], 10, 16)
	if err1 != nil || err2 != nil || err3 != nil {
		return o
	}
	o.Client, o.Server, o.Port = client.Unmap().WithZone(""), server.Unmap().WithZone(""), uint16(port)
	o.Addresses = append(o.Addresses, o.Client)
	return o
}
