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
                          pending_install=False, offline_updates=True,
                          stored={"offline_snapshot": self.role("director", "offline-snapshot"),
                                  "image_snapshot": None, "image_targets": None, "delegations": {}})
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

    def test_what_the_state_leaves_out_is_assumed_in_words(self):
        whole = {"ecus": self.ecus(), "roots": self.roots(), "package_manager": "none", "free_space": 1 << 30,
                 "source": "/mnt/update", "pending_install": False, "offline_updates": True,
                 "stored": {"offline_snapshot": None, "image_snapshot": None, "image_targets": None,
                            "delegations": {}}}
        clock_only = len(self.says(0, "install", [], **whole)["assumed"])
        self.assertEqual(clock_only, 1)
        for left_out, says in (("source", "folder"), ("pending_install", "reboot"), ("stored", "newer metadata"),
                               ("offline_updates", "switched on"), ("free_space", "room"),
                               ("package_manager", "kind of package")):
            some = {key: value for key, value in whole.items() if key != left_out}
            assumed = self.says(0, "install", [], **some)["assumed"]
            self.assertEqual((len(assumed), says in " ".join(assumed)), (2, True), assumed)
        ecus = [{key: value for key, value in ecu.items() if key != "installed"} for ecu in self.ecus()]
        assumed = self.says(0, "install", [], **{**whole, "ecus": ecus})["assumed"]
        self.assertEqual(len(assumed), 1 + len(ecus), assumed)

    def test_a_stored_role_of_which_only_the_version_is_known_is_assumed_to_be_the_same(self):
        version = self.role("director", "offline-snapshot")["signed"]["version"]
        stored = {"image_snapshot": None, "image_targets": None, "delegations": {}}
        for known, says in ((version, f"version {version} of director/offline-snapshot.json is what lies here"),
                            (version - 1, f"version {version - 1} of the offline snapshot")):
            found = self.says(0, "install", [], roots=self.roots(),
                              stored={"offline_snapshot": {"version": known}, **stored})
            self.assertTrue(any(says in line for line in found["assumed"]), found["assumed"])

    def test_needed_until_is_asked_of_the_clock_of_the_device_as_well(self):
        ahead = {"clock": "2027-02-23T00:00:00Z", "clock_checked_at": "2026-11-23T00:00:00Z"}
        until = min(role["expires"] for role in self.verify().answer["roles"] if role["device_reads"])
        before = f"{int(until[:4]) - 1}-12-01"
        self.assertEqual(self.verify("--needed-until", before).code, 0)
        outcome = self.verify("--needed-until", until[:10] + "T00:00:00Z", **ahead)
        self.assertEqual(outcome.code, 3)
        self.assertIn("expires-too-soon", [p["id"] for p in outcome.answer["problems"]])
        self.assertIn("the device's clock says", outcome.answer["problems"][-1]["message"])

    def test_what_is_installed_is_good(self):
        found = self.says(0, "nothing", ["already-installed"], ecus=self.ecus(installed=True))
        self.assertEqual([t["installed"] for t in found["targets"]], [True] * len(self.targets))
        shown = self.airlock("verify", self.update, "--device", self.home / "device.json").stdout
        self.assertIn("(installed already)", shown)

    def test_what_is_installed_with_other_content_is_not_called_another_devices(self):
        ecus = self.ecus(installed=True)
        ecus[0]["installed"]["sha256"] = "c0ffee00" * 8
        self.says(3, "refuse", ["installed-differs"], ecus=ecus)
        shown = self.airlock("verify", self.update, "--device", self.home / "device.json").stdout
        self.assertEqual(shown.count("(other content of this name is installed)"), 1, shown)
        self.assertNotIn("(not this device)", shown)

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
        found = self.says(3, "refuse", ["device-clock", *["expired-role"] * 6, "target-not-in-image-repo"],
                          clock="2042-01-01T00:00:00Z")
        for problem in found["problems"][1:7]:
            self.assertEqual(problem["hint"], "set the device's clock: it is not that late")

    def test_a_folder_that_the_device_does_not_look_for(self):
        self.says(4, "nothing", ["not-looked-for"], source="/var/rootdirs/media/STICK/lockbox")
        self.says(4, "nothing", ["not-looked-for"], source="/mnt/offline-updates/")
        self.says(0, "install", [], source="/mnt/update//")
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
