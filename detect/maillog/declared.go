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
	programs  []*program
	starts    [256]uint32 // by the first byte of a tag, the programs that it may name
	ninths    [256]uint32 // likewise by its ninth byte
	bare      program     // of signals without a program
}

// program has the signals of one program.
type program struct {
	name    string
	signals []declared
	starts  [256]uint32 // by a message's first byte, the signals that it may be
}

type declared struct {
	kind    detect.Kind
	pattern *pattern
	opening string // the text that the pattern begins with, if it does
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
		d.program(list[i].Program).add(declared{kind, p, p.tokens[0].literal})
	}
	for i, p := range d.programs {
		d.starts[p.name[0]] |= 1 << i
		for c := range d.ninths {
			if len(p.name) < 9 || p.name[8] == byte(c) {
				d.ninths[c] |= 1 << i
			}
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
	if name == "" {
		return &d.bare
	}
	for _, p := range d.programs {
		if p.name == name {
			return p
		}
	}
	p := &program{name: name}
	p.starts['m'] = repetition
	d.programs = append(d.programs, p)
	return p
}

// repetition marks the first byte of "message repeated 3 times" as one that a message may
// begin with; whether it does is looked at again. So there may be detect.MaxDeclared
// signals, as many as there are bits.
const repetition = 1 << 31

func (p *program) add(s declared) {
	first := &s.pattern.tokens[0]
	for c := range p.starts {
		if first.kind == nil && first.literal[0] == byte(c) || first.kind != nil && first.kind.begins(byte(c)) {
			p.starts[c] |= 1 << len(p.signals)
		}
	}
	p.signals = append(p.signals, s)
}

// begins reports whether what stands in the place may begin with c.
func (k *placeKind) begins(c byte) bool {
	if k == placeKinds[0] || k == placeKinds[1] {
		return hexDigit(c) >= 0 || c == ':' || c == '[' && k.holds['[']
	}
	return k.holds[c]
}

// begins reports whether a message may be one of the program's signals.
func (p *program) begins(msg []byte) bool { return len(msg) > 0 && p.starts[msg[0]] != 0 }

// read reads a message of the program that begins as one of its signals.
func (p *program) read(msg []byte, f *found) {
	mask, count := p.starts[msg[0]], 0
	if n, inner, ok := repeated(msg); ok && p.name != "" && len(inner) > 1 && inner[len(inner)-1] == ']' {
		count, msg = n, inner[:len(inner)-1]
		mask = p.starts[msg[0]]
	}
	for i := 0; i < len(p.signals) && mask != 0; i, mask = i+1, mask>>1 {
		s := &p.signals[i]
		if mask&1 == 0 || !has(msg, s.opening) {
			continue
		}
		if addr, account, ok := s.pattern.match(msg); ok {
			f.kind, f.addr, f.account, f.count, f.body = s.kind, addr, account, count, msg
			return
		}
	}
}

// mayBe reports whether a line may be a signal, by a few bytes of what is behind its
// stamp and of its tag: most lines of a mail log go no further.
func (d *Declared) mayBe(behind, tagged []byte) bool {
	if len(tagged) == 0 {
		return false
	}
	programs := d.starts[tagged[0]]
	if len(tagged) > 8 {
		programs &= d.ninths[tagged[8]] // where Postfix's programs differ
	}
	return programs|d.bare.starts[behind[0]] != 0
}

// begins reports whether a line begins as one of the signals: mayBe, and surer.
func (d *Declared) begins(behind, tagged []byte) bool {
	if !d.mayBe(behind, tagged) {
		return false
	}
	program, _ := d.behindTag(tagged)
	return program != nil || d.bare.begins(behind)
}

// byName reads a message of the program of this name.
func (d *Declared) byName(name, msg []byte, f *found) {
	for _, p := range d.programs {
		if p.name == string(name) && p.begins(msg) {
			p.read(msg, f)
		}
	}
}

// behindTag reads "TAG[1]: MESSAGE": the program that signals are declared for, nil if
// there are none that may begin so.
func (d *Declared) behindTag(tagged []byte) (*program, []byte) {
	if len(tagged) == 0 {
		return nil, nil
	}
	for i, mask := 0, d.starts[tagged[0]]; mask != 0; i, mask = i+1, mask>>1 {
		if mask&1 == 0 {
			continue
		}
		p := d.programs[i]
		n := len(p.name)
		if len(tagged) <= n || tagged[n] != '[' && tagged[n] != ':' || string(tagged[:n]) != p.name {
			continue
		}
		if msg, ok := afterTag(tagged[n:]); ok && p.begins(msg) {
			return p, msg
		}
	}
	return nil, nil
}
