#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Holds every C file against .clang-format. The version is pinned: others format differently.
set -eu
cd "$(dirname "$0")/.."
find src bundle-format usb-tools tests -name '*.[ch]' -print0 | xargs -0 clang-format-14 --dry-run -Werror
echo "formatted as .clang-format says"
