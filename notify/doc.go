// Package notify tells people what happened, where they are: chat groups, webhooks,
// mail. Which events a run raises is worked out purely, from plain values and from what
// was told before; sending is bounded in everything: the queue, the rate, the retries,
// the wait. It knows no other package of ours, and no secret gets into what it returns.
package notify
