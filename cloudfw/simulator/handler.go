package simulator

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Handler serves the account over the vendor's RPC protocol: GET or POST on /,
// parameters in query and form body alike, JSON answers (reference §1, §10). It
// may be mounted several times and serves concurrently. Under /_simulator/ it
// serves the admin endpoint, to loopback peers only.
func (c *Cloud) Handler() http.Handler { return http.HandlerFunc(c.serve) }

func (c *Cloud) serve(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, adminRoot) {
		c.serveAdmin(w, r)
		return
	}
	reply := &reply{w: w, request: r, id: c.nextRequestID()}
	values, err := c.readParameters(w, r)
	if err != nil {
		reply.fail(err)
		return
	}
	name := values["Action"]
	act, known := actions[route{values["Version"], name}]
	log := c.record(reply.id, name, r.UserAgent(), act.write, values)
	if err := c.enter(r, values, known); err != nil {
		c.finish(log, codeOf(err), "")
		reply.fail(err)
		return
	}
	f := c.strike(name, act.write)
	if f.Kind == FaultClockSkew && !c.opt.SkipTimestamp {
		if err := c.inTime(values["Timestamp"], f.Skew); err != nil {
			c.finish(log, codeOf(err), f.Kind)
			reply.fail(err)
			return
		}
	}
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
	version, action, key := values["Version"], values["Action"], values["AccessKeyId"]
	if !known || r.URL.Path != "/" && r.URL.Path != "" {
		return refuse(http.StatusNotFound, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.")
	}
	if f := values["Format"]; f != "" && !strings.EqualFold(f, "json") {
		return bad("InvalidParameter.Format", "The simulator answers JSON only.")
	}
	if err := c.authenticate(r.Method, values); err != nil {
		return err
	}
	if err := c.permit(key, version, action); err != nil {
		return err
	}
	if err := c.purchased(version); err != nil {
		return err
	}
	if err := c.inKnownRegion(version, values["RegionId"]); err != nil {
		return err
	}
	return c.admit(key, action)
}

// deliver runs the call and lets the fault strike around it.
func (c *Cloud) deliver(out *reply, r *http.Request, log *Call, f Fault, run func() ([]byte, error)) {
	var body []byte
	var err error
	f.prepare(c)
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
	case f.Kind == FaultWrongTypes:
		out.failWrongly(err)
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
	return fmt.Sprintf("51300000-0000-4000-8000-%012d", c.around.requests.Add(1))
}

func isTooLarge(err error) bool {
	_, ok := errors.AsType[*http.MaxBytesError](err)
	return ok
}

// readParameters merges query and form body; the form wins (reference §1.2).
func (c *Cloud) readParameters(w http.ResponseWriter, r *http.Request) (map[string]string, error) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return nil, bad("UnsupportedHTTPMethod", "This http method is not supported.")
	}
	body, err := readBody(w, r, c.Limits().BodyBytes)
	if err != nil {
		return nil, err
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

// inTime refuses a time stamp that is more than 15 minutes from a clock which is
// skew ahead of the account's (reference §1.3).
func (c *Cloud) inTime(stamp string, skew time.Duration) error {
	at, err := time.Parse("2006-01-02T15:04:05Z", stamp)
	if err != nil {
		return bad("InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.")
	}
	if off := c.opt.Clock().Add(skew).Sub(at); off > maxSkew || off < -maxSkew {
		return bad("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
	}
	return nil
}
