package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/ledger/postgres"
	"fwsync/ledger/sqlite"
	"fwsync/policies"
)

// bundleSchema is the version of a bundle.
const bundleSchema = "fwsync.bundle/v1"

// mostBundleBytes bounds what is read of a bundle.
const mostBundleBytes = 64 << 20

// bundle is what the start of an incident needs, made in peace time: where the clouds
// are, the policies, and the ranges that must never be blocked. It holds no secret:
// credentials are found as always, and of the ledger only the place of a file.
type bundle struct {
	Schema    string           `json:"schema"`
	Digest    string           `json:"digest"` // of all that follows; tells a damaged file, and is no signature
	MadeAt    time.Time        `json:"made_at"`
	MadeBy    string           `json:"made_by"`
	Owner     string           `json:"owner"`
	State     string           `json:"state"`            // folder, to see whether a fwsync run is at work
	Ledger    string           `json:"ledger,omitempty"` // a file; empty for a server
	Operator  []string         `json:"operator,omitempty"`
	Clouds    []CloudConfig    `json:"clouds"`
	Limits    LimitsConfig     `json:"limits"`
	Protected []cloudfw.Exempt `json:"protected,omitempty"`
	Policies  []bundledFile    `json:"policies"`
}

type bundledFile struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

func newIncidentBundle(g *global) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "bundle",
		Short: "save what a start needs, for the day when the ledger or the policies are gone",
		Long: `Writes one file with the policies, the owner, where the clouds are and the ranges that
must never be blocked, as they are now. Credentials are not in it. With it the commands
start, status, extend and undo work without fwsync.yaml, policies and ledger:
what a start changes is then kept in a file beside the bundle, from which undo works.

Make it anew whenever the policies have changed, and keep it where the host's end does
not take it along.`,
		Example: `  fwsync incident bundle --out peace.bundle
  fwsync incident start smtp-storm --for 2h --reason "host lost" --bundle peace.bundle
  fwsync incident undo smtp-storm --bundle peace.bundle`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return withHint(errors.New("the bundle needs a file"), "name it: --out peace.bundle")
			}
			b, err := newBundle(g)
			if err != nil {
				return err
			}
			if err := b.save(out); err != nil {
				return fmt.Errorf("saving the bundle: %w", err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s, %s, owner %s\n", out, plural(len(b.Policies), "policy file"), plural(len(b.Clouds), "cloud"), b.Owner)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write the bundle to this `file`")
	return cmd
}

func registerBundle(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVar(path, "bundle", "", "work from this `file` of peace time, without configuration, policies and ledger")
}

// newBundle gathers what is there, and refuses what a start could not use.
func newBundle(g *global) (*bundle, error) {
	config, err := loadConfig(g.config)
	if err != nil {
		return nil, err
	}
	policy, err := loadPolicy(config.Policies, config.cloudNames()...)
	if err != nil {
		return nil, err
	}
	if len(policy.Incidents) == 0 {
		return nil, withHint(errors.New("the policies declare no incident"), "declare some under incidents: first (docs/incidents.md)")
	}
	files, err := policies.Files(config.Policies)
	if err != nil {
		return nil, fmt.Errorf("reading the policies: %w", err)
	}
	b := &bundle{
		Schema: bundleSchema, MadeAt: time.Now().UTC().Truncate(time.Second), MadeBy: author(), Owner: config.Owner,
		Operator: config.Operator, Clouds: config.Clouds, Limits: config.Limits,
	}
	if b.State, err = filepath.Abs(config.State); err != nil {
		return nil, err
	}
	if !postgres.IsURL(config.Ledger) {
		if b.Ledger, err = filepath.Abs(config.Ledger); err != nil {
			return nil, err
		}
	}
	for i := range b.Clouds {
		if b.Clouds[i].Simulator.State, err = filepath.Abs(b.Clouds[i].Simulator.State); err != nil {
			return nil, err
		}
	}
	if b.Protected, err = protectedRanges(config.Protect, true); err != nil {
		return nil, err
	}
	for _, f := range files {
		b.Policies = append(b.Policies, bundledFile{filepath.Base(f.Name), string(f.Data)})
	}
	b.Digest = b.digest()
	return b, nil
}

// digest hashes everything but itself.
func (b *bundle) digest() string {
	plain := *b
	plain.Digest = ""
	text, err := json.Marshal(plain)
	if err != nil {
		panic("a bundle is plain data and always marshals: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// save writes the bundle whole or not at all, readable by its owner only.
func (b *bundle) save(path string) error {
	var text bytes.Buffer
	if err := writeJSON(&text, b); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".bundle-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(text.Bytes())
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// readBundle reads a bundle strictly.
func readBundle(path string) (*bundle, error) {
	const again = "make it anew where fwsync.yaml is: fwsync incident bundle --out FILE"
	file, err := os.Open(path)
	if err != nil {
		return nil, withHint(fmt.Errorf("reading the bundle: %w", err), again)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, mostBundleBytes))
	if err != nil {
		return nil, fmt.Errorf("reading the bundle: %w", err)
	}
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil || head.Schema != bundleSchema {
		return nil, withHint(fmt.Errorf("%q is no bundle that this fwsync reads: its schema is %q, not %q", path, head.Schema, bundleSchema), again)
	}
	b := &bundle{}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(b); err != nil {
		return nil, withHint(fmt.Errorf("%q is no bundle: %w", path, err), again)
	}
	if b.Digest != b.digest() {
		return nil, withHint(fmt.Errorf("the bundle %q is damaged or was edited: its content does not match its digest", path), again)
	}
	return b, nil
}

// openIncidents is open for the commands about incidents, which may work from a bundle.
func openIncidents(cmd *cobra.Command, g *global, path string, writer bool) (*work, error) {
	if path == "" {
		if cmd.Flags().Changed("bundle") {
			return nil, withHint(errors.New("--bundle names no file"), "name the one that fwsync incident bundle has made")
		}
		return open(cmd.Context(), g, writer)
	}
	b, err := readBundle(path)
	if err != nil {
		return nil, err
	}
	begins := writer && cmd.Name() != "undo"
	beside := func() {}
	if writer {
		// What was begun from a bundle may be undone from it, whatever is well again since:
		// then as the one writer of that installation.
		if beside, err = b.besides(cmd.Context(), begins); err != nil {
			return nil, err
		}
	}
	w, err := b.open(cmd.Context(), path, writer)
	if err != nil {
		beside()
		return nil, err
	}
	w.beside = beside
	if begins {
		fmt.Fprintf(cmd.ErrOrStderr(), `fwsync: working from the bundle of %s, not from the ledger: what is changed is kept in
  %s, and undo needs that file: fwsync incident undo NAME --bundle %s
  Any other fwsync of owner %s would take the rules away again: see that none is at work.
`, clock(b.MadeAt), bundleLedger(path), path, b.Owner)
	}
	return w, nil
}

// bundleLedger is where a start from a bundle keeps what it changed.
func bundleLedger(path string) string { return path + ".ledger" }

// besides looks for the installation that the bundle is of. Where it works nothing may
// begin from a bundle: its ledger would not know of the incident, and its next pass would
// end it. Otherwise its lease is taken, which release gives back.
func (b *bundle) besides(ctx context.Context, begins bool) (release func(), err error) {
	const plain = "leave --bundle out: the incident belongs into the ledger there is"
	nothing := func() {}
	if address, err := os.ReadFile(addressFile(&Config{State: b.State})); err == nil && begins {
		return nothing, withHint(fmt.Errorf("a fwsync run is at work here, at %s", bytes.TrimSpace(address)), plain+"; or stop it first")
	}
	if _, err := os.Stat(b.Ledger); b.Ledger == "" || err != nil {
		return nothing, nil
	}
	store, err := sqlite.Open(ctx, b.Ledger, sqlite.Options{})
	if err != nil {
		return nothing, nil // that is what bundles are for
	}
	if begins {
		_ = store.Close()
		return nothing, withHint(fmt.Errorf("the ledger %q is there and well", b.Ledger), plain)
	}
	lease, err := store.Acquire(ctx, ledger.Claim{Holder: holder()})
	if err != nil {
		_ = store.Close()
		return nothing, err
	}
	return func() { _, _ = lease.Close(), store.Close() }, nil
}

// open opens the installation that the bundle is of, with a ledger of its own.
func (b *bundle) open(ctx context.Context, path string, writer bool) (w *work, err error) {
	w = &work{protected: b.Protected}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	w.config = &Config{Owner: b.Owner, State: filepath.Dir(path), Ledger: bundleLedger(path), Operator: b.Operator, Clouds: b.Clouds, Limits: b.Limits, file: path}
	var files []policies.File
	for _, f := range b.Policies {
		files = append(files, policies.File{Name: f.Name, Data: []byte(f.Text)})
	}
	if w.policy, err = policies.Parse(files, policyOptions(w.config.cloudNames()...)); err != nil {
		return w, err
	}
	if w.store, err = openLedger(ctx, w.config); err != nil {
		return w, err
	}
	if writer {
		if err = w.acquire(ctx); err != nil {
			return w, err
		}
	}
	w.clouds, err = openClouds(ctx, w.config, lease{w.held, w.token})
	return w, err
}
