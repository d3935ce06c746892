package feeds

import (
	"cmp"
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
	Sum      string // the SHA-256 that the list must have, in hex digits; "" for any
	SumURL   string // of a text that begins with it; none by default
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
	of := w.Format.of(w.URL, w.Sum, w.SumURL)
	before := of.known(known)
	got, err := fetch(ctx, w.URL, before, w.MaxBytes)
	if err != nil {
		return List{}, err
	}
	modified := got.header.Get("Last-Modified")
	if got.unchanged {
		modified = cmp.Or(modified, before.Modified)
	}
	list := List{}
	if made, err := http.ParseTime(modified); err == nil {
		list.Made = made
	}
	if got.unchanged {
		if before == of {
			return List{}, errors.New("the server says that it is unchanged, but nothing of it is known")
		}
		list.Unchanged, list.Mark = true, known
		return list, nil
	}
	if err := w.checkSum(ctx, got.text); err != nil {
		return List{}, err
	}
	of.ETag, of.Modified = got.header.Get("ETag"), modified
	return parsed(got.text, w.Format, before, of, list)
}

// checkSum compares the list with its checksum, if there is to be one.
func (w Web) checkSum(ctx context.Context, text []byte) error {
	want := w.Sum
	if w.SumURL != "" {
		sum, err := fetch(ctx, w.SumURL, mark{}, 4096)
		if err != nil {
			return fmt.Errorf("its checksum: %w", err)
		}
		if want, _, _ = strings.Cut(strings.TrimSpace(string(sum.text)), " "); want == "" {
			return errors.New("its checksum is empty")
		}
	}
	if is := sha256.Sum256(text); want != "" && !strings.EqualFold(want, hex.EncodeToString(is[:])) {
		return errors.New("its SHA-256 is not what the checksum says")
	}
	return nil
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
		return got, fmt.Errorf("getting it: %w", withoutAddress(err))
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

// redirect follows five times. Plain http stays on the host where it began: what is
// configured as such is on loopback.
func redirect(request *http.Request, via []*http.Request) error {
	request.Header.Del("Referer") // the address before, with what may be secret in it
	switch last := via[len(via)-1].URL; {
	case len(via) > 5:
		return errors.New("too many redirects")
	case request.URL.Scheme == "https":
	case last.Scheme == "https":
		return errors.New("it redirects from https to " + request.URL.Scheme)
	case request.URL.Host != last.Host:
		return errors.New("it redirects to another host without https")
	}
	return nil
}

// withoutAddress is the error of a request without the address, which may be secret.
func withoutAddress(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
