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

// page is one page of a numbered list.
type page[T any] struct {
	items []T
	total int // as the service counts the whole list
}

// readNumbered reads all pages of a list that is addressed by page number. Nothing
// holds the list still meanwhile, so it is begun anew when the total changes between
// pages, an item comes twice, or the items do not add up to the total; a list that
// never holds still is an Unavailable error.
func readNumbered[T any](ctx context.Context, api API, subject string, id func(T) string, read func(ctx context.Context, number int) (page[T], error)) ([]T, error) {
	var moved error
	for range listReads {
		items, err := readOnce(ctx, id, read)
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

var errMoved = errors.New("the list changed while it was read")

// readOnce reads the pages in order and then all but the last again: an item that
// goes while another one comes leaves the total as it is, but pushes an unread item
// onto a page that was read already. Lists of one page cost one call.
func readOnce[T any](ctx context.Context, id func(T) string, read func(ctx context.Context, number int) (page[T], error)) ([]T, error) {
	items := []T{}
	seen := map[string]bool{}
	for number := 1; ; number++ {
		p, err := read(ctx, number)
		if err != nil {
			return nil, err
		}
		for _, item := range p.items {
			key := id(item)
			if seen[key] {
				return nil, fmt.Errorf("%w (%s came twice)", errMoved, oneLine(key))
			}
			seen[key] = true
		}
		items = append(items, p.items...)
		if len(items) == p.total {
			return items, still(ctx, items, number, id, read)
		}
		if len(items) > p.total || len(p.items) == 0 || number*pageSize >= p.total {
			return nil, fmt.Errorf("%w (%d of %d came)", errMoved, len(items), p.total)
		}
	}
}

// still reads the pages before the last one again and reports whether they hold the
// same items in the same places.
func still[T any](ctx context.Context, items []T, last int, id func(T) string, read func(ctx context.Context, number int) (page[T], error)) error {
	for number := 1; number < last; number++ {
		p, err := read(ctx, number)
		if err != nil {
			return err
		}
		first := (number - 1) * pageSize
		for i, item := range p.items {
			if first+i >= len(items) || id(item) != id(items[first+i]) {
				return fmt.Errorf("%w (place %d)", errMoved, first+i+1)
			}
		}
		if p.total != len(items) || len(p.items) != min(pageSize, len(items)-first) {
			return fmt.Errorf("%w (%d of %d came again)", errMoved, len(p.items), p.total)
		}
	}
	return nil
}

// readTokened reads all pages of a list that names its next page by a token. A
// token that comes back is an Unavailable error, as it would never end.
func readTokened[T any](ctx context.Context, api API, subject string, read func(ctx context.Context, token string) (items []T, next string, err error)) ([]T, error) {
	items := []T{}
	seen := map[string]bool{}
	for token := ""; ; {
		more, next, err := read(ctx, token)
		if err != nil {
			return nil, err
		}
		items = append(items, more...)
		if next == "" {
			return items, nil
		}
		if seen[next] {
			return nil, partial(api, subject, "the pages of the list go in a circle")
		}
		seen[next] = true
		token = next
	}
}
