package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"fwsync/cloudfw/simulator"
)

// simulation holds the flags of the simulator command.
type simulation struct {
	listen, state, key, secret string
	empty, noFirewall          bool
	faults, faultFiles         []string
	limits, deny               []string
	rate                       int
	seed                       uint64
	engineDelay                time.Duration
	logCalls                   string
	cert, certKey, selfSigned  string
}

func newSimulator(*global) *cobra.Command {
	var s simulation
	cmd := &cobra.Command{
		Use:   "simulator",
		Short: "serve the local cloud to other programs",
		Long: `Serves the simulated Cloud Firewall and ECS on a loopback address, with signature
check, for fwsync itself, the vendor's CLI, its SDKs, Terraform or curl, until
interrupted. It simulates: no real cloud is touched, and nothing here is a real
account.

Faults break calls on purpose. A fault is a kind and fields by commas:
  throttle unavailable internal denied code wrong-types ok-error hang
                     an answer, or none, instead of the call; after-effect lets it happen
  reset-before reset-after malformed
                     the connection or the answer breaks
  stale empty-page short-page repeat-page
                     a read answers too little, too old or the same again
  editor             a colleague edits by hand just before the call (spare=PREFIX keeps
                     him off descriptions that begin so; without it he touches his own only)
  limit              a quota changes (limit=AddressesPerBook:10)
  clock-skew         the server's clock is off (skew=20m)
  fields: action=NAME writes after-effect skip=N count=N (negative: for ever) p=0.2
          retry-after=200ms code=-200142

While it runs, it obeys the admin endpoint on the same port, from this machine only:
  GET /_simulator/                   what there is
  GET, DELETE /_simulator/calls      the calls so far
  GET, PUT /_simulator/state         the whole world
  GET, POST, DELETE /_simulator/faults
  GET, POST /_simulator/clock        {"advance": "10m"}
  GET, POST /_simulator/limits       {"AddressesPerBook": 10}
  GET, POST /_simulator/engine       what the engine enforces; {"delay": "3m"}
  GET, POST /_simulator/permissions  {"*": {"deny": ["ecs:*"]}}
  GET /_simulator/check              whether the world is sound`,
		Example: `  fwsync simulator --listen 127.0.0.1:18080 --state world.json
  fwsync simulator --listen 127.0.0.1:0 --empty
  fwsync simulator --fault throttle,action=ModifyAddressBook,count=2,retry-after=200ms
  fwsync simulator --fault reset-after,writes,p=0.2 --fault editor,writes,p=0.1 --seed 7
  fwsync simulator --faults faults.json --limit AddressesPerBook=100 --log-calls calls.jsonl
  fwsync simulator --deny yundun-cloudfirewall:DeleteControlPolicy --engine-delay 3m
  fwsync simulator --tls-self-signed ca.pem
  curl -s 127.0.0.1:18080/_simulator/faults -d '{"kind": "stale", "count": 3}'
  curl -s 127.0.0.1:18080/_simulator/clock -d '{"advance": "10m"}'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&s.listen, "listen", "127.0.0.1:18080", "loopback `address` and port")
	f.StringVar(&s.state, "state", "", "keep the world in this `file`")
	f.BoolVar(&s.empty, "empty", false, "start with an empty cloud instead of the small default world")
	f.StringVar(&s.key, "key", simulator.DefaultKey, "access key `id` that clients must use")
	f.StringVar(&s.secret, "secret", simulator.DefaultSecret, "its `secret`")
	f.StringArrayVar(&s.faults, "fault", nil, "break calls: `KIND[,FIELD…]` as above; may be repeated")
	f.StringArrayVar(&s.faultFiles, "faults", nil, "break calls as this `file` says, a JSON list of faults; may be repeated")
	f.Uint64Var(&s.seed, "seed", 0, "the `number` that decides what is left to chance")
	f.StringArrayVar(&s.limits, "limit", nil, "a quota as `NAME=N`, such as SpreadUnits=100; may be repeated")
	f.IntVar(&s.rate, "rate", 0, "calls a second for each API, 0 for no limit (the vendor has 10)")
	f.DurationVar(&s.engineDelay, "engine-delay", 0, "how long the engine lags behind the API (the vendor's about 3m)")
	f.StringArrayVar(&s.deny, "deny", nil, "an `action` that nobody may call, such as ecs:Create*; may be repeated")
	f.BoolVar(&s.noFirewall, "no-firewall", false, "an account that has not bought Cloud Firewall")
	f.StringVar(&s.logCalls, "log-calls", "", "append every call to this `file`, a JSON object a line, without secrets")
	f.StringVar(&s.cert, "tls-cert", "", "serve TLS too, on the same port, with this certificate `file`")
	f.StringVar(&s.certKey, "tls-key", "", "the private key `file` of --tls-cert")
	f.StringVar(&s.selfSigned, "tls-self-signed", "", "serve TLS too, with a throwaway certificate whose authority is written to this `file`")
	cmd.MarkFlagsRequiredTogether("tls-cert", "tls-key")
	cmd.MarkFlagsMutuallyExclusive("tls-cert", "tls-self-signed")
	return cmd
}

func (s *simulation) run(cmd *cobra.Command) (err error) {
	options := simulator.Options{
		StateFile: s.state, Keys: map[string]string{s.key: s.secret}, RatePerAPI: s.rate, Seed: s.seed,
		EngineDelay: s.engineDelay, NoFirewall: s.noFirewall,
	}
	if len(s.deny) > 0 {
		options.Permissions = map[string]simulator.Permissions{simulator.AnyKey: {Deny: s.deny}}
	}
	if !s.empty {
		world := simulator.DefaultWorld()
		options.World = &world
	}
	faults, err := s.readFaults()
	if err != nil {
		return err
	}
	if options.Limits, err = s.readLimits(); err != nil {
		return err
	}
	listening, err := s.certificate()
	if err != nil {
		return err
	}
	if s.logCalls != "" {
		file, err := os.OpenFile(s.logCalls, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("opening the call log: %w", err)
		}
		defer file.Close()
		options.CallLog = file
	}
	cloud, err := simulator.New(options)
	if err != nil {
		return withHint(fmt.Errorf("starting the simulator: %w", err), "repair the file or the flag, or move the state away to start with a fresh world")
	}
	for _, f := range faults {
		cloud.Inject(f)
	}
	server, err := simulator.Listen(s.listen, cloud.Handler(), listening...)
	if err != nil {
		return withHint(fmt.Errorf("starting the simulator: %w", err), "choose another loopback address and port with --listen, such as 127.0.0.1:0")
	}
	s.introduce(cmd, server.Addr(), len(faults))
	<-cmd.Context().Done()
	if err := server.Close(); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("stopping the simulator: %w", err)
	}
	return cloud.LogError()
}

func (s *simulation) introduce(cmd *cobra.Command, addr string, faults int) {
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, `the simulator listens on http://%s (a simulation, no real cloud)
keys: %s / %s
fwsync:     FWSYNC_CLOUD=alibaba FWSYNC_ALIBABA_REGION=cn-hangzhou FWSYNC_ALIBABA_ENDPOINT=%s FWSYNC_ALIBABA_INSECURE=true
            ALIBABA_CLOUD_ACCESS_KEY_ID=%s ALIBABA_CLOUD_ACCESS_KEY_SECRET=… fwsync plan
vendor CLI: aliyun cloudfw DescribeControlPolicy --CurrentPage 1 --PageSize 10 --Direction in --region cn-hangzhou --endpoint %s --insecure
admin:      curl -s http://%s/_simulator/
`, addr, s.key, masked(s.key, s.secret), addr, s.key, addr, addr)
	switch {
	case s.selfSigned != "":
		fmt.Fprintf(out, "TLS:        on the same port; clients must trust %s, as with curl --cacert\n", s.selfSigned)
	case s.cert != "":
		fmt.Fprintf(out, "TLS:        on the same port, with %s\n", s.cert)
	}
	if faults > 0 {
		fmt.Fprintf(out, "faults:     %d set, seed %d\n", faults, s.seed)
	}
}

func (s *simulation) readFaults() ([]simulator.Fault, error) {
	var all []simulator.Fault
	for _, line := range s.faults {
		f, err := simulator.ParseFault(line)
		if err != nil {
			return nil, withHint(fmt.Errorf("--fault: %w", err), "fwsync simulator --help explains faults")
		}
		all = append(all, f)
	}
	for _, name := range s.faultFiles {
		raw, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("--faults: %w", err)
		}
		faults, err := simulator.ParseFaults(raw)
		if err != nil {
			return nil, withHint(fmt.Errorf("--faults: %s: %w", name, err), `want a list such as [{"kind": "throttle", "count": 2, "retryAfter": "200ms"}]`)
		}
		all = append(all, faults...)
	}
	return all, nil
}

func (s *simulation) readLimits() (simulator.Limits, error) {
	all, err := simulator.ParseLimits(s.limits...)
	if err != nil {
		return all, fmt.Errorf("--limit: %w", err)
	}
	return all, nil
}

// certificate returns what makes the server speak TLS, nothing if it is to speak
// plain HTTP only.
func (s *simulation) certificate() ([]simulator.ListenOption, error) {
	switch {
	case s.cert != "":
		pair, err := tls.LoadX509KeyPair(s.cert, s.certKey)
		if err != nil {
			return nil, fmt.Errorf("reading --tls-cert and --tls-key: %w", err)
		}
		return []simulator.ListenOption{simulator.WithTLS(pair)}, nil
	case s.selfSigned != "":
		pair, authority, err := simulator.SelfSigned(time.Now())
		if err != nil {
			return nil, err
		}
		if err := writeAuthority(s.selfSigned, authority); err != nil {
			return nil, fmt.Errorf("--tls-self-signed: %w", err)
		}
		return []simulator.ListenOption{simulator.WithTLS(pair)}, nil
	}
	return nil, nil
}

// writeAuthority writes the certificate to a new file, or over one that an earlier
// simulator wrote.
func writeAuthority(name string, authority []byte) error {
	old, err := os.ReadFile(name)
	if err == nil && !simulator.IsThrowawayAuthority(old) {
		return withHint(fmt.Errorf("%s exists and is not a simulator's certificate", name), "choose a new file; it is written anew at every start")
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.WriteFile(name, authority, 0o644)
}

// masked shows the well-known secret and hides any other.
func masked(key, secret string) string {
	if key == simulator.DefaultKey && secret == simulator.DefaultSecret {
		return secret
	}
	return "(as given)"
}
