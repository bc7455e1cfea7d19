#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""write --share, repack and remove: bundles on one stick that have their contents in common only once."""

import shutil

import scenario
from scenario import Scenario, names, tree

OLD, NEW = "large-1", "pump-controller-2.4.1"
LARGE = 24 << 20


class Sharing(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cloud.tell("package", "add", "large", "1", "--hwid", "large-mcu", "--random", "24M")

    def setUp(self):
        super().setUp()
        self.login()
        self.define(OLD)
        self.addCleanup(self.cloud.tell, "lockbox", "delete", "line")
        self.first = self.write("line")

    def define(self, *packages):
        self.cloud.tell("lockbox", "define", "line", *packages)
        self.ok("fetch", "line")

    def write(self, *words):
        [written] = self.ok("write", *words, self.stick)["written"]
        return written

    def on_stick(self):
        return names(self.stick / "airlock")

    def unpacked(self, bundle):
        folder = self.home / "unpacked"
        self.ok("apply", bundle, "--to", folder)
        files = tree(folder)
        shutil.rmtree(folder)
        return files

    def share(self):
        self.define(OLD, NEW)
        return self.write("line", "--share")

    def test_what_is_on_the_stick_is_not_written_again(self):
        second = self.share()
        self.assertTrue(second["path"].endswith(".shared.lockbox"), second["path"])
        self.assertGreater(second["shared_bytes"], LARGE - 1)
        self.assertEqual([s.rsplit("/", 1)[-1] for s in second["shares_with"]],
                         [self.first["path"].rsplit("/", 1)[1] + ".001"])
        self.assertLess(second["stored_bytes"], 1 << 20)
        items = self.ok("verify", self.stick)["items"]
        self.assertEqual([(item["valid"], item["problems"]) for item in items], [(True, [])] * 2)
        self.ok("write", "line", self.home / "whole.lockbox")
        self.assertEqual(self.unpacked(second["path"]), self.unpacked(self.home / "whole.lockbox"))
        checked = self.ok("check", second["path"])["items"][0]
        self.assertEqual({member["state"] for member in checked["members"]}, {"ok"})

    def test_the_same_again_writes_its_head_alone(self):
        second = self.share()
        before = tree(self.stick)
        again = self.write("line", "--share")
        self.assertEqual(again["path"], second["path"])
        self.assertEqual(tree(self.stick), before)

    def test_people_are_told(self):
        self.define(OLD, NEW)
        outcome = self.airlock("write", "line", self.stick, "--share")
        self.assertEqual(outcome.code, 0, str(outcome))
        self.assertIn("shared", outcome.stdout)
        self.assertIn(self.first["path"].rsplit("/", 1)[1] + ".001", outcome.stdout)

    def test_nothing_in_common_and_a_whole_one_there_are_ordinary_bundles(self):
        self.define(NEW)
        second = self.write("line", "--share")
        self.assertFalse(second["path"].endswith(".shared.lockbox"))
        self.assertEqual((second["shared_bytes"], second["shares_with"]), (0, []))
        self.define(OLD, NEW)
        third = self.write("line")
        self.assertEqual(self.write("line", "--share")["path"], third["path"])

    def test_what_is_lent_is_not_removed_and_repack_makes_it_whole(self):
        second = self.share()
        self.refuses(3, "bundle-needed", "remove", self.first["path"], says=second["path"].rsplit("/", 1)[1])
        self.assertIn(self.first["path"].rsplit("/", 1)[1], self.on_stick())
        expected = self.unpacked(second["path"])
        whole = self.ok("repack", second["path"])
        self.assertEqual(whole["path"], second["path"].replace(".shared", ""))
        self.assertNotIn(second["path"].rsplit("/", 1)[1], self.on_stick(), "the shared one is left")
        removed = self.ok("remove", self.first["path"])["removed"]
        self.assertEqual([item["path"] for item in removed], [self.first["path"]])
        name = whole["path"].rsplit("/", 1)[1]
        self.assertEqual(self.on_stick(), sorted(["README.txt", name, name + ".001"]))
        self.assertEqual(self.unpacked(whole["path"]), expected)

    def test_a_lender_that_is_lost_is_named(self):
        second = self.share()
        lender = self.first["path"] + ".001"
        (self.stick / "airlock" / lender.rsplit("/", 1)[1]).rename(self.home / "lost")
        outcome = self.refuses(3, "volume-missing", "apply", second["path"], "--to", self.home / "update")
        self.assertIn(lender.rsplit("/", 1)[1], outcome.stderr)
        checked = self.airlock("--json", "check", second["path"])
        self.assertEqual(checked.code, 3, str(checked))

    def test_a_damaged_lender_lends_nothing(self):
        payload = self.stick / "airlock" / (self.first["path"].rsplit("/", 1)[1] + ".001")
        data = bytearray(payload.read_bytes())
        data[len(data) // 2] ^= 1
        payload.write_bytes(data)
        second = self.share()
        self.assertEqual(second["shares_with"], [])
        self.ok("verify", second["path"])

    def test_it_is_not_copied_elsewhere(self):
        second = self.share()
        outcome = self.refuses(3, "bundle-shared", "write", second["path"], self.home)
        self.assertIn("airlock repack", outcome.stderr)
        self.refuses(3, "bundle-shared", "write", second["path"], self.home, "--dry-run")
        self.assertFalse((self.home / "airlock").exists(), "something was made for it")
        self.ok("repack", second["path"], self.home / "whole.lockbox")
        self.assertTrue((self.home / "whole.lockbox").exists())
        self.assertIn(second["path"].rsplit("/", 1)[1], self.on_stick(), "it was written elsewhere")
        self.ok("verify", self.home / "whole.lockbox")

    def test_repack_cuts_somebody_elses_bundle_another_way(self):
        self.ok("write", "line", self.home / "one.lockbox", "--single")
        self.ok("repack", self.home / "one.lockbox", self.home / "several.lockbox", "--volume-size", "8M")
        volumes = [name for name in names(self.home) if name.startswith("several.lockbox.")]
        self.assertGreaterEqual(len(volumes), 3)
        self.assertEqual(self.unpacked(self.home / "several.lockbox"), self.unpacked(self.home / "one.lockbox"))
        self.ok("repack", self.home / "several.lockbox", self.home / "again.lockbox", "--single")
        self.assertEqual((self.home / "again.lockbox").read_bytes(), (self.home / "one.lockbox").read_bytes())

    def test_it_is_countersigned_where_it_lies(self):
        second = self.share()
        before = tree(self.stick)
        self.ok("--state", self.home / "room", "sign", second["path"])
        after = tree(self.stick)
        self.assertEqual([path for path in after if after[path] != before.get(path)],
                         ["airlock/" + second["path"].rsplit("/", 1)[1]])
        self.assertEqual(len(self.ok("verify", second["path"])["signers"]), 2)

    def test_wrong_input(self):
        self.refuses(2, "usage", "write", "line", self.stick, "--share", "--single")
        self.refuses(2, "usage", "write", "line", self.stick, "--share", "--as", "plain")
        self.refuses(2, "usage", "write", self.first["path"], self.home, "--share")
        self.refuses(2, "usage", "repack", self.first["path"], self.stick, "--single", "--volume-size", "8M")
        self.refuses(2, "no-such-path", "repack", self.home / "none.lockbox")
        self.refuses(2, "no-such-path", "remove", self.home / "none.lockbox")
        file = self.home / "note.txt"
        file.write_text("keep me")
        self.refuses(2, "usage", "remove", file)
        self.assertTrue(file.exists())


if __name__ == "__main__":
    scenario.main()
