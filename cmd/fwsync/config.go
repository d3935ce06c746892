package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/viper"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/ledger/postgres"
	"fwsync/notify"
	"fwsync/sync/gates"
)

// Config is fwsync.yaml. Every scalar key is also the environment variable
// FWSYNC_ plus its upper-case path with underscores (FWSYNC_ALIBABA_REGION).
// Relative paths start at the file's own folder.
type Config struct {
	Cloud     string          `yaml:"cloud" mapstructure:"cloud"`         // simulator or alibaba
	Clouds    []CloudConfig   `yaml:"clouds" mapstructure:"clouds"`       // several, instead of one
	Owner     string          `yaml:"owner" mapstructure:"owner"`         // whose objects are ours
	State     string          `yaml:"state" mapstructure:"state"`         // folder of what fwsync keeps
	Policies  string          `yaml:"policies" mapstructure:"policies"`   // folder or file
	Ledger    string          `yaml:"ledger" mapstructure:"ledger"`       // SQLite file, default STATE/ledger.db, or postgres://…
	Instance  string          `yaml:"instance" mapstructure:"instance"`   // whose positions in a shared ledger; default the host's name
	LeaseTTL  time.Duration   `yaml:"lease_ttl" mapstructure:"lease_ttl"` // of the writer lease in a shared ledger
	Sources   []SourceConfig  `yaml:"sources" mapstructure:"sources"`
	Audit     string          `yaml:"audit" mapstructure:"audit"`       // file that gets a line for each step; none by default
	Metrics   string          `yaml:"metrics" mapstructure:"metrics"`   // file that gets the figures of each run; none by default
	Listen    string          `yaml:"listen" mapstructure:"listen"`     // where run answers: host:port, or off
	Operator  []string        `yaml:"operator" mapstructure:"operator"` // addresses never blocked
	Protect   []ProtectConfig `yaml:"protect" mapstructure:"protect"`   // feeds of ranges never blocked
	History   HistoryConfig   `yaml:"history" mapstructure:"history"`
	Feeds     []FeedConfig    `yaml:"feeds" mapstructure:"feeds"` // lists of addresses to block
	Evidence  EvidenceConfig  `yaml:"evidence" mapstructure:"evidence"`
	Geo       GeoConfig       `yaml:"geo" mapstructure:"geo"`
	Alibaba   AlibabaConfig   `yaml:"alibaba" mapstructure:"alibaba"`
	Simulator SimulatorConfig `yaml:"simulator" mapstructure:"simulator"`
	Limits    LimitsConfig    `yaml:"limits" mapstructure:"limits"`
	Notices   []NoticeConfig  `yaml:"notices" mapstructure:"notices"` // channels that are told what happens
	Notify    NotifyConfig    `yaml:"notify" mapstructure:"notify"`

	file string // where it was read from
	text []byte // of it
}

// CloudConfig is one cloud of several: an account, seen from one region.
type CloudConfig struct {
	Name        string          `yaml:"name" mapstructure:"name"` // as the targets of the policies name it
	Cloud       string          `yaml:"cloud" mapstructure:"cloud"`
	Alibaba     AlibabaConfig   `yaml:"alibaba" mapstructure:"alibaba"`
	Simulator   SimulatorConfig `yaml:"simulator" mapstructure:"simulator"`
	SpreadUnits int             `yaml:"spread_units" mapstructure:"spread_units"`
}

// HistoryConfig says how long what is over stays in the ledger.
type HistoryConfig struct {
	Keep time.Duration `yaml:"keep" mapstructure:"keep"`
}

// SourceConfig is one log.
type SourceConfig struct {
	Name  string `yaml:"name" mapstructure:"name"`
	File  string `yaml:"file" mapstructure:"file"`   // "-" is stdin
	Clock string `yaml:"clock" mapstructure:"clock"` // log (default), or last-line: for demonstrations
	Zone  string `yaml:"zone" mapstructure:"zone"`   // of stamps without one; default UTC
}

// AlibabaConfig is the real cloud.
type AlibabaConfig struct {
	Region      string        `yaml:"region" mapstructure:"region"`
	NewRegion   bool          `yaml:"new_region" mapstructure:"new_region"` // take a region that is not in the table
	Site        string        `yaml:"site" mapstructure:"site"`             // china (default) or international
	Endpoint    string        `yaml:"endpoint" mapstructure:"endpoint"`     // host:port instead of the vendor's
	Insecure    bool          `yaml:"insecure" mapstructure:"insecure"`     // plain HTTP, loopback endpoints only
	Credentials string        `yaml:"credentials" mapstructure:"credentials"`
	Profile     string        `yaml:"profile" mapstructure:"profile"`
	RoleARN     string        `yaml:"role_arn" mapstructure:"role_arn"`
	Through     string        `yaml:"through" mapstructure:"through"` // roles on the way to role_arn, joined by commas
	ExternalID  string        `yaml:"external_id" mapstructure:"external_id"`
	Timeout     time.Duration `yaml:"timeout" mapstructure:"timeout"`
	CallTimeout time.Duration `yaml:"call_timeout" mapstructure:"call_timeout"` // of one call with its repeats
	QPS         float64       `yaml:"calls_per_second" mapstructure:"calls_per_second"`
	ReadOnly    bool          `yaml:"read_only" mapstructure:"read_only"`
}

// SimulatorConfig is the embedded cloud.
type SimulatorConfig struct {
	State string `yaml:"state" mapstructure:"state"` // its world; default STATE/simulator.json
}

// LimitsConfig is what one run may do, and what the account has. Every number is at
// least 1, but for spread_units, where 0 is a quota that is not known.
type LimitsConfig struct {
	NewBlocks     int `yaml:"new_blocks" mapstructure:"new_blocks"`
	RemovedBlocks int `yaml:"removed_blocks" mapstructure:"removed_blocks"`
	DeletedRules  int `yaml:"deleted_rules" mapstructure:"deleted_rules"`
	WidestIPv4    int `yaml:"widest_ipv4" mapstructure:"widest_ipv4"`
	WidestIPv6    int `yaml:"widest_ipv6" mapstructure:"widest_ipv6"`
	SpreadUnits   int `yaml:"spread_units" mapstructure:"spread_units"`
}

// scalarDefaults are every scalar key with its default. viper reads the
// environment only for keys that it knows.
var scalarDefaults = map[string]any{
	"cloud": "simulator", "owner": "default", "state": ".fwsync", "policies": "policies", "ledger": "", "instance": "", "lease_ttl": ledger.DefaultTTL.String(),
	"alibaba.region": "", "alibaba.endpoint": "", "alibaba.insecure": false, "alibaba.credentials": "",
	"alibaba.profile": "", "alibaba.role_arn": "", "alibaba.timeout": "15s", "alibaba.call_timeout": "3m",
	"alibaba.site": "", "alibaba.new_region": false, "alibaba.through": "", "alibaba.external_id": "",
	"alibaba.calls_per_second": 0.0, "alibaba.read_only": false, "audit": "", "metrics": "", "listen": "127.0.0.1:9477",
	"evidence.redact": false, "evidence.key": "", "geo.database": "",
	"simulator.state": "",
	"notify.repeat":   notify.DefaultRules().Repeat.String(), "notify.gap_after": notify.DefaultRules().GapAfter.String(),
	"history.keep": "2160h", "notify.capacity": notify.DefaultRules().Capacity, "notify.wait": "5s",
	"limits.new_blocks": gates.DefaultLimits().NewBlocks.Count, "limits.removed_blocks": gates.DefaultLimits().RemovedBlocks.Count,
	"limits.deleted_rules": gates.DefaultLimits().DeletedRules.Count,
	"limits.widest_ipv4":   gates.DefaultLimits().WidestIPv4, "limits.widest_ipv6": gates.DefaultLimits().WidestIPv6, "limits.spread_units": 0,
}

// loadConfig reads the file, or ./fwsync.yaml when none is named, strictly: an
// unknown key, a wrong type or a wrong value is an error with its place.
func loadConfig(path string) (*Config, error) {
	named := path != ""
	if !named {
		path = "fwsync.yaml"
	}
	text, err := os.ReadFile(path)
	if err != nil {
		if !named && errors.Is(err, fs.ErrNotExist) {
			return nil, withHint(errors.New("there is no fwsync.yaml here"), "change to the folder that has one, or name it with --config FILE")
		}
		return nil, withHint(fmt.Errorf("reading the configuration: %w", err), "name another file with --config FILE")
	}
	var strict Config
	if err := yaml.UnmarshalWithOptions(text, &strict, yaml.Strict()); err != nil {
		return nil, configError(path, string(text), err)
	}
	v := viper.New()
	for key, value := range scalarDefaults {
		v.SetDefault(key, value)
	}
	v.SetEnvPrefix("FWSYNC")
	v.SetEnvKeyReplacer(strings.NewReplacer(".", "_"))
	v.AutomaticEnv()
	v.SetConfigType("yaml")
	if err := v.ReadConfig(strings.NewReader(string(text))); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	var c Config
	if err := v.UnmarshalExact(&c); err != nil {
		return nil, withHint(fmt.Errorf("reading %s and the FWSYNC_ variables: %w", path, err), "compare the value with the key's type in docs/configuration.md")
	}
	c.file, c.text = path, text
	if len(c.Clouds) > 0 && (strict.Cloud != "" || strict.Alibaba != (AlibabaConfig{}) || strict.Simulator != (SimulatorConfig{})) {
		return nil, withHint(fmt.Errorf("%s: clouds stands beside cloud, alibaba or simulator", path), "give each cloud its own in clouds, with a name")
	}
	return &c, c.complete()
}

// A shorter lease is lost by a host that is merely slow; a longer one keeps the others
// waiting for a host that is gone.
const (
	shortestLease = 2 * time.Second
	longestLease  = 5 * time.Minute
)

// complete checks the values and makes paths absolute to the file's folder.
func (c *Config) complete() error {
	bad := func(key, value, want string) error {
		return withHint(fmt.Errorf("%s: %s is %q", c.place(key), key, value), "%s", want)
	}
	if _, err := cloudfw.ParseOwner(c.Owner); err != nil {
		return bad("owner", c.Owner, "it is 1 to 32 of a-z, 0-9 and inner dashes")
	}
	for _, a := range c.Operator {
		if _, err := cloudfw.ParsePrefix(a); err != nil {
			return bad("operator", a, err.Error())
		}
	}
	if err := c.Limits.complete(c.place); err != nil {
		return err
	}
	if err := c.completeFeeds(bad); err != nil {
		return err
	}
	if err := c.completeListFeeds(bad); err != nil {
		return err
	}
	if c.History.Keep < 168*time.Hour {
		return bad("history.keep", c.History.Keep.String(), "it is at least 168h: earlier blocks count for the next one's length, and a plan file must be known to have been used")
	}
	if c.LeaseTTL < shortestLease || c.LeaseTTL > longestLease {
		return bad("lease_ttl", c.LeaseTTL.String(), fmt.Sprintf("it is a time of %s to %s, such as 15s", shortestLease, longestLease))
	}
	if c.Listen != "off" {
		if _, _, err := net.SplitHostPort(c.Listen); err != nil {
			return bad("listen", c.Listen, "it is host:port such as 127.0.0.1:9477, or off")
		}
	}
	if err := c.completeNotices(bad); err != nil {
		return err
	}
	names := map[string]bool{}
	for i := range c.Sources {
		s := &c.Sources[i]
		if s.File == "" {
			return bad(fmt.Sprintf("sources[%d].file", i), "", "name the log file, or - for stdin")
		}
		if s.Name == "" {
			s.Name = filepath.Base(s.File)
		}
		if names[s.Name] {
			return bad(fmt.Sprintf("sources[%d].name", i), s.Name, "each source has a name of its own")
		}
		names[s.Name] = true
		if s.Clock != "" && s.Clock != "log" && s.Clock != "last-line" {
			return bad("sources."+s.Name+".clock", s.Clock, "it is log (the default) or last-line (for demonstrations: the last line counts as now)")
		}
		if _, err := time.LoadLocation(s.Zone); err != nil {
			return bad("sources."+s.Name+".zone", s.Zone, "it is a zone such as UTC or Asia/Shanghai")
		}
		s.File = c.within(s.File)
	}
	c.State = c.within(c.State)
	if c.Metrics != "" {
		c.Metrics = c.within(c.Metrics)
	}
	if c.Audit != "" {
		c.Audit = c.within(c.Audit)
	}
	if c.Geo.Database != "" {
		c.Geo.Database = c.within(c.Geo.Database)
	}
	c.Policies = c.within(c.Policies)
	switch {
	case c.Ledger == "":
		c.Ledger = filepath.Join(c.State, "ledger.db")
	case !postgres.IsURL(c.Ledger):
		c.Ledger = c.within(c.Ledger)
	}
	return c.completeClouds(bad)
}

// within makes a path absolute to the configuration file's folder.
func (c *Config) within(path string) string {
	if filepath.IsAbs(path) || path == "-" {
		return path
	}
	return filepath.Join(filepath.Dir(c.file), path)
}
