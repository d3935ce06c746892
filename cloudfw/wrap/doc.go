// Package wrap holds accounts round an account: read-only, retry, throttle, audit
// and measure, one file each. Each adds one concern and keeps everything else that
// cloudfw.Account promises: kinds of errors, cancellation, safety for concurrent
// use. They may be put round each other in any order; from the outside in,
//
//	Measure(Audit(Throttle(Retry(account))))
//
// measures and records what was asked for, whatever it took. ReadOnly goes outermost.
//
// What may live here: concerns that hold for every account alike. What may not:
// anything that knows a vendor, a plan or a policy.
package wrap
