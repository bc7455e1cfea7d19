#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# demo.sh AIRLOCK AIRLOCK_DEVICE: the main job as a newcomer meets it, from the cloud to the device and back, with these
# two programs against a rehearsal of Torizon Cloud on loopback, and a device in a folder. Each command is shown as typed, run, and explained.
# Fails as soon as one ends otherwise than it should. Leaves nothing behind, also when interrupted.
set -euo pipefail

tests=$(cd "$(dirname "$0")" && pwd)
rehearsal=$tests/cloud/rehearsal
program=$(realpath "$1")
device_program=$(realpath "$2")
work=
bold='' dim='' green='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
  bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' plain=$'\e[0m'
fi

main() {
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  make_workplace

  cat <<END
${bold}airlock, from the cloud to a device without network${plain}
A rehearsal of Torizon Cloud runs on this computer while the demo does. airlock gets its
addresses and its CA, and cannot tell it from the real one. 'stick' and 'device' are folders.
END

  step 'Log in'
  run 0 'airlock login --credentials credentials.zip --cacert ca.pem'
  notice 'The root keys of the account are pinned: whatever comes later must be signed by them,' \
    'or by successors that they signed. (The real cloud needs no --cacert.)'

  step 'See what there is'
  run 0 'airlock list'
  notice 'Of three lockboxes one can be carried; one expired yesterday, one was revoked.'

  step 'Prepare the stick'
  run 0 'airlock prepare pump-7 stick'
  run 0 'ls -1sh stick/airlock'
  notice 'Every signature, hash and date was checked before anything got its name, and what was' \
    'written was read back. The .lockbox is the head, .001 holds the packages: with a stick' \
    'that cannot hold large files there would be more. If it is interrupted, type it again.'

  step 'Try a lockbox that no device would take'
  run 3 'airlock prepare press-line stick'
  notice 'Exit code 3 means refused, here for an expired role. Nothing of it reached the stick.'

  step 'Verify the stick'
  run 0 'airlock verify stick'
  notice 'It asks no server: signatures from the pinned roots down to each byte of each package,' \
    'then what a device would do. What had to be assumed about the device is said.'

  step 'Look inside'
  run 0 'airlock inspect stick'
  notice 'The same from the head alone, without reading the packages. --json is there for scripts.'

  step 'Flip one byte in a copy'
  run 0 'cp -r stick damaged'
  flip_middle_byte damaged/airlock/pump-7-*.001
  run 3 'airlock verify damaged'
  run 3 'airlock apply damaged/airlock/pump-7-*.lockbox --to device/update'
  run 0 'ls -A device'
  [ -z "$(ls -A device)" ] || fail 'a damaged bundle left something in the device folder'
  notice 'One byte in the middle of a package is enough: both refuse and name the place, and the' \
    'device folder is still empty. Nothing half-made ever has a final name.'

  step 'Apply the good one to the device'
  run 0 'airlock apply stick/airlock/pump-7-*.lockbox --to device/update'
  run 0 'find device/update -type f'
  notice 'This tree is what a stock Torizon device installs from: metadata as the cloud signed it,' \
    'byte for byte, and one file for each package. It appeared by a single rename.'

  step 'Let a device take it by itself, and bring its report home'
  run 0 'airlock trust export roots'
  device make pump-7 roots
  run 0 'cp bin/airlock-device pump-7/airlock-device'
  run 0 'pump-7/airlock-device install --root pump-7 | tee pump-7.said'
  run 0 'pump-7/var/airlock/bin/airlock-device apply stick --root pump-7'
  device look pump-7
  run 0 'pump-7/var/airlock/bin/airlock-device report stick --root pump-7'
  run 0 'airlock reports key add pump-7 "$(sed -n "s/^key  *//p" pump-7.said)" --helper'
  run 0 'airlock reports collect stick'
  run 0 'airlock reports list'
  notice 'The folder pump-7 is the file system of a device that got its first roots offline. Its helper took' \
    'what is for its hardware, its client judged again by itself, installed and logged, and the report' \
    'came back on the stick, signed with a key that was enrolled here. airlock sync takes it to the cloud.' \
    'On a real device systemd does both when the stick is put in: the rule and the unit are laid down.'

  step 'Do it without airlock'
  run 0 'cat stick/airlock/pump-7-*.lockbox* | zstd -dc | tar -x -C rescued'
  run 0 '(cd rescued && sha256sum --check --quiet LOCKBOX.sha256)'
  run 0 'diff -r --exclude=LOCKBOX.* rescued device/update'
  notice 'A bundle is a tar archive in zstd frames with its own checksums, so whoever holds one' \
    'does not depend on this program. The two trees are the same.'

  cat <<END

${bold}That was the main job.${plain} Nothing is left running or lying about. To read on:
  README.md                 how to use it on a real account and a real stick
  bundle-format/SPEC.md     the .lockbox format
  tests/cloud/README.md     the rehearsal cloud, and how to break it on purpose
  docs/architecture.md      the source tree; docs/ has the field guide, errors, JSON, threats
END
}

# Everything that airlock keeps for a user goes to the temporary folder, and no proxy stands before loopback.
make_workplace() {
  work=$(mktemp -d -t airlock-demo.XXXXXX)
  mkdir "$work"/{bin,home,stick,device,rescued}
  ln -s "$program" "$work/bin/airlock"
  ln -s "$device_program" "$work/bin/airlock-device"
  export PATH=$work/bin:$PATH HOME=$work/home NO_PROXY=localhost no_proxy=localhost
  export XDG_CONFIG_HOME=$HOME/config XDG_CACHE_HOME=$HOME/cache XDG_STATE_HOME=$HOME/state
  (
    trap '' INT # Ctrl-C waits these few seconds: a cloud that is half started cannot be stopped
    exec "$rehearsal" start "$work/cloud" --seed demo >/dev/null
  )
  cp "$work"/cloud/{credentials.zip,ca.pem} "$work"
  cd "$work"
}

clean_up() {
  [ -n "$work" ] || return 0
  cd /
  "$rehearsal" stop "$work/cloud"
  rm -rf "$work"
}

step_number=0
step() { # TITLE
  step_number=$((step_number + 1))
  printf '\n%s%d. %s%s\n' "$bold" $step_number "$1" "$plain"
}

run() { # EXPECTED_EXIT_CODE LINE
  local code=0
  printf '%s$ %s%s\n' "$bold" "$2" "$plain"
  bash -o pipefail -c "$2" 2>&1 | sed 's/^/  /' || code=${PIPESTATUS[0]}
  [ "$code" = "$1" ] || fail "'$2' ended with exit code $code, not $1"
  if [ "$code" != 0 ]; then printf '  %s(exit code %d)%s\n' "$dim" "$code" "$plain"; fi
}

# The rehearsal of a device is none of the commands that a person types.
device() { # VERB WORD…
  AIRLOCK=$program AIRLOCK_DEVICE=$device_program /usr/bin/python3 -B "$tests/device/demo.py" "$@" | sed 's/^/  # /'
}

fail() { # MESSAGE
  printf 'demo: %s\n' "$1" >&2
  exit 1
}

flip_middle_byte() { # FILE
  local middle byte
  middle=$(($(stat -c %s "$1") / 2))
  byte=$(od -An -tu1 -j $middle -N 1 "$1")
  printf '%s# invert byte %d of %s%s\n' "$bold" $middle "$1" "$plain"
  printf '%b' "\\x$(printf %02x $((byte ^ 255)))" | dd of="$1" bs=1 seek=$middle conv=notrunc status=none
}

notice() { # LINE…
  printf '%s> %s%s\n' "$green" "$1" "$plain"
  shift
  local line
  for line; do printf '%s  %s%s\n' "$green" "$line" "$plain"; done
}

main
