#!/usr/bin/env bash
# Runs fuzz targets, as many side by side as there are cores, each for the given time.
#
#   bench/fuzz.sh [TIME] [PACKAGES…]     default: 20s ./...
set -euo pipefail
cd "$(dirname "$0")/.."
export FUZZTIME=${1:-20s}
shift || true

fuzz() {
  local out
  out=$(go test -run '^$' -fuzz "^$2\$" -fuzztime "$FUZZTIME" -fuzzminimizetime 5x -parallel 1 "$1" 2>&1) || only_the_time_was_up "$out" || {
    printf '%s %s\n%s\n' "$1" "$2" "$out"
    return 1
  }
  echo "$1 $2: $(grep -o 'execs: [0-9]*' <<<"$out" | tail -1)"
}

# Before 1.27, Go may call the end of the time a failure: https://go.dev/issue/75804. Then there is no line of any other
# kind; of what a target did wrong there is at least where its input was written.
only_the_time_was_up() {
  grep -qx '    context deadline exceeded' <<<"$1" &&
    ! grep -qvE '^(fuzz: elapsed: .*|--- FAIL: Fuzz\w+ \([0-9.]+s\)|    context deadline exceeded|FAIL(\s.*)?|exit status 1)$' <<<"$1"
}

export -f fuzz only_the_time_was_up
for pkg in $(go list "${@:-./...}"); do
  dir=./${pkg#fwsync/}
  for target in $(grep -ho '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go 2>/dev/null | sed 's/^func //'); do
    echo "$dir $target"
  done
done | xargs -P "$(nproc)" -L 1 bash -c 'fuzz "$@"' fuzz
