package simulator

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"
)

// maxPolicyPage is the highest PageSize of the Cloud Firewall listings; for
// policies it is assumed (reference §2.1, §2.4).
const maxPolicyPage = 50

// pageNumbers reads CurrentPage and PageSize, which is at most highest. A zero
// default makes the parameter required.
func pageNumbers(p *params, defaultPage, defaultSize, highest int64) (number, size int64) {
	number, size = defaultPage, defaultSize
	for _, f := range []struct {
		name string
		to   *int64
		high int64
	}{{"CurrentPage", &number, math.MaxInt32}, {"PageSize", &size, highest}} {
		if v := p.text(f.name); v != "" {
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				n = 0
			}
			*f.to = n
		}
		if *f.to < 1 || *f.to > f.high {
			p.fail(bad("ErrorParametersPageSizeOrNo", "%s is not between 1 and %d.", f.name, f.high))
			*f.to = 1
		}
	}
	return number, size
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// numberedPage cuts page number of the given size out of items. A page fault
// leaves items out; the count beside the page does not show it.
func numberedPage[T any](items []T, number, size int64, fault FaultKind) []T {
	start := min((number-1)*size, int64(len(items)))
	page := items[start:min(start+size, int64(len(items)))]
	switch fault {
	case FaultEmptyPage:
		page = nil
	case FaultShortPage:
		page = page[:len(page)/2]
	case FaultRepeatPage:
		page = items[:min(size, int64(len(items)))]
	}
	// Never null on the wire.
	return append([]T{}, page...)
}

// tokenPage cuts at most size items beginning at token. The returned token is
// empty on the last page. A page fault shortens the page and the token continues
// behind it, which is within the contract of token paging.
func tokenPage[T any](items []T, token string, size int64, fault FaultKind) ([]T, string, error) {
	start, err := tokenOffset(token, len(items))
	if err != nil {
		return nil, "", err
	}
	page := items[start:min(start+int(size), len(items))]
	switch fault {
	case FaultEmptyPage:
		page = nil
	case FaultShortPage:
		page = page[:len(page)/2]
	}
	next := ""
	if fault == FaultRepeatPage {
		return append([]T{}, page...), base64.RawURLEncoding.EncodeToString([]byte("offset:" + strconv.Itoa(start))), nil
	}
	if end := start + len(page); end < len(items) {
		next = base64.RawURLEncoding.EncodeToString([]byte("offset:" + strconv.Itoa(end)))
	}
	return append([]T{}, page...), next, nil
}

func tokenOffset(token string, length int) (int, error) {
	if token == "" {
		return 0, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	offset, found := strings.CutPrefix(string(raw), "offset:")
	n, errN := strconv.ParseUint(offset, 10, 31)
	if err != nil || !found || errN != nil {
		return 0, bad("InvalidNextToken", "Specified parameter NextToken is not valid.")
	}
	return min(int(n), length), nil
}
