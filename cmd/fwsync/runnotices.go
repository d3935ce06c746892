package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"

	"fwsync/ledger"
	"fwsync/notify"
	"fwsync/sync/reconcile"
)

// teller sends what the passes of a fwsync run come to. It never waits for a channel.
type teller struct {
	log    *slog.Logger
	file   string
	rules  notify.Rules
	told   notify.Told
	sender *notify.Sender // nil without channels
}

func newTeller(c *Config, log *slog.Logger) *teller {
	t := &teller{log: log, file: filepath.Join(c.State, "notices.json"), rules: c.noticeRules()}
	if len(c.Notices) == 0 {
		return t
	}
	var err error
	if t.told, err = readTold(t.file); err != nil {
		log.Warn("notices", "error", err)
	}
	routes, err := c.routes()
	if err != nil {
		log.Warn("notices", "error", err)
	}
	t.sender = notify.Start(routes, notify.Options{Origin: origin(c)})
	return t
}

// pass tells what has changed with a pass.
func (t *teller) pass(r reconcile.Report, err error) {
	if t.sender == nil || r.Schema == "" && !errors.Is(err, ledger.ErrFenced) {
		return
	}
	f := facts(r)
	if errors.Is(err, ledger.ErrFenced) {
		f.LeaseLost = append(f.LeaseLost, notify.Fact{Key: "lease", Text: err.Error()})
	}
	events, next := notify.Raise(f, t.told, t.rules)
	for _, e := range events {
		t.sender.Notify(e)
	}
	t.told = next
	if len(events) == 0 {
		return
	}
	if err := keepTold(t.file, next); err != nil {
		t.log.Warn("notices", "error", err)
	}
}

// close gives what is under way a last chance.
func (t *teller) close(ctx context.Context) {
	if t.sender == nil {
		return
	}
	if err := notify.Err(t.sender.Close(ctx)); err != nil {
		t.log.Warn("notices", "error", err)
	}
}
