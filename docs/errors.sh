#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Prints docs/errors.md, made from the table in src/base/err_ids.h and the exit codes in src/base/err.h:
#
#     docs/errors.sh > docs/errors.md
#
# The test `docs` fails where the page differs from what this prints.
set -eu
cd "$(dirname "$0")/../src/base"

cat <<'END'
# Errors

This page is made by `docs/errors.sh` from `src/base/err_ids.h`; change it there.

An error is printed on stderr as `airlock: MESSAGE`, often with a line `hint: …` below it. With `--json` the answer
on stdout is an object `error` that carries the id (see [json.md](json.md)). `verify` reports what is wrong with a
lockbox as `problems`, each with one of these ids. An id is never renamed and never used for something else.

A message names the subject; the table says what the id means in general. Where it has no advice, the message itself
says what there is to know, or a hint that fits the case is printed with it.
END

awk '
function text(quoted) {
    gsub(/\|/, "\\|", quoted)
    return quoted
}
function print_row(row,    part, exit_name) {
    gsub(/"[ \t]+"/, "", row) # literals that stand in pieces
    split(row, part, "\"")
    exit_name = part[3]
    gsub(/[ ,]/, "", exit_name)
    if (!(exit_name in code)) {
        printf "errors.sh: no exit code for: %s\n", row > "/dev/stderr"
        exit 1
    }
    printf "| `%s` | %d | %s | %s |\n", part[2], code[exit_name], text(part[4]), text(part[6])
}
FILENAME == "err.h" {
    if ($1 ~ /^EXIT_/ && $2 == "=")
        code[$1] = $3 + 0
    next
}
/^\/\* [a-z].* \*\/$/ {
    heading = $0
    gsub(/^\/\* | \*\/$/, "", heading)
    printf "\n## %s\n\n| id | exit | meaning | what to do |\n|---|---|---|---|\n", \
        toupper(substr(heading, 1, 1)) substr(heading, 2)
}
/^ERROR\(/ { row = "" }
/^ERROR\(/, /\)$/ {
    row = row " " $0
    if ($0 ~ /\)$/)
        print_row(row)
}' err.h err_ids.h

cat <<'END'

## Exit codes

END
awk '
/^enum exit_code \{/ { inside = 1 }
inside && $1 ~ /^EXIT_/ { print $1, $3 + 0 }
inside && /^};/ { exit }' err.h | while read -r name code; do
  case $name in
  EXIT_DONE) meaning="done; for \`verify\`: valid, and a device would install it" ;;
  EXIT_INTERNAL) meaning="failed inside: this computer, or airlock itself" ;;
  EXIT_USAGE) meaning="usage: the command line, the configuration, a path that is not there" ;;
  EXIT_REFUSED) meaning="refused: a signature, hash, date, version, name or form is not right" ;;
  EXIT_NOTHING) meaning="there is nothing that a device would install" ;;
  EXIT_NETWORK) meaning="network, cloud or login" ;;
  EXIT_MEDIUM) meaning="the medium: full, read-only, damaged, or a file system that cannot hold the file" ;;
  EXIT_SOME_FAILED) meaning="some of several failed; the messages say which" ;;
  EXIT_INTERRUPTED) meaning="interrupted (Ctrl-C); the same command can be given again; fetching goes on where it stopped" ;;
  *) echo "errors.sh: what does $name mean?" >&2 && exit 1 ;;
  esac
  printf -- '- **%d** %s\n' "$code" "$meaning"
done
