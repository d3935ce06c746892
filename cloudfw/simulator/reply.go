package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
)

// reply writes one answer.
type reply struct {
	w       http.ResponseWriter
	request *http.Request
	id      string
}

// ok sends a JSON object with the RequestId put in front.
func (r *reply) ok(body []byte) { r.send(http.StatusOK, r.head(body), body[1:]) }

// cut sends the first half of the answer as if it were all.
func (r *reply) cut(body []byte) {
	whole := append(r.head(body), body[1:]...)
	r.send(http.StatusOK, whole[:len(whole)/2])
}

// head is what stands before the body without its brace.
func (r *reply) head(body []byte) []byte {
	head := `{"RequestId":"` + r.id + `"`
	if len(body) > len("{}") {
		head += ","
	}
	return []byte(head)
}

// errorBody is what a refusal looks like. Every field but the last is a string,
// since the SDK panics on anything else (reference §0.4).
type errorBody struct {
	RequestId          string
	HostId             string
	Code               string
	Message            string
	Recommend          string
	AccessDeniedDetail *denial `json:",omitempty"`
}

func (r *reply) fail(err error) {
	e := asAPIError(err)
	if e.RetryAfter > 0 {
		r.w.Header().Set("X-Acs-Retry-After", strconv.FormatInt(e.RetryAfter.Milliseconds(), 10))
	}
	r.encode(e.Status, errorBody{RequestId: r.id, HostId: r.request.Host, Code: e.Code, Message: e.Message, AccessDeniedDetail: e.denied})
}

// failWrongly sends an error body with the types that the SDK panics on: a number
// for the code if it is one, an object for the message, a list to recommend.
func (r *reply) failWrongly(err error) {
	e := asAPIError(err)
	var code any = false
	if n, err := strconv.ParseInt(e.Code, 10, 64); err == nil {
		code = n
	}
	r.encode(e.Status, struct {
		RequestId, HostId string
		Code              any
		Message           map[string]string
		Recommend         []string
	}{r.id, r.request.Host, code, map[string]string{"en": e.Message}, []string{}})
}

func (r *reply) encode(status int, body any) {
	raw, err := encode(body)
	if err != nil {
		r.reset()
		return
	}
	r.send(status, raw)
}

// send writes the parts of a body one behind the other.
func (r *reply) send(status int, parts ...[]byte) {
	header := r.w.Header()
	header.Set("Content-Type", "application/json;charset=utf-8")
	header.Set("X-Acs-Request-Id", r.id)
	header.Set("Vary", "Accept-Encoding")
	if acceptsGzip(r.request) {
		header.Set("Content-Encoding", "gzip")
		parts = [][]byte{compress(parts)}
	}
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	header.Set("Content-Length", strconv.Itoa(size))
	r.w.WriteHeader(status)
	for _, part := range parts {
		// The client may be gone; there is nobody left to tell.
		_, _ = r.w.Write(part)
	}
}

// reset breaks the connection without a reply.
func (r *reply) reset() {
	conn, _, err := http.NewResponseController(r.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	abort(conn)
}

// encoders are reused: a page of policies is tens of kilobytes, and growing to that
// for every call would cost more than the encoding.
var encoders = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// encode writes v, which must encode to a JSON object.
func encode(v any) ([]byte, error) {
	out, _ := encoders.Get().(*bytes.Buffer)
	defer encoders.Put(out)
	out.Reset()
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding answer: %w", err)
	}
	return bytes.Clone(bytes.TrimSuffix(out.Bytes(), []byte("\n"))), nil
}
