package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"fwsync/ledger"
	"fwsync/policies"
)

// record is one line of the audit trail, but for its hash, which stands behind it: the
// SHA-256 of the line up to there. Each names the hash before it, so that no line can be
// changed, taken out or put in without all after it.
type record struct {
	N    int64     `json:"n"`
	Kind string    `json:"kind"` // decision, plan, call; end is the last line
	At   time.Time `json:"at"`
	Data any       `json:"data"`
	Prev string    `json:"prev"` // 64 zeros before the first
}

const (
	hashKey    = `,"hash":"`
	hashLength = 2 * sha256.Size
)

func newExport(g *global) *cobra.Command {
	var since, out string
	var verify bool
	cmd := &cobra.Command{
		Use:   "export",
		Short: "the audit trail as JSON lines in a chain of hashes",
		Long: `Writes every decision, applied plan and call, oldest first, one JSON object a line. Each
line ends with the hash of itself, and holds the hash of the line before; the last one
says how many there are. Keep the last hash elsewhere, and nobody can change the file
unseen. The same ledger gives the same file.

--verify FILE checks such a file.`,
		Example: `  fwsync export --out audit.jsonl
  fwsync export --verify audit.jsonl`,
		Args: func(cmd *cobra.Command, args []string) error {
			if verify {
				return cobra.ExactArgs(1)(cmd, args)
			}
			return cobra.NoArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if verify {
				return verifyFile(cmd, args[0])
			}
			var from time.Time
			if since != "" {
				d, err := policies.ParseDuration(since)
				if err != nil || d <= 0 {
					return withHint(fmt.Errorf("--since %q is no time that has passed", since), "write 30m, 24h or 7d")
				}
				from = time.Now().Add(-d)
			}
			return withLedger(cmd.Context(), g, func(_ *Config, store ledger.Store) error {
				if out == "" {
					_, err := export(cmd.Context(), store, from, cmd.OutOrStdout())
					return err
				}
				file, err := os.OpenFile(out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
				if err != nil {
					return withHint(fmt.Errorf("writing the audit trail: %w", err), "name a file that does not exist yet")
				}
				n, err := export(cmd.Context(), store, from, file)
				if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
					return err
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "fwsync: %s in %s\n", plural(int(n), "record"), out)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&since, "since", "", "only what began in this `duration`")
	cmd.Flags().StringVar(&out, "out", "", "`file` to write, which must not exist; else stdout")
	cmd.Flags().BoolVar(&verify, "verify", false, "check the chain of the file that is named")
	return cmd
}

// chain writes records.
type chain struct {
	to   *bufio.Writer
	n    int64
	prev string
}

func (c *chain) add(kind string, at time.Time, data any) error {
	c.n++
	body, err := json.Marshal(record{c.n, kind, at.UTC(), data, c.prev})
	if err != nil {
		return err
	}
	body = body[:len(body)-1] // the brace comes behind the hash
	sum := sha256.Sum256(body)
	c.prev = hex.EncodeToString(sum[:])
	_, err = fmt.Fprintf(c.to, "%s%s%s\"}\n", body, hashKey, c.prev)
	return err
}

// export writes the trail and returns the number of its records.
func export(ctx context.Context, store ledger.Store, since time.Time, to io.Writer) (int64, error) {
	decisions, err := store.Decisions(ctx, time.Time{})
	if err != nil {
		return 0, err
	}
	plans, err := every(func(p ledger.Past) ([]ledger.AppliedPlan, error) { return store.PastPlans(ctx, p) }, func(p ledger.AppliedPlan) int64 { return p.Seq })
	if err != nil {
		return 0, err
	}
	calls, err := every(func(p ledger.Past) ([]ledger.JournalEntry, error) { return store.PastEntries(ctx, p) }, func(e ledger.JournalEntry) int64 { return e.Seq })
	if err != nil {
		return 0, err
	}
	type item struct {
		at    time.Time
		order int
		id    int64
		kind  string
		data  any
	}
	var all []item
	for _, d := range decisions {
		all = append(all, item{d.Start, 0, d.ID, "decision", d})
	}
	for _, p := range plans {
		all = append(all, item{p.StartedAt, 1, p.Seq, "plan", p})
	}
	for _, e := range calls {
		all = append(all, item{e.At, 2, e.Seq, "call", e})
	}
	slices.SortFunc(all, func(a, b item) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		if a.order != b.order {
			return a.order - b.order
		}
		return int(a.id - b.id)
	})
	c := chain{to: bufio.NewWriter(to), prev: zeroHash}
	for _, i := range all {
		if i.at.Before(since) {
			continue
		}
		if err := c.add(i.kind, i.at, i.data); err != nil {
			return c.n, err
		}
	}
	n := c.n
	last := time.Time{}
	if len(all) > 0 {
		last = all[len(all)-1].at
	}
	if err := c.add("end", last, map[string]int64{"records": n}); err != nil {
		return n, err
	}
	return n, c.to.Flush()
}

const zeroHash = "0000000000000000000000000000000000000000000000000000000000000000"

// every reads all pages of the past.
func every[T any](page func(ledger.Past) ([]T, error), seq func(T) int64) (all []T, err error) {
	for p := (ledger.Past{Limit: 10_000}); ; {
		found, err := page(p)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
		if len(found) < p.Limit {
			return all, nil
		}
		p.Before = seq(found[len(found)-1])
	}
}

func verifyFile(cmd *cobra.Command, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening the audit trail: %w", err)
	}
	defer func() { _ = file.Close() }()
	n, head, err := verifyChain(file)
	if err != nil {
		return withHint(fmt.Errorf("%s: %w", path, err), "the file is not as it was exported; export it again and compare")
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: whole, %s, last hash %s\n", path, plural(int(n), "record"), head)
	return err
}

// verifyChain returns the number of records and the last hash, or where the chain breaks.
func verifyChain(r io.Reader) (records int64, head string, err error) {
	head = zeroHash
	ended := false
	lines := bufio.NewReader(r)
	for n := int64(1); ; n++ {
		line, err := lines.ReadBytes('\n')
		if len(line) == 0 && errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return records, head, err
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		cut := len(line) - len(hashKey) - hashLength - len(`"}`)
		if ended || cut < 0 || !bytes.HasPrefix(line[cut:], []byte(hashKey)) || !bytes.HasSuffix(line, []byte(`"}`)) {
			return records, head, fmt.Errorf("line %d is no record of a chain, or stands behind its end", n)
		}
		sum := sha256.Sum256(line[:cut])
		is := string(line[cut+len(hashKey):][:hashLength])
		var rec record
		var count struct {
			Records int64 `json:"records"`
		}
		rec.Data = &count
		if hex.EncodeToString(sum[:]) != is {
			return records, head, fmt.Errorf("line %d was changed: its hash is another", n)
		}
		if err := json.Unmarshal(append(slices.Clone(line[:cut]), '}'), &rec); err != nil {
			return records, head, fmt.Errorf("line %d: %w", n, err)
		}
		if rec.Prev != head || rec.N != n {
			return records, head, fmt.Errorf("before line %d something is missing or was put in", n)
		}
		if head = is; rec.Kind == "end" {
			if ended = true; count.Records != records {
				return records, head, fmt.Errorf("line %d says %d records, there are %d", n, count.Records, records)
			}
			continue
		}
		records++
	}
	if !ended {
		return records, head, errors.New("its end is missing")
	}
	return records, head, nil
}
