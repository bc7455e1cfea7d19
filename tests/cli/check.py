#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""check: what became of each frame and file."""

import subprocess
from pathlib import Path

import scenario
from scenario import AIRLOCK, Scenario, tree

BAD_SECTOR = Path(__file__).with_name("bad_sector.py")


class Check(Scenario):
    def setUp(self):
        super().setUp()
        self.login()
        self.ok("fetch", "pump-7")

    def write(self, *options):
        self.ok("write", "pump-7", self.stick, *options)
        return self.bundle()

    def check(self, path, code=3):
        outcome = self.airlock("--json", "check", path)
        self.assertEqual(outcome.code, code, str(outcome))
        return outcome.answer["items"]

    def states(self, parts):
        return {part["state"] for part in parts}

    def assert_costs(self, item, state):
        """Some frames and some files are lost, and the signed roles are not among them."""
        self.assertEqual(item["state"], state)
        self.assertEqual(self.states(item["frames"]), {"ok", state})
        self.assertEqual(self.states(item["members"]), {"ok", state})
        for member in item["members"]:
            if member["path"].startswith("metadata/"):
                self.assertEqual(member["state"], "ok")

    def test_a_good_stick_is_ok_in_every_part(self):
        self.write()
        self.ok("write", "pump-7", self.stick, "--as", "plain")
        bundle, plain = self.check(self.stick, 0)
        self.assertEqual((bundle["kind"], bundle["state"], plain["kind"], plain["state"]),
                         ("bundle", "ok", "plain", "ok"))
        self.assertEqual(self.states(bundle["frames"]) | self.states(bundle["members"]), {"ok"})
        expected = {path for path in tree(self.stick / "update") if not path.startswith("airlock")}
        self.assertEqual({member["path"] for member in bundle["members"]}, expected)

    def test_a_damaged_frame_costs_the_files_in_it_and_no_others(self):
        bundle = self.write()
        volume = bundle.with_name(bundle.name + ".001")
        good = self.check(bundle, 0)[0]
        frame = [f for f in good["frames"] if f["volume"] == 1][0]
        data = bytearray(volume.read_bytes())
        data[frame["offset"] + frame["bytes"] // 2] ^= 1
        volume.write_bytes(data)
        item = self.check(bundle)[0]
        self.assert_costs(item, "damaged")
        self.assertEqual([f["offset"] for f in item["frames"] if f["state"] != "ok"], [frame["offset"]])
        text = self.airlock("check", bundle).stdout
        lost = [m["path"] for m in item["members"] if m["state"] == "damaged"]
        for member in item["members"]:
            self.assertEqual(member["path"] in text.split(), member["path"] in lost)
        self.assertIn(item["members"][0]["path"], self.airlock("-v", "check", bundle).stdout)

    def test_lost_and_foreign_volumes_are_told_apart(self):
        bundle = self.write()
        volume = bundle.with_name(bundle.name + ".001")
        good = volume.read_bytes()
        volume.unlink()
        self.assert_costs(self.check(bundle)[0], "missing")
        changed = bytearray(good)
        changed[20] ^= 1  # in the volume's id
        volume.write_bytes(changed)
        self.assert_costs(self.check(bundle)[0], "foreign")
        volume.write_bytes(good[:-1])
        item = self.check(bundle)[0]
        self.assertEqual((item["id"], item["frames"][-1]["state"]), ("bundle-truncated", "missing"))

    def test_a_single_file_that_ends_early(self):
        one = self.home / "one.lockbox"
        self.ok("write", "pump-7", one, "--single")
        self.assertEqual(self.check(one, 0)[0]["state"], "ok")
        one.write_bytes(one.read_bytes()[:-1])
        item = self.check(one)[0]
        self.assertEqual(item["frames"][-1]["state"], "missing")
        self.assertEqual(item["members"][0]["state"], "ok")

    def test_a_place_that_cannot_be_read(self):
        bundle = self.write()
        frames = [f for f in self.check(bundle, 0)[0]["frames"] if f["volume"] == 1]
        command = [BAD_SECTOR, str(frames[-1]["offset"]), AIRLOCK, "--json", "check", str(bundle)]
        outcome = self.finish(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                               stderr=subprocess.PIPE, cwd=self.home, env=self.env))
        self.assertEqual(outcome.code, 6, str(outcome))
        item = outcome.answer["items"][0]
        self.assertEqual((item["state"], item["id"]), ("damaged", "medium-io"))
        self.assertEqual([f for f in item["frames"] if f["state"] != "ok"], [frames[-1] | {"state": "damaged"}])

    def test_a_head_that_is_not_good_names_nothing(self):
        bundle = self.write()
        data = bytearray(bundle.read_bytes())
        data[10] ^= 1
        bundle.write_bytes(data)
        item = self.check(bundle)[0]
        self.assertEqual((item["frames"], item["members"]), ([], []))
        self.assertNotEqual(item["state"], "ok")

    def test_a_plain_directory_is_read_as_well(self):
        self.ok("write", "pump-7", self.stick, "--as", "plain")
        [target] = [p for p in (self.stick / "update/images").rglob("*") if p.is_file()][:1]
        good = target.read_bytes()
        target.write_bytes(bytes([good[0] ^ 1]) + good[1:])
        self.assertEqual(self.check(self.stick)[0]["state"], "damaged")
        target.unlink()
        self.assertEqual(self.check(self.stick)[0]["state"], "missing")
        target.write_bytes(good)
        self.check(self.stick / "update", 0)
        self.refuses(2, "no-such-path", "check", self.home / "none")


if __name__ == "__main__":
    scenario.main()
