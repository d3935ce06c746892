package feeds

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// DefaultMaxBytes is how long a list may be, unpacked.
const DefaultMaxBytes = 16 << 20

// File is a list in a file.
type File struct {
	Path     string
	Format   Format
	MaxBytes int64 // 0: DefaultMaxBytes
}

// Place implements Origin.
func (f File) Place() string { return f.Path }

// Read implements Origin. The list is as old as the file.
func (f File) Read(_ context.Context, known json.RawMessage) (List, error) {
	if err := regular(f.Path); err != nil {
		return List{}, err
	}
	file, err := os.Open(f.Path)
	if err != nil {
		return List{}, fmt.Errorf("opening the file: %w", withoutPath(err))
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return List{}, withoutPath(err)
	}
	text, err := limited(file, f.MaxBytes)
	if err != nil {
		return List{}, withoutPath(err)
	}
	if now, err := file.Stat(); err != nil || now.Size() != int64(len(text)) || !now.ModTime().Equal(info.ModTime()) {
		return List{}, errors.New("it is being written: write another file and rename it")
	}
	of := f.Format.of(f.Path)
	return parsed(text, f.Format, of.known(known), of, List{Made: info.ModTime()})
}

// regular refuses what is no file, such as a pipe, which would be waited for.
func regular(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("opening the file: %w", withoutPath(err))
	case info.IsDir():
		return errors.New("it is a folder")
	case !info.Mode().IsRegular():
		return errors.New("it is not a regular file")
	}
	return nil
}

// withoutPath is the error without the path, which stands beside it anyway.
func withoutPath(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// mark is by what a text is known again.
type mark struct {
	Of       string `json:"of"` // digest of where it is from and how it is read
	Hash     string `json:"sha256"`
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"modified,omitempty"`
}

// of begins the mark of what is read in this format from a place.
func (f Format) of(place ...string) mark {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q", f, place))
	return mark{Of: hex.EncodeToString(sum[:8])}
}

// known is the mark of the last reading, or m if that was of something else.
func (m mark) known(stored json.RawMessage) mark {
	var before mark
	if stored == nil || json.Unmarshal(stored, &before) != nil || before.Of != m.Of {
		return m
	}
	return before
}

// parsed is the list of a text; unchanged if the text is what it was. In either case it
// gets the mark that is of now.
func parsed(text []byte, format Format, before, now mark, list List) (_ List, err error) {
	sum := sha256.Sum256(text)
	now.Hash = hex.EncodeToString(sum[:])
	if list.Mark, err = json.Marshal(now); err != nil {
		return list, err
	}
	if before.Hash == now.Hash {
		list.Unchanged = true
		return list, nil
	}
	list.Entries, list.Bad, err = format.parse(text)
	return list, err
}

// limited reads everything, if it is not too long.
func limited(r io.Reader, most int64) ([]byte, error) {
	if most == 0 {
		most = DefaultMaxBytes
	}
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("it is longer than %d bytes", most)
	}
	return text, err
}
