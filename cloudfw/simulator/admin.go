package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxAdminBody bounds what the admin endpoint reads, a whole state being the largest.
const maxAdminBody = 64 << 20

// adminAction answers with a value that encodes to JSON, or an error for the person.
type adminAction func(c *Cloud, body []byte) (any, error)

// adminActions are the paths under adminRoot and the methods of each.
var adminActions = map[string]map[string]adminAction{
	"calls": {
		"GET": func(c *Cloud, _ []byte) (any, error) { return map[string]any{"calls": c.Calls()}, nil },
		"DELETE": func(c *Cloud, _ []byte) (any, error) {
			c.ResetCalls()
			return map[string]any{"calls": []Call{}}, nil
		},
	},
	"state": {
		"GET": func(c *Cloud, _ []byte) (any, error) { return c.Snapshot(), nil },
		"PUT": putState,
	},
	"faults": {
		"GET": func(c *Cloud, _ []byte) (any, error) { return c.faultList(), nil },
		"POST": func(c *Cloud, body []byte) (any, error) {
			faults, err := ParseFaults(body)
			for _, f := range faults {
				if err == nil {
					c.Inject(f)
				}
			}
			return c.faultList(), err
		},
		"DELETE": func(c *Cloud, _ []byte) (any, error) {
			c.ClearFaults()
			return c.faultList(), nil
		},
	},
	"clock": {
		"GET":  func(c *Cloud, _ []byte) (any, error) { return c.clockReading(), nil },
		"POST": postClock,
	},
	"check": {"GET": getCheck},
	"limits": {
		"GET": func(c *Cloud, _ []byte) (any, error) { return c.Limits(), nil },
		"POST": func(c *Cloud, body []byte) (any, error) {
			var l Limits
			if err := decodeStrictly(body, &l); err != nil {
				return nil, err
			}
			err := c.SetLimits(l)
			return c.Limits(), err
		},
	},
	"engine": {
		"GET":  func(c *Cloud, _ []byte) (any, error) { return c.Engine(), nil },
		"POST": postEngine,
	},
	"permissions": {
		"GET": func(c *Cloud, _ []byte) (any, error) { return c.permissionList(), nil },
		"POST": func(c *Cloud, body []byte) (any, error) {
			var byKey map[string]Permissions
			if err := decodeStrictly(body, &byKey); err != nil {
				return nil, err
			}
			err := c.SetPermissions(byKey)
			return c.permissionList(), err
		},
	},
}

// serveAdmin serves the endpoint for the person who runs the simulator: JSON in,
// JSON out, an error being {"error": "…"}.
func (c *Cloud) serveAdmin(w http.ResponseWriter, r *http.Request) {
	if why := mayAdminister(r); why != "" {
		sendAdmin(w, http.StatusForbidden, adminError(errors.New(why)))
		return
	}
	name := strings.TrimPrefix(r.URL.Path, adminRoot)
	if name == "" {
		sendAdmin(w, http.StatusOK, adminIndex())
		return
	}
	methods, found := adminActions[name]
	if !found {
		sendAdmin(w, http.StatusNotFound, adminError(fmt.Errorf("there is no %s%s, want one of %s", adminRoot, name, strings.Join(slices.Sorted(maps.Keys(adminActions)), ", "))))
		return
	}
	act, found := methods[r.Method]
	if !found {
		allowed := strings.Join(slices.Sorted(maps.Keys(methods)), ", ")
		w.Header().Set("Allow", allowed)
		sendAdmin(w, http.StatusMethodNotAllowed, adminError(fmt.Errorf("%s%s takes %s, not %s", adminRoot, name, allowed, r.Method)))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAdminBody))
	if err != nil {
		status := http.StatusBadRequest
		if isTooLarge(err) {
			status = http.StatusRequestEntityTooLarge
		}
		sendAdmin(w, status, adminError(fmt.Errorf("reading the request body: %w", err)))
		return
	}
	answer, err := act(c, body)
	if err != nil {
		sendAdmin(w, http.StatusBadRequest, adminError(fmt.Errorf("%s %s%s: %w", r.Method, adminRoot, name, err)))
		return
	}
	sendAdmin(w, http.StatusOK, answer)
}

func adminError(err error) any { return map[string]string{"error": err.Error()} }

// adminIndex lists what there is.
func adminIndex() any {
	index := map[string][]string{}
	for name, methods := range adminActions {
		index[adminRoot+name] = slices.Sorted(maps.Keys(methods))
	}
	return index
}

func sendAdmin(w http.ResponseWriter, status int, answer any) {
	raw, err := json.MarshalIndent(answer, "", "  ")
	if err != nil {
		status, raw = http.StatusInternalServerError, []byte(`{"error": "the answer cannot be encoded"}`)
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(raw)+1))
	w.WriteHeader(status)
	// The person may be gone; there is nobody left to tell.
	_, _ = w.Write(append(raw, '\n'))
}

func putState(c *Cloud, body []byte) (any, error) {
	s, err := decodeState(body)
	if err != nil {
		return nil, err
	}
	if err := c.Load(*s); err != nil {
		return nil, err
	}
	return c.Snapshot(), nil
}

func (c *Cloud) faultList() any {
	specs := []FaultSpec{}
	for _, f := range c.Faults() {
		specs = append(specs, f.Spec())
	}
	return map[string]any{"faults": specs}
}

func (c *Cloud) permissionList() any {
	return map[string]any{"noFirewall": c.opt.NoFirewall, "keys": c.Permissions()}
}

type clockReading struct {
	Time   time.Time `json:"time"`
	Offset string    `json:"offset"` // from the clock of the machine
}

func (c *Cloud) clockReading() clockReading {
	return clockReading{c.Now(), c.AdvanceClock(0).String()}
}

func postClock(c *Cloud, body []byte) (any, error) {
	var in struct {
		Advance string `json:"advance"`
	}
	if err := decodeStrictly(body, &in); err != nil {
		return nil, err
	}
	if in.Advance == "" {
		return nil, errors.New(`want {"advance": "10m"}, or "-10m" to set the clock back`)
	}
	d, err := parseSpan("advance", in.Advance)
	if err != nil {
		return nil, err
	}
	c.AdvanceClock(d)
	return c.clockReading(), nil
}

func getCheck(c *Cloud, _ []byte) (any, error) {
	problems := []string{}
	if err := c.Check(); err != nil {
		problems = strings.Split(err.Error(), "\n")
	}
	return map[string]any{"ok": len(problems) == 0, "problems": problems}, nil
}

func postEngine(c *Cloud, body []byte) (any, error) {
	var in struct {
		Delay string `json:"delay"`
	}
	if err := decodeStrictly(body, &in); err != nil {
		return nil, err
	}
	if in.Delay == "" {
		return nil, errors.New(`want {"delay": "3m"}, or "0s" to let the engine follow at once`)
	}
	d, err := parseSpan("delay", in.Delay)
	if err != nil {
		return nil, err
	}
	if d < 0 {
		return nil, fmt.Errorf("delay %q is negative", in.Delay)
	}
	c.SetEngineDelay(d)
	return c.Engine(), nil
}
