#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The rules for paths of bundle-format/SPEC.md, section 8.1, read a second time and compared with ours.

    names.py BUNDLE_TOOL

Pairs of paths, put together from pieces that matter, are judged by the expressions below and by the library. Prints
each pair on which they differ.
"""

import itertools
import random
import re
import subprocess
import sys

PAIRS = 50_000
PLAIN = re.compile(rb"[A-Za-z0-9 ._+\-=@,()~]{1,255}")
EDGES = re.compile(rb"[-~ ].*|.*[. ]")  # '.' and '..' end in a dot
DEVICE = re.compile(rb"(con|prn|aux|nul|(com|lpt)[0-9]) *(\..*)?", re.IGNORECASE)
ALIAS = re.compile(rb"(?=[^.]{1,8}(\.|$))[^.]+~[0-9]+(\..{0,3})?")

PIECES = [
    b"", b".", b"..", b"/", b"/", b"/", b"-", b"~", b"~1", b"~12", b" ", b"con", b"NUL", b"Com1", b"lpt9", b"COM10",
    b".txt", b".b", b".tar.gz", b"x" * 255, b"x" * 250, b"y" * 200 + b"/", b"firmware", b"FIRMWARE", b"abcdef",
    b"a", b"A", b"b", b"7", b"\xc3\xb6", b"\xff", b"\xe2\x80\xae", b"\n", b"\x7f",
] + [bytes([c]) for c in range(0x20, 0x7f)]


def is_path(path):
    return len(path) <= 1024 and all(
        PLAIN.fullmatch(part) and not EDGES.fullmatch(part) and not DEVICE.fullmatch(part) and not ALIAS.fullmatch(part)
        for part in path.split(b"/"))


def may_stand_together(pair):
    a, b = (path.lower() + b"/" for path in pair)  # bytes: of ASCII only
    return all(map(is_path, pair)) and not a.startswith(b) and not b.startswith(a)


def made_up(chance):
    path = b"".join(chance.choices(PIECES, k=chance.randint(1, 5)))
    other = chance.choice([b"metadata/x", path.swapcase(), path + b"/a", path[:-1], path + b"z"])
    return chance.sample([path, other], 2)


def main():
    chance = random.Random(1)
    pairs = [(bytes([c]), b"metadata/x") for c in range(1, 256)] + [made_up(chance) for _ in range(PAIRS)]
    asked = b"".join(path + b"\0" for path in itertools.chain(*pairs))
    said = subprocess.run([sys.argv[1], "names"], input=asked, stdout=subprocess.PIPE, check=True).stdout.split()
    if len(said) != len(pairs):
        sys.exit(f"{len(said)} answers for {len(pairs)} pairs")
    bad = good = 0
    for pair, word in zip(pairs, said):
        good += word == b"good"
        if (word == b"good") != may_stand_together(pair):
            print(pair, word.decode(), "by the library")
            bad += 1
    if not PAIRS / 20 < good < PAIRS * 19 / 20:
        sys.exit(f"{good} of {len(pairs)} pairs are good: too few of one kind to mean anything")
    print(f"{len(pairs)} pairs of paths judged twice, {good} good, {bad} differ")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
