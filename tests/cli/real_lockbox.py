#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""real_lockbox.py AIRLOCK: judges a lockbox that the real Torizon Cloud signed.

AIRLOCK_REAL_LOCKBOX names its folder; without it the test is skipped (exit code 77). It is one particular lockbox: the
director's side only, so no image repository vouches for its targets, and no root is pinned, so its own first root is
where trust starts. All of its director roles were in date at GOOD_TIME, and none is today.
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

GOOD_TIME = "2024-01-01T20:01:00Z"
SKIPPED = 77


class RealLockbox(unittest.TestCase):
    def test_every_director_role_was_good_in_its_time(self):
        code, answer = verify("--at", GOOD_TIME)
        director = [role for role in answer["roles"] if role["path"].startswith("director/")]
        self.assertEqual([role["name"] for role in director],
                         ["root", "root", "root", "offline-snapshot", "test1"])
        self.assertEqual([role["path"] for role in director if not role["good"]], [])
        self.assertEqual(answer["correlation_id"], "urn:tdx-ota:lockbox:test1:1:188c4ce5faa5")
        self.assertIs(answer["valid"], False)
        self.assertEqual(answer["verdict"], "refuse")
        self.assertEqual(code, 3)

    def test_the_missing_image_repository_is_the_only_problem(self):
        _, answer = verify("--at", GOOD_TIME)
        self.assertEqual([problem["id"] for problem in answer["problems"]], ["missing-image-repo"])

    def test_each_expired_role_is_named_today(self):
        code, answer = verify()
        expired = [problem["role"] for problem in answer["problems"] if problem["id"] == "expired-role"]
        others = [problem["id"] for problem in answer["problems"] if problem["id"] != "expired-role"]
        self.assertEqual(sorted(expired), ["director/3.root.json", "director/offline-snapshot.json",
                                           "director/test1.json"])
        self.assertEqual(others, ["missing-image-repo"])
        self.assertEqual(code, 3)

    def test_its_own_first_root_is_said_to_be_the_start(self):
        _, answer = verify("--at", GOOD_TIME)
        self.assertTrue(any("1.root.json" in assumed for assumed in answer["assumed"]), answer["assumed"])


def verify(*options):
    """The exit code and the answer of a user who has never run airlock before."""
    with tempfile.TemporaryDirectory() as home:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")}
        run = subprocess.run([AIRLOCK, "verify", "--json", *options, LOCKBOX], env=environment | {"HOME": home},
                             stdout=subprocess.PIPE, check=False)
    return run.returncode, json.loads(run.stdout)


if __name__ == "__main__":
    LOCKBOX = os.environ.get("AIRLOCK_REAL_LOCKBOX")
    if not LOCKBOX:
        print("skipped: AIRLOCK_REAL_LOCKBOX names no lockbox")
        sys.exit(SKIPPED)
    AIRLOCK = sys.argv.pop(1)
    unittest.main()
