package simulator

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"sync"
	"time"
)

// keptCalls bounds the call log; the oldest calls fall out.
const keptCalls = 4096

// Call is one request that reached the service.
type Call struct {
	Time      time.Time         `json:"time"`
	RequestID string            `json:"requestId"`
	Action    string            `json:"action"`
	Params    map[string]string `json:"params"` // business parameters and RegionId; no credentials, signature or nonce
	Code      string            `json:"code"`   // error code answered, empty when the call succeeded
	Fault     FaultKind         `json:"fault"`  // the fault it met, empty for none
	Write     bool              `json:"write"`  // the action is a mutating one
	UserAgent string            `json:"userAgent,omitempty"`
}

// callRing keeps the latest calls.
type callRing struct {
	calls []*Call
	next  int // where the next call goes once the ring is full
}

func (r *callRing) add(call *Call) {
	if len(r.calls) < keptCalls {
		r.calls = append(r.calls, call)
		return
	}
	r.calls[r.next] = call
	r.next = (r.next + 1) % keptCalls
}

// Calls returns the calls since the start or the last ResetCalls, oldest first,
// in the order of their arrival. The log keeps the last 4096. The outcome of a
// call is in the log before its reply is sent.
func (c *Cloud) Calls() []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]Call, len(c.calls.calls))
	for i := range out {
		out[i] = *c.calls.calls[(c.calls.next+i)%len(out)]
		out[i].Params = maps.Clone(out[i].Params)
	}
	return out
}

// ResetCalls empties the call log.
func (c *Cloud) ResetCalls() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = callRing{}
}

// record logs an arriving call; finish completes it.
func (c *Cloud) record(id, action, userAgent string, write bool, values map[string]string) *Call {
	params := make(map[string]string, len(values))
	for name, value := range values {
		if !systemParameters[name] || name == "RegionId" {
			params[name] = value
		}
	}
	call := &Call{Time: c.opt.Clock().UTC(), RequestID: id, Action: action, Params: params, Write: write, UserAgent: userAgent}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls.add(call)
	return call
}

func (c *Cloud) finish(call *Call, code string, fault FaultKind) {
	c.mu.Lock()
	call.Code, call.Fault = code, fault
	done := *call
	c.mu.Unlock()
	c.around.log.write(done)
}

// callLog writes calls to a file or the like, one JSON object a line.
type callLog struct {
	mu  sync.Mutex
	to  io.Writer
	err error
}

// write stops for good at the first error: half a line may stand there already.
func (l *callLog) write(call Call) {
	if l.to == nil {
		return
	}
	line, err := json.Marshal(call)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	if err == nil {
		_, err = l.to.Write(append(line, '\n'))
	}
	if err != nil {
		l.err = fmt.Errorf("writing the call log: %w", err)
	}
}

// LogError returns what ended the writing to Options.CallLog, nil if nothing did.
func (c *Cloud) LogError() error {
	c.around.log.mu.Lock()
	defer c.around.log.mu.Unlock()
	return c.around.log.err
}
