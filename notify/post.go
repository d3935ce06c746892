package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Secret is text that must not be seen. It prints as stars.
type Secret string

func (s Secret) String() string   { return stars(s) }
func (s Secret) GoString() string { return stars(s) }

// MarshalText keeps it out of encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(stars(s)), nil }

func stars(s Secret) string {
	if s == "" {
		return ""
	}
	return "***"
}

// CheckURL refuses an address that a notice must not be posted to, without repeating it.
// Plain HTTP is for loopback.
func CheckURL(address Secret) error {
	u, err := url.Parse(string(address))
	switch {
	case err != nil || u.Host == "":
		return errors.New("the webhook's address is no URL")
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return errors.New("the webhook's address must begin with https://")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Failure is a notice that was not taken.
type Failure struct {
	reason string
	Retry  bool          // another try may help
	After  time.Duration // but not before; 0: not said
}

func (f *Failure) Error() string { return f.reason }

// perAttempt is how long one call may take.
const perAttempt = 5 * time.Second

// client follows no redirect: the address is a secret, and so is what is posted.
var client = &http.Client{
	Timeout:       perAttempt,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// post sends JSON and returns the answer's beginning. An error has neither the address
// nor any of the secrets in it.
func post(ctx context.Context, address string, header http.Header, body []byte, secrets ...Secret) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, &Failure{reason: "the webhook's address is no URL"}
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "fwsync")
	resp, err := client.Do(req)
	if err != nil {
		var outer *url.Error // its text has the whole address
		if errors.As(err, &outer) {
			err = outer.Err
		}
		reason := "the webhook did not answer in time"
		if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) && !isTimeout(err) {
			reason = "calling the webhook: " + redact(err.Error(), address, secrets)
		}
		return nil, &Failure{reason: reason, Retry: !errors.Is(err, context.Canceled)}
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if resp.StatusCode/100 != 2 {
		f := &Failure{reason: "the webhook answered " + strconv.Itoa(resp.StatusCode)}
		if text := printable(answer); text != "" {
			f.reason += ": " + redact(text, address, secrets)
		}
		f.Retry = resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500
		if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
			f.After = time.Duration(s) * time.Second
		}
		return nil, f
	}
	if err != nil {
		return nil, &Failure{reason: "the webhook's answer broke off", Retry: false} // it was taken
	}
	return answer, nil
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// coded posts to one of the chats that answer 200 with a code of their own, 0 for
// success. Codes in busy may be tried again.
func coded(ctx context.Context, address string, body any, codeKey, textKey string, busy []int, secrets ...Secret) error {
	text, err := json.Marshal(body)
	if err != nil {
		return &Failure{reason: "encoding the notice: " + err.Error()}
	}
	answer, err := post(ctx, address, nil, text, secrets...)
	if err != nil {
		return err
	}
	var fields map[string]any
	if json.Unmarshal(answer, &fields) != nil {
		return &Failure{reason: "the webhook's answer is not JSON"}
	}
	code, ok := fields[codeKey].(float64)
	if !ok {
		return &Failure{reason: fmt.Sprintf("the webhook's answer has no %s", codeKey)}
	}
	if code == 0 {
		return nil
	}
	f := &Failure{reason: fmt.Sprintf("the webhook refused the notice: %s %.0f", codeKey, code)}
	if said, ok := fields[textKey].(string); ok {
		f.reason += ", " + redact(printable([]byte(said)), address, secrets)
	}
	for _, b := range busy {
		f.Retry = f.Retry || int(code) == b
	}
	return f
}

// redact takes out of a text what nobody may see: the address, whatever is in its path
// and query, and the secrets.
func redact(text, address string, secrets []Secret) string {
	hide := []string{address}
	if u, err := url.Parse(address); err == nil {
		hide = append(hide, u.RequestURI(), u.EscapedPath(), u.RawQuery)
		for _, part := range strings.Split(u.Path, "/") {
			if len(part) >= 8 {
				hide = append(hide, part)
			}
		}
		for _, values := range u.Query() {
			for _, v := range values {
				hide = append(hide, v, url.QueryEscape(v))
			}
		}
		if u.User != nil {
			hide = append(hide, u.User.String())
		}
	}
	for _, s := range secrets {
		hide = append(hide, string(s))
	}
	for _, h := range hide {
		if len(h) >= 4 {
			text = strings.ReplaceAll(text, h, "***")
		}
	}
	return text
}

// printable is the beginning of an answer in one line.
func printable(answer []byte) string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(answer), "?")), " ")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, text)
	return shorten(text, 200)
}
