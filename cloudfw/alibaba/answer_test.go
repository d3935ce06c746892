package alibaba

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func decode(body string, into any) error { return json.Unmarshal([]byte(body), into) }

func TestTextsAreReadLikeASliceOfTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOf(rapid.OneOf(
			rapid.Custom(func(t *rapid.T) any { return rapid.String().Draw(t, "text") }),
			rapid.Custom(func(t *rapid.T) any { return rapid.StringMatching(`[0-9./, :a-f]{0,20}`).Draw(t, "address") }),
			rapid.Custom(func(t *rapid.T) any { return rapid.Int().Draw(t, "number") }),
			rapid.Custom(func(t *rapid.T) any { return rapid.Bool().Draw(t, "bool") }),
			rapid.Just[any](nil),
		)).Draw(t, "values")
		indent := rapid.SampledFrom([]string{"", "  ", "\t"}).Draw(t, "indent")
		raw, err := json.MarshalIndent(values, "", indent)
		if err != nil {
			t.Fatal(err)
		}
		var want []text
		var got texts
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal([]text(got), want) {
			t.Fatalf("%s reads as %q, want %q", raw, got, want)
		}
	})
}

func TestWhatIsNoListOfTextsIsRefused(t *testing.T) {
	for _, body := range []string{`"a"`, `{}`, `17`, `[["a"]]`, `["a",{}]`, `[{"a":"b"}]`} {
		var got texts
		if err := decode(body, &got); err == nil {
			t.Errorf("%s is read as %q", body, got)
		}
	}
}
