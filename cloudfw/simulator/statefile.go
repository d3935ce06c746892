package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// stateFile keeps a State in one JSON file. Writes go to a temporary file that
// is renamed over the old one, so the file is always wholly old or wholly new.
type stateFile struct {
	path   string
	limits Limits
	assume Assumptions
	seen   os.FileInfo // the file as last loaded or saved
}

// load reads the file. A missing file is a nil State.
func (f *stateFile) load() (*State, error) {
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening state file: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading state file: %w", err)
	}
	raw, err := io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("reading state file: %w", err)
	}
	s, err := decodeState(raw)
	if err != nil {
		return nil, fmt.Errorf("reading state file %q: %w", f.path, err)
	}
	if err := s.check(f.limits, f.assume); err != nil {
		return nil, fmt.Errorf("checking state file %q: %w", f.path, err)
	}
	f.seen = info
	return s, nil
}

func decodeState(raw []byte) (*State, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	// A misspelt key in a hand-edited file would otherwise vanish silently.
	d.DisallowUnknownFields()
	var s State
	if err := d.Decode(&s); err != nil {
		return nil, atLine(raw, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more text after the end of the state")
	}
	if s.Version != StateVersion {
		return nil, fmt.Errorf("version %d is not supported, want %d", s.Version, StateVersion)
	}
	s.complete()
	return &s, nil
}

// atLine puts the line in front of a decoding error where the decoder knows it.
func atLine(raw []byte, err error) error {
	offset := int64(-1)
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = e.Offset
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset = e.Offset
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		offset = int64(len(raw))
	}
	if offset < 0 || offset > int64(len(raw)) {
		return err
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(raw[:offset], []byte{'\n'}), err)
}

// changed tells whether somebody replaced or edited the file since it was last seen.
func (f *stateFile) changed() bool {
	info, err := os.Stat(f.path)
	if err != nil {
		return false
	}
	return f.seen == nil || !os.SameFile(info, f.seen) || info.Size() != f.seen.Size() || !info.ModTime().Equal(f.seen.ModTime())
}

// save writes s durably and atomically.
func (f *stateFile) save(s *State) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("saving state file %q: %w", f.path, err)
		}
	}()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(s); err != nil {
		return err
	}
	dir := filepath.Dir(f.path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(f.path)+".*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	if _, err := tmp.Write(out.Bytes()); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	info, err := tmp.Stat()
	if err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), f.path); err != nil {
		return err
	}
	f.seen = info
	return syncFolder(dir)
}
