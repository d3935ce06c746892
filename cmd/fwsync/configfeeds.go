package main

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"fwsync/feeds"
	"fwsync/sync/reconcile"
)

// FeedConfig is a list of addresses to block. It comes from one of url, file, crowdsec
// and fail2ban.
type FeedConfig struct {
	Name     string   `yaml:"name" mapstructure:"name"`
	URL      string   `yaml:"url" mapstructure:"url"`           // of a list
	URLEnv   string   `yaml:"url_env" mapstructure:"url_env"`   // variable with the address, where that is a secret
	File     string   `yaml:"file" mapstructure:"file"`         // a list
	CrowdSec string   `yaml:"crowdsec" mapstructure:"crowdsec"` // address of a local API
	Fail2ban string   `yaml:"fail2ban" mapstructure:"fail2ban"` // fail2ban's database
	KeyEnv   string   `yaml:"key_env" mapstructure:"key_env"`   // of CrowdSec: variable with the bouncer's key …
	KeyFile  string   `yaml:"key_file" mapstructure:"key_file"` // … or file
	Stream   bool     `yaml:"stream" mapstructure:"stream"`     // of CrowdSec: only what changes
	Jails    []string `yaml:"jails" mapstructure:"jails"`       // of fail2ban
	Format   string   `yaml:"format" mapstructure:"format"`     // plain, csv, json, jsonl
	Column   string   `yaml:"column" mapstructure:"column"`     // of csv
	Path     string   `yaml:"path" mapstructure:"path"`         // of json
	SumURL   string   `yaml:"sha256_url" mapstructure:"sha256_url"`

	Every    time.Duration `yaml:"every" mapstructure:"every"`
	Block    time.Duration `yaml:"block" mapstructure:"block"`
	Fresh    time.Duration `yaml:"fresh" mapstructure:"fresh"`
	Hold     time.Duration `yaml:"hold" mapstructure:"hold"`
	Min      int           `yaml:"min" mapstructure:"min"`
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
			if address == "" {
				continue
			}
			u, err := url.Parse(address)
			if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(cmp.Or(u.Host, "x")) && !loopback(u.Host+":80")) {
				return bad(at+key, "…", "it is an https address, or http on loopback")
			}
		}
		if err := (feeds.Format{Kind: f.Format}).Check(); err != nil {
			return bad(at+"format", f.Format, err.Error())
		}
		if f.CrowdSec != "" && (f.KeyEnv == "") == (f.KeyFile == "") {
			return bad(at+"key_env", f.KeyEnv, "name the variable (key_env) or the file (key_file) that has the bouncer's key, one of the two")
		}
		for _, n := range []struct {
			key   string
			value int64
		}{{"every", int64(f.Every)}, {"block", int64(f.Block)}, {"fresh", int64(f.Fresh)}, {"hold", int64(f.Hold)}, {"min", int64(f.Min)}, {"max", int64(f.Max)}, {"grow", int64(f.Grow)}, {"shrink", int64(f.Shrink)}, {"max_bytes", f.MaxBytes}} {
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

// feeds are the configured feeds, ready to be read.
func (c *Config) feeds() ([]reconcile.Feed, error) {
	var all []reconcile.Feed
	for _, f := range c.Feeds {
		origin, least, err := f.origin()
		if err != nil {
			return nil, withHint(fmt.Errorf("feed %s: %w", f.Name, err), "docs/feeds.md says how a feed gets its key")
		}
		widest := new(limitFlags).limits(c.Limits)
		all = append(all, reconcile.Feed{
			Score: f.Score, Hold: f.Hold,
			Feed: feeds.Feed{
				Name: f.Name, From: origin, Every: f.Every, Block: f.Block, Fresh: f.Fresh, Min: cmp.Or(f.Min, least), Max: f.Max, Grow: f.Grow, Shrink: f.Shrink,
				Widest4: widest.WidestIPv4, Widest6: widest.WidestIPv6,
			}.Defaulted(),
		})
	}
	return all, nil
}

// origin is where a feed comes from, and how many entries it has at least if nothing
// is said: a list is never empty, the bans of an engine may be.
func (f FeedConfig) origin() (feeds.Origin, int, error) {
	format := feeds.Format{Kind: f.Format, Column: f.Column, Path: f.Path}
	switch {
	case f.File != "":
		return feeds.File{Path: f.File, Format: format, MaxBytes: f.MaxBytes}, 0, nil
	case f.Fail2ban != "":
		return feeds.Fail2ban{Path: f.Fail2ban, Jails: f.Jails, Now: time.Now}, -1, nil
	case f.CrowdSec != "":
		key := os.Getenv(f.KeyEnv)
		if f.KeyFile != "" {
			text, err := os.ReadFile(f.KeyFile)
			if err != nil {
				return nil, 0, fmt.Errorf("reading its key: %w", err)
			}
			key = strings.TrimSpace(string(text))
		}
		if key == "" {
			return nil, 0, fmt.Errorf("its key is empty")
		}
		return &feeds.CrowdSec{URL: f.CrowdSec, Key: key, Stream: f.Stream, Now: time.Now}, -1, nil
	}
	address := f.URL
	if f.URLEnv != "" {
		if address = os.Getenv(f.URLEnv); address == "" {
			return nil, 0, fmt.Errorf("the variable %s with its address is empty", f.URLEnv)
		}
	}
	return feeds.Web{URL: address, SumURL: f.SumURL, Format: format, MaxBytes: f.MaxBytes}, 0, nil
}
