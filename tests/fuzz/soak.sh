#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# soak.sh BUILD SECONDS [NAME...]: runs the fuzzers of a build with -DAIRLOCK_FUZZ=ON (Clang), two at a time, each for
# SECONDS, from its corpus here and from what earlier runs left in BUILD/soak/NAME. Prints a line for each; exit 1 when
# one found something (the input stays in BUILD/soak/NAME.found/).
set -u
build=$(realpath "$1")
seconds=$2
shift 2
corpus=$(realpath "$(dirname "$0")")/corpus
[ $# -gt 0 ] || mapfile -t names < <(cd "$build/tests/fuzz" && printf '%s\n' fuzz_* | grep -v '\.' | sed 's/^fuzz_//')
[ $# -gt 0 ] && names=("$@")

soak() { # NAME
  local work=$build/soak/$1 found=$build/soak/$1.found log=$build/soak/$1.log
  mkdir -p "$work" "$found"
  nice "$build/tests/fuzz/fuzz_$1" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=10 -max_len=65536 \
    -artifact_prefix="$found/" "$work" "$corpus/$1" >"$log" 2>&1
  local code=$?
  printf '%-16s %s seconds, %s runs, %s inputs kept, exit %s\n' "$1" "$seconds" \
    "$(sed -nE 's/^Done ([0-9]+) runs.*/\1/p' "$log" | tail -1)" "$(find "$work" -type f | wc -l)" $code
  return $code
}
export -f soak
export build seconds corpus
printf '%s\n' "${names[@]}" | xargs -P 2 -I NAME bash -c 'soak NAME'
