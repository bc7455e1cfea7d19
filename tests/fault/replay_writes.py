#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""replay_writes.py LOG STATE SCRATCH WRITES CHECK: runs within the machine, see log_writes.py.

LOG is a device on which dm-log-writes recorded what reached a stick, STATE the stick as it was before. After each
flush, and after WRITES other writes in between, SCRATCH is the stick as a power cut would leave it there; then the
shell runs `CHECK NUMBER`. The layout of the log is that of the kernel's Documentation/admin-guide/device-mapper and
drivers/md/dm-log-writes.c: a sector that counts the entries; for each a sector with its head, and the bytes.
"""

import os
import struct
import subprocess
import sys

MAGIC = 0x6A736677736872
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8
CHUNK = 1 << 20


def entries(log):
    """(sector, bytes or None for what writes nothing, flags) in the order in which they reached the medium."""
    magic, version, count, size = struct.unpack("<QQQI", os.pread(log, 28, 0))
    assert (magic, version) == (MAGIC, 1), "this is no log of dm-log-writes"
    at = size
    for _ in range(count):
        sector, sectors, flags, _ = struct.unpack("<QQQQ", os.pread(log, 32, at))
        at += size
        if flags & (DISCARD | MARK) or not sectors:
            yield sector, None, flags
            continue
        data = os.pread(log, sectors * size, at)
        assert len(data) == sectors * size, "the log ends early"
        at += len(data)
        yield sector * size, data, flags


def copy(source, to):
    at = 0
    while data := os.pread(source, CHUNK, at):
        os.pwrite(to, data, at)
        at += len(data)
    os.fsync(to)


def chosen(all_entries, writes):
    """Numbers of the entries after which the power is cut."""
    plain = [n for n, (_, data, flags) in enumerate(all_entries) if data and not flags & (FLUSH | FUA)]
    step = max(1, len(plain) // writes)
    return {n for n, (_, _, flags) in enumerate(all_entries) if flags & (FLUSH | FUA)} | set(plain[::step])


def main(log, state, scratch, writes, check):
    log, state, scratch = (os.open(path, os.O_RDWR) for path in (log, state, scratch))
    recorded = list(entries(log))
    cuts = chosen(recorded, int(writes))
    for n, (offset, data, _) in enumerate(recorded):
        if data:
            os.pwrite(state, data, offset)
        if n in cuts:
            copy(state, scratch)
            subprocess.run(["/bin/sh", "-e", check, str(n)], check=True)
    flushes = sum(bool(flags & (FLUSH | FUA)) for _, _, flags in recorded)
    print(f"REPLAYED {len(cuts)} cuts: {flushes} flushes among {len(recorded)} entries")


if __name__ == "__main__":
    main(*sys.argv[1:])
