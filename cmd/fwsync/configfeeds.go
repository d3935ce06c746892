package main

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"fwsync/feeds"
	"fwsync/sync/reconcile"
)

// FeedConfig is a list of addresses to block. It comes from one of url, file, crowdsec
// and fail2ban.
type FeedConfig struct {
	Name      string   `yaml:"name" mapstructure:"name"`
	URL       string   `yaml:"url" mapstructure:"url"`             // of a list
	URLEnv    string   `yaml:"url_env" mapstructure:"url_env"`     // variable with the address, where that is a secret
	File      string   `yaml:"file" mapstructure:"file"`           // a list
	CrowdSec  string   `yaml:"crowdsec" mapstructure:"crowdsec"`   // address of a local API
	Fail2ban  string   `yaml:"fail2ban" mapstructure:"fail2ban"`   // fail2ban's database
	KeyEnv    string   `yaml:"key_env" mapstructure:"key_env"`     // of CrowdSec: variable with the bouncer's key …
	KeyFile   string   `yaml:"key_file" mapstructure:"key_file"`   // … or file
	Stream    bool     `yaml:"stream" mapstructure:"stream"`       // of CrowdSec: only what changes
	Scenarios []string `yaml:"scenarios" mapstructure:"scenarios"` // of CrowdSec: words in the scenarios' names
	Origins   []string `yaml:"origins" mapstructure:"origins"`     // of CrowdSec
	Jails     []string `yaml:"jails" mapstructure:"jails"`         // of fail2ban
	Format    string   `yaml:"format" mapstructure:"format"`       // plain, csv, json, jsonl
	Column    string   `yaml:"column" mapstructure:"column"`       // of csv
	Path      string   `yaml:"path" mapstructure:"path"`           // of json
	Sum       string   `yaml:"sha256" mapstructure:"sha256"`
	SumURL    string   `yaml:"sha256_url" mapstructure:"sha256_url"`

	Every    time.Duration `yaml:"every" mapstructure:"every"`
	Block    time.Duration `yaml:"block" mapstructure:"block"`
	Fresh    time.Duration `yaml:"fresh" mapstructure:"fresh"`
	Hold     time.Duration `yaml:"hold" mapstructure:"hold"`
	Min      *int          `yaml:"min" mapstructure:"min"`
	Max      int           `yaml:"max" mapstructure:"max"`
	Grow     int           `yaml:"grow" mapstructure:"grow"`     // per cent
	Shrink   int           `yaml:"shrink" mapstructure:"shrink"` // per cent
	MaxBytes int64         `yaml:"max_bytes" mapstructure:"max_bytes"`
	Score    int           `yaml:"score" mapstructure:"score"`
}

// completeListFeeds checks the feeds and makes their paths absolute.
func (c *Config) completeListFeeds(bad func(key, value, want string) error) error {
	names := map[string]bool{}
	for i := range c.Feeds {
		f := &c.Feeds[i]
		at := fmt.Sprintf("feeds[%d].", i)
		if f.Name == "" || strings.ContainsAny(f.Name, " :") {
			return bad(at+"name", f.Name, "each feed has a name, without blanks and colons")
		}
		at = "feeds." + f.Name + "."
		if names[f.Name] {
			return bad(at+"name", f.Name, "each feed has a name of its own")
		}
		names[f.Name] = true
		for _, s := range c.Sources {
			if s.Name == f.Name {
				return bad(at+"name", f.Name, "a source has this name already")
			}
		}
		if sum, err := hex.DecodeString(f.Sum); err != nil || f.Sum != "" && len(sum) != 32 {
			return bad(at+"sha256", f.Sum, "it is a SHA-256 in 64 hex digits")
		}
		if f.Sum != "" && f.SumURL != "" || f.Sum+f.SumURL != "" && f.URL+f.URLEnv == "" {
			return bad(at+"sha256", f.Sum, "a list with an address has one checksum: sha256, or sha256_url")
		}
		from := 0
		for _, origin := range []string{f.URL + f.URLEnv, f.File, f.CrowdSec, f.Fail2ban} {
			if origin != "" {
				from++
			}
		}
		if from != 1 || f.URL != "" && f.URLEnv != "" {
			return bad(at+"url", f.URL, "it comes from one of url, url_env, file, crowdsec and fail2ban")
		}
		for key, address := range map[string]string{"url": f.URL, "crowdsec": f.CrowdSec, "sha256_url": f.SumURL} {
			if address != "" && !fetchable(address) {
				return bad(at+key, "…", "it is an https address, or http on loopback")
			}
		}
		if err := (feeds.Format{Kind: f.Format}).Check(); err != nil {
			return bad(at+"format", f.Format, err.Error())
		}
		if err := (feeds.Format{Column: f.Column}).Check(); err != nil {
			return bad(at+"column", f.Column, err.Error())
		}
		if f.CrowdSec != "" && (f.KeyEnv == "") == (f.KeyFile == "") {
			return bad(at+"key_env", f.KeyEnv, "name the variable (key_env) or the file (key_file) that has the bouncer's key, one of the two")
		}
		for _, n := range []struct {
			key   string
			value int64
		}{{"every", int64(f.Every)}, {"block", int64(f.Block)}, {"fresh", int64(f.Fresh)}, {"hold", int64(f.Hold)}, {"min", int64(least(f.Min, 1))}, {"max", int64(f.Max)}, {"grow", int64(f.Grow)}, {"shrink", int64(f.Shrink)}, {"max_bytes", f.MaxBytes}} {
			if n.value < 0 {
				return bad(at+n.key, fmt.Sprint(n.value), "it is not negative")
			}
		}
		if every := cmp.Or(f.Every, time.Hour); every < time.Second || cmp.Or(f.Block, 24*time.Hour) < 2*every {
			return bad(at+"block", cmp.Or(f.Block, 24*time.Hour).String(), "it is at least twice every: blocks are prolonged by readings")
		}
		f.File, f.Fail2ban, f.KeyFile = c.withinIf(f.File), c.withinIf(f.Fail2ban), c.withinIf(f.KeyFile)
	}
	return nil
}

func (c *Config) withinIf(path string) string {
	if path == "" {
		return ""
	}
	return c.within(path)
}

// feeds are the configured feeds, ready to be read. Only a fwsync run streams: the
// engine remembers one reader for each key, and others would take its changes away.
func (c *Config) feeds(stays bool) []reconcile.Feed {
	widest := new(limitFlags).limits(c.Limits)
	all := make([]reconcile.Feed, len(c.Feeds))
	for i, f := range c.Feeds {
		feed := feeds.Feed{
			Name: f.Name, From: f.origin(stays), Every: f.Every, Block: f.Block, Fresh: f.Fresh, Min: least(f.Min, 1), Max: f.Max, Grow: f.Grow, Shrink: f.Shrink,
			Widest4: widest.WidestIPv4, Widest6: widest.WidestIPv6,
		}
		if f.CrowdSec != "" || f.Fail2ban != "" {
			// What an engine bans may be nobody, and under an attack many at once.
			feed.Min, feed.Leap = least(f.Min, 0), engineLeap
		}
		if feed.Min == 0 {
			feed.Min = -1 // 0 stands for a default
		}
		all[i] = reconcile.Feed{Score: f.Score, Hold: f.Hold, Feed: feed.Defaulted()}
	}
	return all
}

func least(configured *int, otherwise int) int {
	if configured == nil {
		return otherwise
	}
	return *configured
}

// engineLeap is as many bans as an engine may add between two readings, whatever there were.
const engineLeap = 1000

// origin is where a feed comes from.
func (f FeedConfig) origin(stays bool) feeds.Origin {
	format := feeds.Format{Kind: f.Format, Column: f.Column, Path: f.Path}
	switch {
	case f.File != "":
		return feeds.File{Path: f.File, Format: format, MaxBytes: f.MaxBytes}
	case f.Fail2ban != "":
		return feeds.Fail2ban{Path: f.Fail2ban, Jails: f.Jails, Now: time.Now}
	case f.CrowdSec != "":
		return &feeds.CrowdSec{URL: f.CrowdSec, Key: f.key, Scenarios: f.Scenarios, Origins: f.Origins, Stream: f.Stream && stays, MaxBytes: f.MaxBytes, Now: time.Now}
	}
	address := f.URL
	if f.URLEnv != "" {
		if address = os.Getenv(f.URLEnv); !fetchable(address) {
			return unready{fmt.Sprintf("the variable %s has no https address, and no http address on loopback", f.URLEnv)}
		}
	}
	return feeds.Web{URL: address, Sum: f.Sum, SumURL: f.SumURL, Format: format, MaxBytes: f.MaxBytes}
}

// key is the key of a CrowdSec bouncer.
func (f FeedConfig) key() (string, error) {
	key := os.Getenv(f.KeyEnv)
	if f.KeyFile != "" {
		text, err := os.ReadFile(f.KeyFile)
		if err != nil {
			return "", err
		}
		key = strings.TrimSpace(string(text))
	}
	if key == "" {
		return "", fmt.Errorf("%s is empty", cmp.Or(f.KeyFile, f.KeyEnv))
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("%s has more than a key in it", cmp.Or(f.KeyFile, f.KeyEnv))
	}
	return key, nil
}

// fetchable reports whether a list may be fetched from there.
func fetchable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && (loopback(u.Host) || loopback(u.Host+":80"))
}

// unready is the origin of a feed that cannot be read, and why. It holds up no other.
type unready struct{ why string }

func (u unready) Place() string { return "" }

func (u unready) Read(context.Context, json.RawMessage) (feeds.List, error) {
	return feeds.List{}, errors.New(u.why)
}

// knownFeeds refuses names of no feed.
func knownFeeds(all []reconcile.Feed, names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(all, func(f reconcile.Feed) bool { return f.Name == name }) {
			return withHint(fmt.Errorf("there is no feed %q", name), "the feeds are in fwsync.yaml")
		}
	}
	return nil
}
