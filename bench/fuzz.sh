#!/usr/bin/env bash
# Runs fuzz targets, as many side by side as there are cores, each for the given time.
#
#   bench/fuzz.sh [TIME] [PACKAGES…]     default: 20s ./...
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-20s}
shift || true
for pkg in $(go list "${@:-./...}"); do
  dir=./${pkg#fwsync/}
  for target in $(grep -ho '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go 2>/dev/null | sed 's/^func //'); do
    echo "$dir $target"
  done
done | xargs -P "$(nproc)" -L 1 bash -c \
  'out=$(go test -run "^$" -fuzz "^$2\$" -fuzztime "$0" -fuzzminimizetime 5x -parallel 1 "$1" 2>&1) || { echo "$1 $2"; echo "$out"; exit 1; }; echo "$1 $2: $(grep -o "execs: [0-9]*" <<<"$out" | tail -1)"' "$time"
