#!/usr/bin/env bash
# Aggregates a million IPv4 addresses with cloudfw/condense and with Debian's iprange
# (apt-get install iprange), alternately in one run, each reading the file and writing
# the prefixes, and compares what they wrote.
#
#   bench/aggregate.sh [ADDRESSES] [RUNS]     default: 1000000 5
#
# Fails if the outputs differ or fwsync's median time is above iprange's. Without
# iprange only fwsync is measured.
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-1000000}
runs=${2:-5}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT INT TERM

go build -o "$dir/aggregate" ./bench/aggregate
"$dir/aggregate" -generate "$count" >"$dir/addresses"
cat "$dir/addresses" >/dev/null

TIMEFORMAT=%R
seconds() { { time "$@" >"$out"; } 2>&1; }
median() { sort -n | sed -n "$(((runs + 1) / 2))p"; }

peer=yes
if ! command -v iprange >/dev/null; then
  peer=
  echo "iprange is not installed (apt-get install iprange): measuring fwsync alone"
fi
for _ in $(seq "$runs"); do
  out=$dir/ours seconds "$dir/aggregate" "$dir/addresses" >>"$dir/ours.times"
  [ -z "$peer" ] || out=$dir/theirs seconds iprange "$dir/addresses" >>"$dir/theirs.times"
done
ours=$(median <"$dir/ours.times")
echo "fwsync   $count addresses to $(wc -l <"$dir/ours") prefixes: median ${ours} s of $runs"
[ -n "$peer" ] || exit 0
theirs=$(median <"$dir/theirs.times")
echo "iprange  $count addresses to $(wc -l <"$dir/theirs") prefixes: median ${theirs} s of $runs"
cmp "$dir/ours" "$dir/theirs"
awk -v a="$ours" -v b="$theirs" 'BEGIN { printf "ratio    %.2f (floor: 1.00)\n", a / b; exit a > b }'
