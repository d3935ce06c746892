package wrap

import (
	"context"

	"fwsync/cloudfw"
)

// ReadOnly is an account that observes through r and refuses every step as Denied,
// without a call. It is for code that asks for an Account and must not be trusted
// with one; what is compiled against cloudfw.Reader needs no wrapper (promise P9).
func ReadOnly(r cloudfw.Reader) cloudfw.Account { return readOnly{r} }

type readOnly struct{ cloudfw.Reader }

// Execute implements cloudfw.Writer: it always refuses.
func (readOnly) Execute(ctx context.Context, step cloudfw.Step) error {
	if err := ctx.Err(); err != nil {
		return canceled(step, err)
	}
	return &cloudfw.Error{
		Op: string(step.Op), Subject: subject(step), Kind: cloudfw.Denied,
		Message: "the account is opened read-only: nothing was sent",
	}
}

// canceled is the error of a step that was given up before anything was sent.
func canceled(step cloudfw.Step, cause error) error {
	return &cloudfw.Error{Op: string(step.Op), Subject: subject(step), Kind: cloudfw.Canceled, Message: cause.Error()}
}

// subject is the step's subject, empty for a step that lacks what its operation
// needs: to refuse it is the account's part.
func subject(step cloudfw.Step) string {
	missing := false
	switch step.Op {
	case cloudfw.CreateBook, cloudfw.AppendAddresses, cloudfw.RemoveAddresses, cloudfw.MarkBook, cloudfw.DeleteBook:
		missing = step.Book == nil
	case cloudfw.InsertRule, cloudfw.MoveRule, cloudfw.EditRule, cloudfw.DeleteRule:
		missing = step.Rule == nil
	case cloudfw.CreateList, cloudfw.EditList, cloudfw.MarkList, cloudfw.DeleteList:
		missing = step.List == nil
	}
	if missing {
		return ""
	}
	return step.Subject()
}
