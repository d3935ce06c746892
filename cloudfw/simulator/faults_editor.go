package simulator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// editor is a colleague who edits the same account by hand. He works on what he
// made himself and on what nobody has marked as theirs.
type editor struct {
	dice   *rand.Rand
	made   map[string]bool // ids of what he made
	number int             // of his edits
}

// editByHand makes one edit: he inserts, moves, rewords or removes a policy, does
// the same to an address book, or adds or removes a rule of a security group. An edit
// that the service refuses, a quota for one, is given up; the next call brings
// another. Objects whose description begins with spare are left alone, and with an
// empty spare all that he did not make.
func (c *Cloud) editByHand(spare string) {
	// The dice and the memory of the editor are used inside update, under its lock.
	_ = c.update(func(e *edit) error { return c.around.editor.edit(e, spare) })
}

func (h *editor) edit(e *edit, spare string) error {
	h.number++
	switch h.dice.IntN(8) {
	case 0, 1:
		return h.insertPolicy(e)
	case 2, 3:
		return h.movePolicy(e, spare)
	case 4:
		return h.removePolicy(e, spare)
	case 5:
		return h.editBook(e, spare)
	case 6:
		return h.rewordPolicy(e, spare)
	}
	return h.editGroup(e, spare)
}

// his tells whether the editor may touch an object.
func (h *editor) his(id, description, spare string) bool {
	return h.made[id] || spare != "" && !strings.HasPrefix(description, spare)
}

func (h *editor) note() string { return fmt.Sprintf("edited by hand, no. %d", h.number) }

// address returns one of the documentation addresses.
func (h *editor) address() string { return fmt.Sprintf("203.0.113.%d", h.dice.IntN(256)) }

// policies lists the uuids of those he may touch.
func (h *editor) policies(e *edit, spare string) []string {
	var out []string
	for i := range e.Policies {
		if p := &e.Policies[i]; h.his(p.UUID, p.Description, spare) {
			out = append(out, p.UUID)
		}
	}
	return out
}

func (h *editor) insertPolicy(e *edit) error {
	direction := [...]string{"in", "out"}[h.dice.IntN(2)]
	order := 1 + h.dice.IntN(len(e.list(direction, 4))+1)
	uuid, err := e.addPolicy(Policy{
		Direction: direction, Order: order, Action: [...]string{"accept", "drop", "log"}[h.dice.IntN(3)],
		SourceType: "net", Source: h.address() + "/32", DestinationType: "net", Destination: h.address() + "/32",
		Proto: "TCP", DestPort: fmt.Sprintf("%d/%[1]d", 1+h.dice.IntN(1024)), Application: "ANY", Description: h.note(),
	})
	if err == nil {
		h.made[uuid] = true
	}
	return err
}

func (h *editor) movePolicy(e *edit, spare string) error {
	uuid, ok := h.one(h.policies(e, spare))
	if !ok {
		return h.insertPolicy(e)
	}
	p := e.Policies[e.policyIndex(uuid)]
	return e.movePolicy(uuid, 1+h.dice.IntN(len(e.policyList(p.list()))))
}

func (h *editor) removePolicy(e *edit, spare string) error {
	uuid, ok := h.one(h.policies(e, spare))
	if !ok {
		return h.insertPolicy(e)
	}
	return e.deletePolicy(uuid, "")
}

func (h *editor) rewordPolicy(e *edit, spare string) error {
	uuid, ok := h.one(h.policies(e, spare))
	if !ok {
		return h.insertPolicy(e)
	}
	return e.modifyPolicy(uuid, func(p *Policy) { p.Description, p.Disabled = h.note(), !p.Disabled })
}

func (h *editor) editBook(e *edit, spare string) error {
	var books []string
	for _, b := range e.AddressBooks {
		if b.Type == "ip" && h.his(b.UUID, b.Description, spare) {
			books = append(books, b.UUID)
		}
	}
	uuid, ok := h.one(books)
	if !ok || h.dice.IntN(4) == 0 {
		uuid, err := e.addBook(AddressBook{Name: fmt.Sprintf("by-hand-%d", h.number), Type: "ip", Description: h.note(), Addresses: []string{h.address()}})
		if err == nil {
			h.made[uuid] = true
		}
		return err
	}
	b := e.AddressBooks[e.bookIndex(uuid)]
	mode, addresses := ModeAppend, []string{h.address()}
	if len(b.Addresses) > 1 && h.dice.IntN(2) == 0 {
		address, _ := splitEntry(b.Addresses[h.dice.IntN(len(b.Addresses))])
		mode, addresses = ModeDelete, []string{address}
	}
	return e.modifyBook(uuid, mode, addresses, func(n *AddressBook) { n.Name, n.Description = b.Name, b.Description })
}

// editGroup adds a rule to a security group or takes one of his rules away.
func (h *editor) editGroup(e *edit, spare string) error {
	if len(e.SecurityGroups) == 0 {
		return h.insertPolicy(e)
	}
	g := e.SecurityGroups[h.dice.IntN(len(e.SecurityGroups))]
	var rules []string
	for _, r := range g.Rules {
		if h.his(r.ID, r.Description, spare) {
			rules = append(rules, r.ID)
		}
	}
	if id, ok := h.one(rules); ok && h.dice.IntN(2) == 0 {
		return e.revokeIDs(g.ID, "", []string{id})
	}
	had := len(g.Rules)
	err := e.authorize(g.ID, []SecurityRule{{Direction: "ingress", Protocol: "TCP", PortRange: fmt.Sprintf("%d/%[1]d", 1+h.dice.IntN(1024)),
		Policy: "Accept", Priority: 1 + h.dice.IntN(100), SourceCIDR: h.address(), Description: h.note()}})
	if err != nil {
		return err
	}
	if now := e.SecurityGroups[e.groupIndex(g.ID)].Rules; len(now) > had {
		h.made[now[had].ID] = true
	}
	return nil
}

// one picks from a list.
func (h *editor) one(from []string) (string, bool) {
	if len(from) == 0 {
		return "", false
	}
	slices.Sort(from)
	return from[h.dice.IntN(len(from))], true
}
