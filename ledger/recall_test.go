package ledger_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"fwsync/ledger"

	"pgregory.net/rapid"
)

// table is what a store would read.
type table struct {
	rows  map[int64]ledger.Stored
	asked [][]int64 // of each reading of rows; nil: all
}

func (x *table) marks() (marks []ledger.Mark, _ error) {
	for id, row := range x.rows {
		marks = append(marks, ledger.Mark{ID: id, Of: row.Mark})
	}
	return marks, nil
}

func (x *table) read(ids []int64) (*ledger.Rows, error) {
	rows := new(ledger.Rows)
	x.asked = append(x.asked, ids)
	for id, row := range x.rows {
		if ids == nil || slices.Contains(ids, id) {
			rows.Add(row)
		}
	}
	return rows, nil
}

func row(id, mark int64, text string) ledger.Stored {
	return ledger.Stored{
		Decision: ledger.Decision{ID: id, Start: time.Unix(id%3, 0), Reason: text},
		Evidence: []byte(fmt.Sprintf(`[{"text":%q}]`, text)), Mark: mark,
	}
}

// Whatever is stored, changed and taken out between two readings, by whomever: what is
// recalled is what is there.
func TestWhatIsRecalledIsThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var recall ledger.Recall
		now, mark := time.Unix(1e9, 0), int64(0)
		x := table{rows: map[int64]ledger.Stored{}}
		for range rapid.IntRange(1, 10).Draw(t, "readings") {
			for range rapid.IntRange(0, 5).Draw(t, "changes") {
				id := rapid.Int64Range(1, 6).Draw(t, "id")
				mark++
				switch rapid.IntRange(0, 3).Draw(t, "change") {
				case 0:
					delete(x.rows, id)
				case 1:
					x.rows[id] = row(id, 0, fmt.Sprint("without a mark ", mark))
				default:
					x.rows[id] = row(id, mark, fmt.Sprint("text ", mark))
				}
			}
			now = now.Add(time.Duration(rapid.IntRange(-90, 90).Draw(t, "seconds")) * time.Second)
			want, err := ledger.Decode(slices.Collect(maps.Values(x.rows)))
			if err != nil {
				t.Fatal(err)
			}
			got, err := recall.Decisions(now, x.marks, x.read)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("recalled %v (%v), there is %v", got, err, want)
			}
			for i := range got { // who adds to what it got changes nobody else's
				got[i].Evidence = append(got[i].Evidence, ledger.Evidence{Text: "mine"})
			}
		}
	})
}

func TestOnlyWhatChangedIsReadAgain(t *testing.T) {
	var recall ledger.Recall
	x := table{rows: map[int64]ledger.Stored{1: row(1, 11, "a"), 2: row(2, 12, "b"), 3: row(3, 0, "no mark")}}
	now := time.Unix(1e9, 0)
	read := func(after time.Duration) {
		t.Helper()
		now = now.Add(after)
		if _, err := recall.Decisions(now, x.marks, x.read); err != nil {
			t.Fatal(err)
		}
	}
	read(0)           // all: the first is not remembered
	read(time.Second) // all
	read(time.Second) // what has no mark
	x.rows[2], x.rows[3] = row(2, 22, "c"), row(3, 23, "d")
	read(time.Second)
	delete(x.rows, 1)
	read(time.Second)     // nothing
	read(2 * time.Minute) // all
	for _, ids := range x.asked {
		slices.Sort(ids)
	}
	if want := [][]int64{nil, nil, {3}, {2, 3}, nil}; !reflect.DeepEqual(x.asked, want) {
		t.Errorf("read the rows %v, want %v", x.asked, want)
	}
}
