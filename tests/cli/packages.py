#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Packages that are files: elsewhere than in the account, in folders, in several lockboxes."""

import scenario
from scenario import Scenario, tree


class Packages(Scenario):
    def setUp(self):
        super().setUp()
        self.login()

    def add(self, name, *options, hwid="press-mcu", size="64K"):
        self.cloud.tell("package", "add", name, "1.0", "--hwid", hwid, "--random", size, *options)
        return f"{name}-1.0"

    def define(self, lockbox, *packages):
        self.cloud.tell("lockbox", "define", lockbox, *packages)

    def test_a_package_at_another_address_is_fetched_without_the_login(self):
        package = self.add("elsewhere", "--uri", "hosted")
        self.define("away", package)
        self.cloud.clear_log()
        self.ok("prepare", "away", self.stick, "--as", "plain")
        asked = self.cloud.targets_asked_for()
        self.assertEqual(len(asked), 1, asked)
        self.assertFalse(asked[0]["authorization"])
        self.assertEqual(len(tree(self.stick)[f"update/images/{package}"]), 64 << 10)
        self.assertEqual(self.ok("verify", self.stick / "update")["verdict"], "install")

    def test_a_package_in_folders_keeps_its_name(self):
        package = self.add("boot/loaders/press")
        self.define("deep", package)
        self.ok("prepare", "deep", self.stick)
        self.ok("apply", self.bundle(), "--to", self.home / "update")
        self.assertTrue((self.home / "update/images/boot/loaders/press-1.0").is_file())
        self.assertEqual(self.ok("verify", self.home / "update")["verdict"], "install")

    def test_a_package_of_two_lockboxes_is_fetched_once(self):
        shared, own = self.add("shared"), self.add("own", hwid="pump-mcu")
        self.define("first", shared)
        self.define("second", shared, own)
        self.ok("fetch", "first")
        self.cloud.clear_log()
        self.ok("fetch", "second")
        self.assertEqual(len(self.cloud.targets_asked_for()), 1)
        for lockbox, files in (("first", 1), ("second", 2)):
            stick = self.home / lockbox
            stick.mkdir()
            self.ok("write", lockbox, stick, "--as", "plain")
            self.assertEqual(len([path for path in tree(stick) if "/images/" in path]), files)
            self.assertEqual(self.ok("verify", stick / "update")["verdict"], "install")


if __name__ == "__main__":
    scenario.main()
