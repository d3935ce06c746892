package alibaba

import (
	"context"
	"errors"
	"fmt"
)

// pageSize is the most that the firewall's lists give at once (reference §2.1, §2.4).
const pageSize = 50

// listReads bounds how often a list that changes while it is read is begun anew.
const listReads = 4

// Lists beyond these are no lists but a service that has lost its way: twenty times
// the vendor's own limits (reference §2.2, §2.3).
const (
	mostItems = 100_000
	mostPages = 2_000
)

// page is one page of a numbered list.
type page[T any] struct {
	items []T
	total int // as the service counts the whole list
}

// readNumbered reads all pages of a list that is addressed by page number, each one
// once. Nothing holds the list still meanwhile, so it is begun anew when the total
// changes between pages, a page is short, an item comes twice or, for lists with
// positions, an item is not in its place; a list that never holds still is an
// Unavailable error. One change cannot be seen without reading everything twice: an
// item of a page that was read goes and another one comes behind it, in the time
// between two pages of one list. The next observation sees it.
//
// id names an item; place is its position, counted from 1, or nil.
func readNumbered[T any](ctx context.Context, api API, subject string, id func(*T) string, place func(*T) int, read func(ctx context.Context, number int) (page[T], error)) ([]T, error) {
	return readPages(ctx, api, subject, pageSize, id, place, read)
}

func readPages[T any](ctx context.Context, api API, subject string, size int, id func(*T) string, place func(*T) int, read func(ctx context.Context, number int) (page[T], error)) ([]T, error) {
	var moved error
	for range listReads {
		items, err := readOnce(ctx, size, id, place, read)
		if err == nil {
			return items, nil
		}
		if !errors.Is(err, errMoved) {
			return nil, err
		}
		moved = err
	}
	failure := partial(api, subject, fmt.Sprintf("%v, %d times in a row", moved, listReads))
	if place != nil {
		failure.Advice = "somebody edits the list all the time, or its positions have a gap: look at the list in the console, and move the policy behind the gap up"
	}
	return nil, failure
}

var errMoved = errors.New("the list changed while it was read")

// readOnce reads the pages in order. The first page says how many there are.
func readOnce[T any](ctx context.Context, size int, id func(*T) string, place func(*T) int, read func(ctx context.Context, number int) (page[T], error)) ([]T, error) {
	var items []T
	var seen map[string]bool
	total := 0
	for number := 1; number == 1 || len(items) < total; number++ {
		p, err := read(ctx, number)
		if err != nil {
			return nil, err
		}
		if number == 1 {
			total = p.total
			if total < 0 || total > mostItems {
				return nil, fmt.Errorf("%w (it counts %d items)", errMoved, total)
			}
			items, seen = make([]T, 0, total), make(map[string]bool, total)
		}
		if p.total != total {
			return nil, fmt.Errorf("%w (from %d items to %d)", errMoved, total, p.total)
		}
		if want := min(size, total-len(items)); len(p.items) != want {
			return nil, fmt.Errorf("%w (%d of %d came on page %d)", errMoved, len(p.items), want, number)
		}
		for i := range p.items {
			key := id(&p.items[i])
			if seen[key] {
				return nil, fmt.Errorf("%w (%s came twice)", errMoved, oneLine(key))
			}
			seen[key] = true
			items = append(items, p.items[i])
			if place != nil && place(&p.items[i]) != len(items) {
				return nil, fmt.Errorf("%w (position %d in place %d)", errMoved, place(&p.items[i]), len(items))
			}
		}
	}
	return items, nil
}

// readTokened reads all pages of a list that names its next page by a token. Pages
// may be short. A list in which an item comes twice is begun anew; one that never
// holds still, a token that comes back and a chain of pages without end are
// Unavailable errors.
func readTokened[T any](ctx context.Context, api API, subject string, id func(*T) string, read func(ctx context.Context, token string) (items []T, next string, err error)) ([]T, error) {
	var moved error
	for range listReads {
		items, err := readChain(ctx, api, subject, id, read)
		if err == nil {
			return items, nil
		}
		if !errors.Is(err, errMoved) {
			return nil, err
		}
		moved = err
	}
	return nil, partial(api, subject, fmt.Sprintf("%v, %d times in a row", moved, listReads))
}

func readChain[T any](ctx context.Context, api API, subject string, id func(*T) string, read func(ctx context.Context, token string) (items []T, next string, err error)) ([]T, error) {
	var items []T
	tokens, seen := map[string]bool{}, map[string]bool{}
	token := ""
	for range mostPages {
		more, next, err := read(ctx, token)
		if err != nil {
			return nil, err
		}
		for i := range more {
			key := id(&more[i])
			if seen[key] {
				return nil, fmt.Errorf("%w (%s came twice)", errMoved, oneLine(key))
			}
			seen[key] = true
		}
		items = append(items, more...)
		if next == "" {
			return items, nil
		}
		if tokens[next] {
			return nil, partial(api, subject, "the pages of the list go in a circle")
		}
		tokens[next] = true
		token = next
	}
	return nil, partial(api, subject, fmt.Sprintf("the list has not ended after %d pages", mostPages))
}
