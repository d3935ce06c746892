package simulator

import "net/http"

// prepare does what a fault does to the world before the call runs.
func (f Fault) prepare(c *Cloud) {
	switch f.Kind {
	case FaultInterfere:
		if f.Do != nil {
			f.Do(c)
		}
	case FaultEditor:
		c.editByHand(f.Spare)
	case FaultLimit:
		// Limits below zero cannot be set; such a fault does nothing.
		_ = c.SetLimits(f.Limits)
	}
}

// runs tells whether the call takes effect.
func (f Fault) runs() bool {
	switch f.Kind {
	case FaultResetBefore:
		return false
	case FaultThrottle, FaultUnavailable, FaultInternal, FaultDenied, FaultCode, FaultWrongTypes, FaultOKError, FaultHang:
		return f.AfterEffect
	}
	return f.Kind == "" || f.known()
}

// replaces tells whether the fault answers an error of its own.
func (f Fault) replaces() bool {
	switch f.Kind {
	case FaultThrottle, FaultUnavailable, FaultInternal, FaultDenied, FaultCode, FaultWrongTypes, FaultOKError:
		return true
	}
	return f.Kind != "" && !f.known()
}

func (f Fault) known() bool {
	_, err := ParseFaultKind(string(f.Kind))
	return err == nil
}

// failure is the error that the fault answers instead of the call's own result.
func (f Fault) failure() error {
	e := &APIError{Status: http.StatusInternalServerError, Code: "InternalError", Message: "The request processing has failed due to some unknown error."}
	switch f.Kind {
	case FaultThrottle:
		*e = APIError{Status: http.StatusBadRequest, Code: "Throttling.User", Message: "Request was denied due to user flow control.", RetryAfter: f.RetryAfter}
	case FaultUnavailable:
		*e = APIError{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable", Message: "The request has failed due to a temporary failure of the server."}
	case FaultDenied:
		*e = APIError{Status: http.StatusForbidden, Code: "Forbidden.RAM", Message: "User not authorized to operate on the specified resource, or this API doesn't support RAM."}
	case FaultCode:
		e.Status, e.Message = http.StatusBadRequest, "The request was refused."
	case FaultWrongTypes:
		*e = APIError{Status: http.StatusBadRequest, Code: "-200142", Message: "The request was refused."}
	case FaultOKError:
		e.Status = http.StatusOK
	}
	if f.Code != "" {
		e.Code = f.Code
	}
	return e
}
