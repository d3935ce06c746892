package feeds

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"
)

// CrowdSec is the decisions of a CrowdSec engine, read from its local API as a bouncer
// does (docs.crowdsec.net, "For bouncers"; fields and filters as in its
// pkg/models/localapi_swagger.yaml). Only bans of addresses and ranges count.
//
// With Stream it reads everything once, and then what is new and what is gone. The
// engine remembers one time for each key: that of the last stream, and also that of a
// plain reading which comes more than a minute after it (GetDecision and StreamDecision
// in its pkg/apiserver/controllers/v1). So changes are only asked for soon after the
// last time, from where that reading was stored; and everything now and then, in case
// somebody else uses the key. It is safe for concurrent use.
type CrowdSec struct {
	URL string // such as http://127.0.0.1:8080
	// Key has the key of a bouncer, for each reading anew. It is never shown.
	Key       func() (string, error)
	Scenarios []string // only those whose name has one of these words; none: all
	Origins   []string // such as crowdsec, cscli, CAPI, lists; none: all
	Stream    bool
	MaxBytes  int64 // of an answer; 0: four times DefaultMaxBytes
	Now       func() time.Time

	mu     sync.Mutex
	told   string    // the mark of the last answer
	toldAt time.Time // its time
	whole  time.Time // when everything was read last
	count  int       // of answers
}

const (
	streamGap   = 50 * time.Second // after this silence the engine may have told somebody else
	streamWhole = time.Hour
)

// Place implements Origin.
func (c *CrowdSec) Place() string { return shown(c.URL) }

type crowdsecDecision struct {
	Duration  string `json:"duration"`
	Scenario  string `json:"scenario"`
	Scope     string `json:"scope"`
	Simulated bool   `json:"simulated"`
	Type      string `json:"type"`
	Value     string `json:"value"`
}

// Read implements Origin.
func (c *CrowdSec) Read(ctx context.Context, known json.RawMessage) (list List, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	query := url.Values{}
	if len(c.Scenarios) > 0 {
		query.Set("scenarios_containing", strings.Join(c.Scenarios, ","))
	}
	if len(c.Origins) > 0 {
		query.Set("origins", strings.Join(c.Origins, ","))
	}
	now := c.Now()
	if !c.Stream {
		var all []crowdsecDecision
		if err := c.get(ctx, "/v1/decisions", query, &all); err != nil {
			return List{}, err
		}
		list.Entries, list.Bad = entriesOf(all, now)
		return list, nil
	}
	var stored string
	list.Delta = known != nil && json.Unmarshal(known, &stored) == nil && stored == c.told && c.told != "" &&
		now.Sub(c.toldAt) < streamGap && now.Sub(c.whole) < streamWhole
	query.Set("startup", fmt.Sprint(!list.Delta))
	c.told = ""
	var changes struct {
		New     []crowdsecDecision `json:"new"`
		Deleted []crowdsecDecision `json:"deleted"`
	}
	if err := c.get(ctx, "/v1/decisions/stream", query, &changes); err != nil {
		return List{}, err
	}
	list.Entries, list.Bad = entriesOf(changes.New, now)
	if list.Delta {
		for _, d := range changes.Deleted { // whose time is over: of their ends nothing is to be read
			if p, ok := d.prefix(); ok {
				list.Gone = append(list.Gone, p)
			}
		}
	} else {
		c.whole = now
	}
	c.count++
	c.told, c.toldAt = fmt.Sprintf("%d of %d", c.count, c.whole.UnixNano()), now
	list.Mark, err = json.Marshal(c.told)
	return list, err
}

func (c *CrowdSec) get(ctx context.Context, path string, query url.Values, to any) error {
	key, err := c.Key()
	if err != nil {
		return fmt.Errorf("reading its key: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.URL, "/")+path+"?"+query.Encode(), nil)
	if err != nil {
		return errors.New("its address cannot be read")
	}
	request.Header.Set("X-Api-Key", key)
	request.Header.Set("User-Agent", "fwsync")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("it redirects, and the key is for nobody else")
	}}
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("asking the local API: %w", withoutAddress(err))
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusForbidden, http.StatusUnauthorized:
		return errors.New("the local API does not know the key: make one with cscli bouncers add")
	default:
		return fmt.Errorf("the local API answers %s", answer.Status)
	}
	text, err := limited(answer.Body, cmp.Or(c.MaxBytes, 4*DefaultMaxBytes))
	if err != nil {
		return fmt.Errorf("reading its answer: %w", err)
	}
	if text = bytes.TrimSpace(text); len(text) == 0 {
		return errors.New("its answer is empty")
	}
	if err := json.Unmarshal(text, to); err != nil {
		return fmt.Errorf("reading its answer: %w", err)
	}
	return nil
}

// prefix is what the decision bans; false also if it does something else.
func (d crowdsecDecision) prefix() (netip.Prefix, bool) {
	if !d.bans() {
		return netip.Prefix{}, false
	}
	return prefixOf(d.Value)
}

func (d crowdsecDecision) bans() bool {
	return !d.Simulated && strings.EqualFold(d.Type, "ban") && (strings.EqualFold(d.Scope, "ip") || strings.EqualFold(d.Scope, "range"))
}

// entriesOf are the bans. What is over already is none.
func entriesOf(all []crowdsecDecision, now time.Time) (entries []Entry, bad int) {
	for _, d := range all {
		if !d.bans() {
			continue
		}
		p, ok := d.prefix()
		left, err := time.ParseDuration(d.Duration)
		switch {
		case !ok || err != nil:
			bad++
		case left > 0:
			entries = append(entries, Entry{Prefix: p, Until: now.Add(left), Reason: d.Scenario})
		}
	}
	return longest(entries), bad
}

// longest has each prefix once, with its latest end.
func longest(entries []Entry) []Entry {
	place := make(map[netip.Prefix]int, len(entries))
	var kept []Entry
	for _, e := range entries {
		i, there := place[e.Prefix]
		switch {
		case !there:
			place[e.Prefix] = len(kept)
			kept = append(kept, e)
		case kept[i].Until.IsZero():
		case e.Until.IsZero() || e.Until.After(kept[i].Until):
			kept[i] = e
		}
	}
	return kept
}
