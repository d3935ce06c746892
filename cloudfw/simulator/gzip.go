package simulator

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// acceptsGzip tells whether the client asks for gzip, as the vendor's Terraform
// provider does (reference §10). The SDK and the CLI ask for identity.
func acceptsGzip(r *http.Request) bool {
	for _, line := range r.Header.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(line, ",") {
			name, parameter, _ := strings.Cut(part, ";")
			if name = strings.TrimSpace(name); !strings.EqualFold(name, "gzip") && name != "*" {
				continue
			}
			weight, weighted := strings.CutPrefix(strings.TrimSpace(parameter), "q=")
			if q, err := strconv.ParseFloat(weight, 64); !weighted || err == nil && q > 0 {
				return true
			}
		}
	}
	return false
}

var gzipWriters = sync.Pool{New: func() any {
	// The level is one of the package's own; it cannot be refused.
	w, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	return w
}}

func compress(parts [][]byte) []byte {
	var out bytes.Buffer
	w, _ := gzipWriters.Get().(*gzip.Writer)
	defer gzipWriters.Put(w)
	w.Reset(&out)
	for _, part := range parts {
		// Writing to memory does not fail.
		_, _ = w.Write(part)
	}
	_ = w.Close()
	return out.Bytes()
}

// readBody reads at most limit bytes, as sent and again as decompressed.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	tooLarge := refuse(http.StatusRequestEntityTooLarge, "RequestBodyTooLarge", "The request body is larger than %d bytes.", limit)
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	if r.ContentLength == 0 {
		return nil, nil
	}
	var from io.Reader = http.MaxBytesReader(w, r.Body, limit)
	switch coding := r.Header.Get("Content-Encoding"); strings.ToLower(coding) {
	case "", "identity":
	case "gzip":
		unpacked, err := gzip.NewReader(from)
		if err != nil {
			return nil, bad("InvalidParameter.Format", "The request body is not gzip, as its Content-Encoding says.")
		}
		from = unpacked
	default:
		return nil, refuse(http.StatusUnsupportedMediaType, "InvalidParameter.Format", "The Content-Encoding %q is not known, want gzip or identity.", coding)
	}
	body, err := io.ReadAll(io.LimitReader(from, limit+1))
	if isTooLarge(err) || int64(len(body)) > limit {
		return nil, tooLarge
	}
	if err != nil {
		return nil, bad("InvalidParameter.Format", "The request body cannot be read.")
	}
	return body, nil
}
