#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Both readers over bundles whose index was changed at random by somebody who can sign: they take the same ones.

    random_changes.py BUNDLE_TOOL FOLDER_OF_VECTORS [COUNT [SEED]]

A field of a random record gets another value, or a record is left out, doubled or moved; hashes, listing and signature
are made again. Most changes break several rules at once, so that ids may differ; whether it is refused may not.
"""

import concurrent.futures
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile

import make_vectors
import reader

SOURCES = (("shared", 1), ("split", 3), ("borrows-single", 0), ("paths", 0))
TABLES = ("volumes", "frames", "contents", "members")


def load(folder, name, volumes):
    """A golden bundle as one file, taken apart."""
    with tempfile.NamedTemporaryFile() as whole:
        for suffix in ["", *(f".{n:03}" for n in range(1, volumes + 1))]:
            with open(os.path.join(folder, f"{name}.lockbox{suffix}"), "rb") as part:
                shutil.copyfileobj(part, whole)
        whole.flush()
        return make_vectors.Parts(whole.name)


def other(chance, value):
    if isinstance(value, int):
        return chance.choice([value + 1, max(value - 1, 0), 0, 1, value ^ 1 << chance.randrange(12), value + 1000])
    if isinstance(value, bytes):
        at = chance.randrange(len(value))
        return value[:at] + bytes([value[at] ^ 1 << chance.randrange(8)]) + value[at + 1:]
    return (*value[:-1], *chance.choices(range(4), k=chance.randrange(3)))  # a member's contents


def change(chance, parts):
    rows = getattr(parts, chance.choice(TABLES))
    at, how = chance.randrange(len(rows)), chance.randrange(8)
    if how == 0:
        rows.insert(chance.randrange(len(rows)), copy.copy(rows[at]))
    elif how == 1:
        rows.insert(chance.randrange(len(rows)), rows.pop(at))
    elif how == 2:
        del rows[at]
    else:
        key = chance.randrange(len(rows[at]))
        rows[at][key] = other(chance, rows[at][key])
    make_vectors.with_manifest(reader.find_manifest(parts.f0))(parts)  # the listing is that of the members


def is_taken(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode not in (0, 3):
        sys.exit(f"{command}: exit code {done.returncode}: {done.stderr}")
    return done.returncode == 0


def differ(tool, folder, good, seed):
    """None, or what the readers think of the bundle with this seed; "" for a change that no file can hold."""
    chance = random.Random(seed)
    parts = copy.deepcopy(chance.choice(good))
    try:
        data = b"".join(parts.join(lambda _: None, tables=lambda parts: change(chance, parts)))
    except make_vectors.struct.error:
        return ""
    with tempfile.TemporaryDirectory() as work:
        for lent in ("lender.lockbox", "lender.lockbox.001"):
            shutil.copy(os.path.join(folder, lent), work)
        path = os.path.join(work, "x.lockbox")
        make_vectors.put(path, data)
        second = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reader.py")
        verdicts = is_taken(tool, "check", work, "x.lockbox"), is_taken(sys.executable, "-B", second, path)
    return None if verdicts[0] == verdicts[1] else f"seed {seed}: taken by ours, by the second: {verdicts}"


def main():
    tool, folder = sys.argv[1:3]
    count, seed = (int(word) for word in (sys.argv[3:] + ["150", "1"][len(sys.argv) - 3:]))
    good = [load(folder, name, volumes) for name, volumes in SOURCES]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda n: differ(tool, folder, good, n), range(seed, seed + count)))
    complaints = [result for result in results if result]
    print(*complaints, f"{count - results.count('')} bundles read twice, {len(complaints)} complaints", sep="\n")
    sys.exit(bool(complaints) or results.count("") > count / 10)


if __name__ == "__main__":
    main()
