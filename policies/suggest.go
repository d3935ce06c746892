package policies

import (
	"fmt"
	"slices"
	"strings"
)

// didYouMean is a hint naming the closest candidate, or "".
func didYouMean(written string, candidates []string) string {
	if best := closest(written, candidates); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return ""
}

// closest is the candidate that is closest to what was written, or "" when none is
// close: up to two typing errors in five letters or more, one in shorter words.
// Upper and lower case count as equal.
func closest(written string, candidates []string) string {
	if len(written) > 80 { // nothing that long is a slip of the finger
		return ""
	}
	allowed := 2
	if len(written) < 5 {
		allowed = 1
	}
	best, least := "", 2*allowed+2
	for _, c := range slices.Sorted(slices.Values(candidates)) {
		d := typos(strings.ToLower(written), strings.ToLower(c))
		distance := 2 * d // a swap is likelier than a lost letter: equal length wins a tie
		if len(c) != len(written) {
			distance++
		}
		if d <= allowed && distance < least {
			best, least = c, distance
		}
	}
	return best
}

// typos is the number of inserted, missing, wrong and swapped letters between two
// words (optimal string alignment).
func typos(a, b string) int {
	if d := len(a) - len(b); d > 2 || d < -2 {
		return 3 // enough to be out of reach
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			wrong := 1
			if a[i-1] == b[j-1] {
				wrong = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+wrong)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// listed joins words for a hint: "a, b or c".
func listed(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
