package reconcile_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fwsync/feeds"
	"fwsync/ledger"
	"fwsync/ledger/sqlite"
	"fwsync/sync/decide"
	"fwsync/sync/reconcile"
)

// fed is a ledger with feeds, and a clock.
type fed struct {
	t      testing.TB
	look   reconcile.Look
	ledger *ailing
	now    time.Time
}

func newFed(t testing.TB) *fed {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	f := &fed{t: t, ledger: &ailing{Store: store}, now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}
	f.look = reconcile.Look{Ledger: f.ledger, Now: func() time.Time { return f.now }}
	return f
}

// read reads a feed after an hour.
func (f *fed) read(feed reconcile.Feed) reconcile.Refreshed {
	f.t.Helper()
	f.now = f.now.Add(time.Hour)
	r, err := f.look.RefreshFeed(f.t.Context(), feed)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

// blocked are the addresses that a feed blocks now.
func (f *fed) blocked(name string) (all []string) {
	f.t.Helper()
	known, err := f.ledger.Decisions(f.t.Context(), f.now)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, d := range known {
		if d.Author == decide.FeedAuthor(name) && d.ActiveAt(f.now) {
			all = append(all, d.Prefix.Addr().String())
		}
	}
	slices.Sort(all)
	return all
}

// listed is an origin that tells what it is told to.
type listed struct {
	list feeds.List
	err  error
}

func (l *listed) Place() string { return "a test" }

func (l *listed) Read(context.Context, json.RawMessage) (feeds.List, error) { return l.list, l.err }

func feedOf(name string, from feeds.Origin) reconcile.Feed {
	return reconcile.Feed{Feed: feeds.Feed{Name: name, From: from}.Defaulted()}
}

func entries(until time.Time, addresses ...string) (all []feeds.Entry) {
	for _, a := range addresses {
		all = append(all, feeds.Entry{Prefix: netip.PrefixFrom(netip.MustParseAddr(a), 32), Until: until})
	}
	return all
}

func lines(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "20.1.%d.%d\n", i/256, i%256)
	}
	return b.String()
}

// The bans of an engine end by themselves, all at once if they began so, and its clock and
// ours differ by a little: that is no sickness. That they are taken back all at once is.
func TestBansThatEndAreNotMissed(t *testing.T) {
	f := newFed(t)
	var all []string
	for i := range 200 {
		all = append(all, fmt.Sprintf("20.1.0.%d", i))
	}
	engine := &listed{list: feeds.List{Entries: entries(f.now.Add(4*time.Hour), all...)}}
	feed := feedOf("engine", engine)
	feed.Min, feed.Leap = -1, 1000
	f.read(feed)
	engine.list = feeds.List{}
	if r := f.read(feed); r.Report.Health.OK || len(f.blocked("engine")) != 200 {
		t.Errorf("all taken back: %d are blocked, %+v", len(f.blocked("engine")), r.Report.Health)
	}
	f.now = f.now.Add(time.Hour - 5*time.Second) // five seconds to the end, an hour on
	r := f.read(feed)
	if !r.Report.Health.OK || len(f.blocked("engine")) != 0 || r.Report.Feed.Entries != 0 {
		t.Errorf("all over: %d are blocked, %+v", len(f.blocked("engine")), r.Report)
	}
}

// Whatever a list does, what it blocked stays blocked and nobody else is, the next list
// goes on, and once it is well again only the difference counts (promise P7).
func TestASickFeedFreezesItsOwnPart(t *testing.T) {
	const size = 300
	release := make(chan struct{})
	var answer atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer.Load().(http.HandlerFunc)(w, r) }))
	defer server.Close()
	defer close(release)
	text := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }
	}
	good := lines(0, size)
	f := newFed(t)
	sick := feedOf("sick", feeds.Web{URL: server.URL, MaxBytes: 1 << 20})
	impatient := feedOf("sick", feeds.Web{URL: server.URL, MaxBytes: 1 << 20, Timeout: 50 * time.Millisecond})
	well := &listed{}
	answer.Store(text(good))
	if r := f.read(sick); r.Counted.New != size || !r.Report.Health.OK {
		t.Fatalf("%+v", r)
	}
	before := f.blocked("sick")
	for i, c := range []struct {
		name   string
		answer http.HandlerFunc
	}{
		{"truncated", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(good)))
			fmt.Fprint(w, good[:len(good)/2])
		}},
		{"cut off without a word", text(good[:len(good)/3])},
		{"empty", text("")},
		{"only comments", text("# nothing today\n")},
		{"ten times as long", text(lines(0, 10*size))},
		{"another list", text(lines(size, 2*size))},
		{"a web page", text("<!doctype html><html>" + good)},
		{"an error", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusInternalServerError) }},
		{"a forgotten page", http.NotFound},
		{"hung", func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}},
		{"a slow body", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, good[:100])
			_ = http.NewResponseController(w).Flush()
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}},
		{"a loop of redirects", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/"+r.URL.Path[1:]+"x", http.StatusFound)
		}},
		{"a bomb", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(bytes.Repeat([]byte(good), 1000))
			z.Close()
		}},
		{"half of a gzip", func(w http.ResponseWriter, _ *http.Request) {
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			_, _ = z.Write([]byte(good))
			z.Close()
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed.Bytes()[:packed.Len()/2])
		}},
		{"garbage", text(strings.Repeat("\x00\xff\x01\n", 1000))},
		{"everything", text("0.0.0.0/0\n::/0\n10.0.0.0/8\n")},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.t = t
			answer.Store(c.answer)
			feed := sick
			if c.name == "hung" || c.name == "a slow body" {
				feed = impatient
			}
			r := f.read(feed)
			if r.Report.Health.OK || r.Counted.New+r.Counted.Ended > 0 {
				t.Errorf("it is believed: %+v", r)
			}
			if got := f.blocked("sick"); !slices.Equal(got, before) {
				t.Errorf("%d addresses are blocked, not the %d of before", len(got), len(before))
			}
			well.list.Entries = entries(time.Time{}, fmt.Sprintf("20.2.0.%d", i))
			if r := f.read(feedOf("well", well)); !r.Report.Health.OK || len(f.blocked("well")) != 1 {
				t.Errorf("the other one does not go on: %+v", r)
			}
			answer.Store(text(good))
			if r := f.read(sick); !r.Report.Health.OK || r.Counted.New+r.Counted.Ended > 0 {
				t.Errorf("well again it is %+v", r)
			}
		})
	}
	f.t = t
	answer.Store(text(lines(2, size+1)))
	if r := f.read(sick); r.Counted.New != 1 || r.Counted.Ended != 2 {
		t.Errorf("after all of it: %+v", r.Counted)
	}
}

func TestWhatASickFeedSaidIsHeldForItsTime(t *testing.T) {
	f := newFed(t)
	from := &listed{}
	feed := feedOf("list", from)
	feed.Block, feed.Hold = 4*time.Hour, 24*time.Hour
	from.list.Entries = append(entries(time.Time{}, "20.1.0.1"), entries(f.now.Add(3*time.Hour), "20.1.0.2")...)
	f.read(feed)
	from.err = fmt.Errorf("down")
	for hour := 1; hour <= 40; hour++ {
		r := f.read(feed)
		var want []string
		if hour < 28 { // prolonged at the 24th hour for the last time
			want = append(want, "20.1.0.1")
		}
		if hour < 2 { // it said itself when it ends
			want = append(want, "20.1.0.2")
		}
		if got := f.blocked("list"); !slices.Equal(got, want) {
			t.Fatalf("%d hours after it fell ill %v are blocked, want %v", hour, got, want)
		}
		if r.Report.Health.OK || !strings.Contains(strings.Join(r.Report.Health.Notes, " "), "held until 2026-03-03T13:00:00Z") {
			t.Fatalf("%+v", r.Report.Health)
		}
	}
}

// A block that ended while nobody read the list comes back, though the list has not changed.
func TestAnUnchangedListBlocksAgainWhatLapsed(t *testing.T) {
	f := newFed(t)
	path := filepath.Join(t.TempDir(), "list.txt")
	if err := os.WriteFile(path, []byte(lines(0, 50)), 0o600); err != nil {
		t.Fatal(err)
	}
	feed := feedOf("list", feeds.File{Path: path})
	if r := f.read(feed); r.Counted.New != 50 {
		t.Fatalf("%+v", r)
	}
	if r := f.read(feed); r.Counted != (reconcile.DecisionCount{}) || r.Report.Feed.Entries != 50 {
		t.Errorf("an unchanged list writes %+v", r)
	}
	f.now = f.now.Add(72 * time.Hour)
	if len(f.blocked("list")) > 0 {
		t.Fatal("nothing has lapsed")
	}
	if r := f.read(feed); r.Counted.New != 50 || !r.Report.Health.OK {
		t.Errorf("after three days: %+v", r)
	}
}

// A large change that is right is believed when a person says so.
func TestAPersonCanAcceptAChange(t *testing.T) {
	f := newFed(t)
	from := &listed{list: feeds.List{Entries: entries(time.Time{}, strings.Fields(lines(0, 100))...)}}
	feed := feedOf("list", from)
	f.read(feed)
	from.list.Entries = entries(time.Time{}, "20.1.0.1")
	f.read(feed)
	if len(f.blocked("list")) != 100 {
		t.Fatalf("%d are blocked", len(f.blocked("list")))
	}
	f.look.Policy, f.look.Feeds, f.look.AcceptFeeds = soakPolicy(t, 5), []reconcile.Feed{feed}, []string{"list"}
	gathered, err := f.look.Gather(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.ledger.TakeIn(t.Context(), gathered.Intake); err != nil || len(f.blocked("list")) != 1 {
		t.Errorf("%d are blocked, %v", len(f.blocked("list")), err)
	}
}

// What an engine takes out one after the other as its time passes is no loss, and what
// it was told to forget at once is one.
func TestAnEnginesBansEndInTime(t *testing.T) {
	f := newFed(t)
	from := &listed{}
	feed := feedOf("engine", from)
	feed.Min, feed.Leap = -1, 1000
	all := strings.Fields(lines(0, 100))
	from.list.Entries = entries(f.now.Add(90*time.Minute), all...)
	if r := f.read(feed); r.Counted.New != 100 {
		t.Fatalf("%+v", r)
	}
	from.list.Entries = nil // an hour later they are over
	if r := f.read(feed); !r.Report.Health.OK || r.Counted != (reconcile.DecisionCount{}) {
		t.Errorf("%+v", r)
	}
	from.list.Entries = entries(f.now.Add(24*time.Hour), all...)
	if r := f.read(feed); !r.Report.Health.OK || r.Counted.New != 100 {
		t.Errorf("an attack: %+v", r)
	}
	from.list.Entries = nil
	if r := f.read(feed); r.Report.Health.OK || len(f.blocked("engine")) != 100 {
		t.Errorf("emptied: %+v", r)
	}
	from.list = feeds.List{Delta: true}
	for _, e := range entries(time.Time{}, all[:60]...) {
		from.list.Gone = append(from.list.Gone, e.Prefix)
	}
	if r := f.read(feed); r.Report.Health.OK || len(f.blocked("engine")) != 100 {
		t.Errorf("emptied by changes: %+v", r)
	}
	from.list.Gone = append(from.list.Gone[:8], from.list.Gone[:8]...)
	if r := f.read(feed); !r.Report.Health.OK || r.Counted.Ended != 8 || r.Report.Feed.Entries != 92 {
		t.Errorf("%+v", r)
	}
}

// The changes that a ledger did not take are asked for again.
func TestAStreamLosesNothingWithTheLedger(t *testing.T) {
	f := newFed(t)
	const ban = `{"duration":"4h","scenario":"crowdsecurity/postfix-spam","scope":"Ip","type":"ban","value":"20.1.0.%d"}`
	var bans []string
	asked := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Query().Get("startup")
		from := 0
		if asked == "false" {
			from = len(bans) - 1
		}
		fmt.Fprintf(w, `{"new":[%s],"deleted":null}`, strings.Join(bans[from:], ","))
	}))
	defer server.Close()
	engine := &feeds.CrowdSec{URL: server.URL, Key: func() (string, error) { return "k", nil }, Stream: true, Now: f.look.Now}
	feed := feedOf("engine", engine)
	for i := range 5 {
		bans = append(bans, fmt.Sprintf(ban, i))
		f.now = f.now.Add(10 * time.Second)
		f.ledger.ill.Store(i == 2)
		_, err := f.look.RefreshFeed(t.Context(), feed)
		if (err != nil) != (i == 2) {
			t.Fatal(err)
		}
		if want := fmt.Sprint(i == 0 || i == 3); asked != want {
			t.Errorf("reading %d asks for everything: %s, want %s", i, asked, want)
		}
		if want := i + 1; i != 2 && len(f.blocked("engine")) != want {
			t.Errorf("after reading %d: %v", i, f.blocked("engine"))
		}
	}
}

// BenchmarkBulkWhileDetecting takes a list of 50,000 addresses while ten decisions a
// second come from elsewhere, and says how long the longest of them took.
func BenchmarkBulkWhileDetecting(b *testing.B) {
	var all []feeds.Entry
	for i := range 50_000 {
		all = append(all, feeds.Entry{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{20, byte(i >> 16), byte(i >> 8), byte(i)}), 32)})
	}
	var longest time.Duration
	for b.Loop() {
		b.StopTimer()
		f := newFed(b)
		feed := feedOf("list", &listed{list: feeds.List{Entries: all}})
		ctx, stop := context.WithCancel(b.Context())
		done := make(chan error)
		go func() {
			tick := time.NewTicker(100 * time.Millisecond)
			defer tick.Stop()
			for i := 0; ; i++ {
				begun := time.Now()
				d := ledger.Decision{Verdict: ledger.Block, Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{30, 0, byte(i >> 8), byte(i)}), 32), Start: f.now, End: f.now.Add(time.Hour), Author: decide.Author, Rule: "r", Attempt: 1}
				if _, err := f.ledger.TakeIn(context.WithoutCancel(ctx), ledger.Intake{Decisions: []ledger.Decision{d}}); err != nil {
					done <- err
					return
				}
				longest = max(longest, time.Since(begun))
				select {
				case <-ctx.Done():
					done <- nil
					return
				case <-tick.C:
				}
			}
		}()
		b.StartTimer()
		r, err := f.look.RefreshFeed(b.Context(), feed)
		b.StopTimer()
		stop()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
		if err != nil || r.Counted.New != len(all) {
			b.Fatalf("%+v, %v", r, err)
		}
		b.StartTimer()
	}
	b.ReportMetric(longest.Seconds()*1e3, "ms/longest-intake")
}
