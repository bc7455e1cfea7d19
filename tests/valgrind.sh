#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# valgrind.sh [REGEX]: the unit tests (those that match) under Valgrind, in a build of their own, build/valgrind.
# Takes some minutes. A wrong access or a block that is lost makes a test fail.
set -eu
cd "$(dirname "$0")/.."
under='valgrind;-q;--error-exitcode=9;--leak-check=full;--errors-for-leak-kinds=definite'
cmake -S . -B build/valgrind -G Ninja -DCMAKE_BUILD_TYPE=Release "-DCMAKE_CROSSCOMPILING_EMULATOR=$under" >/dev/null
ninja -C build/valgrind
# Two ask the same questions many thousand times, which would take hours here: t_verdict and t_writer go through the
# same code once.
ctest --test-dir build/valgrind -R "^unit/.*${1:-}" -E 't_verdict_flips|t_writer_faults' --timeout 1800 \
  --output-on-failure
