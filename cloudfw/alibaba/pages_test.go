package alibaba

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
	"fwsync/cloudfw/simulator"
)

type item struct {
	name  string
	order int
}

func nameOf(i *item) string { return i.name }
func orderOf(i *item) int   { return i.order }

// items are as many as the numbers, in their order.
func items(numbers ...int) []item {
	list := make([]item, len(numbers))
	for i, n := range numbers {
		list[i] = item{fmt.Sprint(n), n}
	}
	return list
}

// script answers pages in turn, and the last one for ever.
func script(answers ...page[item]) (read func(context.Context, int) (page[item], error), calls *int) {
	calls = new(int)
	return func(context.Context, int) (page[item], error) {
		p := answers[min(*calls, len(answers)-1)]
		*calls++
		return p, nil
	}, calls
}

func TestNumberedPagesThatDoNotFitTogetherAreReadAnew(t *testing.T) {
	first, last := page[item]{items(1, 2, 3), 5}, page[item]{items(4, 5), 5}
	for what, c := range map[string]struct {
		torn  []page[item]
		calls int // of the torn reading
	}{
		"nothing wrong":          {nil, 0},
		"a total that shrinks":   {[]page[item]{first, {items(4), 4}}, 2},
		"a total that grows":     {[]page[item]{first, {items(4, 5, 6), 6}}, 2},
		"a short first page":     {[]page[item]{{items(1, 2), 5}}, 1},
		"a short last page":      {[]page[item]{first, {items(4), 5}}, 2},
		"a long page":            {[]page[item]{{items(1, 2, 3, 4), 5}}, 1},
		"an empty page":          {[]page[item]{first, {nil, 5}}, 2},
		"the same page again":    {[]page[item]{first, {items(1, 2), 5}}, 2},
		"an item twice":          {[]page[item]{{items(1, 1, 2), 5}}, 1},
		"a gap in the positions": {[]page[item]{{items(1, 2, 4), 5}}, 1},
		"positions out of order": {[]page[item]{{items(2, 1, 3), 5}}, 1},
		"a negative total":       {[]page[item]{{nil, -1}}, 1},
		"a total beyond all":     {[]page[item]{{items(1, 2, 3), mostItems + 1}}, 1},
	} {
		read, calls := script(append(c.torn, first, last)...)
		got, err := readPages(t.Context(), describeAssetList, "s", 3, nameOf, orderOf, read)
		if err != nil || len(got) != 5 || *calls != c.calls+2 {
			t.Errorf("%s: %v after %d calls (%v)", what, got, *calls, err)
		}
		if c.torn == nil {
			continue
		}
		read, _ = script(c.torn[len(c.torn)-1])
		_, err = readPages(t.Context(), describeAssetList, "s", 3, nameOf, orderOf, read)
		if cloudfw.KindOf(err) != cloudfw.Unavailable {
			t.Errorf("%s for ever: %v", what, err)
		}
	}
}

func TestNumberedListsOfAnyLengthTakeNoCallTooMany(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length, size := rapid.IntRange(0, 200).Draw(t, "length"), rapid.IntRange(1, 50).Draw(t, "page size")
		var all []item
		for i := range length {
			all = append(all, item{fmt.Sprint(i), i + 1})
		}
		calls := 0
		got, err := readPages(context.Background(), describeAssetList, "s", size, nameOf, orderOf, func(_ context.Context, number int) (page[item], error) {
			calls++
			from := min((number-1)*size, length)
			return page[item]{all[from:min(from+size, length)], length}, nil
		})
		if want := max(1, (length+size-1)/size); err != nil || len(got) != length || calls != want {
			t.Fatalf("%d items in %d calls (%v), want %d in %d", len(got), calls, err, length, want)
		}
	})
}

func TestAFailingPageEndsTheReading(t *testing.T) {
	boom := errors.New("boom")
	_, err := readNumbered(t.Context(), describeAssetList, "s", nameOf, nil, func(context.Context, int) (page[item], error) { return page[item]{}, boom })
	if !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	_, err = readTokened(t.Context(), describeAssetList, "s", nameOf, func(context.Context, string) ([]item, string, error) { return nil, "", boom })
	if !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
}

func TestChainsOfPagesEnd(t *testing.T) {
	for what, c := range map[string]struct {
		read func(token string, call int) ([]item, string)
		want cloudfw.Kind
	}{
		"three pages, one of them empty": {func(_ string, call int) ([]item, string) {
			return [][]item{items(1, 2), nil, items(3)}[call], []string{"a", "b", ""}[call]
		}, ""},
		"a circle of one":   {func(string, int) ([]item, string) { return nil, "a" }, cloudfw.Unavailable},
		"a circle of three": {func(_ string, call int) ([]item, string) { return nil, []string{"a", "b", "c"}[call%3] }, cloudfw.Unavailable},
		"no end":            {func(_ string, call int) ([]item, string) { return items(call), fmt.Sprint(call) }, cloudfw.Unavailable},
		"an item twice":     {func(_ string, call int) ([]item, string) { return items(1), []string{"a", ""}[call%2] }, cloudfw.Unavailable},
	} {
		call := -1
		got, err := readTokened(t.Context(), describePrefixLists, "s", nameOf, func(_ context.Context, token string) ([]item, string, error) {
			call++
			some, next := c.read(token, call)
			return some, next, nil
		})
		if cloudfw.KindOf(err) != c.want || c.want == "" && len(got) != 3 || call > mostPages {
			t.Errorf("%s: %v after %d calls (%v)", what, got, call+1, err)
		}
	}
}

func TestAListWithAGapIsNotPlannedOn(t *testing.T) {
	o := simulator.Options{Assume: simulator.Assumptions{BeyondEndKeepsOrder: true}}
	r := newRig(t, o)
	r.execute(t, cloudfw.Step{Op: cloudfw.InsertRule, Rule: acceptRule(cloudfw.Border{}.Keys()[0], 1, "first")})
	r.execute(t, cloudfw.Step{Op: cloudfw.InsertRule, Rule: acceptRule(cloudfw.Border{}.Keys()[0], 7, "far away")})
	_, err := r.Observe(t.Context(), cloudfw.Scope{})
	if cloudfw.KindOf(err) != cloudfw.Unavailable || !strings.Contains(err.Error(), "position 7 in place 2") || !strings.Contains(hint(err), "gap") {
		t.Errorf("%v, hint %q", err, hint(err))
	}
}
