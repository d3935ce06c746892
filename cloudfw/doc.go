// Package cloudfw is the model of an account's edge: addresses, rules, address
// books, security groups, prefix lists, the snapshot of what is live, the intent
// of what must be, the steps between the two, the limits and the error kinds, and
// the narrow interfaces through which an account is observed and changed.
//
// It holds values and pure functions over them, uses the standard library only and
// imports nothing of ours. Words of the vendor's wire ("Cover", "-1", "Policys")
// stay in cloudfw/alibaba; what to do about a difference is sync/plan's business.
package cloudfw
