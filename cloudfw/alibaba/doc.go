// Package alibaba is the account as Alibaba Cloud keeps it: it implements
// cloudfw.Account over the vendor's Cloud Firewall and ECS interfaces. It is the
// only importer of the vendor's SDK.
//
// Here live the wire (parameter names, number formats, paging), the conversions
// between the wire and the model, the session (credentials, signing, pace,
// repeats, timeouts) and the mapping of the vendor's error codes to kinds. What to
// observe or change, and in which order, is decided elsewhere.
//
// Each of the three borders of the firewall speaks a dialect of one language: what
// they share is in policies.go, what they do not is data in borders.go. The SDK only
// builds and signs requests. It has no context, judges answers by
// their status alone and panics on odd ones, so a transport of ours carries each
// request and keeps the answer away from it; see transport.go.
package alibaba
