#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Makes the golden vectors of bundle-format/vectors/.

    make_vectors.py BUNDLE_TOOL FOLDER

Good bundles come from the real writer, with the fixed key of bundle_tool. Broken ones are a good one that was taken
apart, changed in one place, and put together with what depends on that place made again (hashes, signatures), so that
nothing but the one rule speaks against it. FOLDER must not hold vectors yet: those that are there stay valid for
ever, and another libzstd writes other bytes. A new vector is made beside them and added by hand.
"""

import copy
import hashlib
import os
import struct
import subprocess
import sys
import tempfile

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import reader

KEY = Ed25519PrivateKey.from_private_bytes(b"\1" + bytes(31))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"\2" + bytes(31))
SKIPPABLE = 0x184D2A5A


def sha256(data):
    return hashlib.sha256(data).digest()


def compress(raw, *options):
    """A frame that declares its size, which zstd does for a file and not for a pipe."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(raw)
        file.flush()
        return subprocess.run(["zstd", "-qc", "-19", "--no-check", *options, file.name], stdout=subprocess.PIPE,
                              check=True).stdout


def skippable(tag, body):
    return struct.pack("<II8s", SKIPPABLE, 8 + len(body), tag) + body


def sign(key, h, index, comment=b"", algorithm=1):
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    length = struct.pack("<H", len(comment))
    said = b"LBX-SIG-1" + bytes([algorithm]) + public + sha256(h) + sha256(index) + length + comment
    return bytes([algorithm]) + public + length + comment + key.sign(said)


class Parts:
    """A single-file bundle taken apart. A step of join() makes again what follows from the parts before it."""

    def __init__(self, path):
        with open(path, "rb") as file:
            cursor = reader.Cursor(file.read())
            self.f0 = reader.decompress(reader.take_frame(cursor)[0], 1 << 26)
            self.h, self.s, index = (reader.take_skippable(cursor, tag, 1 << 26)
                                     for tag in (b"LBXHEAD1", b"LBXSIGN1", b"LBXINDX1"))
            tables = reader.read_index(index)
            self.volumes, self.frames, self.contents = ([list(r) for r in table] for table in tables[:3])
            self.members = [list(m) for m in tables[3]]
            self.stored, self.v = [], {}
            for number, offset, size, _, _ in self.frames:
                if self.is_borrowed(number):
                    self.stored.append(None)
                    continue
                if number and number not in self.v:
                    self.v[number] = cursor.take(64)
                self.stored.append(cursor.take(size))

    def is_borrowed(self, volume):
        return self.volumes[volume][0] & reader.BORROWED

    def raw(self, number):
        return reader.decompress(self.stored[number], 1 << 22)

    def join(self, change, **patches):
        """change(parts) first; then patches by step, each a function of what the step made."""
        def step(name, value):
            return patches[name](value) if name in patches else value

        change(self)
        self.place_frames()
        step("tables", self)
        f0 = step("f0", compress(self.f0))
        index = step("index", skippable(b"LBXINDX1", self.index_body(step)))
        h = step("h", skippable(b"LBXHEAD1", struct.pack("<HHI16s32s56x", 1, 0, 0, sha256(index)[:16], sha256(f0))))
        s = step("s", skippable(b"LBXSIGN1", step("entries", lambda h, index: sign(KEY, h, index))(h, index)))
        files = [b"".join([f0, h, s, step("late_index", index)] + self.frames_of(0))]
        files += [self.v[n] + b"".join(self.frames_of(n)) for n in sorted(self.v)]
        return step("files", files)

    def frames_of(self, number):
        return [stored for stored, frame in zip(self.stored, self.frames) if frame[0] == number and stored]

    def place_frames(self):
        at = {n: 64 for n in self.v} | {0: 0}
        for frame, stored in zip(self.frames, self.stored):
            if stored is None:
                continue
            frame[1:3], frame[4] = [at[frame[0]], len(stored)], sha256(stored)
            at[frame[0]] += len(stored)
        for n, volume in enumerate(self.volumes):
            if n in at:
                volume[2] = at[n]

    def index_body(self, step):
        tables = {n: [reader.RECORDS[n].pack(*r) for r in table]
                  for n, table in ((1, self.volumes), (2, self.frames), (3, self.contents))}
        tables[4] = [struct.pack("<H", len(p)) + p + struct.pack("<32sQI", d, size, len(c))
                     + struct.pack(f"<{len(c)}I", *c) for p, d, size, c in self.members]
        tables = step("records", tables)
        blocks = [[n, bytes(3), len(records), compress(b"".join(records)), sum(map(len, records))]
                  for n in tables for records in in_blocks(tables[n])]
        entries = step("directory", [[n, z, count, len(b), length, sha256(b)] for n, z, count, b, length in blocks])
        return (step("count", struct.pack("<II", len(entries), 0))
                + b"".join(struct.pack("<B3sIII32s", *entry) for entry in entries) + b"".join(b[3] for b in blocks))


def in_blocks(records, most=1 << 20):
    """The records of a table, block by block."""
    blocks, size = [], most
    for each in records:
        if size + len(each) > most:
            blocks.append([])
            size = 0
        blocks[-1].append(each)
        size += len(each)
    return blocks


# ---- changes ----

def at(position, new):
    """A function that overwrites bytes."""
    return lambda data: data[:position] + new + data[position + len(new):] if position >= 0 else (
        data[:position] + new + data[len(data) + position + len(new):])


def flip(position):
    return lambda data: at(position, bytes([data[position] ^ 1]))(data)


def item(number, key, value):
    def change(rows):
        rows[number][key] = value
        return rows
    return change


def row(table, number, key, value):
    return lambda parts: item(number, key, value)(getattr(parts, table))


def nothing(_):
    pass


def with_manifest(text):
    """LOCKBOX.json is `text`, and LOCKBOX.sha256 agrees."""
    def change(parts):
        listing = b"".join(b"%s  %s\n" % (digest.hex().encode(), path) for path, digest in
                           [(b"LOCKBOX.json", sha256(text))] + [m[:2] for m in parts.members])
        parts.f0 = b"".join(reader.tar_header(path, len(data)) + data + bytes(-len(data) % 512)
                            for path, data in ((b"LOCKBOX.json", text), (b"LOCKBOX.sha256", listing)))
    return change


def with_paths(*paths):
    """The members' paths, everywhere they stand: index, listing, tar headers."""
    def change(parts):
        old = [(reader.tar_header(m[0], m[2]), m) for m in parts.members]
        for (header, member), path in zip(old, paths):
            member[0] = path
            for i in range(len(parts.stored)):
                raw = parts.raw(i)
                parts.stored[i] = compress(raw.replace(header, reader.tar_header(path, member[2])))
        with_manifest(b'{"features":[]}\n')(parts)
    return change


def in_frame(number, function):
    def change(parts):
        parts.stored[number] = compress(function(parts.raw(number)))
    return change


def frame_as(number, *options):
    def change(parts):
        parts.stored[number] = compress(parts.raw(number), *options)
    return change


def unsized(raw):
    return subprocess.run(["zstd", "-qc", "--no-check"], input=raw, stdout=subprocess.PIPE, check=True).stdout


def with_dictionary(frame, dictionary):
    """A frame of a single segment, which says that it needs this dictionary."""
    return frame[:4] + bytes([frame[4] | 1, dictionary]) + frame[5:]


def with_window(raw, window):
    """A frame of one block of raw bytes, with this window descriptor."""
    return struct.pack("<IBBI", 0xFD2FB528, 0x80, window, len(raw)) + (len(raw) << 3 | 1).to_bytes(3, "little") + raw


def frame_made(number, make):
    def change(parts):
        parts.stored[number] = make(parts)
    return change


def more(table, record, count):
    """`count` records like this one, of which any more would be one too many, and then one more."""
    return {"records": lambda tables: tables | {table: [record] * (count + 1)}}


def signers(*keys, **kwargs):
    return lambda _: lambda h, index: b"".join(sign(key, h, index, **kwargs) for key in keys)


def entry(number, key, value):
    return {"directory": item(number, key, value)}


def name_case(number, path):
    what = f"a path {ascii(path.decode())}" if len(path) < 40 else f"a path of {len(path)} bytes"
    return (f"path-{number}", "unsafe-name", "8.1", what), with_paths(
        b"metadata/a", *sorted([b"images/b", path])), {}


BAD_PATHS = [b"images/../x", b"other/x", b"images/a:b", b"images/-x", b"images/x.", b"images/nul.txt",
             b"images/ab~1.txt", b"images//x", b"images/~x", b"images/B", b"images/b/c", b"images/\xc3\xb6",
             b"images/" + b"x" * 256, b"images" + b"/yyyyyyyyyyyyyyy" * 63 + b"/yyyyyyyyyy"]


def cases():
    """((name, error id, section, what), change, patches) of each broken bundle, made from the file base.lockbox."""
    yield ("no-f0", "not-a-bundle", "1", "the file begins with something else"), nothing, {
        "files": lambda f: [b"PK\3\4" + f[0][4:]] + f[1:]}
    yield ("empty", "not-a-bundle", "1", "an empty file"), nothing, {"files": lambda f: [b""]}
    yield ("no-head", "not-a-bundle", "1", "F0 is not followed by H"), nothing, {"h": at(8, b"LBXHEAD2")}
    yield ("version-major", "bundle-version", "3", "major version 2"), nothing, {"h": at(16, b"\2")}
    yield ("version-minor", "bundle-version", "3", "minor version 1"), nothing, {"h": at(18, b"\1")}
    yield ("flag", "bundle-feature", "3", "an unknown flag"), nothing, {"h": at(20, b"\1")}
    yield ("head-reserved", "bundle-damaged", "3", "reserved bytes of H are used"), nothing, {"h": at(80, b"\1")}
    yield ("head-length", "bundle-damaged", "3", "H declares another length"), nothing, {"h": flip(4)}
    yield ("bundle-id", "bundle-damaged", "3", "the bundle id is not that of I"), nothing, {"h": flip(24)}
    yield ("f0-hash", "bundle-damaged", "3", "F0 has another hash"), nothing, {"h": flip(40)}
    yield ("f0-checksum", "not-a-bundle", "1.2", "F0 has a checksum"), nothing, {
        "f0": lambda z: compress(reader.decompress(z, 1 << 26), "--check")}
    yield ("f0-unsized", "bundle-inconsistent", "1.2", "F0 does not declare its size"), nothing, {
        "f0": lambda z: unsized(reader.decompress(z, 1 << 26))}
    yield ("f0-blocks", "not-a-bundle", "8", "F0 has more than 8192 blocks"), nothing, {
        "f0": lambda z: z[:7] + bytes(3 * 8192) + z[7:]}
    yield ("f0-alone", "not-a-bundle", "1", "the file ends after F0"), nothing, {
        "files": lambda f: [f[0][:f[0].index(b"LBXHEAD1") - 8]]}
    yield ("head-cut", "bundle-truncated", "1", "the file ends within H"), nothing, {
        "files": lambda f: [f[0][:f[0].index(b"LBXHEAD1") + 20]]}
    yield ("f0-block-type", "bundle-damaged", "1.2", "F0 has a block of the reserved type"), nothing, {
        "f0": lambda z: z[:7] + bytes([z[7] | 6]) + z[8:]}
    yield ("no-signature", "bundle-signature", "4", "S without entries"), nothing, {"entries": signers()}
    yield ("algorithm", "bundle-feature", "4", "an unknown algorithm"), nothing, {
        "entries": signers(KEY, algorithm=2)}
    yield ("signature", "bundle-signature", "4", "a signature that does not hold"), nothing, {"s": flip(-1)}
    yield ("signed-twice", "bundle-signature", "4", "two signatures by one key"), nothing, {
        "entries": signers(KEY, KEY)}
    yield ("second-signature", "bundle-signature", "4", "the second of two signatures does not hold"), nothing, {
        "entries": signers(KEY, OTHER_KEY), "s": flip(-1)}
    yield ("comment-nul", "bundle-inconsistent", "4", "NUL in a comment"), nothing, {
        "entries": signers(KEY, comment=b"a\0b")}
    yield ("comment-utf8", "bundle-inconsistent", "4", "a comment that is not UTF-8"), nothing, {
        "entries": signers(KEY, comment=b"\xff")}
    yield ("comment-long", "bundle-limit", "8", "a comment of 1025 bytes"), nothing, {
        "entries": signers(KEY, comment=b"x" * 1025)}
    yield ("signers-17", "bundle-limit", "8", "17 signatures"), nothing, {"entries": signers(
        *(Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in range(17)))}
    yield ("sign-short", "bundle-damaged", "4", "S ends within an entry"), nothing, {
        "s": lambda s: struct.pack("<II", SKIPPABLE, len(s) - 9) + s[8:-1]}
    yield ("index-changed", "bundle-damaged", "3", "I was changed after signing"), nothing, {
        "late_index": flip(-1)}
    yield ("index-reserved", "bundle-inconsistent", "5", "reserved bytes of I are used"), nothing, {
        "count": at(4, b"\1")}
    yield ("index-blocks", "bundle-limit", "8", "257 blocks"), nothing, {"count": at(0, b"\1\1")}
    yield ("index-table", "bundle-inconsistent", "5", "an unknown table"), nothing, entry(3, 0, 5)
    yield ("index-entry-reserved", "bundle-inconsistent", "5", "reserved bytes of an entry are used"), nothing, entry(
        0, 1, b"\0\0\1")
    yield ("index-no-records", "bundle-inconsistent", "5", "a block without records"), nothing, entry(0, 2, 0)
    yield ("index-records", "bundle-inconsistent", "5", "fewer records than the block has"), nothing, entry(1, 2, 1)
    yield ("index-more-records", "bundle-inconsistent", "5", "more records than the block has"), nothing, entry(
        1, 2, 9)
    yield ("index-block-raw", "bundle-limit", "8", "a block of more than 1 MiB"), nothing, entry(1, 4, (1 << 20) + 1)
    yield ("index-block-size", "bundle-inconsistent", "5", "a block of another raw size"), nothing, entry(1, 4, 77)
    yield ("index-block-hash", "bundle-inconsistent", "5", "a block of another hash"), nothing, entry(1, 5, bytes(32))
    yield ("index-order", "bundle-inconsistent", "5", "tables out of order"), nothing, {"directory": lambda d: [
        [2 if e[0] == 1 else 1 if e[0] == 2 else e[0]] + e[1:] for e in d]}
    for name, what, number, key, value in (
            ("volume-gap", "volumes are not 0, 1, ...", 1, 0, 2),
            ("volume-0-id", "volume 0 has an id", 0, 1, b"x" * 16),
            ("volume-size", "frames do not fill their volume", 1, 2, 9999)):
        yield (name, "bundle-inconsistent", "5", what), nothing, {"tables": row("volumes", number, key, value)}
    for name, error_id, what, number, key, value in (
            ("frame-gap", "bundle-inconsistent", "a gap before a frame", 1, 1, 65),
            ("frame-volume", "bundle-inconsistent", "a frame in no volume", 1, 0, 2),
            ("frame-raw", "bundle-limit", "a frame of more than 4 MiB", 1, 3, (4 << 20) + 1),
            ("frame-stored", "bundle-limit", "a frame of more than 4 MiB + 64 KiB stored", 1, 2, (4 << 20) + 65537),
            ("frame-hash", "bundle-damaged", "a frame of another hash", 1, 4, bytes(32)),
            ("frame-empty", "bundle-inconsistent", "a frame of no bytes", 1, 3, 0)):
        yield (name, error_id, "5", what), nothing, {"tables": row("frames", number, key, value)}
    for name, what, number, key, value in (
            ("content-empty", "a content of no bytes", 1, 1, 0),
            ("content-size", "a member's size is not that of its contents", 1, 1, 7),
            ("content-frame", "a content in no frame", 1, 2, 9),
            ("content-offset", "a content in another place", 1, 3, 513)):
        yield (name, "bundle-inconsistent", "5", what), nothing, {"tables": row("contents", number, key, value)}
    for name, what, number, key, value in (
            ("member-content", "a member of a content that is not there", 1, 3, (9,)),
            ("member-size", "a member of another size", 1, 2, 8),
            ("member-hash", "a member of another hash than its one content", 1, 1, bytes(32))):
        yield (name, "bundle-inconsistent", "5", what), nothing, {"tables": row("members", number, key, value)}
    yield ("content-unused", "bundle-inconsistent", "5", "a content that nobody uses"), nothing, {
        "tables": lambda p: p.contents.append([sha256(b"x"), 1, 1, 0])}
    yield ("content-twice", "bundle-inconsistent", "5", "a content with the hash of another"), nothing, {
        "tables": lambda p: p.contents.__setitem__(2, [p.contents[1][0]] + p.contents[2][1:])}
    yield ("member-order", "bundle-inconsistent", "2", "members are not sorted"), with_paths(
        b"metadata/a", b"images/z", b"images/c"), {}
    yield from (name_case(number + 1, path) for number, path in enumerate(BAD_PATHS))
    for name, error_id, what, text in (
            ("feature", "bundle-feature", "an unknown feature", b'{"features":["x"]}'),
            ("no-features", "bundle-inconsistent", "no features", b"{}"),
            ("features-no-texts", "bundle-inconsistent", "features are not texts", b'{"features":[1]}'),
            ("manifest-array", "bundle-inconsistent", "LOCKBOX.json is no object", b"[]"),
            ("manifest-json", "bad-json", "LOCKBOX.json is not JSON", b'{"features":[]'),
            ("manifest-utf8", "bad-json", "LOCKBOX.json is not UTF-8", b'{"features":[],"a":"\xff"}'),
            ("manifest-nul", "bad-json", "U+0000 in a text", b'{"features":[],"a":"\\u0000"}'),
            ("manifest-surrogate", "bad-json", "half a surrogate pair", b'{"features":[],"a":"\\ud800"}'),
            ("manifest-bom", "json-byte-order-mark", "a byte order mark", b'\xef\xbb\xbf{"features":[]}'),
            ("manifest-trailing", "json-trailing-bytes", "bytes after the object", b'{"features":[]}{}'),
            ("manifest-key-twice", "json-duplicate-key", "a key stands twice", b'{"features":[],"a":1,"a":2}'),
            ("manifest-large", "bundle-limit", "more than 4 MiB", b'{"features":[]}' + b" " * (4 << 20)),
            ("manifest-values", "too-large", "more than 262 144 values",
             b'{"features":[],"a":[' + b"0," * 262144 + b"0]}"),
            ("manifest-deep", "json-too-deep", "17 deep", b'{"features":[],"a":' + b"[" * 16 + b"]" * 16 + b"}")):
        yield (name, error_id, "2.1", what), with_manifest(text), {}
    yield ("listing", "bundle-inconsistent", "2.2", "LOCKBOX.sha256 has another hash"), lambda p: setattr(
        p, "f0", p.f0.replace(p.members[1][1].hex().encode(), b"0" * 64)), {}
    yield ("f0-more", "bundle-inconsistent", "2", "F0 holds something else, too"), lambda p: setattr(
        p, "f0", p.f0 + bytes(512)), {}
    yield ("f0-header", "bundle-inconsistent", "2", "a tar header in F0 with another mode"), lambda p: setattr(
        p, "f0", at(100, b"0000755")(p.f0)), {}
    yield ("tar-header", "bundle-inconsistent", "2", "a tar header with another mode"), in_frame(
        1, at(100, b"0000755")), {}
    yield ("tar-padding", "bundle-inconsistent", "2", "padding that is not zeros"), in_frame(1, at(1023, b"x")), {}
    yield ("tar-end", "bundle-inconsistent", "2", "the end of the archive is not zeros"), in_frame(1, at(-1, b"x")), {}
    yield ("wrong-hash", "wrong-hash", "7", "content of another hash"), in_frame(1, at(512, b"X")), {}
    yield ("wrong-hash-metadata", "wrong-hash", "7", "metadata of another hash"), in_frame(0, at(512, b"X")), {}
    yield ("frame-unsized", "bundle-inconsistent", "1.2", "a frame does not declare its size"), lambda p: (
        p.stored.__setitem__(1, unsized(p.raw(1)))), {}
    yield ("frame-two", "bundle-inconsistent", "1.2", "two frames where the index has one"), lambda p: (
        p.stored.__setitem__(1, compress(p.raw(1)) + compress(b""))), {}
    yield ("frame-size", "bundle-inconsistent", "5", "a frame declares another size"), lambda p: (
        p.stored.__setitem__(1, compress(p.raw(1) + b"x"))), {}
    yield ("volume-magic", "bundle-damaged", "6", "no V at the start of a volume"), lambda p: (
        p.v.__setitem__(1, at(8, b"LBXVOLM2")(p.v[1]))), {}
    yield ("volume-length", "bundle-damaged", "6", "V declares another length"), lambda p: (
        p.v.__setitem__(1, flip(4)(p.v[1]))), {}
    yield ("volume-id", "volume-foreign", "6", "a volume of another id"), lambda p: (
        p.v.__setitem__(1, at(16, b"xxxx")(p.v[1]))), {}
    yield ("volume-number", "volume-foreign", "6", "a volume of another number"), lambda p: (
        p.v.__setitem__(1, at(32, b"\2")(p.v[1]))), {}
    yield ("volume-reserved", "bundle-damaged", "6", "reserved bytes of V are used"), lambda p: (
        p.v.__setitem__(1, at(40, b"\1")(p.v[1]))), {}
    yield ("payload-damaged", "bundle-damaged", "7", "a byte of the payload was changed"), nothing, {
        "files": lambda f: [f[0], at(100, bytes([f[1][100] ^ 1]))(f[1])]}
    yield ("metadata-damaged", "bundle-damaged", "7", "a byte of M was changed"), nothing, {
        "files": lambda f: [at(-1, bytes([f[0][-1] ^ 1]))(f[0]), f[1]]}
    yield ("truncated", "bundle-truncated", "1", "the last byte is missing"), nothing, {
        "files": lambda f: [f[0], f[1][:-1]]}
    yield ("truncated-head", "bundle-truncated", "1", "the file ends within I"), nothing, {
        "files": lambda f: [f[0][:f[0].index(b"LBXINDX1") + 50]]}
    yield ("trailing", "bundle-damaged", "1", "a byte after the last volume"), nothing, {
        "files": lambda f: [f[0], f[1] + b"x"]}
    yield ("first-use", "bundle-inconsistent", "5", "contents are not in the order of first use"), nothing, {
        "tables": swap_contents}
    yield from frame_cases()
    yield from limit_cases()


def swap_contents(parts):
    parts.contents[1:3] = parts.contents[2:0:-1]
    parts.members[1][3], parts.members[2][3] = (2,), (1,)


def frame_cases():
    """What zstd would take, or might."""
    yield ("f0-dictionary", "not-a-bundle", "1.2", "F0 needs a dictionary"), nothing, {
        "f0": lambda z: with_dictionary(z, 7)}
    yield ("frame-dictionary", "bundle-inconsistent", "1.2", "a frame needs a dictionary"), frame_made(
        1, lambda p: with_dictionary(p.stored[1], 7)), {}
    yield ("frame-dictionary-0", "bundle-inconsistent", "1.2", "a frame has the field for a dictionary"), frame_made(
        1, lambda p: with_dictionary(p.stored[1], 0)), {}
    yield ("frame-window", "bundle-inconsistent", "1.2", "a window above 8 MiB"), frame_made(
        1, lambda p: with_window(p.raw(1), 0x69)), {}
    yield ("frame-reserved", "bundle-inconsistent", "1.2", "the reserved bit of a frame's descriptor"), frame_made(
        1, lambda p: at(4, bytes([p.stored[1][4] | 8]))(p.stored[1])), {}
    yield ("frame-checksum", "bundle-inconsistent", "1.2", "a checksum that does not hold"), frame_made(
        1, lambda p: flip(-1)(compress(p.raw(1), "--check"))), {}


def limit_cases():
    """One more than there may be."""
    nobody = struct.pack("<H32sQI", 0, bytes(32), 0, 0)
    named = struct.pack("<H1023s32sQI", 1023, b"x" * 1023, bytes(32), 0, 0)
    for name, what, patches in (
            ("f0", "F0 of 48 MiB and a byte", {
                "f0": lambda z: compress(reader.decompress(z, 1 << 26).ljust((48 << 20) + 1, b"\0"))}),
            ("index", "I of 64 MiB and a byte", {"late_index": at(4, struct.pack("<I", (64 << 20) - 7))}),
            ("frames", "1 048 577 frames", more(2, bytes(50), 1048576)),
            ("contents", "524 289 contents", more(3, bytes(48), 524288)),
            ("members", "262 145 members", more(4, nobody, 262144)),
            ("paths", "paths of more than 24 MiB", more(4, named, 24 << 10)),
            ("member-contents", "a member of 65 537 contents", more(4, struct.pack(
                "<H32sQI", 0, bytes(32), 0, 65537) + bytes(4 * 65537), 0)),
            ("references", "1 048 577 references to contents", {"records": lambda tables: tables | {4: [
                struct.pack("<H32sQI", 0, bytes(32), 0, n) + bytes(4 * n) for n in [65536] * 16 + [1]]}}),
            ("volumes", "1 000 volumes", {"records": lambda tables: tables | {1: tables[1][:1] + [
                reader.RECORDS[1].pack(n + 1, bytes(16), 64) for n in range(1000)]}}),
            ("member-size", "a member of 4 TiB and a byte", {"tables": row("members", 1, 2, (1 << 42) + 1)}),
            ("metadata", "metadata of 64 MiB and a byte, with its header", {"tables": lambda p: (
                row("contents", 0, 1, (64 << 20) - 511)(p), row("members", 0, 2, (64 << 20) - 511)(p))})):
        yield (f"limit-{name}", "bundle-limit", "8", what), nothing, patches


def pax_cases():
    """The same, of the bundle "paths", whose second image has a pax header at byte 1024 of its frame."""
    for name, what, position, new in (
            ("pax-length", "a pax record of another length", 1536, b"9"),
            ("pax-key", "a pax record of another key", 1540, b"P"),
            ("pax-type", "a pax header for all files that follow", 1024 + 156, b"g")):
        yield (name, "bundle-inconsistent", "2", what), in_frame(1, at(position, new)), {}


def shared_cases():
    """The same, of a bundle that shares contents: volume 1 in its table is borrowed, 2 its own; of its contents 0 is
    metadata, 1 borrowed, 2 its own, which is used twice."""
    yield ("limit-borrowed", "bundle-limit", "8", "1 000 borrowed volumes"), nothing, {
        "records": lambda tables: tables | {1: tables[1][:1] + tables[1][1:2] * 1000 + tables[1][2:]}}
    yield ("loan-unannounced", "bundle-inconsistent", "5.1", "a borrowed volume without the feature"), with_manifest(
        b'{"features":[]}\n'), {}
    yield ("loan-missing", "volume-missing", "5.1", "the borrowed volume is not there"), nothing, {
        "tables": row("volumes", 1, 1, b"x" * 16)}
    yield ("loan-number", "bundle-inconsistent", "5.1", "a borrowed volume of number 0"), nothing, {
        "tables": row("volumes", 1, 0, reader.BORROWED)}
    yield ("loan-order", "bundle-inconsistent", "5.1", "a borrowed volume after one of its own"), nothing, {
        "tables": lambda p: p.volumes.append(p.volumes[1])}
    yield ("loan-frame", "bundle-damaged", "5.1", "a borrowed frame of another hash"), nothing, {
        "tables": row("frames", 1, 4, bytes(32))}
    yield ("loan-hash", "wrong-hash", "5.1", "a borrowed content of another hash"), nothing, {
        "tables": row("contents", 1, 3, 0)}
    yield ("loan-beyond", "bundle-inconsistent", "5.1", "a borrowed content beyond what is borrowed"), nothing, {
        "tables": lambda p: p.contents[1].__setitem__(3, p.frames[1][3] - 1)}
    yield ("loan-size", "bundle-truncated", "5.1", "a borrowed volume ends early"), nothing, {
        "tables": lambda p: (item(1, 2, p.volumes[1][2] + 9)(p.volumes), p.frames[1].__setitem__(2, p.frames[1][2] + 9))}
    yield ("repeat-place", "bundle-inconsistent", "5.1", "the first use of an own content is in another place"), nothing, {
        "tables": row("contents", 2, 3, 1)}


# ---- files ----

def put(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "xb") as file:
        file.write(data)


def sources():
    """name, options of bundle_tool, files, what."""
    root = {"metadata/director/1.root.json": b'{"signed":{}}\n'}
    data = b"".join(b"%d\n" % n for n in range(3000))
    noise = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(40))
    yield "minimal", [], root, "one member in metadata/, nothing in images/"
    yield "many", [], root | {f"images/objects/{n % 16:02x}/{n:04}.file": b"%d\n" % n for n in range(150)}, (
        "150 small members")
    yield "big", [], root | {"images/zeros": bytes(3 << 20) + b"end\n"}, "one member over several frames"
    yield "split", ["volume=1024"], root | {
        f"images/{n}": noise + bytes([n]) + bytes((1 << 20) - 4096) for n in range(3)}, "payload in volumes"
    yield "single", ["single"], root | {"images/data": data}, "one file"
    yield "shared", [], root | {"images/a": data, "images/b": data, "images/empty": b""}, "one content, two members"
    part = "p" * 90
    yield "paths", ["single"], root | {f"images/{part}/{part}/cut": b"cut\n",
                                       f"images/{part}{part}/{part}{part}/pax": b"pax\n"}, (
        "long paths: ustar prefix, pax header")


def make_good(tool, folder, name, options, files):
    with tempfile.TemporaryDirectory() as work:
        for path, data in files.items():
            put(os.path.join(work, path), data)
        os.makedirs(os.path.join(work, "images"), exist_ok=True)
        subprocess.run([tool, "write", work, folder, f"{name}.lockbox", *options], check=True)
    listing = b"".join(b"%s  %s\n" % (sha256(data).hex().encode(), path.encode())
                       for path, data in sorted(files.items()))
    put(os.path.join(folder, f"{name}.sha256"), listing)


def make_several_signers(base, folder):
    """What the writer of today does not make."""
    put(os.path.join(folder, "several-signers.lockbox"), b"".join(Parts(base).join(nothing, entries=lambda _: (
        lambda h, i: sign(KEY, h, i, "Büro".encode()) + sign(OTHER_KEY, h, i, b"signing room")))))
    return "several-signers", "good", "4", "two signatures, with comments"


def make_from_parts(base, folder, broken):
    good = Parts(base)
    for title, change, patches in broken:
        try:
            files = copy.deepcopy(good).join(change, **patches)
        except Exception as error:
            raise RuntimeError(title) from error
        put(os.path.join(folder, f"bad-{title[0]}.lockbox"), b"".join(files))
        yield f"bad-{title[0]}", *title[1:]


def make_sharing(tool, folder):
    """One that borrows from "lender" and uses a content of its own twice; broken ones of the same, as single files."""
    def bytes_of(seed):
        return b"".join(hashlib.sha256(b"%d %d" % (seed, n)).digest() for n in range(30))

    make_good(tool, folder, "lender", [], {"metadata/a": b"role\n", "images/b": bytes_of(1), "images/c": bytes_of(2)})
    yield "lender", "good", "5.1", "what the others borrow from"
    files = {"metadata/a": b"role\n", "images/b": bytes_of(2), "images/c": bytes_of(3), "images/d": bytes_of(3)}
    make_good(tool, folder, "borrows-single", ["share", "single"], files)
    make_good(tool, folder, "borrows", ["share"], files)
    yield "borrows", "good", "5.1", "a content is borrowed, and one is used a second time"
    yield "borrows-single", "good", "5.1", "the same as a single file, which has the borrowed volume beside it"
    yield from make_from_parts(os.path.join(folder, "borrows-single.lockbox"), folder, shared_cases())


def main():
    tool, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    rows = []
    for name, options, files, what in sources():
        make_good(tool, folder, name, options, files)
        rows.append((name, "good", "1", what))
    base = {"metadata/a": b"role\n", "images/b": b"first\n", "images/c": b"second\n"}
    with tempfile.TemporaryDirectory() as work:
        make_good(tool, work, "base", ["single"], base)
        rows.append(make_several_signers(os.path.join(work, "base.lockbox"), folder))
        rows += make_from_parts(os.path.join(work, "base.lockbox"), folder, cases())
        rows += make_from_parts(os.path.join(folder, "paths.lockbox"), folder, pax_cases())
        os.rename(os.path.join(work, "base.sha256"), os.path.join(folder, "several-signers.sha256"))
    first, second, third = (f".00{n}" for n in (1, 2, 3))
    for name, error_id, what, volumes in (
            ("new", "good", "a volume that still has the name .new", {first: first, second + ".new": second, third: third}),
            ("bad-volume-missing", "volume-missing", "the second volume is not there", {first: first, third: third}),
            ("bad-volume-trailing", "bundle-damaged", "a byte after the end of a volume",
             {first: first, second: second, third: third}),
            ("bad-volume-truncated", "bundle-truncated", "a volume ends early",
             {first: first, second: second, third: third}),
            ("bad-volumes-swapped", "volume-foreign", "two volumes are swapped",
             {first: second, second: first, third: third}),
            ("bad-volume-twice", "volume-foreign", "the first volume again in the place of the second",
             {first: first, second: first, third: third})):
        for suffix, source in ({"": ""} | volumes).items():
            with open(os.path.join(folder, f"split.lockbox{source}"), "rb") as file:
                data = file.read()
            if suffix == third:
                data = {"bad-volume-trailing": data + b"x", "bad-volume-truncated": data[:-1]}.get(name, data)
            put(os.path.join(folder, f"{name}.lockbox{suffix}"), data)
        rows.append((name, error_id, "6", what))
    with open(os.path.join(folder, "split.sha256"), "rb") as file:
        put(os.path.join(folder, "new.sha256"), file.read())
    rows += make_sharing(tool, folder)
    put(os.path.join(folder, "vectors.tsv"), "".join("\t".join(row) + "\n" for row in rows).encode())


if __name__ == "__main__":
    main()
