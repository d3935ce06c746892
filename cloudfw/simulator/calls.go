package simulator

import (
	"maps"
	"time"
)

// keptCalls bounds the call log; the oldest calls fall out.
const keptCalls = 4096

// Call is one request that reached the service.
type Call struct {
	Time   time.Time         `json:"time"`
	Action string            `json:"action"`
	Params map[string]string `json:"params"` // business parameters and RegionId; no credentials, signature or nonce
	Code   string            `json:"code"`   // error code answered, empty when the call succeeded
	Fault  FaultKind         `json:"fault"`  // the fault it met, empty for none
	Write  bool              `json:"write"`  // the action is a mutating one
}

// Calls returns the calls since the start or the last ResetCalls, oldest first,
// in the order of their arrival. The log keeps the last 4096. The outcome of a
// call is in the log before its reply is sent.
func (c *Cloud) Calls() []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]Call, len(c.calls))
	for i, call := range c.calls {
		out[i] = *call
		out[i].Params = maps.Clone(call.Params)
	}
	return out
}

// ResetCalls empties the call log.
func (c *Cloud) ResetCalls() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = nil
}

// record logs an arriving call; finish completes it.
func (c *Cloud) record(action string, write bool, values map[string]string) *Call {
	params := map[string]string{}
	for name, value := range values {
		if !systemParameters[name] || name == "RegionId" {
			params[name] = value
		}
	}
	call := &Call{Time: c.opt.Clock().UTC(), Action: action, Params: params, Write: write}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, call)
	if len(c.calls) > keptCalls {
		c.calls = append([]*Call(nil), c.calls[len(c.calls)-keptCalls:]...)
	}
	return call
}

func (c *Cloud) finish(call *Call, code string, fault FaultKind) {
	c.mu.Lock()
	defer c.mu.Unlock()
	call.Code, call.Fault = code, fault
}
