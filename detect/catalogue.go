package detect

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Declaration is a kind of signal that a policy declares.
type Declaration struct {
	Name    string // such as "web.login_failed"
	Meaning string // in one sentence; may be empty
	Phase   Phase  // what an attack with such signals is busy with
}

// Catalogue knows the built-in kinds and those that a policy declares. It is
// read-only; nil knows the built-in ones.
type Catalogue struct {
	declared []Declaration // by name, so that the same ones have the same numbers
}

// NewCatalogue numbers declared kinds. Errors name the declaration.
func NewCatalogue(declared []Declaration) (*Catalogue, error) {
	if len(declared) > MaxDeclared {
		return nil, fmt.Errorf("%d declared signals are more than %d", len(declared), MaxDeclared)
	}
	c := &Catalogue{slices.Clone(declared)}
	slices.SortFunc(c.declared, func(a, b Declaration) int { return strings.Compare(a.Name, b.Name) })
	for i, d := range c.declared {
		if err := checkName(d.Name); err != nil {
			return nil, fmt.Errorf("signal %q: %w", d.Name, err)
		}
		if i > 0 && c.declared[i-1].Name == d.Name {
			return nil, fmt.Errorf("signal %q is declared twice", d.Name)
		}
		if d.Phase >= phaseCount {
			return nil, fmt.Errorf("signal %q: %d is not a phase", d.Name, d.Phase)
		}
	}
	return c, nil
}

// checkName holds what a declared name must be: FAMILY.WHAT, and not built in.
func checkName(name string) error {
	family, what, dotted := strings.Cut(name, ".")
	plain := func(s string) bool {
		return s != "" && 'a' <= s[0] && s[0] <= 'z' && !strings.ContainsFunc(s, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_'
		})
	}
	if !dotted || !plain(family) || !plain(what) || len(name) > MaxName {
		return fmt.Errorf("a name is two words of a-z, 0-9 and _ with a dot between them, at most %d characters", MaxName)
	}
	if _, err := ParseKind(name); err == nil {
		return errors.New("this signal is built in")
	}
	return nil
}

// MaxName is the longest name of a declared kind.
const MaxName = 60

// Kinds returns all kinds: the built-in ones, then the declared ones by name.
func (c *Catalogue) Kinds() []Kind {
	all := Kinds()
	for i := range c.len() {
		all = append(all, builtinKinds+Kind(i))
	}
	return all
}

func (c *Catalogue) len() int {
	if c == nil {
		return 0
	}
	return len(c.declared)
}

// of returns the declaration of a kind, nil if it is none of them.
func (c *Catalogue) of(k Kind) *Declaration {
	if k < builtinKinds || int(k-builtinKinds) >= c.len() {
		return nil
	}
	return &c.declared[k-builtinKinds]
}

// Name returns the public name of a kind, "" for an unknown one.
func (c *Catalogue) Name(k Kind) string {
	if d := c.of(k); d != nil {
		return d.Name
	}
	return k.String()
}

// Meaning says in one sentence what a signal of the kind tells; may be "".
func (c *Catalogue) Meaning(k Kind) string {
	if d := c.of(k); d != nil {
		return d.Meaning
	}
	return k.Meaning()
}

func (c *Catalogue) phase(k Kind) Phase {
	if d := c.of(k); d != nil {
		return d.Phase
	}
	return phaseOf(k)
}

// Kind returns the kind with this public name.
func (c *Catalogue) Kind(name string) (Kind, error) {
	for i := range c.len() {
		if c.declared[i].Name == name {
			return builtinKinds + Kind(i), nil
		}
	}
	return ParseKind(name)
}

// Name tells the engine what the declared kinds are called, which its state needs, and
// what their phases are. It comes before the first signal and UnmarshalBinary.
func (e *Engine) Name(c *Catalogue) {
	e.names = c
	for k := range e.wants {
		e.wants[k].phase = uint8(c.phase(Kind(k)))
	}
}

// fingerprint names a rule in states by all that its counters depend on.
func (e *Engine) fingerprint(r *Rule) string {
	names := make([]string, len(r.Signals))
	for i, k := range r.Signals {
		names[i] = e.names.Name(k)
	}
	v4, v6 := r.bits()
	return fmt.Sprintf("%s|%v|%d|%d|%d|%d|%d|%d|%d|%d|%v", r.Name, names, r.Of, r.Count, r.Threshold, r.Within.Microseconds(), r.legitimate(), r.Members, v4, v6, r.Acts)
}
