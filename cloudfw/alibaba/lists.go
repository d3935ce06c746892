package alibaba

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"

	"fwsync/cloudfw"
)

// listPrefix begins the names of the prefix lists that fwsync makes. Other lists are
// not observed: nobody asks for their entries, and a list without its entries would
// look like one that matches nothing.
const listPrefix = "fwsync-"

// listHead is one prefix list without its entries.
type listHead struct {
	PrefixListId   text
	PrefixListName text
}

type listsAnswer struct {
	envelope
	NextToken   text
	PrefixLists *struct {
		PrefixList []listHead
	}
}

func (a *listsAnswer) check() error {
	if a.PrefixLists == nil {
		return errors.New("no PrefixLists")
	}
	return nil
}

// listAnswer is the answer of DescribePrefixListAttributes (reference §3.2).
type listAnswer struct {
	envelope
	PrefixListId   text
	PrefixListName text
	AddressFamily  text
	MaxEntries     number
	Description    text
	Entries        struct {
		Entry []struct{ Cidr text }
	}
}

func (a *listAnswer) check() error {
	if a.PrefixListId == "" || a.PrefixListName == "" {
		return errors.New("no PrefixListId or no PrefixListName")
	}
	return nil
}

// queryLists reads the heads of all prefix lists, or of those of one exact name.
func (a *Account) queryLists(ctx context.Context, name string) ([]listHead, error) {
	return readTokened(ctx, describePrefixLists, name, func(l *listHead) string { return string(l.PrefixListId) }, func(ctx context.Context, token string) ([]listHead, string, error) {
		got, err := ask[listsAnswer](ctx, a, describePrefixLists, name, func() requests.AcsRequest {
			r := ecs.CreateDescribePrefixListsRequest()
			r.PrefixListName, r.NextToken = name, token
			r.MaxResults = requests.NewInteger(listsPerPage)
			return r
		})
		if err != nil {
			return nil, "", err
		}
		return got.PrefixLists.PrefixList, string(got.NextToken), nil
	})
}

// readLists reads fwsync's prefix lists, of every owner, with their entries.
func (a *Account) readLists(ctx context.Context) ([]cloudfw.PrefixList, error) {
	heads, err := a.queryLists(ctx, "")
	if err != nil {
		return nil, err
	}
	lists := []cloudfw.PrefixList{}
	for _, head := range heads {
		if !strings.HasPrefix(string(head.PrefixListName), listPrefix) {
			continue
		}
		got, err := ask[listAnswer](ctx, a, describePrefixListAttributes, string(head.PrefixListName), func() requests.AcsRequest {
			r := ecs.CreateDescribePrefixListAttributesRequest()
			r.PrefixListId = string(head.PrefixListId)
			return r
		})
		if cloudfw.KindOf(err) == cloudfw.NotFound {
			return nil, &inconsistent{partial(describePrefixListAttributes, string(head.PrefixListName), "the list was listed, but is gone now")}
		}
		if err != nil {
			return nil, err
		}
		list, unreadable := got.list()
		if unreadable > 0 {
			a.log.LogAttrs(ctx, slog.LevelDebug, "prefix list entries that are no addresses",
				slog.String("list", oneLine(list.Name)), slog.Int("entries", unreadable))
		}
		lists = append(lists, list)
	}
	return lists, nil
}

// withList does something with the id of a prefix list that is given by its id or its
// name; see withBook about ids that are remembered. The names of the lists that
// fwsync makes never look like ids.
func (a *Account) withList(ctx context.Context, value string, do func(id string) error) error {
	if id := a.names.list(value); id != "" {
		err := do(id)
		if cloudfw.KindOf(err) != cloudfw.NotFound {
			return err
		}
		a.names.setList(value, "")
	}
	if strings.HasPrefix(value, "pl-") {
		return do(value)
	}
	id, err := a.findList(ctx, value)
	if err != nil {
		return err
	}
	return do(id)
}

// findList looks up the prefix list of that name.
func (a *Account) findList(ctx context.Context, name string) (string, error) {
	heads, err := a.queryLists(ctx, name)
	if err != nil {
		return "", err
	}
	for _, head := range heads {
		if string(head.PrefixListName) == name {
			a.names.setList(name, string(head.PrefixListId))
			return string(head.PrefixListId), nil
		}
	}
	return "", &cloudfw.Error{Op: describePrefixLists.Name, Subject: name, Kind: cloudfw.NotFound, Message: "there is no prefix list of that name"}
}

func (a *Account) withStepList(ctx context.Context, step cloudfw.Step, do func(id string) error) error {
	if step.List.ID != "" {
		return do(step.List.ID)
	}
	return a.withList(ctx, step.List.Name, do)
}

// madeList is the answer of CreatePrefixList.
type madeList struct {
	envelope
	PrefixListId text
}

func (*madeList) check() error { return nil }

func (a *Account) createList(ctx context.Context, step cloudfw.Step) error {
	form := map[string]string{}
	for i, p := range step.List.Prefixes {
		form[fmt.Sprintf("Entry.%d.Cidr", i+1)] = p.String()
	}
	made, err := ask[madeList](ctx, a, createPrefixList, step.Subject(), func() requests.AcsRequest {
		r := ecs.CreateCreatePrefixListRequest()
		r.PrefixListName, r.Description = step.List.Name, step.List.Description
		r.AddressFamily, r.MaxEntries = wireFamily(step.List.Family), requests.Integer(strconv.Itoa(step.List.MaxEntries))
		fill(r.FormParams, form)
		return r
	})
	if err != nil {
		return err
	}
	a.names.setList(step.List.Name, string(made.PrefixListId))
	return nil
}

func (a *Account) editList(ctx context.Context, step cloudfw.Step) error {
	form := map[string]string{}
	for i, p := range step.Prefixes {
		form[fmt.Sprintf("AddEntry.%d.Cidr", i+1)] = p.String()
	}
	for i, p := range step.Removed {
		form[fmt.Sprintf("RemoveEntry.%d.Cidr", i+1)] = p.String()
	}
	return a.withStepList(ctx, step, func(id string) error {
		_, err := ask[done](ctx, a, modifyPrefixList, step.Subject(), func() requests.AcsRequest {
			r := ecs.CreateModifyPrefixListRequest()
			r.PrefixListId, r.Description = id, step.List.Description
			fill(r.FormParams, form)
			return r
		})
		return err
	})
}

func (a *Account) deleteList(ctx context.Context, step cloudfw.Step) error {
	return a.withStepList(ctx, step, func(id string) error {
		err := a.write(ctx, deletePrefixList, step, fields{"PrefixListId": id})
		if err == nil {
			a.names.setList(step.List.Name, "")
		}
		return err
	})
}
