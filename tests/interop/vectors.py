#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Both readers over all golden vectors: good ones extract to what is listed, broken ones are refused with their id.

    vectors.py BUNDLE_TOOL FOLDER_OF_VECTORS
"""

import concurrent.futures
import hashlib
import os
import re
import subprocess
import sys
import tempfile

MOST_BYTES = 400 << 10  # of the whole folder: vectors are kept for ever, in every clone


def listed(folder):
    """What the folder holds, as sha256sum would say it."""
    paths = sorted(os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder)
                   for name in names)
    lines = []
    for path in paths:
        with open(os.path.join(folder, path), "rb") as file:
            lines.append(f"{hashlib.sha256(file.read()).hexdigest()}  {path}\n")
    return "".join(lines)


def verdict(command, out, expected_listing):
    """The id with which a reader refuses, "good", or what is wrong with it."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=60)
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode == 0:
        return "good" if listed(out) == expected_listing else "extracts something else"
    refusal = re.fullmatch(r"([a-z0-9-]+): [^\n]*", said)
    return refusal[1] if done.returncode == 3 and refusal else f"exit code {done.returncode}: {said}"


def listing_of(folder, name):
    try:
        with open(os.path.join(folder, f"{name}.sha256"), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def both_verdicts(tool, reader, folder, name):
    listing = listing_of(folder, name)
    with tempfile.TemporaryDirectory() as work:
        ours, second = (os.path.join(work, by) for by in ("ours", "second"))
        return [verdict([tool, "extract", folder, f"{name}.lockbox", ours], ours, listing),
                verdict([sys.executable, "-B", reader, os.path.join(folder, f"{name}.lockbox"), second], second, listing)]


def main():
    tool, folder = sys.argv[1:]
    reader = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reader.py")
    with open(os.path.join(folder, "vectors.tsv"), encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for row, verdicts in zip(rows, pool.map(lambda row: both_verdicts(tool, reader, folder, row[0]), rows)):
            if verdicts != [row[1]] * 2:
                print("%s (expected %s, section %s: %s): ours %s, the second reader %s" % (*row, *verdicts))
                bad += 1
    names = {file.split(".lockbox")[0] for file in os.listdir(folder) if ".lockbox" in file}
    if names != {row[0] for row in rows}:
        print("not in vectors.tsv, or not there:", *sorted(names ^ {row[0] for row in rows}))
        bad += 1
    size = sum(os.path.getsize(os.path.join(folder, file)) for file in os.listdir(folder))
    if size > MOST_BYTES:
        print(f"the vectors have {size} bytes")
        bad += 1
    print(f"{len(rows)} vectors read twice, {size} bytes, {bad} complaints")
    sys.exit(bad > 0)


main()
