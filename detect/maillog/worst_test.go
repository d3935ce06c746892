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

// BenchmarkWorstLines reports what the dearest of many long hostile lines costs a
// byte; BenchmarkParse has what genuine ones cost.
func BenchmarkWorstLines(b *testing.B) {
	const size = 1 << 18
	p := maillog.New(maillog.Options{Reference: reference})
	var s detect.Signal
	var dearest float64
	for b.Loop() {
		dearest = 0
		for i := range daemonLines {
			for _, text := range worst {
				line := []byte(header + daemonLines[i].planted(strings.Repeat(text, size/len(text))))
				best := time.Hour
				for range 3 {
					started := time.Now()
					p.ParseInto(line, &s)
					best = min(best, time.Since(started))
				}
				dearest = max(dearest, float64(best)/float64(len(line)))
			}
		}
	}
	b.ReportMetric(dearest, "ns/byte")
}
