#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""diff: what changes from one lockbox to another, whatever each of them lies in."""

import scenario
from scenario import Scenario

PACKAGES = ("bootloader/verdin-imx8mm-6.8.0", "pump-controller-2.4.1", "pump-recipes-2026.11")
RECIPES = 8 << 20


class Diff(Scenario):
    def setUp(self):
        super().setUp()
        self.login()
        self.cloud.tell("lockbox", "define", "pump-7", *PACKAGES)
        self.ok("fetch", "pump-7")

    def redefine(self, *packages):
        """The lockbox of before stays on the stick, the new one is fetched."""
        self.ok("write", "pump-7", self.stick)
        self.ok("write", "pump-7", self.stick, "--as", "plain")
        self.cloud.tell("lockbox", "define", "pump-7", *packages)
        self.ok("fetch", "pump-7")

    def changes(self, a, b):
        found = self.ok("diff", a, b)
        return {row["hardware_id"]: row["change"] for row in found["packages"]}, found

    def test_a_lockbox_is_the_same_wherever_it_lies(self):
        self.ok("write", "pump-7", self.stick)
        self.ok("write", "pump-7", self.stick, "--as", "plain")
        for a in ("pump-7", self.bundle(), self.stick / "update"):
            for b in ("pump-7", self.bundle(), self.stick / "update"):
                changes, found = self.changes(a, b)
                self.assertEqual(set(changes.values()), {"same"}, (a, b))
                self.assertEqual((found["added"]["files"], found["removed"]["files"]), (0, 0), (a, b))
                self.assertEqual(found["same"]["files"], len(PACKAGES))

    def test_a_package_that_goes_and_one_that_comes(self):
        self.redefine(*PACKAGES[:2])
        for old in (self.bundle(), self.stick / "update"):
            changes, found = self.changes(old, "pump-7")
            self.assertEqual(changes, {"verdin-imx8mm": "same", "pump-controller-mcu": "same",
                                       "pump-recipes": "removed"})
            self.assertEqual((found["from"]["version"] + 1, found["removed"]),
                             (found["to"]["version"], {"files": 1, "bytes": RECIPES}))
            self.assertEqual(self.changes("pump-7", old)[0]["pump-recipes"], "added")
        shown = self.airlock("diff", self.bundle(), "pump-7").stdout
        self.assertIn("removed      pump-recipes: pump-recipes-2026.11, 8.0 MiB", shown)

    def test_a_package_in_another_version(self):
        self.cloud.tell("package", "add", "pump-recipes", "2027.01", "--hwid", "pump-recipes", "--random", "4K")
        self.redefine(*PACKAGES[:2], "pump-recipes-2027.01")
        changes, found = self.changes(self.bundle(), "pump-7")
        self.assertEqual(changes["pump-recipes"], "changed")
        self.assertEqual((found["added"], found["removed"]),
                         ({"files": 1, "bytes": 4096}, {"files": 1, "bytes": RECIPES}))

    def test_what_is_no_lockbox(self):
        self.refuses(2, "not-fetched", "diff", "pump-7", "pump-8", says="pump-8")
        self.refuses(2, "no-such-path", "diff", "pump-7", "nowhere/x.lockbox")
        self.assertFalse((self.home / "nowhere").exists())
        self.refuses(2, "not-a-lockbox", "diff", self.stick, "pump-7")
        (self.home / "text.lockbox").write_text("no bundle")
        self.refuses(3, "not-a-bundle", "diff", "pump-7", self.home / "text.lockbox")


if __name__ == "__main__":
    scenario.main()
