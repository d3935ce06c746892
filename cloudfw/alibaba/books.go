package alibaba

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	wirefw "github.com/aliyun/alibaba-cloud-sdk-go/services/cloudfw"

	"fwsync/cloudfw"
)

// book is one address book as DescribeAddressBook answers it (reference §2.4).
type book struct {
	GroupUuid      text
	GroupName      text
	GroupType      text
	Description    text
	AddressList    []text
	ReferenceCount number
}

type booksAnswer struct {
	TotalCount *number
	Acls       []book // sic
}

func (a *booksAnswer) check() error {
	if a.TotalCount == nil {
		return errors.New("no TotalCount")
	}
	for _, b := range a.Acls {
		if b.GroupUuid == "" || b.GroupName == "" {
			return errors.New("a book without GroupUuid or GroupName")
		}
	}
	return nil
}

// queryBooks reads the books of one family, all of them or those that the query
// finds by name or address.
func (a *Account) queryBooks(ctx context.Context, family cloudfw.Family, query string) ([]book, error) {
	subject := string(family) + " books"
	return readNumbered(ctx, describeAddressBook, subject,
		func(b book) string { return string(b.GroupUuid) },
		func(ctx context.Context, number int) (page[book], error) {
			got, err := ask[booksAnswer](ctx, a, describeAddressBook, subject, func() requests.AcsRequest {
				r := wirefw.CreateDescribeAddressBookRequest()
				r.GroupType, r.Query = wireBookType(family), query
				r.CurrentPage, r.PageSize = strconv.Itoa(number), strconv.Itoa(pageSize)
				return r
			})
			if err != nil {
				return page[book]{}, err
			}
			return page[book]{got.Acls, int(*got.TotalCount)}, nil
		})
}

func (a *Account) readBooks(ctx context.Context, family cloudfw.Family) ([]cloudfw.AddressBook, error) {
	found, err := a.queryBooks(ctx, family, "")
	if err != nil {
		return nil, err
	}
	books := make([]cloudfw.AddressBook, 0, len(found))
	for _, f := range found {
		if f.GroupType != "" && string(f.GroupType) != wireBookType(family) {
			continue
		}
		b, unreadable := f.book(family)
		if unreadable > 0 {
			a.log.LogAttrs(ctx, slog.LevelDebug, "address book entries that are no addresses",
				slog.String("book", oneLine(b.Name)), slog.Int("entries", unreadable))
		}
		books = append(books, b)
	}
	return books, nil
}

// bookID is the id of a step's book: its own, or what its name stands for.
func (a *Account) bookID(ctx context.Context, step cloudfw.Step) (string, error) {
	if step.Book.ID != "" {
		return step.Book.ID, nil
	}
	if id := a.names.book(step.Book.Name); id != "" {
		return id, nil
	}
	families := cloudfw.Families
	if step.Book.Family != "" {
		families = []cloudfw.Family{step.Book.Family}
	}
	for _, family := range families {
		found, err := a.queryBooks(ctx, family, step.Book.Name)
		if err != nil {
			return "", err
		}
		for _, f := range found {
			if string(f.GroupName) == step.Book.Name {
				a.names.setBook(step.Book.Name, string(f.GroupUuid))
				return string(f.GroupUuid), nil
			}
		}
	}
	return "", &cloudfw.Error{Op: describeAddressBook.Name, Subject: step.Book.Name, Kind: cloudfw.NotFound, Message: "there is no address book of that name"}
}

// madeBook is the answer of AddAddressBook.
type madeBook struct{ GroupUuid text }

func (*madeBook) check() error { return nil }

func (a *Account) createBook(ctx context.Context, step cloudfw.Step) error {
	addresses, err := addressList(step.Book.Prefixes, step.Book.Family)
	if err != nil {
		return refuse(step, err.Error())
	}
	made, err := ask[madeBook](ctx, a, addAddressBook, step.Subject(), func() requests.AcsRequest {
		r := wirefw.CreateAddAddressBookRequest()
		r.GroupName, r.GroupType, r.Description = step.Book.Name, wireBookType(step.Book.Family), step.Book.Description
		r.FormParams["AddressList"] = addresses
		return r
	})
	if err != nil {
		return err
	}
	a.names.setBook(step.Book.Name, string(made.GroupUuid))
	return nil
}

// editBook appends or deletes addresses. The third mode, which replaces the whole
// list, loses what others add meanwhile and is never used (reference §2.4).
func (a *Account) editBook(ctx context.Context, step cloudfw.Step, mode string) error {
	addresses, err := addressList(step.Prefixes, step.Book.Family)
	if err != nil {
		return refuse(step, err.Error())
	}
	id, err := a.bookID(ctx, step)
	if err != nil {
		return err
	}
	_, err = ask[done](ctx, a, modifyAddressBook, step.Subject(), func() requests.AcsRequest {
		r := wirefw.CreateModifyAddressBookRequest()
		r.GroupUuid, r.GroupName, r.Description = id, step.Book.Name, step.Book.Description
		r.QueryParams["ModifyMode"] = mode
		r.FormParams["AddressList"] = addresses
		return r
	})
	return err
}

func (a *Account) deleteBook(ctx context.Context, step cloudfw.Step) error {
	id, err := a.bookID(ctx, step)
	if err != nil {
		return err
	}
	_, err = ask[done](ctx, a, deleteAddressBook, step.Subject(), func() requests.AcsRequest {
		r := wirefw.CreateDeleteAddressBookRequest()
		r.GroupUuid = id
		return r
	})
	if err == nil {
		a.names.setBook(step.Book.Name, "")
	}
	return err
}

// addressList is the comma-separated list of a book, which may be too long for a
// URL and goes into the request's body (reference §0.3). A family of "" takes the
// one of the first address; books hold one family only.
func addressList(prefixes []netip.Prefix, family cloudfw.Family) (string, error) {
	if len(prefixes) == 0 {
		return "", errors.New("no addresses given")
	}
	if family == "" {
		family = cloudfw.FamilyOf(prefixes[0])
	}
	texts := make([]string, len(prefixes))
	for i, p := range prefixes {
		if !p.IsValid() || p != p.Masked() || cloudfw.FamilyOf(p) != family {
			return "", fmt.Errorf("%s is not a masked %s prefix", p, family)
		}
		texts[i] = p.String()
	}
	return strings.Join(texts, ","), nil
}
