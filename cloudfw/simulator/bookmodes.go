package simulator

import "slices"

// How ModifyAddressBook treats the address list it is given (reference §2.4).
const (
	ModeCover  = "Cover"
	ModeAppend = "Append"
	ModeDelete = "Delete"
)

func (e *edit) merge(b *AddressBook, mode string, addresses []string) ([]string, error) {
	var out []string
	var err error
	switch mode {
	case "", ModeCover:
		out, err = e.cover(b.Type, addresses)
	case ModeAppend:
		out, err = e.appendTo(b, addresses)
	case ModeDelete:
		return e.deleteFrom(b, addresses)
	default:
		err = bad("InvalidModifyMode", "Specified parameter ModifyMode is not valid.")
	}
	if err != nil {
		return nil, err
	}
	if err := e.overfull(b.Type, out); err != nil {
		if !e.assume.OverflowKeepsWhatFits {
			return nil, err
		}
		e.late = err
		out = out[:e.limits.bookLimit(b.Type)]
	}
	return out, nil
}

// overfull refuses a list that is longer than a book of the type may be.
func (e *edit) overfull(kind string, list []string) error {
	if limit := e.limits.bookLimit(kind); len(list) > limit {
		return bad("ErrorAddressCountExceed", "The maximum number of addresses is exceeded: %d of %d.", len(list), limit)
	}
	return nil
}

func (e *edit) cover(kind string, addresses []string) ([]string, error) {
	return e.appendTo(&AddressBook{Type: kind}, addresses)
}

func (e *edit) appendTo(b *AddressBook, addresses []string) ([]string, error) {
	entries, err := e.entries(b.Type, addresses)
	if err != nil {
		return nil, err
	}
	have, err := entryKeys(b, entries, e.assume)
	if err != nil {
		return nil, err
	}
	out := slices.Grow(slices.Clone(b.Addresses), len(entries))
	for _, entry := range entries {
		if have[entry.key] {
			if e.assume.AppendExistingFails {
				return nil, badEntry(b.Type, "%q is in the address group already", entry.address)
			}
			continue
		}
		have[entry.key] = true
		out = append(out, entry.String())
	}
	return out, nil
}

// entries parses a list. Malformed ones fail it, or are left out under the other
// reading as long as there is a good one.
func (e *edit) entries(kind string, addresses []string) ([]bookEntry, error) {
	var out []bookEntry
	var problem error
	for _, text := range addresses {
		entry, err := parseEntry(kind, text, e.assume)
		if err == nil {
			out = append(out, entry)
		} else if problem == nil {
			problem = err
		}
	}
	if problem != nil && (!e.assume.BadAddressesSkipped || len(out) == 0) {
		return nil, problem
	}
	return out, nil
}

func (e *edit) deleteFrom(b *AddressBook, addresses []string) ([]string, error) {
	entries, err := e.entries(b.Type, addresses)
	if err != nil {
		return nil, err
	}
	have, err := entryKeys(b, entries, e.assume)
	if err != nil {
		return nil, err
	}
	gone, like := map[string]bool{}, likenessOf(b.Type, entries, e.assume)
	for _, entry := range entries {
		if !have[entry.key] && e.assume.DeleteMissingFails {
			return nil, badEntry(b.Type, "%q is not in the address group", entry.address)
		}
		gone[entry.key] = true
	}
	out := make([]string, 0, len(b.Addresses))
	for _, text := range b.Addresses {
		if !like.fits(text) {
			out = append(out, text)
			continue
		}
		entry, err := parseEntry(b.Type, text, e.assume)
		if err != nil {
			return nil, err
		}
		if !gone[entry.key] {
			out = append(out, text)
		}
	}
	return out, nil
}
