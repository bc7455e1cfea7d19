#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""An older version of a lockbox does not take the place of a newer one by accident."""

from datetime import datetime, timedelta, timezone

import scenario
from scenario import Scenario, tree


class Older(Scenario):
    """`old` is a bundle of version 1; the store has version 2."""

    def setUp(self):
        super().setUp()
        self.login()
        self.box = f"box-{self._testMethodName[-20:].replace('_', '-')}"  # a name of its own: versions only grow
        self.old, self.kept = self.home / "old.lockbox", self.home / "kept.lockbox"
        self.cloud.tell("lockbox", "define", self.box, "pump-controller-2.4.1")
        self.ok("prepare", self.box, self.old)
        self.cloud.tell("lockbox", "define", self.box, "pump-recipes-2026.11")
        self.ok("fetch", self.box)

    def refuses_older(self, *words, there="version 2"):
        before = tree(self.home)
        outcome = self.refuses(3, "newer-is-there", *words, says=[self.box, there, "version 1"])
        self.assertIn("remove", outcome.stderr)
        self.assertEqual(tree(self.home), before, "a refusal changed something")

    def test_the_folder_that_a_device_reads(self):
        self.ok("write", self.box, self.stick, "--as", "plain")
        self.refuses_older("write", self.old, self.stick, "--as", "plain")
        self.ok("write", self.box, self.stick, "--as", "plain")

    def test_the_image_that_a_device_mounts(self):
        self.ok("write", self.box, self.stick, "--as", "squashfs")
        self.refuses_older("write", self.old, self.stick, "--as", "squashfs")
        [written] = self.ok("write", self.box, self.stick, "--as", "squashfs")["written"]
        self.assertEqual(written["version_there"], 2)

    def test_a_bundle_under_a_name_of_its_own(self):
        self.ok("write", self.box, self.kept)
        self.refuses_older("write", self.old, self.kept)
        self.ok("write", self.box, self.kept)

    def test_the_folder_that_apply_makes(self):
        self.ok("write", self.box, self.kept)
        self.ok("apply", self.kept, "--to", self.home / "device")
        self.refuses_older("apply", self.old, "--to", self.home / "device")

    def test_it_counts_when_it_has_ended(self):
        now = datetime.now(timezone.utc)
        end, later = (f"{now + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}" for days in (10, 20))
        self.cloud.tell("lockbox", "define", self.box, "pump-recipes-2026.11", "--expires", end)
        self.ok("prepare", self.box, self.stick, "--as", "plain")
        self.refuses_older("--at", later, "write", self.old, self.stick, "--as", "plain", there="version 3")

    def test_newer_ones_and_other_lockboxes_take_the_place(self):
        self.ok("write", self.old, self.stick, "--as", "plain")
        self.ok("write", self.box, self.stick, "--as", "plain")
        self.cloud.tell("lockbox", "define", self.box + "-other", "pump-controller-2.4.1")
        self.ok("prepare", self.box + "-other", self.stick, "--as", "plain")
        self.ok("write", self.old, self.stick, "--as", "plain")

    def test_what_cannot_be_read_is_no_obstacle(self):
        self.ok("write", self.box, self.stick, "--as", "plain")
        (self.stick / "update/metadata/director/offline-snapshot.json").write_text("{}")
        self.ok("write", self.old, self.stick, "--as", "plain")
        self.kept.write_bytes(b"no bundle")
        self.ok("write", self.old, self.kept)

    def test_beside_each_other_both_stay_with_a_warning(self):
        self.ok("write", self.box, self.stick)
        outcome = self.airlock("-q", "write", self.old, self.stick)
        self.assertEqual(outcome.code, 0, str(outcome))
        self.assertIn(f"airlock: warning: version 2 of lockbox '{self.box}' lies beside it", outcome.stderr)
        self.assertIn("hint: a device that has used the newer one", outcome.stderr)
        self.assertEqual(len(list((self.stick / "airlock").glob("*.lockbox"))), 2)
        self.assertNotIn("warning", self.airlock("write", self.box, self.stick).stderr)


if __name__ == "__main__":
    scenario.main()
