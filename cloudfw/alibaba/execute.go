package alibaba

import (
	"context"
	"fmt"
	"net/netip"

	"fwsync/cloudfw"
)

// Execute implements cloudfw.Writer. Rules go to the border that they name. For a
// book of domains or ports, whose entries are no prefixes, the entries to append or to
// remove are the Entries of the step's Book; books of other types are read only. A book or list that the step knows only by its
// name is looked up first, which may take a reading call more. A write that was
// under way when ctx ended is UnknownOutcome, not Canceled: it may have happened.
func (a *Account) Execute(ctx context.Context, step cloudfw.Step) error {
	if err := complete(step); err != nil {
		return err
	}
	switch step.Op {
	case cloudfw.CreateBook:
		return a.createBook(ctx, step)
	case cloudfw.AppendAddresses:
		return a.editBook(ctx, step, "Append")
	case cloudfw.RemoveAddresses:
		return a.editBook(ctx, step, "Delete")
	case cloudfw.MarkBook:
		return a.markBook(ctx, step)
	case cloudfw.DeleteBook:
		return a.deleteBook(ctx, step)
	case cloudfw.InsertRule:
		return a.insertRule(ctx, step)
	case cloudfw.MoveRule:
		return a.moveRule(ctx, step)
	case cloudfw.EditRule:
		return a.editRule(ctx, step)
	case cloudfw.DeleteRule:
		return a.deleteRule(ctx, step)
	case cloudfw.CreateList:
		return a.createList(ctx, step)
	case cloudfw.EditList:
		return a.editList(ctx, step)
	case cloudfw.MarkList:
		return a.editList(ctx, step)
	case cloudfw.DeleteList:
		return a.deleteList(ctx, step)
	case cloudfw.AuthoriseRules:
		return a.authoriseRules(ctx, step)
	case cloudfw.EditGroupRule:
		return a.editGroupRule(ctx, step)
	default:
		return a.revokeRules(ctx, step)
	}
}

// complete refuses a step that lacks what its operation needs, before any call.
func complete(step cloudfw.Step) error {
	var missing string
	switch step.Op {
	case cloudfw.CreateBook, cloudfw.AppendAddresses, cloudfw.RemoveAddresses, cloudfw.MarkBook, cloudfw.DeleteBook:
		if step.Book == nil || step.Book.Name == "" {
			missing = "a book with a name"
		} else if step.Op == cloudfw.MarkBook && (step.Book.Description == "" || len(step.Prefixes) > 0) {
			missing = "a description and nothing else to write"
		}
	case cloudfw.InsertRule:
		if step.Rule == nil || step.Rule.Order < 1 {
			missing = "a rule with a position of 1 or more"
		}
	case cloudfw.MoveRule:
		if step.Rule == nil || step.Rule.ID == "" || step.Rule.Order < 1 {
			missing = "a rule with an id and a position of 1 or more"
		}
	case cloudfw.EditRule, cloudfw.DeleteRule:
		if step.Rule == nil || step.Rule.ID == "" {
			missing = "a rule with an id"
		}
	case cloudfw.CreateList, cloudfw.EditList, cloudfw.MarkList, cloudfw.DeleteList:
		if step.List == nil || step.List.Name == "" {
			missing = "a prefix list with a name"
		} else if step.Op == cloudfw.EditList && len(step.Prefixes)+len(step.Removed) == 0 {
			missing = "an entry to add or to remove"
		} else if step.Op == cloudfw.MarkList && (step.List.Description == "" || len(step.Prefixes)+len(step.Removed) > 0) {
			missing = "a description and nothing else to write"
		}
	case cloudfw.AuthoriseRules, cloudfw.RevokeRules, cloudfw.EditGroupRule:
		return completeGroupRules(step)
	default:
		return &cloudfw.Error{Op: "step", Kind: cloudfw.Invalid, Message: fmt.Sprintf("unknown operation %q", step.Op)}
	}
	if step.Rule != nil && step.Rule.Border.NAT != "" && step.Rule.Border.VPC != "" {
		missing = "a rule of one border, not of two"
	}
	if missing != "" {
		return &cloudfw.Error{Op: string(step.Op), Kind: cloudfw.Invalid, Message: "the step needs " + missing}
	}
	if step.List != nil {
		for _, prefixes := range [][]netip.Prefix{step.List.Prefixes, step.Prefixes, step.Removed} {
			for _, p := range prefixes {
				if !p.IsValid() || p != p.Masked() || step.List.Family != "" && cloudfw.FamilyOf(p) != step.List.Family {
					return refuse(step, fmt.Sprintf("%s is not a masked %s prefix", p, step.List.Family))
				}
			}
		}
	}
	return nil
}

func completeGroupRules(step cloudfw.Step) error {
	if step.Op == cloudfw.EditGroupRule && (step.GroupID == "" || len(step.GroupRules) != 1 || step.GroupRules[0].ID == "") {
		return refuse(step, "the step needs a group and one rule with an id")
	}
	most := cloudfw.DefaultLimits().RulesPerCall
	if step.GroupID == "" || len(step.GroupRules) == 0 || len(step.GroupRules) > most {
		return refuse(step, fmt.Sprintf("the step needs a group and 1 to %d rules", most))
	}
	for _, r := range step.GroupRules {
		if r.Direction != step.GroupRules[0].Direction {
			return refuse(step, "one call changes one direction: the rules are of both")
		}
	}
	return nil
}

// refuse is the error of a step that must not be sent.
func refuse(step cloudfw.Step, why string) error {
	return &cloudfw.Error{Op: string(step.Op), Subject: step.Subject(), Kind: cloudfw.Invalid, Message: why}
}
