#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The next round: what the device's client remembers is in its request, and by that the next lockbox is judged and
written, at home and on the device."""

import json
import shutil
import tempfile
from pathlib import Path

from rehearsal_device import DeviceOnTheWay
import scenario
import client
from client_database import ClientDatabase
from ostree import Repository


class NextRound(DeviceOnTheWay):
    def test_the_request_says_what_the_client_remembers_by_a_second_reading(self):
        self.takes()
        self.client.look()
        self.report()
        said = self.on_stick("requests/pump-7.json")["state"]
        with self.client.remember() as memory:
            expected = memory.state()
        self.assertEqual({field: said[field] for field in expected}, expected)
        self.assertEqual(said["ecus"][0]["installed"]["name"], "large-1")

    def test_an_ecu_behind_the_primary_has_its_key_and_the_roots_of_its_own_database(self):
        self.takes()
        self.client.look()
        self.device.write("/usr/lib/sota/secondaries.json", json.dumps({"docker-compose": [
            {"ecu_hardware_id": "docker-compose", "full_client_dir": "/var/sota/storage/docker-compose"}]}))
        behind = client.Ecu("rsa")
        with self.client.remember() as memory:
            memory.register([(self.client.ecu, "large-mcu"), (behind, "docker-compose")])
        self.report()
        self.assertEqual(self.on_stick("requests/pump-7.json")["state"]["ecus"][1]["roots"],
                         {"director": 0, "image_repo": 0}, "it has not started yet")
        with ClientDatabase(self.device.beneath("/var/sota/storage/docker-compose/sql.db")) as memory:
            memory.store(self.device.update / "metadata")
        self.report()
        state, [_, ecu] = self.on_stick("requests/pump-7.json")["state"], self.on_stick("reports/pump-7/1.json")["ecus"]
        self.assertEqual(state["ecus"][1]["roots"], {
            repo: state["roots"][repo][-1]["signed"]["version"] for repo in ("director", "image_repo")})
        self.assertEqual(ecu, {"serial": behind.serial, "hardware_id": "docker-compose",
                               "key": {"keytype": "RSA", "public": behind.public}})

    def test_the_next_round_is_judged_by_the_request(self):
        """What the device has is left alone, what is older than it stored is refused, what is new is taken."""
        shutil.copytree(self.stick / "airlock", self.home / "kept")
        self.define("line", "large-2")
        self.prepare("line")
        self.takes()
        self.client.look()
        self.report()
        request = self.stick / "airlock/requests/pump-7.json"
        self.ok("reports", "key", "add", "Pumpe-7", self.key, "--helper")
        [older] = (self.home / "kept").glob("*.lockbox")
        refused = self.airlock("--json", "verify", older, "--device", request)
        self.assertEqual((refused.code, refused.answer["verdict"]), (3, "refuse"), str(refused))
        [newer] = [p for p in (self.stick / "airlock").glob("*.lockbox") if f"-v{self.version + 1}-" in p.name]
        outcome = self.airlock("--json", "verify", newer, "--device", request)
        self.assertEqual((outcome.code, outcome.answer["verdict"]), (0, "nothing"), str(outcome))
        self.define("line", "large-1")
        newest = self.prepare("line")
        self.assertEqual(self.ok("verify", newest, "--device", request)["verdict"], "install")
        self.takes()
        self.assertEqual(self.client.look(), ("install", ""))

    def test_an_older_stick_is_passed_over_before_anything_is_unpacked(self):
        """The client would refuse it: it has stored a newer snapshot."""
        kept = self.home / "kept"
        shutil.copytree(self.stick / "airlock", kept)
        self.define("line", "large-2")
        self.prepare("line")
        self.takes()
        self.client.look()
        shutil.rmtree(self.stick / "airlock")
        shutil.copytree(kept, self.stick / "airlock")
        self.passes(3, "rollback|stored-newer")

    def test_the_image_that_a_device_has_is_the_base_of_the_next(self):
        """By the request alone: the device's database names the image, the store has it."""
        folder = Path(tempfile.mkdtemp(prefix="airlock-next-"))
        self.addCleanup(shutil.rmtree, folder)
        repository = Repository(folder)
        self.cloud.tell("ostree", repository.path)
        for name, commit in (("os-a", repository.first), ("os-b", repository.second)):
            self.cloud.tell("package", "add", name, "1", "--hwid", "large-mcu", "--commit", commit)
            self.define(name, f"{name}-1")
            self.addCleanup(self.cloud.tell, "lockbox", "delete", name)
        with self.client.remember() as memory:
            memory.register([(self.client.ecu, "large-mcu")])
            memory.install(self.client.ecu.serial, "os-a-1", {"length": 0, "hashes": {"sha256": repository.first},
                                                              "custom": {"hardwareIds": ["large-mcu"]}})
        self.report()
        request = self.stick / "airlock/requests/pump-7.json"
        whole = self.home / "whole.lockbox"
        [all_of_it] = self.ok("write", "os-b", whole)["written"]
        [written] = self.ok("write", "os-b", self.stick, "--base", request, "--trust-request")["written"]
        self.assertGreater(written["left_out_files"], 0)
        self.assertLess(written["files"], all_of_it["files"])
        self.assertEqual(self.ok("verify", written["path"], "--device", request, "--trust-request")["verdict"], "install")


if __name__ == "__main__":
    scenario.main()
