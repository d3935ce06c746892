package main

import (
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"fwsync/detect/maillog"
	"fwsync/sync/reconcile"
)

// EvidenceConfig is what is kept of log lines.
type EvidenceConfig struct {
	Redact bool   `yaml:"redact" mapstructure:"redact"` // keep nothing that tells of people
	Key    string `yaml:"key" mapstructure:"key"`       // of the hashes that stand for accounts; none without one
}

// reading is how the commands read logs: as configured, redacted also where the
// command line asks for it.
func (c *Config) reading(redact bool) reconcile.Reading {
	var r reconcile.Reading
	if redact || c.Evidence.Redact {
		r.Redactor = maillog.NewRedactor(c.Evidence.Key)
	}
	return r
}

// readingHere is reading for a command that needs no configuration.
func readingHere(g *global, redact bool) (reconcile.Reading, error) {
	config, err := loadConfig(g.config)
	if g.config == "" && errors.Is(statConfig(), fs.ErrNotExist) {
		config, err = &Config{Evidence: EvidenceConfig{Key: os.Getenv("FWSYNC_EVIDENCE_KEY")}}, nil
	}
	if err != nil {
		return reconcile.Reading{}, err
	}
	return config.reading(redact), nil
}

func redactFlag(cmd *cobra.Command, redact *bool) {
	cmd.Flags().BoolVar(redact, "redact", false, "show nothing of a line that tells of people: accounts, addresses of mail, names")
}
