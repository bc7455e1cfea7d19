#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""verify --device: what one device, of which something is known, would do with the stick."""

import json

import scenario
from scenario import Scenario



class Device(Scenario):
    cloud_options = ("--seed", "demo")  # root rotations, as real accounts have

    def setUp(self):
        super().setUp()
        self.login()
        self.ok("prepare", "pump-7", self.stick, "--as", "plain")
        self.update = self.stick / "update"
        self.targets = self.role("director", "pump-7")["signed"]["targets"]
        self.hardware = sorted({i for t in self.targets.values() for i in t["custom"]["hardwareIds"]})

    def role(self, repo, name):
        return json.loads((self.update / "metadata" / repo / f"{name}.json").read_text())

    def roots(self):
        return {key: [self.role(repo, f"{n}.root") for n in range(1, 9)
                      if (self.update / f"metadata/{repo}/{n}.root.json").exists()]
                for key, repo in (("director", "director"), ("image_repo", "image-repo"))}

    def ecus(self, installed=False):
        """One for each hardware id of the lockbox, all with roots; perhaps with their packages."""
        def package(hardware):
            [(name, target)] = [(n, t) for n, t in self.targets.items()
                                if hardware in t["custom"]["hardwareIds"]]
            return {"name": name, "length": target["length"], "sha256": target["hashes"]["sha256"]}
        return [{"hardware_id": hardware, **({"primary": True} if i == 0 else
                                             {"roots": {"director": 1, "image_repo": 1}}),
                 "installed": package(hardware) if installed else None}
                for i, hardware in enumerate(self.hardware)]

    def verify(self, *options, **state):
        file = self.home / "device.json"
        file.write_text(json.dumps({"schema": 1, **state}))
        return self.airlock("--json", "verify", self.update, "--device", file, *options)

    def says(self, code, verdict, problems, **state):
        outcome = self.verify(**state)
        self.assertEqual((outcome.code, outcome.answer["verdict"]), (code, verdict), str(outcome))
        self.assertEqual([p["id"] for p in outcome.answer["problems"]], problems, str(outcome))
        return outcome.answer

    def test_a_device_with_all_that_is_needed_installs(self):
        found = self.says(0, "install", [], ecus=self.ecus(), roots=self.roots(), package_manager="none",
                          free_space=1 << 30, source="/var/rootdirs/media/STICK/update",
                          stored={"offline_snapshot": self.role("director", "offline-snapshot")})
        self.assertEqual([t["wanted"] for t in found["targets"]], [True] * len(self.targets))
        self.assertEqual(len(found["assumed"]), 2, found["assumed"])  # its clock, the stick's label

    def test_roots_that_only_an_ecu_knows_are_taken_on_trust_and_said(self):
        first, *others = self.ecus()
        self.assertTrue(others)
        ahead = [{**ecu, "roots": {"director": 9, "image_repo": 1}} for ecu in others]
        found = self.says(0, "install", [], ecus=[first, *ahead], roots=self.roots())
        told = [text for text in found["assumed"] if "root version 9" in text]
        self.assertEqual(len(told), len(others), found["assumed"])
        self.assertIn(others[0]["hardware_id"], told[0])

    def test_what_is_installed_is_good(self):
        found = self.says(0, "nothing", ["already-installed"], ecus=self.ecus(installed=True))
        self.assertEqual([t["installed"] for t in found["targets"]], [True] * len(self.targets))
        shown = self.airlock("verify", self.update, "--device", self.home / "device.json").stdout
        self.assertIn("(installed already)", shown)

    def test_an_older_stick_is_refused(self):
        snapshot = self.role("director", "offline-snapshot")
        version = snapshot["signed"]["version"]
        self.says(3, "refuse", ["stored-newer"], roots=self.roots(),
                  stored={"offline_snapshot": {"version": version + 1}})
        self.says(0, "install", [], roots=self.roots(), stored={"offline_snapshot": {"version": version}})

    def test_a_device_that_used_a_newer_lockbox_refuses_the_older_stick(self):
        older = self.update.rename(self.home / "older")
        self.cloud.tell("lockbox", "define", "pump-7", *self.targets)
        self.ok("prepare", "pump-7", self.stick, "--as", "plain")
        newer = {"roots": self.roots(), "stored": {"offline_snapshot": self.role("director", "offline-snapshot")}}
        self.says(0, "install", [], **newer)
        self.update = older
        found = self.says(3, "refuse", ["stored-newer", "rollback"], **newer)
        self.assertTrue(found["valid"])
        self.assertIn("lists version 2", found["problems"][1]["message"])

    def test_a_clock_that_stands_is_told_loudly(self):
        found = self.says(0, "install", ["device-clock"], clock="1970-01-01T00:10:00Z")
        self.assertIn("1970-01-01", found["problems"][0]["message"])
        self.says(3, "refuse", ["device-clock", *["expired-role"] * 6, "target-not-in-image-repo"],
                  clock="2042-01-01T00:00:00Z")

    def test_a_folder_that_the_device_does_not_look_for(self):
        self.says(4, "nothing", ["not-looked-for"], source="/var/rootdirs/media/STICK/lockbox")
        self.says(4, "nothing", ["not-looked-for"], offline_updates=False)
        self.says(0, "install", [], source="/media/STICK/update")

    def test_files_that_are_no_state(self):
        missing = self.home / "missing.json"
        self.refuses(2, "no-such-path", "verify", self.update, "--device", missing, says="missing.json")
        self.assertEqual(self.verify(pendnig=True).error, "bad-device-state")
        self.assertIn("'pendnig'", self.verify(pendnig=True).stderr)
        self.assertEqual(self.verify("--hwid", "x", ecus=self.ecus()).error, "usage")
        self.assertEqual(self.verify("--trust", self.home, roots=self.roots()).code, 2)


if __name__ == "__main__":
    scenario.main()
