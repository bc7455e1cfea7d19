#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""airlock's verdicts against those of device_model.py, on random lockboxes.

    compare.py JUDGE [FIRST [COUNT]] [--keep FOLDER] [--stricter]

A seed fails where airlock says "install" and the device may do anything else, where airlock refuses what the device
installs without one of the reasons of docs/strictness.md, and where the two differ about "nothing". Unknown roots
count as every root that the device may hold.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import datetime
from itertools import product
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "cloud"), str(TESTS / "unit" / "verdict")]

from box import NOW  # noqa: E402
from device_model import Refused, Root, Unknown, decide, unparse  # noqa: E402
from random_box import make  # noqa: E402

BATCH = 250
TIME = "%Y-%m-%dT%H:%M:%SZ"
FIELDS = {"director": "director", "image-repo": "image_repo"}

# Reasons that the device does not have, in whatever lockbox they turn up: docs/strictness.md.
ALWAYS_STRICTER = {"secondary-root", "stored-newer", "target-mismatch"}


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("judge")
    args.add_argument("first", nargs="?", type=int, default=1)
    args.add_argument("count", nargs="?", type=int, default=150)
    args.add_argument("--keep", type=Path, help="leave the lockboxes in this folder")
    args.add_argument("--stricter", action="store_true", help="tell where airlock refuses what the device installs")
    args = args.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    tally, failures = Counter(), 0
    for first in range(args.first, args.first + args.count, BATCH):
        seeds = range(first, min(first + BATCH, args.first + args.count))
        with tempfile.TemporaryDirectory() as temporary:
            failures += compare(args, seeds, args.keep or Path(temporary), tally)
    for (ours, theirs), count in sorted(tally.items()):
        print(f"{count:6}  airlock {ours:8} device {theirs}")
    if tally.total() >= 100:
        failures += require_variety(tally)
    sys.exit(1 if failures else 0)


def compare(args, seeds, folder, tally):
    cases = {f"seed-{seed}": make(seed, folder / f"seed-{seed}") for seed in seeds}
    lines = [f"{name}\t{','.join(case.hardware)}\n" for name, case in cases.items()]
    (folder / "cases.tsv").write_text("".join(lines))
    answer = subprocess.run([args.judge], env={**os.environ, "AIRLOCK_VERDICT_CASES": str(folder)}, text=True,
                            stdout=subprocess.PIPE, check=True).stdout
    failures = 0
    for line in answer.splitlines():
        name, ours, problems = line.split("\t")
        theirs = answers(folder / name, cases[name])
        verdicts = {verdict for verdict, _ in theirs}
        tally[ours, "/".join(sorted(verdicts))] += 1
        wrong = complaint(ours, problems, verdicts, cases[name])
        failures += bool(wrong)
        if wrong or args.stricter and ours == "refuse" and verdicts == {"install"}:
            print(f"{name}: {wrong or 'stricter'}\n  airlock: {ours} ({problems})\n  device: {theirs}\n"
                  f"  {cases[name].plan}")
    return failures + (len(answer.splitlines()) != len(cases))


def complaint(ours, problems, theirs, case):
    if theirs == {ours} or "unknown" in theirs or ours == "no-answer":
        return ""
    if ours == "install":
        return "FALSE INSTALL"
    if ours in theirs or ours == "refuse" and reasons(problems) & (case.stricter | ALWAYS_STRICTER):
        return ""
    return "they differ"


def reasons(problems):
    return {problem.split(" ")[0] for problem in problems.split(", ")}


def answers(folder, case):
    """All that the device may do, given what is known of it."""
    state = json.loads((folder / "device.json").read_bytes()) if (folder / "device.json").exists() else {}
    now = datetime.strptime(NOW, TIME)
    if "clock" in state:
        now += datetime.strptime(state["clock"], TIME) - datetime.strptime(state["clock_checked_at"], TIME)
    given = {}
    for roots in product(*(roots_held(folder, repo, state) for repo in FIELDS)):
        held = {FIELDS[repo]: [json.loads(r) for r in some] for repo, some in zip(FIELDS, roots)}
        try:
            verdict = decide(folder, {}, case.hardware, now.strftime(TIME), {**state, "roots": held})
        except Unknown as unknown:
            verdict = ("unknown", str(unknown))
        given[verdict] = None
    return list(given)


def roots_held(folder, repo, state):
    """The chains of roots that the device may have stored."""
    if known := state.get("roots", {}).get(FIELDS[repo]):
        return [[unparse(root) for root in known]]
    trusted = (folder / "trust" / f"{'repo' if repo == 'image-repo' else repo}.json").read_bytes()
    chains = [[trusted]]
    try:
        root = Root(trusted)
        while (path := folder / repo / f"{root.version + 1}.root.json").exists() and path.stat().st_size <= 64 << 10:
            root = Root(path.read_bytes(), root)
            chains.append([*chains[-1], path.read_bytes()])
    except (Refused, ValueError):
        pass
    return chains if state.get("stored") else chains[:1]


def require_variety(tally):
    """A generator that makes only lockboxes of one kind tests nothing."""
    counts = Counter()
    for (ours, theirs), count in tally.items():
        counts[ours] += count
    if all(counts[verdict] * 20 >= tally.total() for verdict in ("install", "refuse", "nothing")) \
            and counts["no-answer"] * 20 < tally.total():
        return 0
    print(f"too little of one kind: {dict(counts)}")
    return 1


if __name__ == "__main__":
    main()
