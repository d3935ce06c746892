package reconcile

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/sync/plan"
)

// FileSchema is the version of the plan file.
const FileSchema = "fwsync.planfile/v4"

// mostFileBytes bounds what is read of a plan file.
const mostFileBytes = 256 << 20

// PlanFile is what a person reviewed: a plan for each cloud, and the decisions that
// they enforce and that are not in the ledger yet. It is bound to the world it saw:
// owner, accounts, policies and every object read (promise P8). The same input gives
// the same bytes: sorted, one item a line.
type PlanFile struct {
	Schema    string            `json:"schema"`
	Digest    string            `json:"digest"` // of all that follows; tells an edited file, and is no signature
	Plans     []CloudPlan       `json:"plans"`
	Decisions []ledger.Decision `json:"decisions"`
	Rollback  *Rollback         `json:"rollback,omitempty"` // that the decisions come from
}

// CloudPlan is the plan for one cloud.
type CloudPlan struct {
	Cloud   string    `json:"cloud"`             // its title
	Account string    `json:"account,omitempty"` // whose it is, as the cloud says
	Plan    plan.Plan `json:"plan"`
	Objects []Object  `json:"objects"` // all that the plan was made from
}

// File makes the plan file of a preview without failures. It asks each cloud whose
// account it is.
func (l *Look) File(ctx context.Context, r Report, fresh []ledger.Decision) (PlanFile, error) {
	f := PlanFile{Schema: FileSchema, Decisions: slices.Clone(fresh)}
	sortDecisions(f.Decisions)
	for i, c := range r.Each() {
		account, err := l.Clouds[i].account(ctx)
		if err != nil {
			return PlanFile{}, err
		}
		f.Plans = append(f.Plans, CloudPlan{c.Cloud, account, c.Plan, Objects(c.live)})
	}
	// Once through JSON, so that what is written is what a reader will make of it.
	text, err := json.Marshal(f)
	if err != nil {
		return PlanFile{}, err
	}
	var read PlanFile
	if err := json.Unmarshal(text, &read); err != nil {
		return PlanFile{}, err
	}
	read.Digest = read.digest()
	return read, nil
}

// RollbackFile makes the plan file of the preview of a rollback.
func (l *Look) RollbackFile(ctx context.Context, r Report, back Rollback) (PlanFile, error) {
	f, err := l.File(ctx, r, back.Changes)
	if err != nil {
		return PlanFile{}, err
	}
	f.Rollback = &back
	f.Digest = f.digest()
	return f, nil
}

func sortDecisions(all []ledger.Decision) {
	slices.SortStableFunc(all, func(a, b ledger.Decision) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cloudfw.ComparePrefixes(a.Prefix, b.Prefix), cmp.Compare(a.Rule, b.Rule), a.Start.Compare(b.Start))
	})
}

// account asks whose the cloud is; empty where nobody can tell.
func (c Cloud) account(ctx context.Context) (string, error) {
	if c.Identity == nil {
		return "", nil
	}
	id, err := c.Identity(ctx)
	if err != nil {
		return "", fmt.Errorf("asking whose account %s is: %w", c.Title, err)
	}
	return id, nil
}

// digest hashes everything but itself.
func (f PlanFile) digest() string {
	f.Digest = ""
	var text bytes.Buffer
	if err := f.Write(&text); err != nil {
		panic("reconcile: a plan file is plain data and always marshals: " + err.Error())
	}
	sum := sha256.Sum256(text.Bytes())
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Write writes the file's JSON form.
func (f PlanFile) Write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(f)
}

// FileError is the error of something that is no plan file that this fwsync can use.
type FileError struct{ Reason, Advice string }

func (e *FileError) Error() string { return e.Reason }

// Hint says what to do about it.
func (e *FileError) Hint() string { return cmp.Or(e.Advice, "make a new one: fwsync plan --out FILE") }

var versioned = regexp.MustCompile(`^fwsync\.planfile/v([0-9]+)$`)

// ReadPlanFile reads a plan file strictly. The errors are *FileError, or the
// reader's.
func ReadPlanFile(r io.Reader) (PlanFile, error) {
	data, err := io.ReadAll(io.LimitReader(r, mostFileBytes+1))
	switch {
	case err != nil:
		return PlanFile{}, err
	case len(data) > mostFileBytes:
		return PlanFile{}, &FileError{Reason: fmt.Sprintf("this is not a plan file: it has more than %d MiB", mostFileBytes>>20)}
	}
	// The version first: a newer file may have what this fwsync does not know.
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return PlanFile{}, notAPlan(err)
	}
	if head.Schema != FileSchema {
		return PlanFile{}, otherVersion(head.Schema)
	}
	var f PlanFile
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		return PlanFile{}, notAPlan(err)
	}
	if len(f.Plans) == 0 {
		return PlanFile{}, &FileError{Reason: "the plan file holds no plan"}
	}
	edited := f.Digest != f.digest()
	for _, p := range f.Plans {
		if p.Plan.Schema != plan.Schema {
			return PlanFile{}, &FileError{Reason: fmt.Sprintf("the plan has schema %q, this fwsync reads %q", p.Plan.Schema, plan.Schema)}
		}
		edited = edited || !p.Plan.Intact()
	}
	if edited {
		return PlanFile{}, &FileError{Reason: "the plan file was edited: its content does not match its digest", Advice: "change the policies or the decisions instead, then make a new one: fwsync plan --out FILE"}
	}
	return f, nil
}

func notAPlan(err error) error {
	reason := "this is not a plan file: " + err.Error()
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		reason += fmt.Sprintf(" (at byte %d)", syntax.Offset)
	}
	return &FileError{Reason: reason}
}

// otherVersion tells newer files from older ones and from something else.
func otherVersion(schema string) error {
	own, _ := strconv.Atoi(versioned.FindStringSubmatch(FileSchema)[1])
	m := versioned.FindStringSubmatch(schema)
	if m == nil {
		return &FileError{Reason: fmt.Sprintf("this is not a plan file: its schema is %q, not %q", schema, FileSchema)}
	}
	if version, err := strconv.Atoi(m[1]); err == nil && version < own {
		return &FileError{Reason: fmt.Sprintf("the plan file was made by an older fwsync: its format is v%s, this fwsync reads v%d", m[1], own)}
	}
	return &FileError{
		Reason: fmt.Sprintf("the plan file was made by a newer fwsync: its format is v%s, this fwsync reads v%d", m[1], own),
		Advice: "update fwsync here, or make the plan with this one: fwsync plan --out FILE",
	}
}
