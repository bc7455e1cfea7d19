#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""none_skipped.py RESULTS.xml: exit code 1 unless every test that CTest knows was run.

RESULTS.xml is what `ctest --output-junit` wrote. A test program that skipped some of its own cases counts as
skipped too. Only cli/real_lockbox may be skipped, and only where AIRLOCK_REAL_LOCKBOX is not set.
"""

import os
import re
import sys
import xml.etree.ElementTree as ElementTree

SKIPPED_INSIDE = re.compile(r"\[  SKIPPED \]|\(.*skipped=\d+.*\)")  # cmocka; Python's unittest


def main(path):
    cases = ElementTree.parse(path).getroot().findall("testcase")
    missed = [case.get("name") for case in cases if not was_run(case)]
    if "AIRLOCK_REAL_LOCKBOX" not in os.environ and "cli/real_lockbox" in missed:
        missed.remove("cli/real_lockbox")
    if not cases:
        return "there is no test"
    if missed:
        return "not run, or skipped: " + ", ".join(missed)
    return 0


def was_run(case):
    output = case.findtext("system-out") or ""
    return case.get("status") in ("run", "fail") and case.find("skipped") is None \
        and not SKIPPED_INSIDE.search(output)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
