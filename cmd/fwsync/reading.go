package main

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"

	"github.com/spf13/cobra"

	"fwsync/detect/geo"
	"fwsync/detect/maillog"
	"fwsync/sync/reconcile"
)

// EvidenceConfig is what is kept of log lines.
type EvidenceConfig struct {
	Redact bool   `yaml:"redact" mapstructure:"redact"` // keep nothing that tells of people
	Key    string `yaml:"key" mapstructure:"key"`       // of the hashes that stand for accounts; none without one
}

// GeoConfig tells where addresses are.
type GeoConfig struct {
	Database string `yaml:"database" mapstructure:"database"` // of countries, in MaxMind's format
}

// countries opens the database.
func (c *GeoConfig) countries() (func(netip.Addr) string, error) {
	db, err := geo.Open(c.Database)
	if err != nil {
		return nil, withHint(err, "geo.database names a file such as GeoLite2-Country.mmdb; download it again if it is damaged")
	}
	return db.Country, nil
}

// reading is how the commands read logs: as configured, redacted also where the
// command line asks for it.
func (c *Config) reading(redact bool) reconcile.Reading {
	var r reconcile.Reading
	if redact || c.Evidence.Redact {
		r.Redactor = maillog.NewRedactor(c.Evidence.Key)
	}
	if c.Geo.Database != "" {
		r.Countries = c.Geo.countries
	}
	return r
}

// configHere is the configuration for a command that needs none: where there is none,
// what the environment says of reading logs.
func configHere(g *global) (*Config, error) {
	if g.config == "" && errors.Is(statConfig(), fs.ErrNotExist) {
		return &Config{Owner: "default", Evidence: EvidenceConfig{Key: os.Getenv("FWSYNC_EVIDENCE_KEY")}, Geo: GeoConfig{os.Getenv("FWSYNC_GEO_DATABASE")}}, nil
	}
	return loadConfig(g.config)
}

// readingHere is reading for a command that needs no configuration.
func readingHere(g *global, redact bool) (reconcile.Reading, error) {
	config, err := configHere(g)
	if err != nil {
		return reconcile.Reading{}, err
	}
	return config.reading(redact), nil
}

func redactFlag(cmd *cobra.Command, redact *bool) {
	cmd.Flags().BoolVar(redact, "redact", false, "show nothing of a line that tells of people: accounts, addresses of mail, names")
}
