package simulator

import (
	"net/http"
	"time"
)

// bucket is the token bucket of one key and one API.
type bucket struct {
	tokens float64
	filled time.Time
}

// admit takes a token, or refuses with the wait in RetryAfter (reference §2: 10
// calls a second per user and API; the code and the header are assumed for
// Cloud Firewall).
func (c *Cloud) admit(key, action string) error {
	rate := float64(c.opt.RatePerAPI)
	if rate <= 0 {
		return nil
	}
	now := c.opt.Clock()
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.buckets[key+" "+action]
	if b == nil {
		b = &bucket{tokens: rate, filled: now}
		c.buckets[key+" "+action] = b
	}
	if passed := now.Sub(b.filled); passed > 0 {
		b.tokens = min(rate, b.tokens+passed.Seconds()*rate)
		b.filled = now
	}
	if b.tokens >= 1 {
		b.tokens--
		return nil
	}
	wait := time.Duration((1 - b.tokens) / rate * float64(time.Second))
	return &APIError{Status: http.StatusBadRequest, Code: "Throttling.User",
		Message: "Request was denied due to user flow control.", RetryAfter: max(wait, time.Millisecond)}
}
