package simulator

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Limits returns the quotas in force.
func (c *Cloud) Limits() Limits {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.opt.Limits
}

// SetLimits changes the quotas while the cloud runs; a zero field stays as it is,
// a negative one is refused. What an account holds beyond a lowered quota stays,
// as after a downgrade; only what would grow is refused. Check does not count it
// as a fault either.
func (c *Cloud) SetLimits(l Limits) error {
	for name, n := range l.fields() {
		if n.Int() < 0 {
			return fmt.Errorf("limit %s is %d, want 0 (unchanged) or more", name, n.Int())
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setLimits(l)
	return nil
}

// setLimits is SetLimits for a caller that holds c.mu and sane limits.
func (c *Cloud) setLimits(l Limits) {
	c.opt.Limits = l.over(c.opt.Limits)
	c.around.widest = c.opt.Limits.widest(c.around.widest)
	if c.file != nil {
		c.file.limits = c.around.widest
	}
}

// widestLimits are the highest values that each quota has had: what the account
// may lawfully hold.
func (c *Cloud) widestLimits() Limits {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.around.widest
}

// ParseLimit reads one limit from its name in Limits, in any case, and its value:
// "AddressesPerBook=10". All other fields of the result are zero.
func ParseLimit(text string) (Limits, error) {
	var l Limits
	name, value, found := strings.Cut(text, "=")
	if !found {
		return l, fmt.Errorf("limit %q: want NAME=NUMBER", text)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 32)
	if err != nil || n < 1 {
		return l, fmt.Errorf("limit %q: want a number from 1", text)
	}
	for field, v := range l.fields() {
		if strings.EqualFold(field, strings.TrimSpace(name)) {
			v.SetInt(n)
			return l, nil
		}
	}
	return l, fmt.Errorf("limit %q: there is no %q, want one of %s", text, name, strings.Join(LimitNames(), ", "))
}

// ParseLimits reads several limits; a limit that comes again counts as it came last.
func ParseLimits(texts ...string) (Limits, error) {
	var all Limits
	for _, text := range texts {
		l, err := ParseLimit(text)
		if err != nil {
			return all, err
		}
		all = l.over(all)
	}
	return all, nil
}

// LimitNames lists the names of the limits, sorted.
func LimitNames() []string { return slices.Sorted(maps.Keys(new(Limits).fields())) }

func (l Limits) withDefaults() Limits { return l.over(DefaultLimits()) }

// over fills the zero fields from below.
func (l Limits) over(below Limits) Limits {
	under := below.fields()
	for name, v := range l.fields() {
		if v.Int() == 0 {
			v.SetInt(under[name].Int())
		}
	}
	return l
}

// widest takes the larger of each field.
func (l Limits) widest(other Limits) Limits {
	others := other.fields()
	for name, v := range l.fields() {
		v.SetInt(max(v.Int(), others[name].Int()))
	}
	return l
}

// fields maps the name of every limit to its place in l. Reflection, so that a new
// limit is a new field and nothing else.
func (l *Limits) fields() map[string]reflect.Value {
	all := map[string]reflect.Value{}
	v := reflect.ValueOf(l).Elem()
	for i := range v.NumField() {
		all[v.Type().Field(i).Name] = v.Field(i)
	}
	return all
}
