package maillog

import (
	"fmt"

	"fwsync/detect"
)

// Declaration is a signal that a policy declares: whose lines, and how they read.
type Declaration struct {
	detect.Declaration
	// Program is the tag of the lines, as in "postfix/smtpd[1]:". Without one the
	// message stands right behind the stamp, or alone, as containers and
	// applications write their own logs.
	Program string
	// Pattern is literal text with places: see the page on detection.
	Pattern string
}

// Declared are the signals of one policy. They read lines that are no signal by
// themselves. Read-only, safe for concurrent use; nil knows none.
type Declared struct {
	catalogue *detect.Catalogue
	programs  []program // those without a program: the one with an empty name
	starts    [256]bool // bytes that the names of programs begin with
	bare      *program
}

// program has the signals of one program.
type program struct {
	name    string
	signals []declared
	starts  [256]uint32 // by a message's first byte, those that may match it
}

type declared struct {
	kind    detect.Kind
	pattern *pattern
}

// DeclarationError says which declaration is wrong. A *PatternError inside says where.
type DeclarationError struct {
	Index int
	Err   error
}

func (e *DeclarationError) Error() string { return e.Err.Error() }
func (e *DeclarationError) Unwrap() error { return e.Err }

// Check reports whether the pattern alone can be used: a *PatternError if not.
func (d *Declaration) Check() error {
	_, err := compile(d.Pattern)
	return err
}

// Declare prepares signals. Where several match a line, the first one counts.
func Declare(list []Declaration) (*Declared, error) {
	if len(list) == 0 {
		return nil, nil
	}
	names := make([]detect.Declaration, len(list))
	for i := range list {
		names[i] = list[i].Declaration
	}
	catalogue, err := detect.NewCatalogue(names)
	if err != nil {
		return nil, err
	}
	d := &Declared{catalogue: catalogue}
	for i := range list {
		p, err := compile(list[i].Pattern)
		if err == nil && !plainProgram(list[i].Program) {
			err = fmt.Errorf("%q is not the name of a program", list[i].Program)
		}
		if err != nil {
			return nil, &DeclarationError{i, fmt.Errorf("signal %q: %w", list[i].Name, err)}
		}
		kind, err := catalogue.Kind(list[i].Name)
		if err != nil {
			return nil, err
		}
		d.program(list[i].Program).add(declared{kind, p})
	}
	for i := range d.programs {
		if p := &d.programs[i]; p.name == "" {
			d.bare = p
		} else {
			d.starts[p.name[0]] = true
		}
	}
	return d, nil
}

// Catalogue has the names of the signals.
func (d *Declared) Catalogue() *detect.Catalogue {
	if d == nil {
		return nil
	}
	return d.catalogue
}

// plainProgram reports whether a tag can have this name; none is plain too.
func plainProgram(name string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || c == '[' || c == ':' || c == '"' {
			return false
		}
	}
	return len(name) <= 64
}

func (d *Declared) program(name string) *program {
	for i := range d.programs {
		if d.programs[i].name == name {
			return &d.programs[i]
		}
	}
	d.programs = append(d.programs, program{name: name})
	return &d.programs[len(d.programs)-1]
}

func (p *program) add(s declared) {
	bit := uint32(1) << len(p.signals)
	p.signals = append(p.signals, s)
	first := &s.pattern.tokens[0]
	for c := range p.starts {
		if first.kind == nil && first.literal[0] == byte(c) || first.kind != nil && first.kind.holds[c] {
			p.starts[c] |= bit
		}
	}
}

// read reads a message of the program.
func (p *program) read(msg []byte, f *found) {
	if len(msg) == 0 {
		return
	}
	count := 0
	if msg[0] == 'm' && p.name != "" {
		if n, inner, ok := repeated(msg); ok && len(inner) > 1 && inner[len(inner)-1] == ']' {
			count, msg = n, inner[:len(inner)-1]
		}
	}
	for i, mask := 0, p.starts[msg[0]]; mask != 0; i, mask = i+1, mask>>1 {
		if mask&1 == 0 {
			continue
		}
		if addr, account, ok := p.signals[i].pattern.match(msg); ok {
			f.kind, f.addr, f.account, f.count, f.body, f.part = p.signals[i].kind, addr, account, count, msg, detect.Whole
			return
		}
	}
}

// byName reads a message of the program of this name.
func (d *Declared) byName(name, msg []byte, f *found) {
	for i := range d.programs {
		if p := &d.programs[i]; p.name == string(name) && p.name != "" {
			p.read(msg, f)
			return
		}
	}
}

// behindTag reads "TAG[1]: MESSAGE", and reports whether it is of a program that
// signals are declared for.
func (d *Declared) behindTag(tagged []byte, f *found) bool {
	if len(tagged) == 0 || !d.starts[tagged[0]] {
		return false
	}
	for i := range d.programs {
		p := &d.programs[i]
		if p.name == "" || !has(tagged, p.name) {
			continue
		}
		if msg, ok := afterTag(tagged[len(p.name):]); ok {
			p.read(msg, f)
			return true
		}
	}
	return false
}

// alone reads a message that stands right behind its stamp, or alone.
func (d *Declared) alone(msg []byte, f *found) {
	if d.bare != nil {
		d.bare.read(msg, f)
	}
}
