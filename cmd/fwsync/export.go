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
)

// record is one line of the audit trail, but for its hash, which stands behind it: the
// SHA-256 of the line up to there. Each names the hash before it, so that no line can be
// changed, taken out or put in without all after it.
type record struct {
	N    int64     `json:"n"`
	Kind string    `json:"kind"` // decision, incident, plan, call; end is the last line
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
		Long: `Writes every decision, incident, applied plan and call, oldest first, one JSON object a line. Each
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
			from, err := sinceOf(since)
			if err != nil {
				return err
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
	cmd.Flags().StringVar(&since, "since", "", "only what was made, begun or taken back in this `duration`")
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

// export writes the trail and returns the number of its records. It reads the ledger in
// pages: of any number of decisions a few thousand are in memory at a time.
func export(ctx context.Context, store ledger.Store, since time.Time, to io.Writer) (int64, error) {
	started, err := store.Incidents(ctx, time.Time{})
	if err != nil {
		return 0, err
	}
	incidents := false
	parts := []*stream{
		{kind: "decision", more: pages(store.PastDecisions, ctx, func(d ledger.Decision) (int64, time.Time, bool) { return d.ID, d.Made(), d.Touched(since) })},
		{kind: "incident", more: func() ([]item, error) { // few, and of people
			var all []item
			for _, i := range started {
				if !incidents && (!i.StartedAt.Before(since) || !i.EndedAt.Before(since)) {
					all = append(all, item{i.StartedAt, i})
				}
			}
			incidents = true
			return all, nil
		}},
		{kind: "plan", more: pages(store.PastPlans, ctx, func(p ledger.AppliedPlan) (int64, time.Time, bool) {
			return p.Seq, p.StartedAt, !p.StartedAt.Before(since)
		})},
		{kind: "call", more: pages(store.PastEntries, ctx, func(e ledger.JournalEntry) (int64, time.Time, bool) { return e.Seq, e.At, !e.At.Before(since) })},
	}
	c := chain{to: bufio.NewWriter(to), prev: zeroHash}
	last := time.Time{}
	for {
		next, err := earliest(parts)
		if err != nil {
			return c.n, err
		}
		if next == nil {
			break
		}
		if last = next.ready[0].at; ctx.Err() != nil {
			return c.n, ctx.Err()
		}
		if err := c.add(next.kind, last, next.ready[0].data); err != nil {
			return c.n, err
		}
		next.ready = next.ready[1:]
	}
	n := c.n
	if err := c.add("end", last, map[string]int64{"records": n}); err != nil {
		return n, err
	}
	return n, c.to.Flush()
}

// stream is one sort of record, in the order in which they were stored.
type stream struct {
	kind  string
	ready []item
	more  func() ([]item, error) // none: that was all
}

type item struct {
	at   time.Time
	data any
}

// earliest is the stream whose next record is the earliest one; of two the first. nil:
// all are at their end.
func earliest(streams []*stream) (first *stream, err error) {
	for _, s := range streams {
		if len(s.ready) == 0 {
			if s.ready, err = s.more(); err != nil {
				return nil, err
			}
		}
		if len(s.ready) > 0 && (first == nil || s.ready[0].at.Before(first.ready[0].at)) {
			first = s
		}
	}
	return first, nil
}

const exportPage = 2_000

// pages reads one sort of record, oldest first, and keeps those that are wanted.
func pages[T any](read func(context.Context, ledger.Past) ([]T, error), ctx context.Context, about func(T) (number int64, at time.Time, wanted bool)) func() ([]item, error) {
	page, ended := ledger.Past{Oldest: true, Limit: exportPage}, false
	return func() (items []item, err error) {
		for len(items) == 0 && !ended {
			found, err := read(ctx, page)
			if err != nil {
				return nil, err
			}
			for _, one := range found {
				number, at, wanted := about(one)
				if page.After = number; wanted {
					items = append(items, item{at, one})
				}
			}
			ended = len(found) < page.Limit
		}
		return items, nil
	}
}

const zeroHash = "0000000000000000000000000000000000000000000000000000000000000000"

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
