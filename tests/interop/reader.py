#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A second reader of the bundle format, written from bundle-format/SPEC.md and from nothing else.

    reader.py HEAD [FOLDER]

Verifies the bundle whose head is the file HEAD and extracts its members into the new folder FOLDER; exit code 0.
A bundle that must be refused: "<error id>: <why>" on stderr, exit code 3. Decompresses with the program `zstd`. It
holds files in memory, which a reader for every day must not; numbers in comments are sections of SPEC.md.
"""

import functools
import hashlib
import json
import os
import re
import struct
import subprocess
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from names import is_path

MIB = 1 << 20
BORROWED = 0x8000
RECORDS = {1: struct.Struct("<H16sQ"), 2: struct.Struct("<HQII32s"), 3: struct.Struct("<32sQII")}
MOST_RECORDS = {1: 2000, 2: 1048576, 3: 524288, 4: 262144}


class Refused(Exception):
    pass


def need(condition, error_id, why):
    if not condition:
        raise Refused(f"{error_id}: {why}")


def sha256(data):
    return hashlib.sha256(data).digest()


def read_file(name):
    with open(name, "rb") as file:
        return file.read()


class Cursor:
    """Bytes taken from the front; `short`: the id for what ends too early."""

    def __init__(self, data, short="bundle-inconsistent"):
        self.data, self.at, self.short = data, 0, short

    def take(self, n):
        need(n <= self.left(), self.short, f"{n} bytes expected, {self.left()} there")
        self.at += n
        return self.data[self.at - n:self.at]

    def unpack(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))

    def left(self):
        return len(self.data) - self.at


# ---- frames (1.1, 1.2; RFC 8878, 3.1.1) ----

def take_frame(cursor, first=False):
    """One zstd frame, measured by the lengths of its blocks: (stored bytes, declared raw size or None)."""
    wrong, start = "not-a-bundle" if first else "bundle-inconsistent", cursor.at
    magic, what = cursor.unpack("4sB")
    need(magic == b"\x28\xb5\x2f\xfd", wrong, "no zstd frame")
    need(not what & (0x0f if first else 0x0b), wrong, "a dictionary, a reserved bit or, in F0, a checksum")
    cursor.short = "bundle-truncated" if first else cursor.short
    window = 0 if what & 0x20 else cursor.take(1)[0]
    length = (1 if what & 0x20 else 0, 2, 4, 8)[what >> 6]
    raw = int.from_bytes(cursor.take(length), "little") + (256 if length == 2 else 0) if length else None
    last, blocks = False, 0
    while not last:
        value, blocks = int.from_bytes(cursor.take(3), "little"), blocks + 1
        last, kind = value & 1, value >> 1 & 3
        need(kind != 3, "bundle-damaged" if first else wrong, "a reserved zstd block")
        cursor.take(1 if kind == 1 else value >> 3)
        need(not first or blocks <= 8192 and cursor.at <= 48 * MIB, wrong, "the first frame is too large")
    cursor.take(4 if what & 4 else 0)
    return cursor.data[start:cursor.at], raw, window


def decompress(stored, most, expected=None):
    """One frame of known hash; `expected`: the raw size that the index says."""
    cursor = Cursor(stored)
    _, raw, window = take_frame(cursor)
    need(cursor.left() == 0 and raw is not None, "bundle-inconsistent", "bytes after a frame, or no declared size")
    need(expected in (None, raw) and window <= 0x68, "bundle-inconsistent", "another size, or a window above 8 MiB")
    need(raw <= most, "bundle-limit", "a frame is too large")
    done = subprocess.run(["zstd", "-dcq"], input=stored, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=False)
    need(done.returncode == 0 and len(done.stdout) == raw, "bundle-inconsistent", "a frame cannot be decompressed")
    return done.stdout


def take_skippable(cursor, tag, most):
    head = cursor.take(16)
    magic, length, found = struct.unpack("<II8s", head)
    need(magic == 0x184D2A5A and found == tag and length >= 8, "bundle-damaged", f"no {tag.decode()}")
    need(length + 8 <= most, "bundle-limit", f"{tag.decode()} is too long")
    return head + cursor.take(length - 8)


# ---- head, signatures, index (3, 4, 5) ----

def check_head(h, f0, index):
    need(h[:4] + h[8:16] == b"\x5a\x2a\x4d\x18LBXHEAD1", "not-a-bundle", "no LBXHEAD1")
    version, flags, bundle_id, f0_hash, reserved = struct.unpack("<4sI16s32s56s", h[16:])
    need(version == b"\1\0\0\0", "bundle-version", "not 1.0")
    need(flags == 0, "bundle-feature", "an unknown flag")
    need(h[4:8] == b"\x78\0\0\0" and not any(reserved), "bundle-damaged", "another length, or reserved bytes are used")
    need(bundle_id == sha256(index)[:16] and f0_hash == sha256(f0), "bundle-damaged", "F0 or I is not that of H")


def check_signatures(h, s, index):
    cursor, keys = Cursor(s[16:], "bundle-damaged"), set()
    while cursor.left():
        need(len(keys) < 16, "bundle-limit", "too many signatures")
        algorithm, key, length = cursor.unpack("B32sH")
        need(algorithm == 1, "bundle-feature", "an unknown algorithm")
        need(length <= 1024, "bundle-limit", "a comment is too long")
        comment, signature = cursor.take(length), cursor.take(64)
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, struct.pack(
                "<9sB32s32s32sH", b"LBX-SIG-1", algorithm, key, sha256(h), sha256(index), length) + comment)
            need("\0" not in comment.decode(), "bundle-inconsistent", "NUL in a comment")
        except (InvalidSignature, UnicodeDecodeError) as error:
            kind = "inconsistent" if isinstance(error, UnicodeDecodeError) else "signature"
            raise Refused(f"bundle-{kind}: the entry by {key.hex()}") from error
        need(key not in keys, "bundle-signature", "two by one key")
        keys.add(key)
    need(keys, "bundle-signature", "nobody signed it")


def take_member(cursor):
    path = cursor.take(*cursor.unpack("H"))
    digest, size, count = cursor.unpack("32sQI")
    need(count <= 65536, "bundle-limit", "too many contents in a member")
    return path, digest, size, cursor.unpack(f"{count}I")


def read_index(index):
    """The four tables; what they count is held against its limit while they are read."""
    cursor, tables, last = Cursor(index[16:]), {1: [], 2: [], 3: [], 4: []}, 1
    count, reserved = cursor.unpack("II")
    need(reserved == 0, "bundle-inconsistent", "reserved bytes are used")
    need(count <= 256, "bundle-limit", "too many blocks")
    for table, reserved, records, stored, raw, digest in [cursor.unpack("B3sIII32s") for _ in range(count)]:
        need(table in tables and table >= last and records and reserved == bytes(3), "bundle-inconsistent", "directory")
        need(raw <= MIB, "bundle-limit", "a block is too large")
        block, rows, last = cursor.take(stored), tables[table], table
        need(sha256(block) == digest, "bundle-inconsistent", "a block has another hash")
        inside = Cursor(decompress(block, MIB, raw))
        for _ in range(records):
            rows.append(take_member(inside) if table == 4 else RECORDS[table].unpack(inside.take(RECORDS[table].size)))
        need(inside.left() == 0, "bundle-inconsistent", "bytes after the records of a block")
        need(len(rows) <= MOST_RECORDS[table], "bundle-limit", "too many records")
        need(table != 4 or sum(len(m[0]) + 1 for m in rows) <= 24 * MIB and sum(len(m[3]) for m in rows) <= MIB,
             "bundle-limit", "too many paths or contents")
    need(cursor.left() == 0, "bundle-inconsistent", "bytes after the blocks")
    return tables[1], tables[2], tables[3], tables[4]


# ---- the index in itself (5, 8) ----

def check_volumes_and_frames(volumes, frames, borrowed):
    own = volumes[1 + borrowed:]
    need(len(own) <= 999 and borrowed <= 999, "bundle-limit", "too many volumes")
    need(own and [v[0] for v in own] == list(range(1, 1 + len(own))), "bundle-inconsistent", "own volumes")
    need(volumes[0][:2] == (0, bytes(16)), "bundle-inconsistent", "volume 0 has a number or an id")
    need(all(1 <= v[0] - BORROWED <= 999 for v in volumes[1:1 + borrowed]), "bundle-inconsistent", "a borrowed number")
    at, before = [64 * (place > 0) for place in range(len(volumes))], 0
    for place, offset, stored, raw, _ in frames:
        need(stored <= 4 * MIB + 65536 and raw <= 4 * MIB, "bundle-limit", "a frame is too large")
        need(before <= place < len(at) and offset == at[place] and stored and raw, "bundle-inconsistent", "frames")
        at[place], before = offset + stored, place
    need(at == [v[2] for v in volumes] and {f[0] for f in frames} >= set(range(1, len(at))), "bundle-inconsistent",
         "frames do not fill their volume")


def check_members(members, contents):
    paths = [m[0] for m in members]
    for path in paths:
        need(is_path(path) and path.startswith((b"metadata/", b"images/")), "unsafe-name", repr(path))
    need(paths == sorted(set(paths), key=lambda p: (p[0] != ord("m"), p)), "bundle-inconsistent", "order of members")
    folded = {path.lower() for path in paths}
    folders = {path[:i] for path in folded for i, c in enumerate(path) if c == ord("/")}
    need(len(folded) == len(paths) and not folded & folders, "unsafe-name", "two paths for one name")
    used, metadata = 0, 0
    for path, digest, size, parts in members:
        need(size <= 1 << 42, "bundle-limit", "a member is too large")
        for number in parts:
            need(number <= used and number < len(contents), "bundle-inconsistent", "contents are out of order")
            used += number == used
        need(all(contents[n][1] for n in parts) and sum(contents[n][1] for n in parts) == size and
             (len(parts) > 1 or digest == (contents[parts[0]][0] if parts else sha256(b""))), "bundle-inconsistent",
             "a member's size or hash is not that of its contents")
        metadata += (len(tar_header(path, size)) + size + -size % 512) * path.startswith(b"m")
    need(metadata <= 64 * MIB, "bundle-limit", "too much metadata")
    need(used == len(contents), "bundle-inconsistent", "a content that nobody uses")


# ---- the tar stream (2) ----

def ustar(name, prefix, size, kind):
    block = struct.pack("100s8s8s8s12s12s8s1s100s8s64s8s8s155s12x", name[:100], b"0000644", b"0000000", b"0000000",
                        b"%011o" % size, b"%011o" % 0, b" " * 8, kind, b"", b"ustar\x0000", b"", b"0000000",
                        b"0000000", prefix)
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def record(key, value):
    rest = b" " + key + b"=" + value + b"\n"
    n = next(n for n in range(len(rest), len(rest) + 9) if len(b"%d" % n + rest) == n)
    return b"%d" % n + rest


def tar_header(path, size):
    cut = path.find(b"/", len(path) - 101) if len(path) > 100 else -1
    name, prefix = (path[cut + 1:], path[:cut]) if 1 <= cut <= 155 else (path, b"")
    records = record(b"path", path) if len(name) > 100 else b""
    if size > 8589934591:
        records, size = records + record(b"size", b"%d" % size), 0
    pax = ustar(b"PaxHeader/member", b"", len(records), b"x") + records + bytes(-len(records) % 512)
    return (pax if records else b"") + ustar(name, prefix, size, b"0")


def tar_member(path, data):
    return tar_header(path, len(data)) + data + bytes(-len(data) % 512)


def find_manifest(f0):
    """LOCKBOX.json (2.1). Its size is the one number that a tar header gives."""
    need(re.fullmatch(rb"[0-7]{11}", f0[124:135]), "bundle-inconsistent", "no LOCKBOX.json")
    size = int(f0[124:135], 8)
    need(size <= 4 * MIB, "bundle-limit", "LOCKBOX.json is too large")
    return f0[512:512 + size]


def check_first_frame(f0, manifest, members):
    """LOCKBOX.json and LOCKBOX.sha256 (2.1, 2.2) and nothing else."""
    listing = b"".join(b"%s  %s\n" % (digest.hex().encode(), path) for path, digest in
                       [(b"LOCKBOX.json", sha256(manifest))] + [m[:2] for m in members])
    need(f0 == tar_member(b"LOCKBOX.json", manifest) + tar_member(b"LOCKBOX.sha256", listing), "bundle-inconsistent",
         "the first frame is not that of the index")


def check_manifest(text):
    """Does the bundle share contents?"""
    def count(value, depth=1):
        need(not isinstance(value, str) or "\0" not in value, "bad-json", "U+0000 in a text")
        need(depth <= 16 or not isinstance(value, (list, dict)), "json-too-deep", "LOCKBOX.json")
        inside = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
        return 1 + sum(count(each, depth + 1) for each in inside)

    def pairs(items):
        need(len(dict(items)) == len(items), "json-duplicate-key", "LOCKBOX.json")
        return dict(items)

    try:
        need(text[:3] != b"\xef\xbb\xbf", "json-byte-order-mark", "LOCKBOX.json")
        text = text.decode().strip(" \t\n\r")
        manifest, end = json.JSONDecoder(object_pairs_hook=pairs, parse_constant=int).raw_decode(text)
        json.dumps(manifest, ensure_ascii=False).encode()  # refuses lone surrogates
    except (ValueError, RecursionError) as error:
        raise Refused(f"bad-json: LOCKBOX.json: {error!r}") from error
    need(end == len(text), "json-trailing-bytes", "LOCKBOX.json")
    need(count(manifest) <= 262144, "too-large", "LOCKBOX.json has too many values")
    features = manifest.get("features") if isinstance(manifest, dict) else None
    need(isinstance(features, list) and all(isinstance(f, str) for f in features), "bundle-inconsistent", "features")
    need(set(features) <= {"shared-content"}, "bundle-feature", f"unknown: {features!r}")
    return bool(features)


class Stream:
    """The bytes of frames that follow each other, from a place in one of them on, up to the frame `last`."""

    def __init__(self, raw, frame, last, offset=0):
        self.raw, self.frame, self.last, self.offset = raw, frame, last, offset

    def place(self):
        while self.frame < self.last and self.offset >= len(self.raw(self.frame)):
            self.frame, self.offset = self.frame + 1, self.offset - len(self.raw(self.frame))
        return self.frame, self.offset

    def take(self, n):
        pieces = []
        while n:
            need(self.place()[0] < self.last, "bundle-inconsistent", "members and frames have different sizes")
            pieces.append(self.raw(self.frame)[self.offset:self.offset + n])
            self.offset, n = self.offset + len(pieces[-1]), n - len(pieces[-1])
        return b"".join(pieces)


class Contents:
    """Gives the bytes of uses, in order; knows which have none in the tar stream: in images/ of a bundle that shares
    contents, those of a borrowed content, and all but the first of one of the bundle's own payload (5.1)."""

    def __init__(self, records, frames, borrowed, shared):
        self.records, self.frames, self.shared, self.used = records, frames, shared, 0
        self.metadata = sum(f[0] == 0 for f in frames)
        self.own = sum(f[0] <= borrowed for f in frames)

    def use(self, stream, path, number):
        digest, size, frame, offset = self.records[number]
        first, lent = number == self.used, self.metadata <= frame < self.own
        self.used += first
        if self.shared and path.startswith(b"images/") and frame >= self.metadata and (lent or not first):
            last = self.own if lent else len(self.frames)
            need(offset < self.frames[frame][3], "bundle-inconsistent", "a content behind its frame")
            stream = Stream(stream.raw, frame, last, offset)
        else:
            need(not first or (frame, offset) == stream.place(), "bundle-inconsistent", "a content in another place")
        data = stream.take(size)
        need(sha256(data) == digest, "wrong-hash", repr(path))
        return data


def take_members(members, contents, stream, end):
    """(path, bytes) of one part's members, which with `end` are all that is in the stream."""
    for path, digest, size, parts in members:
        header = tar_header(path, size)
        need(stream.take(len(header)) == header, "bundle-inconsistent", "a tar header")
        data = b"".join([contents.use(stream, path, number) for number in parts])
        need(sha256(data) == digest, "wrong-hash", repr(path))
        need(not any(stream.take(-size % 512)), "bundle-inconsistent", "padding")
        yield path, data
    need(stream.take(len(end)) == end and stream.place() == (stream.last, 0), "bundle-inconsistent", "the end")


# ---- volumes (6) ----

def check_start(data, number, volume_id):
    v = Cursor(data, "bundle-truncated").take(64)
    need(v[:16] == b"\x5a\x2a\x4d\x18\x38\0\0\0LBXVOLM1" and not any(v[34:]), "bundle-damaged", "no LBXVOLM1")
    need(v[16:34] == volume_id + struct.pack("<H", number % BORROWED), "volume-foreign", f"volume {number}")


def check_volume(data, volume):
    number, volume_id, size = volume
    check_start(data, number, volume_id)
    need(len(data) >= size, "bundle-truncated", f"volume {number}")
    need(len(data) == size, "bundle-damaged", f"bytes after volume {number}")
    return data


def cut_volumes(data, volumes):
    """Of a single file."""
    cut = Cursor(data)
    for volume in volumes:
        yield check_volume(cut.take(min(cut.left(), volume[2])), volume)
    need(cut.left() == 0, "bundle-damaged", "bytes after the last volume")


def find_volume(path, volume):
    """NNN, and where it is missing or another's NNN.new (9.1)."""
    refusal = Refused(f"volume-missing: volume {volume[0]}")
    for name in (f"{path}.{volume[0]:03}", f"{path}.{volume[0]:03}.new"):
        try:
            return check_volume(read_file(name), volume)
        except FileNotFoundError:
            pass
        except Refused as error:
            refusal = error
    raise refusal


def find_borrowed_volume(path, volume):
    """In the file of another bundle in the same folder; what it is called does not matter (5.1)."""
    folder = os.path.dirname(path) or "."
    for name in sorted(os.listdir(folder)):
        if re.fullmatch(r".+\.[0-9]{3}(\.new)?", name):
            data = read_file(os.path.join(folder, name))
            try:
                check_start(data, *volume[:2])
            except Refused:
                continue  # another volume, or none
            return check_volume(data, volume)
    raise Refused(f"volume-missing: volume {volume[0] % BORROWED} of another bundle")


# ---- all of it (7) ----

def read_bundle(path):
    """Yields (path, bytes) of each member; refuses before, between or after."""
    file = Cursor(read_file(path), "not-a-bundle")
    f0, _, _ = take_frame(file, first=True)
    need(file.left(), "not-a-bundle", "nothing follows the first frame")
    h = file.take(128)
    s, index = take_skippable(file, b"LBXSIGN1", 16 * 1124), take_skippable(file, b"LBXINDX1", 64 * MIB)
    check_head(h, f0, index)
    check_signatures(h, s, index)
    volumes, frames, contents, members = read_index(index)
    first = decompress(f0, 48 * MIB)
    manifest = find_manifest(first)
    shared, borrowed = check_manifest(manifest), sum(v[0] >= BORROWED for v in volumes)
    need(shared or not borrowed, "bundle-inconsistent", "borrowed volumes without the feature")
    check_volumes_and_frames(volumes, frames, borrowed)
    check_members(members, contents)
    check_first_frame(first, manifest, members)

    places = [file.take(volumes[0][2])]

    @functools.lru_cache(4)
    def raw(number):
        place, offset, stored, size, digest = frames[number]
        data = places[place][offset:offset + stored]
        need(sha256(data) == digest, "bundle-damaged", f"a frame of volume {volumes[place][0]}")
        return decompress(data, 4 * MIB, size)

    uses = Contents(contents, frames, borrowed, shared)
    metadata = sum(m[0].startswith(b"metadata/") for m in members)
    yield from take_members(members[:metadata], uses, Stream(raw, 0, uses.metadata), b"")
    places += [find_borrowed_volume(path, volume) for volume in volumes[1:1 + borrowed]]
    own = volumes[1 + borrowed:]
    places += cut_volumes(file.take(file.left()), own) if file.left() else [find_volume(path, v) for v in own]
    yield from take_members(members[metadata:], uses, Stream(raw, uses.own, len(frames)), bytes(1024))


def main():
    try:
        for path, data in read_bundle(sys.argv[1]):
            if len(sys.argv) > 2:
                name = os.path.join(os.fsencode(sys.argv[2]), path)
                os.makedirs(os.path.dirname(name), exist_ok=True)
                with open(name, "xb") as file:
                    file.write(data)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(3)


if __name__ == "__main__":
    main()
