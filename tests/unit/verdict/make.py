#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Lockboxes for t_verdict.c, one per rule, signed by a library that airlock does not use.

    make.py OUT

    OUT/<case>/{director,image-repo}/*.json     the metadata
    OUT/<case>/trust/{director,repo}.json       the roots to start from
    OUT/<case>/device.json                      what is known of the device, in some
    OUT/cases.tsv      case, hardware ids, lockbox, trust (yes|no), valid (yes|no), outcome, problems

`problems` is the complete list, in order, as "id path", parted by ", ". Every case is judged at box.NOW.
Keys are fresh in every run.
"""

import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "cloud"))

import cases_device  # noqa: F401  each registers its cases
import cases_files  # noqa: F401
import cases_image_repo  # noqa: F401
import cases_lockbox  # noqa: F401
import cases_roots  # noqa: F401
import cases_signatures  # noqa: F401
from box import CASES


def main(out):
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda case: case[1](out / case[0]), CASES))
    (out / "cases.tsv").write_text("".join(map(line, CASES)))


def line(case):
    name, _, (hardware, lockbox, trust, valid, outcome, problems) = case
    yes = {True: "yes", False: "no"}
    return "\t".join([name, hardware, lockbox, yes[trust], yes[valid], outcome,
                      ", ".join(problems)]) + "\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
