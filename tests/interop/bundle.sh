#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A bundle is an ordinary .tar.zst: cat, zstd, tar and sha256sum restore it, whole and split, without airlock.
# usage: bundle.sh PATH_OF_bundle_tool
set -eu
tool=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Members of all kinds: long paths (prefix and pax), empty, of several frames, compressed already.
source=$work/source
part=$(printf '%090d' 0)
mkdir -p "$source/metadata/director" "$source/images/$part/$part" "$source/images/$part/$part$part/$part$part"
printf '{"signed":{}}' >"$source/metadata/director/1.root.json"
: >"$source/images/empty"
seq 1 400000 >"$source/images/numbers.txt"
zstd -q -19 "$source/images/numbers.txt" -o "$source/images/numbers.filez"
head -c 3000000 /dev/urandom >"$source/images/random.bin"
echo prefix >"$source/images/$part/$part/file"
echo pax >"$source/images/$part/$part$part/$part$part/file"
(cd "$source" && find . -type f | sort >"$work/expected")

# restored NAME READER…: what the reader makes of the bundle's bytes is the source.
restored() {
    name=$1
    shift
    rm -rf "$work/out"
    mkdir "$work/out"
    (
        cd "$work/out"
        cat "$work/$name" "$work/$name".0* 2>"$work/cat.err" | zstd -dc >"$work/archive.tar"
        "$@" <"$work/archive.tar"
        sha256sum --strict --quiet -c LOCKBOX.sha256
        test "$(wc -l <LOCKBOX.sha256)" -eq $(($(wc -l <"$work/expected") + 1))
        rm LOCKBOX.sha256 LOCKBOX.json
        find . -type f | sort | cmp - "$work/expected"
    )
    diff -r "$source" "$work/out"
}

"$tool" write "$source" "$work" split.lockbox
"$tool" write "$source" "$work" whole.lockbox single
cat "$work/split.lockbox" "$work/split.lockbox.001" | cmp - "$work/whole.lockbox"
for name in split.lockbox whole.lockbox; do
    restored "$name" tar -x -f -
    restored "$name" python3 -c 'import sys, tarfile; tarfile.open(fileobj=sys.stdin.buffer, mode="r|").extractall()'
    if command -v bsdtar >/dev/null; then
        restored "$name" bsdtar -x -f -
    fi
    zstd -q -t "$work/$name"
    "$tool" check "$work" "$name"
    "$tool" extract "$work" "$name" "$work/extracted-$name"
    diff -r "$source" "$work/extracted-$name"
done

# Changed bytes are found by our reader, which says so with the exit code for "refused".
printf XXXXXXXX | dd of="$work/split.lockbox.001" bs=1 seek=100000 conv=notrunc status=none
code=0
"$tool" check "$work" split.lockbox 2>"$work/refusal" || code=$?
test "$code" -eq 3
grep -q '^bundle-damaged: ' "$work/refusal"
echo "a bundle is restored by zstd, tar, python and sha256sum, split and single"
