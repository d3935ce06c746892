package maillog_test

import (
	"strings"
	"testing"
	"time"

	"fwsync/detect"
	"fwsync/detect/maillog"
)

// worst are texts that make a parser look for what is not there, again and again.
var worst = []string{", rip=", ">: ", "> proto=", `">: `, " ssh2", " from ", ") [", ") [1.2.3.4", " H=", ", relay=", "; from=<", `"`, `\`, ",", ", sasl_username", " auth=", " F=<", "> ", ": ", "> to=<", "[", "(", " user=<", ": user=<(auth failed, ", ">, method=", " not allowed because ", "' from ", " port ", " A=", " X=a"}

// TestP12NoLineCostsMoreThanItsLength compares long hostile lines with twice as long
// ones: what costs more than in proportion would show as four times as much.
func TestP12NoLineCostsMoreThanItsLength(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time")
	}
	const size = 1 << 17
	p := maillog.New(maillog.Options{Reference: reference})
	var s detect.Signal
	cost := func(line []byte) time.Duration {
		best := time.Hour
		for range 3 {
			started := time.Now()
			p.ParseInto(line, &s)
			best = min(best, time.Since(started))
		}
		return best
	}
	for i := range daemonLines {
		for _, text := range worst {
			one := []byte(header + daemonLines[i].planted(strings.Repeat(text, size/len(text))))
			four := []byte(header + daemonLines[i].planted(strings.Repeat(text, 4*size/len(text))))
			small, large := cost(one), cost(four)
			if large > 10*small && large > 3*time.Millisecond {
				t.Errorf("%q in %q: %v for %d bytes, %v for %d", text, daemonLines[i].format, small, len(one), large, len(four))
			}
			if perByte := float64(large) / float64(len(four)); perByte > 1.5 {
				t.Logf("%.2f ns a byte: %q in %q", perByte, text, daemonLines[i].format)
			}
		}
	}
}
