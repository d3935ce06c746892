package feeds

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Web is a list behind an address.
type Web struct {
	URL      string
	SumURL   string // of a text that begins with the list's SHA-256; none by default
	Format   Format
	MaxBytes int64         // unpacked; 0: DefaultMaxBytes
	Timeout  time.Duration // of all; 0: 30 s
}

// Place implements Origin: the address without what may be a secret.
func (w Web) Place() string { return shown(w.URL) }

// shown is an address without user, password, query and fragment.
func shown(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that cannot be read"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// Read implements Origin. What was not changed, as the server says by ETag or date, is
// not sent again. Redirects are followed five times, and never from https to http.
func (w Web) Read(ctx context.Context, known json.RawMessage) (List, error) {
	timeout := w.Timeout
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var before mark
	if known != nil {
		_ = json.Unmarshal(known, &before) // without a mark everything is read
	}
	got, err := fetch(ctx, w.URL, before, w.MaxBytes)
	if err != nil {
		return List{}, err
	}
	list := List{}
	if made, err := http.ParseTime(got.header.Get("Last-Modified")); err == nil {
		list.Made = made
	}
	if got.unchanged {
		list.Unchanged, list.Mark = true, known
		return list, nil
	}
	if w.SumURL != "" {
		sum, err := fetch(ctx, w.SumURL, mark{}, 4096)
		if err != nil {
			return List{}, fmt.Errorf("its checksum: %w", err)
		}
		is := sha256.Sum256(got.text)
		if fields := strings.Fields(string(sum.text)); len(fields) == 0 || !strings.EqualFold(fields[0], hex.EncodeToString(is[:])) {
			return List{}, errors.New("its SHA-256 is not what the checksum says")
		}
	}
	return parsed(got.text, w.Format, known, mark{ETag: got.header.Get("ETag"), Modified: got.header.Get("Last-Modified")}, list)
}

// fetched is what a server answered.
type fetched struct {
	header    http.Header
	text      []byte
	unchanged bool // the server says so, and sends no text
}

// fetch gets an address. Its errors do not name it.
func fetch(ctx context.Context, address string, known mark, most int64) (got fetched, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return got, errors.New("its address cannot be read")
	}
	request.Header.Set("User-Agent", "fwsync")
	request.Header.Set("Accept-Encoding", "gzip") // unpacked here, so that its length is bounded
	if known.ETag != "" {
		request.Header.Set("If-None-Match", known.ETag)
	}
	if known.Modified != "" {
		request.Header.Set("If-Modified-Since", known.Modified)
	}
	client := &http.Client{CheckRedirect: redirect}
	answer, err := client.Do(request)
	if err != nil {
		var u *url.Error // names the address, with what may be secret in it
		if errors.As(err, &u) {
			err = u.Err
		}
		return got, fmt.Errorf("getting it: %w", err)
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode == http.StatusNotModified:
		return fetched{header: answer.Header, unchanged: true}, nil
	case answer.StatusCode != http.StatusOK:
		return got, fmt.Errorf("the server answers %s", answer.Status)
	}
	if kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type")); kind == "text/html" {
		return got, errors.New("it is a web page, not a list")
	}
	var body io.Reader = answer.Body
	if strings.EqualFold(answer.Header.Get("Content-Encoding"), "gzip") {
		if body, err = gzip.NewReader(answer.Body); err != nil {
			return got, fmt.Errorf("unpacking it: %w", err)
		}
	}
	text, err := limited(body, most)
	if err != nil {
		return got, fmt.Errorf("reading it: %w", err)
	}
	if answer.ContentLength > 0 && body == io.Reader(answer.Body) && int64(len(text)) < answer.ContentLength {
		return got, errors.New("it was cut off")
	}
	return fetched{header: answer.Header, text: text}, nil
}

func redirect(request *http.Request, via []*http.Request) error {
	switch {
	case len(via) > 5:
		return errors.New("too many redirects")
	case via[0].URL.Scheme == "https" && request.URL.Scheme != "https":
		return errors.New("it redirects from https to " + request.URL.Scheme)
	}
	return nil
}
