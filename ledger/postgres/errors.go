package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"fwsync/ledger"

	"github.com/jackc/pgx/v5/pgconn"
)

// failure is an error of the database in words for people. Its text has no secrets.
type failure struct {
	text  string
	hint  string
	named error // ledger.ErrLocked and the like, or nil
	cause error
}

func (f *failure) Error() string { return f.text }

// Hint says what to do next; empty if there is nothing better than the text.
func (f *failure) Hint() string { return f.hint }

// Unwrap keeps what callers ask for by name.
func (f *failure) Unwrap() []error {
	if f.named == nil {
		return []error{f.cause}
	}
	return []error{f.named, f.cause}
}

// explain says what was being done to which ledger, and what a person can do about it.
func (s *Store) explain(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ledger.ErrCorrupt) {
		return fmt.Errorf("%s ledger %q: %w", doing, s.place, ended)
	}
	f := &failure{cause: err}
	what := f.judge(err, s)
	if f.named != nil && !errors.Is(err, f.named) {
		what = f.named.Error() + ": " + what
	}
	f.text = fmt.Sprintf("%s ledger %q: %s", doing, s.place, what)
	return f
}

// judge names the error, chooses the hint and returns the words for it.
func (f *failure) judge(err error, s *Store) string {
	if own, ok := errors.AsType[*failure](err); ok { // with its hint already
		f.hint, f.named = own.hint, own.named
		return own.text
	}
	told, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		if errors.Is(err, context.DeadlineExceeded) || lost(err) {
			f.named = ledger.ErrUnreachable
			f.hint = "check that PostgreSQL runs, and host, port and sslmode of the URL"
			if errors.Is(err, context.DeadlineExceeded) {
				return fmt.Sprintf("no answer within %s", s.timeout)
			}
			if connecting, ok := errors.AsType[*pgconn.ConnectError](err); ok {
				return oneLine(connecting.Unwrap())
			}
		}
		return err.Error()
	}
	words := told.Message
	if told.Detail != "" && told.Code[:2] != "23" { // a constraint's detail has the row
		words += " (" + told.Detail + ")"
	}
	switch told.Code {
	case "28P01", "28000":
		f.hint = "check user and password (in the URL, PGPASSWORD or ~/.pgpass) and the server's pg_hba.conf"
		return "the login was refused: " + words
	case "3D000":
		f.hint = "make the database first: createdb --owner USER NAME"
		return "the database is missing: " + words
	case "42501":
		f.hint = "the user of the URL must own the database or its schema: GRANT CREATE ON DATABASE NAME TO USER"
		return "no permission: " + words
	case "25006":
		f.hint = "this server only reads, like a standby: name the primary, or all of them with target_session_attrs=read-write"
		return words
	case "55P03":
		f.named = ledger.ErrLocked
		return fmt.Sprintf("waited %s: %s", lockTimeout, words)
	case "XX001", "XX002":
		f.named = ledger.ErrCorrupt
	case "42P01", "42703":
		f.named = ledger.ErrCorrupt
		words = "a part of the schema is missing: " + words
	case "53100":
		return "the server's disk is full, nothing was changed: " + words
	case "53300":
		f.named = ledger.ErrUnreachable
		f.hint = "raise the server's max_connections, or lower the hosts' share with pool_max_conns in the URL"
	case "57P01", "57P02", "57P03", "25P03":
		f.named = ledger.ErrUnreachable
		f.hint = "the server is starting, stopping or has cut this connection off: try again"
	}
	return words + " (SQLSTATE " + told.Code + ")"
}

// lost reports whether there was no connection, or none any more.
func lost(err error) bool {
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	_, network := errors.AsType[net.Error](err)
	return connecting || network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "conn closed")
}

// oneLine joins the lines that the driver makes for each address it tried.
func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
