#!/bin/sh
# Measures `fwsync detect` on a 1 GB mail log against counting one phrase with
# grep, both reading from the page cache, alternately, in one session.
#
#   bench/detect.sh [SIZE] [RUNS]     default: 1G 5
#
# Fails if the median is more than 3 times grep's or the peak memory above 150 MB.
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
for format in table json; do
	echo "fwsync detect -o $format"
	"$dir/run" -log "$dir/mail.log" -runs "$runs" -max-ratio 3 -max-rss 150 \
		"$dir/fwsync" detect -o "$format" "$dir/mail.log"
done

# Peers, on the first megabytes, where they are installed.
head -c 20000000 "$dir/mail.log" >"$dir/part.log"
timed() {
	begun=$(date +%s%N)
	"$@" >/dev/null 2>&1 <"$dir/part.log" || return 0
	echo "$1: $((20000 * 1000000 / ($(date +%s%N) - begun))) MB/s over 20 MB"
}
for parser in /usr/libexec/sshguard/sshg-parser /usr/lib/*/sshguard/sshg-parser; do
	[ -x "$parser" ] && timed "$parser"
done
if command -v fail2ban-regex >/dev/null; then
	timed fail2ban-regex "$dir/part.log" postfix
fi
