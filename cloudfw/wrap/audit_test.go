package wrap

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fwsync/cloudfw"
)

func TestEveryStepLeavesOneRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			err  error
			want Record
		}{
			{nil, Record{Outcome: Done}},
			{&cloudfw.Error{Op: "DeleteAddressBook", Kind: cloudfw.Conflict, Code: "ErrorAddressGroupReference", Message: "text of the vendor", RequestID: "REQ-1"},
				Record{Outcome: "conflict", Code: "ErrorAddressGroupReference", RequestID: "REQ-1"}},
			{errors.New(`Post "https://vendor/?AccessKeyId=LTAI-secret": EOF`), Record{Outcome: Failed}},
		} {
			f := &fake{execute: func(context.Context, cloudfw.Step) error { time.Sleep(3 * time.Second); return c.err }}
			var got []Record
			a := Audit(f, func(r Record) { got = append(got, r) })
			c.want.At, c.want.Took = time.Now().UTC(), 3*time.Second
			c.want.Op, c.want.Target, c.want.Subject, c.want.Reason = cloudfw.DeleteBook, "internet-firewall", "blocked4-1", "a decision ended"
			if err := a.Execute(t.Context(), step("blocked4-1")); !errors.Is(err, c.err) {
				t.Errorf("got %v, want %v", err, c.err)
			}
			if len(got) != 1 || got[0] != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		}
	})
}

// Promise P14: what an error's text may hold does not reach the audit.
func TestP14RecordsHoldNoTextOfErrors(t *testing.T) {
	var out bytes.Buffer
	lines := NewLines(&out)
	for _, err := range []error{
		errors.New(`Post "https://vendor/?AccessKeyId=LTAI-secret": EOF`),
		&cloudfw.Error{Op: "x", Kind: cloudfw.Denied, Code: "NoPermission", Message: "key LTAI-secret may not"},
	} {
		a := Audit(&fake{execute: func(context.Context, cloudfw.Step) error { return err }}, lines.Write)
		_ = a.Execute(t.Context(), step("b"))
	}
	if text := out.String(); strings.Contains(text, "secret") || strings.Count(text, "\n") != 2 {
		t.Errorf("recorded %q", text)
	}
}

// chunks is a writer that must not be used by two at a time and keeps what it got.
type chunks struct{ got [][]byte }

func (c *chunks) Write(p []byte) (int, error) {
	c.got = append(c.got, bytes.Clone(p))
	return len(p), nil
}

func TestLinesOfManyWritersStayWhole(t *testing.T) {
	w := &chunks{}
	lines := NewLines(w)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			a := Audit(&fake{}, lines.Write)
			for range 50 {
				_ = a.Execute(t.Context(), step("two\nlines"))
			}
		})
	}
	wg.Wait()
	if len(w.got) != 400 || lines.Err() != nil {
		t.Fatalf("%d lines, %v", len(w.got), lines.Err())
	}
	for _, line := range w.got {
		var r Record
		if err := json.Unmarshal(line, &r); err != nil || r.Subject != "two\nlines" || bytes.Count(line, []byte("\n")) != 1 {
			t.Fatalf("%q: %v", line, err)
		}
	}
}

type full struct{ writes int }

func (f *full) Write([]byte) (int, error) { f.writes++; return 0, errors.New("no space left") }

func TestAFullDiskStopsTheLinesAndIsSaid(t *testing.T) {
	w := &full{}
	lines := NewLines(w)
	lines.Write(Record{Op: cloudfw.DeleteBook})
	lines.Write(Record{Op: cloudfw.DeleteRule})
	if err := lines.Err(); err == nil || !strings.Contains(err.Error(), "delete book") || !strings.Contains(err.Error(), "no space") || w.writes != 1 {
		t.Errorf("got %v after %d writes", err, w.writes)
	}
}
