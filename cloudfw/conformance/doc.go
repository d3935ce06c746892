// Package conformance is the suite that every cloudfw.Account has to pass, whoever
// implements it: Run makes, changes and removes objects of its own on the account
// and compares what it reads back with what the model promises.
//
// Where the vendor documents nothing, both readings pass and the one taken is
// logged. What the suite holds an account to beyond the comments of package cloudfw:
//
//   - What was made reads back equal but for what only a live object has, and every
//     value is in canonical form.
//   - Deleting, revoking or editing what is not there is NotFound; a deletion may
//     succeed instead, as its effect is there.
//   - Appending addresses that a book holds, removing some that it does not and
//     authorising a rule that is there change nothing. They succeed or are refused as
//     Invalid, Conflict or NotFound; never half of the call.
//   - A name that is taken and a book or list in use are Conflict, an exhausted
//     capacity is Quota, a step that makes no sense is Invalid. Refused steps change nothing.
//   - A step whose ctx ended is Canceled when it was not sent and had no effect, and
//     UnknownOutcome when it may have had one.
//   - After a step without an error cloudfw.Done finds its effect, before it does not.
//   - Nothing that the suite did not make changes, its order included.
//
// What may live here: promises about accounts. What may not: anything that knows a
// vendor or a simulator; only the package's own tests do.
package conformance
