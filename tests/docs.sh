#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# docs.sh AIRLOCK AIRLOCK_DEVICE: holds the documentation against the two programs and the sources; docs_json.py does
# it for docs/json.md. Prints each place where they differ; exit 1 when there is one.
set -u
airlock=$(realpath "$1")
airlock_device=$(realpath "$2")
cd "$(dirname "$0")/.." || exit 1
bad=0

complain() {
  printf '%s\n' "$*"
  bad=1
}

# Complains where two texts differ, with both sides.
same() { # SUBJECT IN_THE_DOCUMENT IN_THE_PROGRAM
  [ "$2" = "$3" ] && return
  complain "$1: the document (<) and the program (>) differ:"
  diff <(printf '%s\n' "$2") <(printf '%s\n' "$3")
}

# ---- errors.md ----

check_errors() {
  same docs/errors.md "$(cat docs/errors.md)" "$(docs/errors.sh)"
  [ "$bad" = 0 ] || complain 'run: docs/errors.sh >docs/errors.md'
}

# ---- man pages ----

# The words of scdoc without its marks.
plain() {
  sed 's/\\\(.\)/\1/g; s/[*_]//g'
}

section() { # PAGE HEADING
  awk -v heading="# $2" '/^# / { inside = $0 == heading; next } inside && NF' "$1"
}

# "--name VALUE" of every option, in order.
page_options() { # PAGE
  section "$1" OPTIONS | grep '^\*-' | plain
}
help_options() { # HEADING of the help text, which is read from stdin
  awk -v heading="$1" '/^[^ ]|^$/ { inside = $0 == heading; next } inside' |
    sed -nE 's/^  (--?[a-z-]+( ([A-Z]+(=[A-Z]+)?|[a-z]+(\|[a-z]+)+))?)( .*)?$/\1/p'
}

# One in a line: what the help breaks to fit a terminal is joined again.
commands() {
  "$airlock" --help | awk '
    /^commands$/ { inside = 1; next }
    /^$/ { inside = 0 }
    inside && /^   / { sub(/^ +/, " "); line = line $0; next }
    inside { if (line) print line; line = $0 }
    END { print line }'
}

check_page() { # COMMAND SUMMARY
  local page=docs/man/airlock-$1.1.scd help
  if [ ! -f "$page" ]; then
    complain "$page is missing"
    return
  fi
  help=$("$airlock" "$1" --help)
  same "$page, name" "$(section "$page" NAME)" "airlock-$1 - $2"
  same "$page, usage" "$(section "$page" SYNOPSIS | plain)" "$(sed -n 's/^usage: //p' <<<"$help")"
  same "$page, options" "$(page_options "$page")" "$(help_options options <<<"$help")"
}

check_pages() {
  local page=docs/man/airlock.1.scd command summary
  same "$page, options" "$(page_options "$page")" "$("$airlock" --help | help_options 'options of every command')"
  same "$page, commands" "$(section "$page" COMMANDS | sed -nE '/^\*/{N; s/\*([a-z]*)\*\n\t(.*)/\1 \2/p}')" \
    "$(commands | sed -E 's/^ +([a-z]+) +/\1 /')"
  while read -r command summary; do
    check_page "$command" "$summary"
  done < <(commands)
  page=docs/man/airlock-device.8.scd
  same "$page, usage" "$(section "$page" SYNOPSIS | plain | sed 's/++$//')" \
    "$("$airlock_device" --help | sed -nE 's/^(usage:|      ) (airlock-device )/\2/p')"
  same "$page, options" "$(page_options "$page")" "$("$airlock_device" --help | help_options options)"
  for page in docs/man/airlock-*.1.scd; do
    command=${page#docs/man/airlock-}
    commands | grep -q "^  ${command%.1.scd} " || complain "$page: there is no such command"
  done
}

# ---- links ----

check_links() {
  local page link
  for page in README.md docs/*.md; do
    while read -r link; do
      [ -e "$(dirname "$page")/$link" ] || complain "$page: '$link' is not there"
    done < <(grep -oE '\]\([^)#:]+' "$page" | sed 's/^](//')
  done
}

check_errors
check_pages
check_links
tests/docs_json.py "$airlock" || bad=1
[ $bad = 0 ] && echo 'the documents agree with the program'
exit $bad
