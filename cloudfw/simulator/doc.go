// Package simulator is a small Alibaba Cloud on one machine: the Cloud Firewall's
// policies on its three borders (internet, NAT, VPC), its address books and
// detections, ECS security groups and prefix lists, and STS roles, served over the
// vendor's own RPC wire protocol with signatures, nonces and error bodies.
//
// It has three layers. Cloud is the state machine: plain Go methods, typed
// errors, no HTTP. Handler is the wire in front of it. Faults stand between the
// two and break calls on purpose.
//
// What may live here: behaviour written down in the vendor's API reference
// (comments cite it as "reference §2.1"), and the faults needed to test a client
// against it. Where the reference is silent the choice is marked "assumed", and
// where two readings matter it is a field of Assumptions.
//
// What may not live here: anything of fwsync, the vendor's SDK, or any module
// outside the standard library. A simulator that shares code with its client
// shares its misunderstandings.
package simulator
