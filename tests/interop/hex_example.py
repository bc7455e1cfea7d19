#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The worked example of SPEC.md, made from a golden bundle.

    hex_example.py VECTORS SPEC.md [--write]

Takes `minimal.lockbox` and its payload volume apart, field by field, and holds the dump against the one that stands in
SPEC.md between "## 11." and "## 12.", or puts it there. Exit code 1 where they differ.
"""

import pathlib
import re
import sys

from reader import Cursor, decompress, take_frame

HEADING = re.compile(r"(## 11\. .*?\n```\n)(.*?)(```\n)", re.S)
WIDTH = 16


class Dump:
    """Lines of "offset  bytes  what", from the front of some bytes."""

    def __init__(self, data):
        self.data, self.at, self.lines = data, 0, []

    def part(self, title):
        self.lines.append(title)

    def field(self, n, what, show=WIDTH):
        """n bytes; of more than `show`, the first ones and dots."""
        piece = self.data[self.at:self.at + min(n, show)]
        for i in range(0, len(piece), WIDTH):
            row = piece[i:i + WIDTH].hex(" ")
            more = " …" if n > show and i + WIDTH >= len(piece) else ""
            self.lines.append(f"  {self.at + i:04x}  {row + more:<50}{what if i == 0 else ''}".rstrip())
        self.at += n

    def number(self, n, what):
        value = int.from_bytes(self.data[self.at:self.at + n], "little")
        self.field(n, f"{what}: {value}")
        return value

    def skippable(self, tag):
        self.field(4, "magic of a skippable frame")
        length = self.number(4, "bytes that follow")
        self.field(8, f"tag {tag}")
        return length - 8


def dump_first(d):
    stored, raw, _ = take_frame(Cursor(d.data), first=True)
    d.part("F0: LOCKBOX.json and LOCKBOX.sha256")
    d.field(len(stored), f"a zstd frame of {len(stored)} bytes, {raw} raw")


def dump_head(d):
    d.part("H")
    d.skippable("LBXHEAD1")
    d.number(2, "major version")
    d.number(2, "minor version")
    d.number(4, "flags")
    d.field(16, "bundle id: the first half of the hash of I")
    d.field(32, "hash of F0")
    d.field(56, "reserved, zeros")


def dump_signatures(d):
    d.part("S")
    left = d.skippable("LBXSIGN1")
    while left:
        d.number(1, "algorithm, Ed25519")
        d.field(32, "public key")
        comment = d.number(2, "bytes of comment")
        d.field(comment, "comment", show=64) if comment else None
        d.field(64, "signature")
        left -= 99 + comment


def dump_records(d, table, block, records):
    """The raw content of a block; offsets are within it."""
    b = Dump(block)
    for _ in range(records):
        if table == 1:
            b.number(2, "volume")
            b.field(16, "id")
            b.number(8, "bytes")
        elif table == 2:
            b.number(2, "frame in volume")
            b.number(8, "offset")
            b.number(4, "stored bytes")
            b.number(4, "raw bytes")
            b.field(32, "hash of the stored bytes")
        elif table == 3:
            b.field(32, "content: hash")
            b.number(8, "size")
            b.number(4, "in frame")
            b.number(4, "offset")
        else:
            path = b.number(2, "bytes of path")
            b.field(path, "path of a member", show=64)
            b.field(32, "hash")
            b.number(8, "size")
            for _ in range(b.number(4, "contents")):
                b.number(4, "content")
    d.lines += ["  " + line for line in b.lines]


def dump_index(d):
    d.part("I")
    d.skippable("LBXINDX1")
    blocks = d.number(4, "blocks")
    d.field(4, "reserved")
    entries = []
    for _ in range(blocks):
        table = d.number(1, "table")
        d.field(3, "reserved")
        entries.append((table, d.number(4, "records"), d.number(4, "stored bytes"), d.number(4, "raw bytes")))
        d.field(32, "hash of the stored bytes")
    names = {1: "volumes", 2: "frames", 3: "contents", 4: "members"}
    for table, records, stored, raw in entries:
        block = decompress(d.data[d.at:d.at + stored], 1 << 20, raw)
        d.field(stored, f"the block of {names[table]}, a zstd frame; unpacked:")
        dump_records(d, table, block, records)


def dump_volume(d):
    d.part("V, in minimal.lockbox.001")
    d.skippable("LBXVOLM1")
    d.field(16, "volume id")
    d.number(2, "number")
    d.field(30, "reserved, zeros")


def dump_frames(d, title):
    d.part(title)
    while d.at < len(d.data):
        stored, raw, _ = take_frame(Cursor(d.data[d.at:]))
        d.field(len(stored), f"a zstd frame of {len(stored)} bytes, {raw} raw")


def make_example(vectors):
    head = Dump((vectors / "minimal.lockbox").read_bytes())
    dump_first(head)
    dump_head(head)
    dump_signatures(head)
    dump_index(head)
    dump_frames(head, "M: metadata/…")
    volume = Dump((vectors / "minimal.lockbox.001").read_bytes())
    dump_volume(volume)
    dump_frames(volume, "P: the end of the archive")
    return "\n".join(head.lines + volume.lines) + "\n"


def main():
    vectors, spec = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    text, example = spec.read_text(), make_example(vectors)
    found = HEADING.search(text)
    if not found:
        sys.exit(f"{spec}: there is no section 11 with an example")
    if sys.argv[3:] == ["--write"]:
        spec.write_text(text[:found.start(2)] + example + text[found.end(2):])
    elif found.group(2) != example:
        sys.exit(f"{spec}: the example is not that of minimal.lockbox; hex_example.py {vectors} {spec} --write")


main()
