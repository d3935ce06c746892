package feeds

import (
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
// does (docs.crowdsec.net, "For bouncers"; fields as in its swagger: decisions have
// duration, origin, scenario, scope, type and value). Only bans of addresses and ranges
// count.
//
// With Stream it reads everything once, and then what is new and what is gone; the
// engine keeps for each key what it was told. After a reading that failed it begins
// anew. It is safe for concurrent use.
type CrowdSec struct {
	URL    string // such as http://127.0.0.1:8080
	Key    string // of a bouncer; never shown
	Stream bool
	Now    func() time.Time

	mu    sync.Mutex
	begun bool
}

// Place implements Origin.
func (c *CrowdSec) Place() string { return shown(c.URL) }

type crowdsecDecision struct {
	Duration string `json:"duration"`
	Scenario string `json:"scenario"`
	Scope    string `json:"scope"`
	Type     string `json:"type"`
	Value    string `json:"value"`
}

// Read implements Origin.
func (c *CrowdSec) Read(ctx context.Context, _ json.RawMessage) (list List, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.Stream {
		var all []crowdsecDecision
		if err := c.get(ctx, "/v1/decisions", nil, &all); err != nil {
			return List{}, err
		}
		list.Entries, list.Bad = c.entries(all)
		return list, nil
	}
	var changes struct {
		New     []crowdsecDecision `json:"new"`
		Deleted []crowdsecDecision `json:"deleted"`
	}
	query := url.Values{"startup": {fmt.Sprint(!c.begun)}}
	list.Delta = c.begun
	c.begun = false
	if err := c.get(ctx, "/v1/decisions/stream", query, &changes); err != nil {
		return List{}, err
	}
	c.begun = true
	list.Entries, list.Bad = c.entries(changes.New)
	if list.Delta {
		gone, _ := c.entries(changes.Deleted)
		for _, e := range gone {
			list.Gone = append(list.Gone, e.Prefix)
		}
	}
	return list, nil
}

func (c *CrowdSec) get(ctx context.Context, path string, query url.Values, to any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.URL, "/")+path+"?"+query.Encode(), nil)
	if err != nil {
		return errors.New("its address cannot be read")
	}
	request.Header.Set("X-Api-Key", c.Key)
	request.Header.Set("User-Agent", "fwsync")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("it redirects, and the key is for nobody else")
	}}
	answer, err := client.Do(request)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return fmt.Errorf("asking the local API: %w", err)
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusForbidden:
		return errors.New("the local API does not know the key: make one with cscli bouncers add")
	default:
		return fmt.Errorf("the local API answers %s", answer.Status)
	}
	text, err := limited(answer.Body, 256<<20)
	if err == nil {
		err = json.Unmarshal(text, to)
	}
	if err != nil {
		return fmt.Errorf("reading its answer: %w", err)
	}
	return nil
}

func (c *CrowdSec) entries(all []crowdsecDecision) (entries []Entry, bad int) {
	now := c.Now()
	for _, d := range all {
		scope := strings.ToLower(d.Scope)
		if !strings.EqualFold(d.Type, "ban") || scope != "ip" && scope != "range" {
			continue
		}
		p, ok := prefixOf(d.Value)
		left, err := time.ParseDuration(d.Duration)
		if !ok || err != nil {
			bad++
			continue
		}
		e := Entry{Prefix: p, Reason: d.Scenario}
		if left > 0 {
			e.Until = now.Add(left)
		}
		entries = append(entries, e)
	}
	return longest(entries), bad
}

// longest has each prefix once, with its latest end.
func longest(entries []Entry) []Entry {
	place := make(map[netip.Prefix]int, len(entries))
	var kept []Entry
	for _, e := range entries {
		if i, there := place[e.Prefix]; there {
			if e.Until.After(kept[i].Until) {
				kept[i] = e
			}
			continue
		}
		place[e.Prefix] = len(kept)
		kept = append(kept, e)
	}
	return kept
}
