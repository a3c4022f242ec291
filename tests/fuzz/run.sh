#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes targets, as many at a time as there are processors:
#
#   tests/fuzz/run.sh "TARGET..."|all RUNS|SECONDSs
#
# A target is the name of a program without "fuzz-", such as driver-polar-pmd; each gets RUNS
# inputs, or all together take about that many seconds.  FUZZ_BUILD names the build directory
# (default build/fuzz); it is made when it is missing.  The seeds of tests/fuzz/corpus/TARGET are
# read, and what is found on the way is forgotten.  An input that breaks a target is kept in the
# build directory; put it into the corpus with the fix.
set -eu

if [ $# -ne 2 ]; then
  echo "usage: tests/fuzz/run.sh \"TARGET...\"|all RUNS|SECONDSs" >&2
  exit 64
fi
fuzz=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$fuzz/../.." && pwd)
build=${FUZZ_BUILD:-$source/build/fuzz}
jobs=$(nproc)

if [ ! -f "$build/build.ninja" ]; then
  CC=clang meson setup "$build" "$source" -Dfuzzing=true
fi
if [ "$1" = all ]; then
  read -ra targets <<<"$(ninja -C "$build" -t targets all |
    sed -n 's|^tests/fuzz/fuzz-\([a-z0-9-]*\): c_LINKER.*|\1|p' | xargs)"
else
  read -ra targets <<<"$1"
fi
case $2 in
  *s) limit=-max_total_time=$(((${2%s} * jobs + ${#targets[@]} - 1) / ${#targets[@]})) ;;
  *) limit=-runs=$2 ;;
esac
ninja -C "$build" "${targets[@]/#/tests/fuzz/fuzz-}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fuzz_one() {
  local target=$1 seeds=()
  mkdir -p "$work/$target"
  [ ! -d "$fuzz/corpus/$target" ] || seeds=("$fuzz/corpus/$target")
  if "$build/tests/fuzz/fuzz-$target" "$limit" -max_len=4096 -timeout=10 -rss_limit_mb=1024 \
    -print_final_stats=1 -artifact_prefix="$build/$target-" "$work/$target" "${seeds[@]}" \
    >"$work/$target.log" 2>&1; then
    echo "ok fuzz-$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$target.log") inputs"
  else
    echo "not ok fuzz-$target"
    cat "$work/$target.log"
    return 1
  fi
}
export -f fuzz_one
export build fuzz limit work
# shellcheck disable=SC2016 # for the inner shell
printf '%s\0' "${targets[@]}" | xargs -0 -n 1 -P "$jobs" bash -c 'fuzz_one "$1"' fuzz
