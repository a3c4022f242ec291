#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzzes targets, one after the other, each for a number of inputs:
#
#   tests/fuzz/run.sh "TARGET..."|all RUNS
#
# A target is the name of a program without "fuzz-", such as driver-polar-pmd.  FUZZ_BUILD names
# the build directory (default build-fuzz); it is made when it is missing.  The seeds of
# tests/fuzz/corpus/TARGET are read, and what is found on the way is forgotten.  An input that
# breaks a target is kept in the build directory; put it into the corpus with the fix.
set -eu

if [ $# -ne 2 ]; then
  echo "usage: tests/fuzz/run.sh \"TARGET...\"|all RUNS" >&2
  exit 64
fi
targets=$1
runs=$2
fuzz=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$fuzz/../.." && pwd)
build=${FUZZ_BUILD:-$source/build-fuzz}

if [ ! -f "$build/build.ninja" ]; then
  CC=clang meson setup "$build" "$source" -Dfuzzing=true
fi
if [ "$targets" = all ]; then
  targets=$(sed -n 's|^build tests/fuzz/fuzz-\([a-z0-9-]*\): c_LINKER.*|\1|p' "$build/build.ninja")
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for target in $targets; do
  ninja -C "$build" "tests/fuzz/fuzz-$target" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    exit 1
  }
  mkdir -p "$work/$target"
  seeds=$fuzz/corpus/$target
  [ -d "$seeds" ] || seeds=
  echo "== $target: $runs inputs"
  # shellcheck disable=SC2086 # no seeds, no argument
  "$build/tests/fuzz/fuzz-$target" -runs="$runs" -max_len=4096 -timeout=10 -rss_limit_mb=1024 \
    -print_final_stats=1 -artifact_prefix="$build/$target-" "$work/$target" $seeds \
    >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    exit 1
  }
  grep '^stat::' "$work/log"
done
