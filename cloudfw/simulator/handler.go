package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Handler serves the account over the vendor's RPC protocol: GET or POST on /,
// parameters in query and form body alike, JSON answers (reference §1, §10). It
// may be mounted several times and serves concurrently.
func (c *Cloud) Handler() http.Handler { return http.HandlerFunc(c.serve) }

func (c *Cloud) serve(w http.ResponseWriter, r *http.Request) {
	reply := &reply{w: w, host: r.Host, id: c.nextRequestID()}
	values, err := c.readParameters(w, r)
	if err != nil {
		reply.fail(err)
		return
	}
	name := values["Action"]
	act, known := actions[route{values["Version"], name}]
	log := c.record(name, act.write, values)
	if err := c.enter(r, values, known); err != nil {
		c.finish(log, codeOf(err), "")
		reply.fail(err)
		return
	}
	f := c.strike(name, act.write)
	call := &call{cloud: c, fault: f.Kind, key: values["AccessKeyId"], params: newParams(name, values, act.missing)}
	c.deliver(reply, r, log, f, func() ([]byte, error) { return c.once(act, call) })
}

// enter is the gateway: is there such an action, and may the caller call it now.
func (c *Cloud) enter(r *http.Request, values map[string]string, known bool) error {
	for _, name := range []string{"Action", "Version"} {
		if values[name] == "" {
			return missingAtGateway(name)
		}
	}
	if !known || r.URL.Path != "/" && r.URL.Path != "" {
		return refuse(http.StatusNotFound, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.")
	}
	if f := values["Format"]; f != "" && !strings.EqualFold(f, "json") {
		return bad("InvalidParameter.Format", "The simulator answers JSON only.")
	}
	if err := c.authenticate(r.Method, values); err != nil {
		return err
	}
	return c.admit(values["AccessKeyId"], values["Action"])
}

// deliver runs the call and lets the fault strike around it.
func (c *Cloud) deliver(out *reply, r *http.Request, log *Call, f Fault, run func() ([]byte, error)) {
	var body []byte
	var err error
	if f.Kind == FaultInterfere && f.Do != nil {
		f.Do(c)
	}
	if f.runs() {
		body, err = run()
	}
	if f.replaces() {
		err = f.failure()
	}
	c.finish(log, codeOf(err), f.Kind)
	switch {
	case f.Kind == FaultHang:
		<-r.Context().Done()
		out.reset()
	case f.Kind == FaultResetBefore || f.Kind == FaultResetAfter:
		out.reset()
	case err != nil:
		out.fail(err)
	case f.Kind == FaultMalformed:
		out.cut(body)
	default:
		out.ok(body)
	}
}

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return asAPIError(err).Code
}

func asAPIError(err error) *APIError {
	if e, ok := errors.AsType[*APIError](err); ok {
		return e
	}
	return &APIError{Status: http.StatusInternalServerError, Code: "InternalError", Message: err.Error()}
}

// nextRequestID counts; it looks like the vendor's but repeats from run to run.
func (c *Cloud) nextRequestID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests++
	return fmt.Sprintf("51300000-0000-4000-8000-%012d", c.requests)
}

// readParameters merges query and form body; the form wins (reference §1.2).
func (c *Cloud) readParameters(w http.ResponseWriter, r *http.Request) (map[string]string, error) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return nil, bad("UnsupportedHTTPMethod", "This http method is not supported.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, c.opt.Limits.BodyBytes))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, refuse(http.StatusRequestEntityTooLarge, "RequestBodyTooLarge", "The request body is larger than %d bytes.", c.opt.Limits.BodyBytes)
	}
	if err != nil {
		return nil, bad("InvalidParameter.Format", "The request body cannot be read.")
	}
	values := map[string]string{}
	for _, text := range []string{r.URL.RawQuery, string(body)} {
		parsed, err := url.ParseQuery(text)
		if err != nil {
			return nil, bad("InvalidParameter.Format", "Specified parameter format is not valid.")
		}
		for name, list := range parsed {
			if len(list) > 1 {
				return nil, bad("InvalidParameter.Format", "The parameter %s is given %d times.", name, len(list))
			}
			values[name] = list[0]
		}
	}
	return values, nil
}

// reply writes one answer.
type reply struct {
	w    http.ResponseWriter
	host string
	id   string
}

// ok sends a JSON object with the RequestId put in front.
func (r *reply) ok(body []byte) { r.send(http.StatusOK, r.withID(body)) }

// cut sends the first half of the answer as if it were all.
func (r *reply) cut(body []byte) {
	whole := r.withID(body)
	r.send(http.StatusOK, whole[:len(whole)/2])
}

func (r *reply) withID(body []byte) []byte {
	head := []byte(`{"RequestId":` + strconv.Quote(r.id))
	if rest := bytes.TrimPrefix(body, []byte("{")); !bytes.Equal(rest, []byte("}")) {
		return append(append(head, ','), rest...)
	}
	return append(head, '}')
}

// fail sends an error body; every field is a string, since the SDK panics on
// anything else (reference §0.4).
func (r *reply) fail(err error) {
	e := asAPIError(err)
	if e.RetryAfter > 0 {
		r.w.Header().Set("X-Acs-Retry-After", strconv.FormatInt(e.RetryAfter.Milliseconds(), 10))
	}
	body, err := encode(map[string]string{
		"RequestId": r.id, "HostId": r.host, "Code": e.Code, "Message": e.Message, "Recommend": "",
	})
	if err != nil {
		r.reset()
		return
	}
	r.send(e.Status, body)
}

func (r *reply) send(status int, body []byte) {
	r.w.Header().Set("Content-Type", "application/json;charset=utf-8")
	r.w.Header().Set("X-Acs-Request-Id", r.id)
	r.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	r.w.WriteHeader(status)
	// The client may be gone; there is nobody left to tell.
	_, _ = r.w.Write(body)
}

// reset breaks the connection without a reply.
func (r *reply) reset() {
	conn, _, err := http.NewResponseController(r.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		// Zero linger makes the close a RST, as a dying proxy does.
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding answer: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
