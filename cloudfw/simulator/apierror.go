package simulator

import (
	"fmt"
	"net/http"
	"time"
)

// APIError is a refusal by the simulated service, as the wire carries it.
// Callers find it with errors.As; the code is what clients act on.
type APIError struct {
	Status  int    // HTTP status
	Code    string // e.g. ErrorAddressGroupReference
	Message string
	// RetryAfter is sent as x-acs-retry-after in milliseconds when positive
	// (reference §1.3).
	RetryAfter time.Duration
	denied     *denial // AccessDeniedDetail
}

// Error returns code and message.
func (e *APIError) Error() string { return e.Code + ": " + e.Message }

func refuse(status int, code, format string, args ...any) error {
	return &APIError{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// bad is the usual refusal of Cloud Firewall: HTTP 400 (reference §2.1).
func bad(code, format string, args ...any) error {
	return refuse(http.StatusBadRequest, code, format, args...)
}
