// Command run times two commands that read the same log, alternately, and
// prints the median wall time of both, their ratio and the peak memory of the
// second one.
//
//	run -log big.log [-runs 5] [-max-ratio 4] [-max-rss 200] FWSYNC detect -o json big.log
//
// The first command is LC_ALL=C grep -cF 'authentication failed' LOG.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"
)

func main() {
	log := flag.String("log", "", "the log that both commands read")
	runs := flag.Int("runs", 5, "how often each command runs, at least 3")
	maxRatio := flag.Float64("max-ratio", 4, "fail above this ratio of the medians")
	maxRSS := flag.Float64("max-rss", 200, "fail above this peak memory, in MB")
	flag.Parse()
	if err := compare(os.Stdout, *log, *runs, *maxRatio, *maxRSS, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "run:", err)
		os.Exit(1)
	}
}

// run is one command's one run; rss is in bytes, 0 where the system does not say.
type run struct {
	wall, cpu time.Duration
	rss       int64
}

func compare(out io.Writer, log string, runs int, maxRatio, maxRSS float64, command []string) error {
	if log == "" || len(command) == 0 || runs < 3 {
		return errors.New("give -log FILE, at least 3 runs, and the command to measure")
	}
	size, err := warm(log)
	if err != nil {
		return err
	}
	grep := []string{"grep", "-cF", "authentication failed", log}
	var base, ours []run
	for range runs {
		for _, c := range []struct {
			command []string
			runs    *[]run
		}{{grep, &base}, {command, &ours}} {
			r, err := measure(c.command)
			if err != nil {
				return err
			}
			*c.runs = append(*c.runs, r)
		}
	}
	b, o := median(base), median(ours)
	ratio := o.wall.Seconds() / b.wall.Seconds()
	peak := float64(slices.MaxFunc(ours, func(x, y run) int { return int(x.rss - y.rss) }).rss) / 1e6
	fmt.Fprintf(out, "log      %d bytes, in the page cache, %d runs of each, alternately\n", size, runs)
	fmt.Fprintf(out, "grep     median %.3f s wall, %.3f s CPU\n", b.wall.Seconds(), b.cpu.Seconds())
	fmt.Fprintf(out, "command  median %.3f s wall, %.3f s CPU, %.0f MB/s\n", o.wall.Seconds(), o.cpu.Seconds(), float64(size)/1e6/o.wall.Seconds())
	fmt.Fprintf(out, "ratio    %.2f (at most %.2f)\n", ratio, maxRatio)
	fmt.Fprintf(out, "peak     %.0f MB (at most %.0f)\n", peak, maxRSS)
	if ratio > maxRatio {
		return fmt.Errorf("the ratio %.2f is above %.2f", ratio, maxRatio)
	}
	if peak > maxRSS {
		return fmt.Errorf("the peak of %.0f MB is above %.0f", peak, maxRSS)
	}
	return nil
}

// warm reads the file once, so that both commands find it in memory.
func warm(path string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return io.Copy(io.Discard, f)
}

func measure(command []string) (run, error) {
	c := exec.Command(command[0], command[1:]...)
	c.Env = append(os.Environ(), "LC_ALL=C")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	// A pipe, not /dev/null: there GNU grep stops at the first match.
	c.Stdout = io.Discard
	started := time.Now()
	err := c.Run()
	wall := time.Since(started)
	if err != nil {
		return run{}, fmt.Errorf("running %q: %w: %s", command, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return run{wall, c.ProcessState.UserTime() + c.ProcessState.SystemTime(), peakRSS(c.ProcessState)}, nil
}

// median is the run of the median wall time.
func median(runs []run) run {
	s := slices.Clone(runs)
	slices.SortFunc(s, func(a, b run) int { return int(a.wall - b.wall) })
	return s[len(s)/2]
}
