#!/bin/sh
# Measures `fwsync detect` on a 1 GB mail log against counting one phrase with
# grep, both reading from the page cache, alternately, in one session.
#
#   bench/detect.sh [SIZE] [RUNS]     default: 1G 5
#
# Fails if the median is more than 4 times grep's or the peak memory above 200 MB.
set -eu
cd "$(dirname "$0")/.."
size=${1:-1G}
runs=${2:-5}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT INT TERM

go build -o "$dir/fwsync" ./cmd/fwsync
go build -o "$dir/loggen" ./bench/loggen
go build -o "$dir/run" ./bench/run
"$dir/loggen" -size "$size" -attackers 20000 -seed 1 -out "$dir/mail.log"
"$dir/run" -log "$dir/mail.log" -runs "$runs" -max-ratio 4 -max-rss 200 \
	"$dir/fwsync" detect -o json "$dir/mail.log"
