//go:build unix

package simulator

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The floor is 5,000 signed calls a second on one core for the usual calls. Run
//
//	go test -run - -bench . ./cloudfw/simulator
//
// and read the column calls/cpu-s, calls for each second of processor time, which a
// busy machine does not falsify; calls/s is by the clock on the wall. BenchmarkHandler has the requests signed and parsed
// before the clock starts and the answers thrown away; BenchmarkWire includes a
// client on the same core, which signs and reads, over kept-alive connections.

// bigAccount has the policies and a book of 2,000 addresses that one of them uses.
func bigAccount(tb testing.TB, o Options, policies int) *Cloud {
	world := DefaultWorld()
	for i := range policies {
		p := tcpPolicy("in", 0, fmt.Sprintf("policy %d", i))
		p.Source = fmt.Sprintf("10.%d.%d.0/24", i/256, i%256)
		world.Policies = append(world.Policies, p)
	}
	world.Policies[policies/2].SourceType, world.Policies[policies/2].Source = "group", "blocked"
	for i := range world.Policies {
		world.Policies[i].Order = 0
	}
	book := AddressBook{UUID: "book", Name: "blocked", Type: "ip", Description: "blocked"}
	for i := range 2000 {
		book.Addresses = append(book.Addresses, fmt.Sprintf("10.0.%d.%d/32", i/256, i%256))
	}
	world.AddressBooks = append(world.AddressBooks, book)
	o.World = &world
	o.Limits.AddressesPerBook, o.Limits.SpreadUnits = 1<<30, 1<<30
	c, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// usualCalls are what the floor is about. Every one takes the number of the call.
var usualCalls = []struct {
	name     string
	policies int
	make     func(n int) (action string, pairs []string)
}{
	{"DescribeControlPolicy, page of 50 of 5000", 5000, func(n int) (string, []string) {
		return "DescribeControlPolicy", []string{"Direction", "in", "CurrentPage", strconv.Itoa(1 + n%100), "PageSize", "50"}
	}},
	{"ModifyAddressBook, append to 2000", 5000, func(n int) (string, []string) {
		mode := "Append"
		if n%2 == 1 {
			mode = "Delete"
		}
		return "ModifyAddressBook", []string{"GroupUuid", "book", "GroupName", "blocked", "Description", "blocked",
			"ModifyMode", mode, "AddressList", fmt.Sprintf("11.%d.%d.%d/32", n/2>>16&255, n/2>>8&255, n/2&255)}
	}},
	{"AddControlPolicy, to 100", 100, addOne},
	{"AddControlPolicy, to 5000", 5000, addOne},
}

func addOne(n int) (string, []string) {
	return "AddControlPolicy", policyArgs("Source", fmt.Sprintf("11.%d.%d.%d/32", n>>16&255, n>>8&255, n&255))
}

// signedQuery is the URL query of a call, as the SDK sends it.
func signedQuery(n int, action string, pairs []string) string {
	values := map[string]string{
		"AccessKeyId": DefaultKey, "Action": action, "Format": "JSON", "RegionId": "cn-hangzhou",
		"SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "SignatureType": "",
		"SignatureNonce": fmt.Sprintf("%032x", n), "Timestamp": noon.Format("2006-01-02T15:04:05Z"), "Version": versionCloudfw,
	}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	values["Signature"] = signature(DefaultSecret, stringToSign(http.MethodPost, values))
	query := url.Values{}
	for name, value := range values {
		query.Set(name, value)
	}
	return query.Encode()
}

// nowhere is a ResponseWriter that counts failures and forgets the rest.
type nowhere struct {
	header http.Header
	failed int
}

func (w *nowhere) Header() http.Header { return w.header }
func (w *nowhere) WriteHeader(status int) {
	if status != http.StatusOK {
		w.failed++
	}
}
func (w *nowhere) Write(p []byte) (int, error) { return len(p), nil }

func fixedClock() time.Time { return noon }

// meter measures the processor time of what runs between start and stop.
type meter struct {
	b     *testing.B
	since time.Duration
	used  time.Duration
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (m *meter) start() {
	m.b.StartTimer()
	m.since = processorTime(m.b)
}

func (m *meter) stop() {
	m.used += processorTime(m.b) - m.since
	m.b.StopTimer()
}

func (m *meter) report() {
	m.stop()
	m.b.ReportMetric(float64(m.b.N)/m.b.Elapsed().Seconds(), "calls/s")
	m.b.ReportMetric(float64(m.b.N)/m.used.Seconds(), "calls/cpu-s")
}

func oneCore(b *testing.B) {
	before := runtime.GOMAXPROCS(1)
	b.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

func BenchmarkHandler(b *testing.B) {
	for _, usual := range usualCalls {
		b.Run(usual.name, func(b *testing.B) { benchmarkHandler(b, Options{}, usual.policies, usual.make) })
	}
}

// BenchmarkStateFile is the same with every write on disk before its answer.
func BenchmarkStateFile(b *testing.B) {
	for _, usual := range usualCalls {
		b.Run(usual.name, func(b *testing.B) {
			benchmarkHandler(b, Options{StateFile: filepath.Join(b.TempDir(), "state.json")}, usual.policies, usual.make)
		})
	}
}

func benchmarkHandler(b *testing.B, o Options, policies int, make func(int) (string, []string)) {
	oneCore(b)
	o.Clock = fixedClock
	cloud := bigAccount(b, o, policies)
	handler, start := cloud.Handler(), cloud.Snapshot()
	w := &nowhere{header: http.Header{}}
	// Requests are made in batches outside the clock, so that their memory is small.
	const batch = 256
	var requests [batch]*http.Request
	n, m := 0, &meter{b: b}
	m.start()
	for b.Loop() {
		if n%batch == 0 {
			m.stop()
			for i := range requests {
				action, pairs := make(n + i)
				r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/?"+signedQuery(n+i, action, pairs), http.NoBody)
				r.Header.Set("Accept-Encoding", "identity")
				requests[i] = r
			}
			// The account is as large at the end as at the start.
			if err := cloud.Load(start); err != nil {
				b.Fatal(err)
			}
			m.start()
		}
		clear(w.header)
		handler.ServeHTTP(w, requests[n%batch])
		n++
	}
	if w.failed > 0 {
		b.Fatalf("%d calls of %d failed", w.failed, n)
	}
	m.report()
}

func BenchmarkWire(b *testing.B) {
	for _, usual := range usualCalls {
		b.Run(usual.name, func(b *testing.B) {
			oneCore(b)
			cloud := bigAccount(b, Options{Clock: fixedClock}, usual.policies)
			start := cloud.Snapshot()
			s, err := Listen("127.0.0.1:0", cloud.Handler())
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = s.Close() })
			client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
			n, m := 0, &meter{b: b}
			m.start()
			for b.Loop() {
				if n%256 == 0 {
					m.stop()
					if err := cloud.Load(start); err != nil {
						b.Fatal(err)
					}
					m.start()
				}
				action, pairs := usual.make(n)
				resp, err := client.Post(s.URL()+"/?"+signedQuery(n, action, pairs), "application/x-www-form-urlencoded", strings.NewReader(""))
				if err != nil {
					b.Fatal(err)
				}
				_, err = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if err != nil || resp.StatusCode != http.StatusOK {
					b.Fatal(resp.Status, err)
				}
				n++
			}
			m.report()
		})
	}
}
