#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A second reader of the bundle format, written from bundle-format/SPEC.md and from nothing else.

    reader.py HEAD [FOLDER]

Verifies the bundle whose head is the file HEAD and extracts its members into the new folder FOLDER; exit code 0.
A bundle that must be refused: "<error id>: <why>" on stderr, exit code 3. Decompresses with the program `zstd`. It
holds a member in memory, which a reader for every day must not; numbers in comments are sections of SPEC.md.
"""

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
RECORDS = {1: struct.Struct("<H16sQ"), 2: struct.Struct("<HQII32s"), 3: struct.Struct("<32sQII")}
ALGORITHM_ED25519 = 1
BORROWED = 0x8000


class Refused(Exception):
    pass


def need(condition, error_id, why):
    if not condition:
        raise Refused(f"{error_id}: {why}")


def sha256(data):
    return hashlib.sha256(data).digest()


class Cursor:
    """Bytes taken from the front of a file; its end is `short`, the id for a part that ends too early."""

    def __init__(self, file, short="bundle-truncated"):
        self.file, self.short = file, short

    def take(self, n):
        data = self.file.read(n)
        need(len(data) == n, self.short, f"{n} bytes expected, {len(data)} there")
        return data

    def unpack(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))


class Memory(Cursor):
    """The same, over a signed part."""

    def __init__(self, data, short="bundle-inconsistent"):
        self.data, self.at, self.short = data, 0, short

    def take(self, n):
        need(n <= len(self.data) - self.at, self.short, "a part ends early")
        self.at += n
        return self.data[self.at - n:self.at]

    def left(self):
        return len(self.data) - self.at


# ---- zstd and skippable frames (1.1, 1.2; RFC 8878, 3.1.1) ----

def take_frame(cursor, wrong, first=False):
    """One zstd frame, measured by the lengths of its blocks: (stored bytes, declared raw size or None)."""
    stored = cursor.take(5)
    need(stored[:4] == b"\x28\xb5\x2f\xfd", wrong, "no zstd frame")
    if first:
        cursor.short = "bundle-truncated"
    what = stored[4]
    single = what & 0x20
    need(not what & (0x0f if first else 0x0b), wrong, "a frame with a dictionary, or a first one with a checksum")
    length = (1 if single else 0, 2, 4, 8)[what >> 6]
    stored += cursor.take(length if single else 1 + length)
    raw = int.from_bytes(stored[-length:], "little") + (256 if length == 2 else 0) if length else None
    pieces, last, blocks, size = [stored], False, 0, len(stored)
    while not last:
        blocks += 1
        need(not first or blocks <= 8192, wrong, "too many blocks in the first frame")
        head = cursor.take(3)
        value = int.from_bytes(head, "little")
        last, kind, n = value & 1, value >> 1 & 3, value >> 3
        need(kind != 3, "bundle-damaged" if first else wrong, "a reserved zstd block")
        pieces += [head, cursor.take(1 if kind == 1 else n)]
        size += 3 + len(pieces[-1])
        need(not first or size <= 48 * MIB, wrong, "the first frame is too large")
    if what & 4:
        pieces.append(cursor.take(4))
    return b"".join(pieces), raw


def decompress(stored, most, raw=None):
    """One frame of known hash; `raw`: what the index says it holds."""
    cursor = Memory(stored)
    _, declared = take_frame(cursor, "bundle-inconsistent")
    need(cursor.left() == 0, "bundle-inconsistent", "bytes after a frame")
    need(declared is not None, "bundle-inconsistent", "a frame that does not declare its size")
    need(raw in (None, declared), "bundle-inconsistent", "a frame declares another size than the index")
    need(declared <= most, "bundle-limit", "a frame is too large")
    done = subprocess.run(["zstd", "-dcq", "--memory=64MiB"], input=stored, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    need(done.returncode == 0 and len(done.stdout) == declared, "bundle-inconsistent", "a frame cannot be decompressed")
    return done.stdout


def take_skippable(cursor, tag, most, wrong="bundle-damaged"):
    """A skippable frame, whole."""
    head = cursor.take(16)
    magic, length, found = struct.unpack("<II8s", head)
    need(magic == 0x184D2A5A and found == tag and length >= 8, wrong, f"no {tag.decode()}")
    need(length <= most, "bundle-limit", f"{tag.decode()} is too long")
    return head + cursor.take(length - 8)


# ---- the head (3, 4, 5) ----

def check_head(h, f0, index):
    major, minor, flags, bundle_id, f0_hash, reserved = struct.unpack("<HHI16s32s56s", h[16:])
    need((major, minor) == (1, 0), "bundle-version", f"version {major}.{minor}")
    need(flags == 0, "bundle-feature", "an unknown flag")
    need(h[4:8] == b"\x78\0\0\0" and not any(reserved), "bundle-damaged", "another length, or reserved bytes are used")
    need(bundle_id == sha256(index)[:16], "bundle-damaged", "the index is not that of the head")
    return f0_hash


def check_signatures(h, s, index):
    cursor, keys = Memory(s[16:], "bundle-damaged"), []
    while cursor.left():
        algorithm, key, length = cursor.unpack("B32sH")
        need(algorithm == ALGORITHM_ED25519, "bundle-feature", "an unknown algorithm")
        need(length <= 1024, "bundle-limit", "a comment is too long")
        comment, signature = cursor.take(length), cursor.take(64)
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(
                signature, struct.pack("<9sB32s32s32sH", b"LBX-SIG-1", algorithm, key, sha256(h), sha256(index), length)
                + comment)
            need("\0" not in comment.decode(), "bundle-inconsistent", "NUL in a comment")
        except InvalidSignature as error:
            raise Refused(f"bundle-signature: that by {key.hex()}") from error
        except UnicodeDecodeError as error:
            raise Refused("bundle-inconsistent: a comment is not UTF-8") from error
        keys.append(key)
        need(len(keys) <= 16, "bundle-limit", "too many signatures")
    need(keys and len(set(keys)) == len(keys), "bundle-signature", "no signature, or two by one key")


def read_index(index):
    """The four tables: lists of tuples."""
    cursor, tables, last = Memory(index[16:]), {1: [], 2: [], 3: [], 4: []}, 1
    count, reserved = cursor.unpack("II")
    need(reserved == 0, "bundle-inconsistent", "reserved bytes are used")
    need(count <= 256, "bundle-limit", "too many blocks")
    for table, reserved, records, stored, raw, digest in [cursor.unpack("B3sIII32s") for _ in range(count)]:
        need(table in tables and table >= last, "bundle-inconsistent", "blocks are not in order")
        need(records and reserved == bytes(3), "bundle-inconsistent", "a wrong entry in the directory")
        need(raw <= MIB, "bundle-limit", "a block is too large")
        block, last = cursor.take(stored), table
        need(sha256(block) == digest, "bundle-inconsistent", "a block has another hash")
        inside = Memory(decompress(block, MIB, raw))
        for _ in range(records):
            tables[table].append(take_member(inside) if table == 4 else RECORDS[table].unpack(
                inside.take(RECORDS[table].size)))
        need(inside.left() == 0, "bundle-inconsistent", "bytes after the records of a block")
    need(cursor.left() == 0, "bundle-inconsistent", "bytes after the blocks")
    return tables[1], tables[2], tables[3], tables[4]


def take_member(cursor):
    path = cursor.take(*cursor.unpack("H"))
    digest, size, count = cursor.unpack("32sQI")
    need(count <= 65536, "bundle-limit", "too many contents in a member")
    return path, digest, size, cursor.unpack(f"{count}I")


# ---- the index in itself (5, 8) ----

def borrowed_volumes(volumes):
    return [v for v in volumes if v[0] & BORROWED]


def check_volumes_and_frames(volumes, frames, shared):
    borrowed = borrowed_volumes(volumes)
    own = volumes[1 + len(borrowed):]
    need(shared or not borrowed, "bundle-inconsistent", "borrowed volumes without the feature")
    need(own and volumes[0][:2] == (0, bytes(16)), "bundle-inconsistent", "volume 0 or 1 is missing")
    need(volumes[1:1 + len(borrowed)] == borrowed, "bundle-inconsistent", "borrowed volumes come first")
    need([v[0] for v in own] == list(range(1, 1 + len(own))), "bundle-inconsistent", "volumes have gaps")
    need(all(1 <= v[0] - BORROWED <= 999 for v in borrowed), "bundle-inconsistent", "a number that no volume has")
    need(len(own) <= 999 and len(borrowed) <= 999, "bundle-limit", "too many volumes")
    need(len(frames) <= MIB, "bundle-limit", "too many frames")
    need([f[0] for f in frames] == sorted(f[0] for f in frames), "bundle-inconsistent", "frames are out of order")
    for number, (_, _, size) in enumerate(volumes):
        at, mine = (64 if number else 0), [f for f in frames if f[0] == number]
        need(mine or not number, "bundle-inconsistent", "a volume without frames")
        for _, offset, stored, raw, _ in mine:
            need(stored <= 4 * MIB + (64 << 10) and raw <= 4 * MIB, "bundle-limit", "a frame is too large")
            need(offset == at and stored and raw, "bundle-inconsistent", "frames overlap or leave gaps")
            at += stored
        need(at == size, "bundle-inconsistent", "frames do not fill their volume")
    need(all(f[0] < len(volumes) for f in frames), "bundle-inconsistent", "a frame in no volume")
    need(sum(f[3] for f in frames if not f[0]) <= 64 * MIB, "bundle-limit", "too much metadata")


def check_paths(members):
    need(len(members) <= 262144 and sum(len(m[0]) for m in members) <= 24 * MIB, "bundle-limit", "too many members")
    paths = [m[0] for m in members]
    for path in paths:
        need(is_path(path) and path.startswith((b"metadata/", b"images/")), "unsafe-name", repr(path))
    folded = {path.lower() for path in paths}
    need(paths == sorted(set(paths), key=lambda p: (p[0] != ord("m"), p)),
         "bundle-inconsistent", "members are out of order")
    folders = {path[:i] for path in folded for i, c in enumerate(path) if c == ord("/")}
    need(len(folded) == len(paths) and not folded & folders, "unsafe-name", "two paths for one name")


class Uses:
    """Which uses of a content have no bytes in the tar stream: in images/ of a bundle that shares contents, those of a
    borrowed content, and all but the first of one of the bundle's own payload (5.1)."""

    def __init__(self, frames, contents, borrowed, shared):
        self.contents, self.shared, self.used = contents, shared, 0
        self.metadata = sum(f[0] == 0 for f in frames)
        self.own = sum(f[0] <= borrowed for f in frames)

    def is_elsewhere(self, path, number):
        first, frame = number >= self.used, self.contents[number][2]
        self.used += first
        return (self.shared and path.startswith(b"images/") and frame >= self.metadata
                and (not first or frame < self.own))


def check_places(frames, contents, members, uses):
    """Each part of the tar stream fills its frames; each content stands where it is first used, or is borrowed."""
    need(len(contents) <= 524288 and sum(len(m[3]) for m in members) <= MIB, "bundle-limit", "too many contents")
    need(len({c[0] for c in contents}) == len(contents), "bundle-inconsistent", "a content is listed twice")
    used, start, starts = 0, 0, []
    for frame in frames[:uses.metadata] + frames[uses.own:]:
        starts.append(start)
        start += frame[3]
    lent = [sum(f[3] for f in frames[uses.metadata:n]) for n in range(uses.metadata, uses.own + 1)]
    starts[uses.metadata:uses.metadata] = lent[:-1]
    at, metadata = 0, sum(f[3] for f in frames if not f[0])
    for path, digest, size, parts in members:
        if path.startswith(b"images/") and at <= metadata:
            need(at == metadata, "bundle-inconsistent", "metadata does not fill its frames")
        at += len(tar_header(path, size))
        need(size <= 1 << 42, "bundle-limit", "a member is too large")
        total = 0
        for number in parts:
            need(number <= used and number < len(contents), "bundle-inconsistent", "contents are out of order")
            content, length, frame, offset = contents[number]
            elsewhere = uses.is_elsewhere(path, number)
            if number == used:
                used += 1
                need(length and frame < len(frames) and offset < frames[frame][3], "bundle-inconsistent", "no place")
                need(starts[frame] + offset + length <= lent[-1] if elsewhere else starts[frame] + offset == at,
                     "bundle-inconsistent", "a content in another place")
            at += 0 if elsewhere else length
            total += length
        need(total == size, "bundle-inconsistent", "a member's size is not that of its contents")
        need(len(parts) != 1 or contents[parts[0]][0] == digest, "bundle-inconsistent", "a member of another hash")
        at += -size % 512
    need(used == len(contents), "bundle-inconsistent", "a content that nobody uses")
    need(at >= metadata and at + 1024 == start, "bundle-inconsistent", "the tar stream does not fill its frames")


# ---- the tar stream (2) ----

def ustar(name, prefix, size, kind):
    block = struct.pack("100s8s8s8s12s12s8s1s100s8s64s8s8s155s12x", name[:100], b"0000644", b"0000000", b"0000000",
                        b"%011o" % size, b"%011o" % 0, b" " * 8, kind, b"", b"ustar\x0000", b"", b"0000000",
                        b"0000000", prefix)
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def record(key, value):
    rest = b" " + key + b"=" + value + b"\n"
    n = len(rest) + 1
    while len(b"%d" % n + rest) != n:
        n += 1
    return b"%d" % n + rest


def tar_header(path, size):
    cut = -1
    if len(path) > 100:
        cut = path.find(b"/", len(path) - 101)
        cut = cut if 1 <= cut <= 155 else -1
    name, prefix = (path[cut + 1:], path[:cut]) if cut > 0 else (path, b"")
    records = record(b"path", path) if len(path) > 100 and cut < 0 else b""
    if size > 8589934591:
        records += record(b"size", b"%d" % size)
        size = 0
    if not records:
        return ustar(name, prefix, size, b"0")
    return (ustar(b"PaxHeader/member", b"", len(records), b"x") + records + bytes(-len(records) % 512)
            + ustar(name, prefix, size, b"0"))


def find_manifest(raw):
    """LOCKBOX.json (2.1). Its size is the one number that a tar header gives."""
    digits = raw[124:135]
    need(len(digits) == 11 and not digits.strip(b"01234567"), "bundle-inconsistent", "no LOCKBOX.json")
    size = int(digits, 8)
    need(size <= 4 * MIB, "bundle-limit", "LOCKBOX.json is too large")
    need(512 + size <= len(raw), "bundle-inconsistent", "LOCKBOX.json is cut short")
    return raw[512:512 + size]


def check_first_frame(raw, manifest, members):
    """LOCKBOX.json and LOCKBOX.sha256 (2.1, 2.2)."""
    listing = b"".join(b"%s  %s\n" % (digest.hex().encode(), path) for path, digest in
                       [(b"LOCKBOX.json", sha256(manifest))] + [m[:2] for m in members])
    whole = b"".join(tar_header(path, len(data)) + data + bytes(-len(data) % 512)
                     for path, data in ((b"LOCKBOX.json", manifest), (b"LOCKBOX.sha256", listing)))
    need(raw == whole, "bundle-inconsistent", "the first frame is not that of the index")


def check_manifest(text):
    """Its features; the one that is known is that of shared contents."""
    values = [0]

    def walk(value, depth):
        values[0] += 1
        inside = value if isinstance(value, list) else []
        if isinstance(value, dict):
            values[0] += len(value)
            inside = value.values()
        need(depth <= 16, "json-too-deep", "LOCKBOX.json")
        need(values[0] <= 262144, "too-large", "LOCKBOX.json has too many values")
        for each in inside:
            walk(each, depth + isinstance(each, (list, dict)))

    def pairs(items):
        need(len(dict(items)) == len(items), "json-duplicate-key", "LOCKBOX.json")
        return dict(items)

    try:
        manifest = json.loads(text.decode(), object_pairs_hook=pairs, parse_constant=int)
    except (ValueError, RecursionError) as error:
        raise Refused(f"bad-json: LOCKBOX.json: {error!r}") from error
    walk(manifest, 1)
    features = manifest.get("features") if isinstance(manifest, dict) else None
    need(isinstance(features, list) and all(isinstance(f, str) for f in features), "bundle-inconsistent", "features")
    need(set(features) <= {"shared-content"}, "bundle-feature", f"unknown: {features!r}")
    return bool(features)


class Payload:
    """Frames, wherever they lie: `places` has a cursor and a start for each volume."""

    def __init__(self, frames, places):
        self.frames, self.places = frames, places

    def raw(self, number):
        volume, offset, stored, raw, digest = self.frames[number]
        cursor, start = self.places[volume]
        cursor.file.seek(start + offset)
        data = cursor.take(stored)
        need(sha256(data) == digest, "bundle-damaged", f"a frame of volume {volume}")
        return decompress(data, 4 * MIB, raw)

    def bytes_at(self, frame, offset, n):
        data = self.raw(frame)[offset:]
        while len(data) < n:
            frame += 1
            data += self.raw(frame)
        return data[:n]


def members_of(members, contents, payload, sequence, uses, end):
    """The bytes of one part's members, in order; `sequence`: the numbers of the part's frames."""
    pending, sequence = b"", iter(sequence)

    def take(n):
        nonlocal pending
        pieces = [pending]
        while sum(map(len, pieces)) < n:
            pieces.append(payload.raw(next(sequence)))
        data = b"".join(pieces)
        pending = data[n:]
        return data[:n]

    for path, digest, size, parts in members:
        header = tar_header(path, size)
        need(take(len(header)) == header, "bundle-inconsistent", "a tar header")
        data = []
        for number in parts:
            content, length, frame, offset = contents[number]
            elsewhere = uses.is_elsewhere(path, number)
            data.append(payload.bytes_at(frame, offset, length) if elsewhere else take(length))
            need(sha256(data[-1]) == content, "wrong-hash", repr(path))
        data = b"".join(data)
        need(sha256(data) == digest, "wrong-hash", repr(path))
        need(not any(take(-size % 512)), "bundle-inconsistent", "padding")
        yield path, data
    need(take(len(end)) == end, "bundle-inconsistent", "the end of the archive")


# ---- volumes (6) ----

def open_volume(name, start, volume_id, number):
    cursor = Cursor(open(name, "rb"))
    cursor.file.seek(start)
    v = cursor.take(64)
    need(v[:16] == b"\x5a\x2a\x4d\x18\x38\0\0\0LBXVOLM1" and not any(v[34:]), "bundle-damaged", "no LBXVOLM1")
    need(v[16:34] == volume_id + struct.pack("<H", number), "volume-foreign", f"volume {number}")
    return cursor


def open_volumes_within(path, start, volumes):
    """Of a single file."""
    left, places = os.path.getsize(path) - start, []
    for number, volume_id, size in volumes:
        places.append((open_volume(path, start, volume_id, number), start))
        start += size
        left -= size
        need(left >= 0, "bundle-truncated", "payload")
    need(left == 0, "bundle-damaged", "bytes after the last volume")
    return places


def open_volumes_beside(path, _, volumes):
    """NNN, and where it is missing or another's NNN.new (9.1)."""
    places = []
    for number, volume_id, size in volumes:
        refusal = Refused(f"volume-missing: volume {number}")
        for name in (f"{path}.{number:03}", f"{path}.{number:03}.new"):
            try:
                places.append(open_whole_volume(name, volume_id, number, size))
                break
            except FileNotFoundError:
                pass
            except Refused as error:
                refusal = error
        else:
            raise refusal
    return places


def open_whole_volume(name, volume_id, number, size):
    cursor, there = open_volume(name, 0, volume_id, number), os.path.getsize(name)
    need(there >= size, "bundle-truncated", name)
    need(there == size, "bundle-damaged", f"bytes after {name}")
    return cursor, 0


def open_borrowed_volumes(path, volumes):
    """In the files of other bundles in the same folder; what they are called does not matter (5.1)."""
    folder, places = os.path.dirname(path) or ".", []
    names = [n for n in sorted(os.listdir(folder)) if re.fullmatch(r".+\.[0-9]{3}(\.new)?", n)]
    for number, volume_id, size in volumes:
        for name in names:
            try:
                cursor = open_volume(os.path.join(folder, name), 0, volume_id, number - BORROWED)
            except Refused:
                continue
            cursor.file.close()
            places.append(open_whole_volume(os.path.join(folder, name), volume_id, number - BORROWED, size))
            break
        else:
            raise Refused(f"volume-missing: volume {number - BORROWED} of another bundle")
    return places


def read_bundle(path):
    """Yields (path, bytes) of each member; refuses before, between or after."""
    file = open(path, "rb")
    cursor = Cursor(file, "not-a-bundle")
    f0, _ = take_frame(cursor, "not-a-bundle", first=True)
    need(file.tell() < os.path.getsize(path), "not-a-bundle", "nothing follows the first frame")
    h = cursor.take(128)
    need(h[:4] + h[8:16] == b"\x5a\x2a\x4d\x18LBXHEAD1", "not-a-bundle", "no LBXHEAD1")
    s = take_skippable(cursor, b"LBXSIGN1", 8 + 16 * (99 + 1024))
    index = take_skippable(cursor, b"LBXINDX1", 64 * MIB)
    f0_hash = check_head(h, f0, index)
    check_signatures(h, s, index)
    need(sha256(f0) == f0_hash, "bundle-damaged", "the first frame is not that of the head")
    volumes, frames, contents, members = read_index(index)
    first = decompress(f0, 48 * MIB)
    manifest = find_manifest(first)
    shared, borrowed = check_manifest(manifest), borrowed_volumes(volumes)
    check_volumes_and_frames(volumes, frames, shared)
    check_paths(members)
    check_places(frames, contents, members, Uses(frames, contents, len(borrowed), shared))
    check_first_frame(first, manifest, members)

    metadata = [m for m in members if m[0].startswith(b"metadata/")]
    places = [(cursor, file.tell())]
    uses = Uses(frames, contents, len(borrowed), shared)
    yield from members_of(metadata, contents, Payload(frames, places), range(uses.metadata), uses, b"")
    end = places[0][1] + volumes[0][2]
    places += open_borrowed_volumes(path, borrowed)
    open_all = open_volumes_within if os.path.getsize(path) > end else open_volumes_beside
    places += open_all(path, end, volumes[1 + len(borrowed):])
    yield from members_of(members[len(metadata):], contents, Payload(frames, places), range(uses.own, len(frames)), uses,
                          bytes(1024))


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
