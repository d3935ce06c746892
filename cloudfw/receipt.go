package cloudfw

import "context"

// Receipt is what the vendor calls a request in its own records, for those who have to
// ask about one.
type Receipt struct{ RequestID string }

type receiptKey struct{}

// WithReceipt has the account note in r the latest request that it makes with the
// returned context, one step at a time; nil has it note nothing.
func WithReceipt(ctx context.Context, r *Receipt) context.Context {
	return context.WithValue(ctx, receiptKey{}, r)
}

// Receive notes a request's id for whoever asked for it.
func Receive(ctx context.Context, requestID string) {
	if r, ok := ctx.Value(receiptKey{}).(*Receipt); ok && r != nil && requestID != "" {
		r.RequestID = requestID
	}
}
