package alibaba

import (
	"context"
	"errors"
	"log/slog"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"fwsync/cloudfw"
)

// book is one address book as DescribeAddressBook answers it (reference §2.4).
type book struct {
	GroupUuid      text
	GroupName      text
	GroupType      text
	Description    text
	AddressList    texts
	TagRelation    text
	TagList        []struct{ TagKey, TagValue text }
	ReferenceCount number
}

type booksAnswer struct {
	envelope
	TotalCount *number
	Acls       []book // sic
}

func (a *booksAnswer) check() error {
	if a.TotalCount == nil {
		return errors.New("no TotalCount")
	}
	for i := range a.Acls {
		if b := &a.Acls[i]; b.GroupUuid == "" || b.GroupName == "" || b.GroupType == "" {
			return errors.New("a book without GroupUuid, GroupName or GroupType")
		}
	}
	return nil
}

// allTypes lists the books of every type in one go, as other clients do (reference
// §2.4); left out, it would mean two of the types only.
const allTypes = "all"

// queryBooks reads the books of all types, all of them or those that the query finds
// by name or address.
func (a *Account) queryBooks(ctx context.Context, query string) ([]book, error) {
	const subject = "address books"
	filter := fields{"GroupType": allTypes}
	if query != "" {
		filter["Query"] = query
	}
	return readNumbered(ctx, describeAddressBook, subject,
		func(b *book) string { return string(b.GroupUuid) }, nil,
		func(ctx context.Context, number int) (page[book], error) {
			got, err := ask[booksAnswer](ctx, a, describeAddressBook, subject, func() requests.AcsRequest {
				return newRequest(describeAddressBook, filter.with(pageFields(number, pageSize)), nil)
			})
			if err != nil {
				return page[book]{}, err
			}
			return page[book]{got.Acls, int(*got.TotalCount)}, nil
		})
}

func (a *Account) readBooks(ctx context.Context) ([]cloudfw.AddressBook, error) {
	found, err := a.queryBooks(ctx, "")
	if err != nil {
		return nil, err
	}
	books := make([]cloudfw.AddressBook, 0, len(found))
	for i := range found {
		b, unreadable := found[i].book()
		if unreadable > 0 {
			a.log.LogAttrs(ctx, slog.LevelDebug, "address book entries that are no addresses",
				slog.String("book", oneLine(b.Name)), slog.Int("entries", unreadable))
		}
		books = append(books, b)
	}
	return books, nil
}

// withBook does something with the id of a step's book: its own, or what its name
// stands for. An id that is remembered may be of a book that somebody has deleted and
// made anew meanwhile: if there is no such book, the name is looked up again, once.
func (a *Account) withBook(ctx context.Context, step cloudfw.Step, do func(id string) error) error {
	if step.Book.ID != "" {
		return do(step.Book.ID)
	}
	if id := a.names.book(step.Book.Name); id != "" {
		err := do(id)
		if cloudfw.KindOf(err) != cloudfw.NotFound {
			return err
		}
		a.names.setBook(step.Book.Name, "")
	}
	id, err := a.findBook(ctx, step.Book.Name)
	if err != nil {
		return err
	}
	return do(id)
}

// findBook looks up the book of that name.
func (a *Account) findBook(ctx context.Context, name string) (string, error) {
	found, err := a.queryBooks(ctx, name)
	if err != nil {
		return "", err
	}
	for i := range found {
		if string(found[i].GroupName) == name {
			a.names.setBook(name, string(found[i].GroupUuid))
			return string(found[i].GroupUuid), nil
		}
	}
	return "", &cloudfw.Error{Op: describeAddressBook.Name, Subject: name, Kind: cloudfw.NotFound, Message: "there is no address book of that name"}
}

// madeBook is the answer of AddAddressBook.
type madeBook struct {
	envelope
	GroupUuid text
}

func (*madeBook) check() error { return nil }

func (a *Account) createBook(ctx context.Context, step cloudfw.Step) error {
	kind, entries, err := bookForm(step.Book, step.Book.Prefixes)
	if err != nil {
		return refuse(step, err.Error())
	}
	made, err := ask[madeBook](ctx, a, addAddressBook, step.Subject(), func() requests.AcsRequest {
		return newRequest(addAddressBook,
			fields{"GroupName": step.Book.Name, "GroupType": kind, "Description": step.Book.Description}, fields{"AddressList": entries})
	})
	if err != nil {
		return err
	}
	a.names.setBook(step.Book.Name, string(made.GroupUuid))
	return nil
}

// editBook appends or deletes entries: the step's Prefixes for a book of addresses,
// its Book.Entries for one of domains or ports. The third mode, which replaces the
// whole list, loses what others add meanwhile and is never used (reference §2.4).
func (a *Account) editBook(ctx context.Context, step cloudfw.Step, mode string) error {
	_, entries, err := bookForm(step.Book, step.Prefixes)
	if err != nil {
		return refuse(step, err.Error())
	}
	return a.withBook(ctx, step, func(id string) error {
		_, err := ask[done](ctx, a, modifyAddressBook, step.Subject(), func() requests.AcsRequest {
			return newRequest(modifyAddressBook,
				fields{"GroupUuid": id, "GroupName": step.Book.Name, "Description": step.Book.Description, "ModifyMode": mode},
				fields{"AddressList": entries})
		})
		return err
	})
}

// markBook writes a book's description. Without a list and a mode its entries stay as
// they are (reference §2.4).
func (a *Account) markBook(ctx context.Context, step cloudfw.Step) error {
	return a.withBook(ctx, step, func(id string) error {
		return a.write(ctx, modifyAddressBook, step, fields{"GroupUuid": id, "GroupName": step.Book.Name, "Description": step.Book.Description})
	})
}

func (a *Account) deleteBook(ctx context.Context, step cloudfw.Step) error {
	return a.withBook(ctx, step, func(id string) error {
		err := a.write(ctx, deleteAddressBook, step, fields{"GroupUuid": id})
		if err == nil {
			a.names.setBook(step.Book.Name, "")
		}
		return err
	})
}
