#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""write --dry-run, and what is said before the first byte: room in clusters, the label, the version that is there."""

import json
import os
import subprocess

import medium
import mock_stick
import scenario
from scenario import AIRLOCK, names, tree


class Plan(medium.Mounting):
    def setUp(self):
        super().setUp()
        self.ok("fetch", "pump-7")

    def planned(self, *words):
        before = tree(self.stick)
        [plan] = self.ok("write", "pump-7", self.stick, "--dry-run", *words)["planned"]
        self.assertEqual(tree(self.stick), before, "something was written")
        return plan

    def test_nothing_is_written_and_the_plan_is_what_then_happens(self):
        for words in ((), ("--single",), ("--as", "plain"), ("--as", "squashfs")):
            with self.subTest(words=words):
                plan = self.planned(*words)
                self.assertNotIn("stored_bytes", plan)
                [written] = self.ok("write", "pump-7", self.stick, *words)["written"]
                self.assertEqual((plan["path"], plan["files"], plan["raw_bytes"]),
                                 (written["path"], written["files"], written["raw_bytes"]))
                self.assertLessEqual(plan["least_bytes"], max(written["stored_bytes"], plan["least_bytes"]))
                self.assertLessEqual(written["stored_bytes"], plan["most_bytes"])

    def test_clusters_are_counted_for_every_file(self):
        plan = self.planned("--as", "plain")
        cluster = plan["cluster_bytes"]
        self.assertEqual(cluster, os.statvfs(self.stick).f_bsize)
        self.ok("write", "pump-7", self.stick, "--as", "plain")
        self.assertEqual(plan["least_bytes"], sum(-(-len(content) // cluster) * cluster
                                                  for content in tree(self.stick / "update").values()))

    def test_what_cannot_fit_is_refused_before_the_first_byte(self):
        self.mount(self.stick, "4M")
        outcome = self.refuses(6, "no-space", "write", "pump-7", self.stick, "--as", "plain", says="clusters")
        self.assertIn("are free", outcome.stderr)
        self.refuses(6, "no-space", "write", "pump-7", self.stick, "--as", "plain", "--dry-run")
        self.ok("write", "pump-7", self.home / "x.lockbox")
        self.mount(self.home / "small", "1M")
        self.refuses(6, "no-space", "write", self.home / "x.lockbox", self.home / "small")
        self.assert_stick_is_empty()
        self.assertEqual(names(self.home / "small"), [])

    def test_what_may_not_fit_is_tried_and_said(self):
        self.mount(self.stick, "4M")  # the packages have 9 MB, and compress to less than 2
        plan = self.planned()
        self.assertTrue(any("may take up to" in remark for remark in plan["remarks"]), plan["remarks"])
        outcome = self.airlock("write", "pump-7", self.stick)
        self.assertEqual(outcome.code, 0, str(outcome))
        self.assertIn("warning: it may take up to", outcome.stderr)

    def test_the_version_that_is_there_is_named(self):
        self.assertEqual(self.planned("--as", "plain")["version_there"], 0)
        self.ok("write", "pump-7", self.stick, "--as", "plain")
        self.assertEqual(self.planned("--as", "plain")["version_there"], 1)
        self.assertIn("version 1 of it", self.airlock("write", "pump-7", self.stick, "--dry-run", "--as", "plain").stdout)

    def test_a_folder_is_not_made_and_no_key_either(self):
        self.planned()
        self.assertEqual(names(self.stick), [])
        self.assertFalse(list(self.home.rglob("bundle.key")), "a key was made for a plan")

    def on_stick(self, *words, label, file_system="vfat"):
        """The plan for a stick, which is a mock over a file system in memory that is really mounted."""
        number = os.stat(self.stick).st_dev
        under = mock_stick.plug_in(self.home, number=f"{os.major(number)}:{os.minor(number)}", label=label,
                                   file_system=file_system)
        done = subprocess.run([*under, AIRLOCK, "--json", "write", "pump-7", self.stick, "--as", "plain", "--dry-run",
                               *words], cwd=self.home, env=self.env | mock_stick.ENV, capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["planned"][0]

    def test_the_label_is_held_against_the_folder_that_the_device_polls(self):
        self.mount(self.stick, "64M")
        device = self.home / "device.json"
        ecus = [{"hardware_id": "verdin-imx8mm", "primary": True}, {"hardware_id": "pump-mcu"},
                {"hardware_id": "pump-recipes"}]
        device.write_text(json.dumps({"schema": 1, "ecus": ecus, "source": "/var/rootdirs/media/UPDATES/update"}))
        plan = self.on_stick("--device", device, label="UPDATES")
        self.assertEqual((plan["label"], [r for r in plan["remarks"] if "label" in r]), ("UPDATES", []))
        plan = self.on_stick("--device", device, label="OTHER")
        self.assertTrue(any("looks into" in remark and "OTHER" in remark for remark in plan["remarks"]), plan["remarks"])
        plan = self.on_stick(label="")
        self.assertTrue(any("no label" in remark for remark in plan["remarks"]), plan["remarks"])

    def test_wrong_input(self):
        self.refuses(2, "no-such-path", "write", "pump-7", self.home / "none", "--dry-run")
        self.refuses(2, "not-fetched", "write", "none", self.stick, "--dry-run")
        self.refuses(2, "no-such-path", "write", "pump-7", self.stick, "--device", self.home / "none.json")


if __name__ == "__main__":
    medium.enter_namespace()
    scenario.main()
