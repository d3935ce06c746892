package maillog_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"fwsync/detect"
	"fwsync/detect/maillog"
)

// The logs are genuine Postfix and Dovecot output of a lab that was attacked
// over loopback; the truth was written by the attacking side.
var truthRuns = []struct{ log, truth string }{
	{"postfix-real.log", "postfix-real.truth.json"},
	{"postfix-slowauth.log", "postfix-slowauth.truth.json"},
	{"postfix-slowauth.rfc3339.log", "postfix-slowauth.truth.json"},
}

var reference = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

var defaultRules = []detect.Rule{
	{Name: "sasl-bruteforce", Signals: []detect.Kind{detect.SMTPAuthFailed}, Threshold: 5, Within: 10 * time.Minute},
	{Name: "relay-abuse", Signals: []detect.Kind{detect.SMTPRelayDenied}, Threshold: 3, Within: time.Hour},
	{Name: "harvest", Signals: []detect.Kind{detect.SMTPRejectedRecipient}, Threshold: 10, Within: time.Hour},
	{Name: "protocol-abuse", Signals: []detect.Kind{detect.SMTPNonSMTPCommand, detect.SMTPPipelining, detect.SMTPPregreet, detect.SMTPTooManyErrors, detect.SMTPRejectedHelo}, Threshold: 3, Within: time.Hour},
	{Name: "scan", Signals: []detect.Kind{detect.SMTPScan, detect.SMTPTLSFailed, detect.SMTPRateLimited}, Threshold: 5, Within: time.Hour},
	{Name: "imap-bruteforce", Signals: []detect.Kind{detect.IMAPAuthFailed}, Threshold: 5, Within: 10 * time.Minute},
}

type truth struct {
	Sources map[string]struct {
		Label    string
		Attacker bool
		Counts   map[string]int
		Max600   int `json:"auth_fail_max_600s"`
	}
	Bruteforce []string `json:"sasl_bruteforce_ips"`
	Victims    []string `json:"injected_victims"`
}

func unpacked(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open("testdata/" + name + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readTruth(t testing.TB, name string) truth {
	t.Helper()
	var out truth
	if err := json.Unmarshal(unpacked(t, name), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func signalsOf(t testing.TB, log []byte) (out []detect.Signal, verdicts map[maillog.Verdict]int) {
	t.Helper()
	p := maillog.New(maillog.Options{Reference: reference})
	verdicts = map[maillog.Verdict]int{}
	lines := bufio.NewScanner(bytes.NewReader(log))
	for lines.Scan() {
		s, v := p.Parse(lines.Bytes())
		verdicts[v]++
		if v == maillog.Signal {
			s.Raw = bytes.Clone(s.Raw)
			out = append(out, s)
		}
	}
	var sessions maillog.Sessions
	return sessions.Settle(out), verdicts
}

func TestEverySourceHasExactlyTheCountsOfTheTruth(t *testing.T) {
	kinds := map[string]detect.Kind{"auth_fail": detect.SMTPAuthFailed, "relay_denied": detect.SMTPRelayDenied, "bad_helo": detect.SMTPRejectedHelo, "imap_fail": detect.IMAPAuthFailed, "imap_ok": detect.IMAPAuthOK, "pregreet": detect.SMTPPregreet, "too_many_errors": detect.SMTPTooManyErrors}
	for _, run := range truthRuns {
		t.Run(run.log, func(t *testing.T) {
			want := readTruth(t, run.truth)
			signals, verdicts := signalsOf(t, unpacked(t, run.log))
			if verdicts[maillog.Malformed] != 0 || verdicts[maillog.BadAddress] != 0 {
				t.Errorf("verdicts %v: nothing in a genuine log is malformed", verdicts)
			}
			got := map[string]map[detect.Kind]int{}
			for _, s := range signals {
				a := s.Addr.String()
				if got[a] == nil {
					got[a] = map[detect.Kind]int{}
				}
				got[a][s.Kind] += s.Times()
				if slices.Contains(want.Victims, a) {
					t.Errorf("%s was only ever named inside an attacker's text: %q", a, s.Raw)
				}
				if _, known := want.Sources[a]; !known {
					t.Errorf("%s never connected: %q", a, s.Raw)
				}
			}
			for ip, src := range want.Sources {
				for name, kind := range kinds {
					if g, w := got[ip][kind], src.Counts[name]; g != w {
						t.Errorf("%s (%s): %s %d, truth %d", ip, src.Label, kind, g, w)
					}
				}
				if ok, w := got[ip][detect.SMTPAuthOK]+got[ip][detect.SMTPDelivered], src.Counts["delivered"]; ok != w {
					t.Errorf("%s (%s): %d messages accepted, truth %d", ip, src.Label, ok, w)
				}
			}
		})
	}
}

func TestDetectionsAreExactlyTheAttackersOfTheTruth(t *testing.T) {
	for _, run := range truthRuns {
		t.Run(run.log, func(t *testing.T) {
			want := readTruth(t, run.truth)
			signals, _ := signalsOf(t, unpacked(t, run.log))
			e, err := detect.New(defaultRules, detect.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range signals {
				e.Observe(s)
			}
			var brute []string
			for _, d := range e.Detections() {
				ip := d.Prefix.Addr().String()
				src := want.Sources[ip]
				if !src.Attacker {
					t.Errorf("%s (%s) is no attacker but was detected by %s", ip, src.Label, d.Rule)
				}
				if len(d.Evidence) == 0 {
					t.Errorf("%s by %s has no evidence", ip, d.Rule)
				}
				if d.Rule != "sasl-bruteforce" {
					continue
				}
				brute = append(brute, ip)
				if d.Count != src.Counts["auth_fail"] || d.Peak != min(20, src.Max600) {
					t.Errorf("%s: count %d peak %d, truth %d and %d", ip, d.Count, d.Peak, src.Counts["auth_fail"], src.Max600)
				}
			}
			slices.Sort(brute)
			if !slices.Equal(brute, want.Bruteforce) {
				t.Errorf("brute force:\n got %v\nwant %v", brute, want.Bruteforce)
			}
		})
	}
}

func TestBothStampFormatsGiveTheSameSignals(t *testing.T) {
	a, _ := signalsOf(t, unpacked(t, "postfix-slowauth.log"))
	b, _ := signalsOf(t, unpacked(t, "postfix-slowauth.rfc3339.log"))
	if len(a) != len(b) || len(a) < 500 {
		t.Fatalf("%d and %d signals", len(a), len(b))
	}
	for i := range a {
		x, y := a[i], b[i]
		if x.Kind != y.Kind || x.Addr != y.Addr || x.Count != y.Count || !x.Time.Equal(y.Time.Truncate(time.Second)) {
			t.Fatalf("signal %d differs:\n%s\n%s", i, x.Raw, y.Raw)
		}
	}
}

func TestTheNamedCasesOfTheLab(t *testing.T) {
	signals, _ := signalsOf(t, unpacked(t, "postfix-real.log"))
	count := func(ip string, k detect.Kind) (n int) {
		for _, s := range signals {
			if s.Kind == k && s.Addr == netip.MustParseAddr(ip) {
				n += s.Times()
			}
		}
		return n
	}
	for _, c := range []struct {
		name string
		ip   string
		kind detect.Kind
		want int
	}{
		{"exactly five failures", "127.69.0.5", detect.SMTPAuthFailed, 5},
		{"exactly four failures", "127.69.0.4", detect.SMTPAuthFailed, 4},
		{"an innocent's two typos", "127.30.1.1", detect.SMTPAuthFailed, 2},
		{"… and successes", "127.30.1.1", detect.SMTPAuthOK, 4},
		{"an innocent's three unknown recipients", "127.22.0.1", detect.SMTPRejectedRecipient, 3},
		{"VRFY of unknown users", "127.74.0.3", detect.SMTPRejectedRecipient, 30},
		{"relay denials with 454", "127.70.1.1", detect.SMTPRelayDenied, 4},
		{"a name that begins with unknown", "127.10.0.7", detect.SMTPScan, 4},
		{"a name made of an address", "127.10.0.6", detect.SMTPAuthFailed, 10},
		{"postscreen pipelining, its refusal not again", "127.77.0.4", detect.SMTPPipelining, 4},
		{"postscreen non-SMTP", "127.77.0.3", detect.SMTPNonSMTPCommand, 4},
		{"smtpd pipelining, its refusal not again", "127.72.0.1", detect.SMTPPipelining, 6},
		{"connections above the rate", "127.76.0.1", detect.SMTPRateLimited, 15},
		{"AUTH commands above the rate", "127.74.0.1", detect.SMTPRateLimited, 5},
		{"broken TLS handshakes", "127.73.0.4", detect.SMTPTLSFailed, 8},
		{"connections dropped after AUTH are no scan", "127.73.0.3", detect.SMTPScan, 0},
		{"HTTP on the SMTP port", "127.71.0.1", detect.SMTPNonSMTPCommand, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := count(c.ip, c.kind); got != c.want {
				t.Errorf("%s of %s: %d, want %d", c.kind, c.ip, got, c.want)
			}
		})
	}
}
