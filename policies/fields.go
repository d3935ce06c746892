package policies

import (
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// field is what the tags of a document's field say.
type field struct {
	key      string
	index    int
	required bool
	enum     []string
	preset   string // the default
	minimum  int
	maximum  int
}

var fieldCache sync.Map // reflect.Type to []field

// fieldsOf reads the tags of a structure.
func fieldsOf(t reflect.Type) []field {
	if known, ok := fieldCache.Load(t); ok {
		return known.([]field)
	}
	var fields []field
	for i := range t.NumField() {
		key, rest, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if key == "" {
			continue
		}
		f := field{key: key, index: i, required: rest != "omitempty"}
		for part := range strings.SplitSeq(t.Field(i).Tag.Get("jsonschema"), ",") {
			name, value, _ := strings.Cut(part, "=")
			switch name {
			case "enum":
				f.enum = append(f.enum, value)
			case "default":
				f.preset = value
			case "minimum":
				f.minimum, _ = strconv.Atoi(value)
			case "maximum":
				f.maximum, _ = strconv.Atoi(value)
			}
		}
		fields = append(fields, f)
	}
	fieldCache.Store(t, fields)
	return fields
}

// constrain complains about a value outside the field's choice or range.
func (f field) constrain(r *reader, value any) {
	switch v := value.(type) {
	case *word:
		if len(f.enum) == 0 || !v.at.known() {
			return
		}
		for _, choice := range f.enum {
			if v.text == choice {
				return
			}
		}
		r.report.at(v.at, didYouMean(v.text, f.enum), "%q must be %s, not %q", f.key, listed(f.enum), v.text)
		*v = word{}
	case *number:
		if f.maximum == 0 || !v.at.known() || f.minimum <= v.n && v.n <= f.maximum {
			return
		}
		r.report.at(v.at, "", "%q must be between %d and %d, not %d", f.key, f.minimum, f.maximum, v.n)
		*v = number{}
	}
}

// fill gives a field that was not written its default.
func (f field) fill(value any) {
	switch v := value.(type) {
	case *word:
		v.text = f.preset
	case *number:
		v.n, _ = strconv.Atoi(f.preset)
	}
}
