package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
	"fwsync/sync/plan"
)

// mostBuckets bounds how many moments are lowered.
const mostBuckets = 48

// CapacityOverTime is what the blocks would have taken of what each target has, in an
// account that holds nothing else: looked at in the busiest moment of each bucket.
type CapacityOverTime struct {
	BucketSeconds int64      `json:"bucket_seconds"`
	Buckets       []Bucket   `json:"buckets"` // those in which something was blocked
	Uses          []PastUse  `json:"uses"`
	Overflows     []Overflow `json:"overflows"` // where there would not have been room for all
}

// Bucket is a part of the time.
type Bucket struct {
	From   time.Time `json:"from"`
	At     time.Time `json:"at"` // the busiest moment
	Blocks int       `json:"blocks"`
}

// PastUse is one bounded resource. Limit 0 means unknown.
type PastUse struct {
	Cloud    string    `json:"cloud,omitempty"`
	What     string    `json:"what"`
	Limit    int       `json:"limit"`
	Most     int       `json:"most"`
	MostAt   time.Time `json:"most_at"`
	OverTime []int     `json:"over_time"` // by bucket
}

// Overflow is a target with too little room: blocks would have been merged into wider
// prefixes, or evicted, those with the lowest scores.
type Overflow struct {
	Cloud     string    `json:"cloud,omitempty"`
	Target    string    `json:"target"`
	First     time.Time `json:"first"` // the first of the moments that were looked at
	Buckets   int       `json:"buckets"`
	Condensed int       `json:"condensed,omitempty"` // most blocks that wider prefixes stood for
	Innocents uint64    `json:"innocents,omitempty"` // most addresses blocked besides
	Evicted   int       `json:"evicted,omitempty"`   // most blocks left out
	Why       string    `json:"why,omitempty"`       // of the first that was left out
}

// Capacity lowers what was blocked in the busiest moments, within the limits of each
// cloud that the policy names. It comes after Report.
func (r *Replay) Capacity(owner cloudfw.Owner, limits func(cloud string) cloudfw.Limits) (CapacityOverTime, error) {
	changes := r.changes()
	c := CapacityOverTime{Buckets: []Bucket{}, Uses: []PastUse{}, Overflows: []Overflow{}}
	length := r.bucketLength(changes)
	c.BucketSeconds = int64(length.Seconds())
	c.Buckets = append(c.Buckets, r.busiest(changes, length)...)
	for _, cloud := range r.clouds() {
		limits := limits(cloud)
		policy := r.policy.In(cloud)
		var live cloudfw.Snapshot
		for _, id := range policy.Scope().Groups {
			live.Groups = append(live.Groups, cloudfw.SecurityGroup{ID: id})
		}
		live.Sort()
		for i, b := range c.Buckets {
			compiled, err := policy.Compile(r.decisions, owner, b.At)
			if err != nil {
				return c, fmt.Errorf("capacity over time: %w", err)
			}
			wanted, err := lower.Lower(compiled.Intent, live, limits, nil)
			if err != nil {
				return c, fmt.Errorf("capacity over time: %w", err)
			}
			for _, u := range plan.Taken(owner, live, wanted, limits) {
				c.use(cloud, u, i)
			}
			c.overflow(cloud, wanted, b.At)
		}
	}
	c.Uses = slices.DeleteFunc(c.Uses, func(u PastUse) bool { return u.Most == 0 })
	return c, nil
}

// clouds are those that the targets name; the empty one if none does.
func (r *Replay) clouds() []string {
	var names []string
	for _, t := range r.policy.Targets {
		if t.Cloud != "" && !slices.Contains(names, t.Cloud) {
			names = append(names, t.Cloud)
		}
	}
	if names == nil {
		return []string{""}
	}
	return names
}

// bucketLength is an hour, or as many as it takes.
func (r *Replay) bucketLength(changes []change) time.Duration {
	if len(changes) == 0 {
		return time.Hour
	}
	span := r.last.Sub(changes[0].at)
	for _, hours := range []time.Duration{1, 2, 3, 6, 12} {
		if span < (mostBuckets-1)*hours*time.Hour {
			return hours * time.Hour
		}
	}
	days := 1 + span/((mostBuckets-1)*24*time.Hour)
	return days * 24 * time.Hour
}

// busiest finds the moment with the most blocks in each bucket up to the log's end.
func (r *Replay) busiest(changes []change, length time.Duration) []Bucket {
	var buckets []Bucket
	open := 0
	for i, c := range changes {
		open += c.open
		last := i+1 == len(changes)
		if !last && changes[i+1].at.Equal(c.at) {
			continue
		}
		if c.at.After(r.last) && c.open < 0 {
			break
		}
		until := r.last
		if !last && changes[i+1].at.Before(until) {
			until = changes[i+1].at
		}
		for at := c.at; open > 0; {
			from := at.Truncate(length)
			switch n := len(buckets); {
			case n == 0 || buckets[n-1].From.Before(from):
				buckets = append(buckets, Bucket{from, at, open})
			case buckets[n-1].Blocks < open:
				buckets[n-1].At, buckets[n-1].Blocks = at, open
			}
			if at = from.Add(length); !at.Before(until) {
				break
			}
		}
	}
	return buckets
}

// use notes what is taken of a resource in a bucket.
func (c *CapacityOverTime) use(cloud string, u plan.Use, bucket int) {
	i := slices.IndexFunc(c.Uses, func(p PastUse) bool { return p.Cloud == cloud && p.What == u.What })
	if i < 0 {
		i = len(c.Uses)
		c.Uses = append(c.Uses, PastUse{Cloud: cloud, What: u.What, OverTime: make([]int, len(c.Buckets))})
	}
	p := &c.Uses[i]
	p.OverTime[bucket] = u.After
	p.Limit = max(p.Limit, u.Limit)
	if u.After > p.Most {
		p.Most, p.MostAt = u.After, c.Buckets[bucket].At
	}
}

// overflow notes which targets had too little room at a moment.
func (c *CapacityOverTime) overflow(cloud string, wanted lower.Wanted, at time.Time) {
	now := map[string]*Overflow{}
	of := func(target string) *Overflow {
		if now[target] == nil {
			now[target] = &Overflow{Cloud: cloud, Target: target}
		}
		return now[target]
	}
	for _, x := range wanted.Condensed {
		o := of(x.Target)
		o.Condensed, o.Innocents = o.Condensed+x.Members, o.Innocents+x.Innocents
	}
	for _, x := range wanted.Shelved {
		o := of(x.Target)
		o.Evicted, o.Why = o.Evicted+1+x.More, cmp.Or(o.Why, x.Reason)
	}
	for target, o := range now {
		i := slices.IndexFunc(c.Overflows, func(p Overflow) bool { return p.Cloud == cloud && p.Target == target })
		if i < 0 {
			i = len(c.Overflows)
			c.Overflows = append(c.Overflows, Overflow{Cloud: cloud, Target: target, First: at})
		}
		p := &c.Overflows[i]
		p.Buckets++
		p.Condensed, p.Innocents, p.Evicted = max(p.Condensed, o.Condensed), max(p.Innocents, o.Innocents), max(p.Evicted, o.Evicted)
		p.Why = cmp.Or(p.Why, o.Why)
	}
	slices.SortFunc(c.Overflows, func(a, b Overflow) int {
		return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.Cloud, b.Cloud), cmp.Compare(a.Target, b.Target))
	})
}
