package packets

// Overruled finds rules of ours that others overrule: for each of them, by id, the
// first rule of others above it that decides a packet otherwise which, were only our
// rules there, would be left to it. A rule of ours that an opaque condition might
// leave to theirs counts. Disabled rules neither overrule nor are overruled.
func (l *List) Overruled(ours func(rule string) bool) map[string]string {
	p := l.plane()
	type seat struct {
		*rule
		box  piece
		ours bool
	}
	var seats []seat
	var others []int
	overruled := map[string]string{}
	for _, r := range l.rules {
		if r.never {
			continue
		}
		s := seat{r, p.piece(r), ours(r.id)}
		if !s.ours {
			others = append(others, len(seats))
		}
		seats = append(seats, s)
	}
	for at, mine := range seats {
		if _, known := overruled[mine.id]; known || !mine.ours {
			continue
		}
		for _, above := range others {
			if above > at {
				break
			}
			theirs := &seats[above]
			if theirs.pass == mine.pass {
				continue
			}
			met, some := mine.box.common(&theirs.box)
			if !some {
				continue
			}
			var decided []*piece
			for i := range at {
				if i < above || i > above && seats[i].ours {
					decided = append(decided, &seats[i].box)
				}
			}
			if p.left(met, decided) {
				overruled[mine.id] = theirs.id
				break
			}
		}
	}
	return overruled
}
