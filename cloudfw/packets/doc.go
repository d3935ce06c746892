// Package packets knows exactly which packets a list of rules lets pass: the
// semantics of first match, books, ports, applications and validity, for the
// firewall's lists and for security groups. It decides single packets, and whole
// sets of them: what two states disagree on, which rules never decide anything,
// whether every moment of a plan is safe (promise P2).
//
// Sets are handled as atoms: per dimension (source, destination, service,
// application and each opaque condition) the addresses that lie in the same sets of
// rules are one class, computed once. A comparison walks the classes dimension by
// dimension, keeps only the rules that can still decide, and stops where the lists
// compared have the same rules left. Its work grows with what differs, not with the
// number of addresses.
//
// The package is pure and imports the model only. It holds no knowledge of plans.
package packets
