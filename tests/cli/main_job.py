#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The main job: a lockbox from the cloud to a stick from which a device installs."""

import hashlib
import json
import shutil
import subprocess

import scenario
from scenario import Scenario, names, tree

PACKAGES = {"bootloader/verdin-imx8mm-6.8.0": 256 << 10, "pump-controller-2.4.1": 384 << 10,
            "pump-recipes-2026.11": 8 << 20}


class MainJob(Scenario):
    cloud_options = ("--seed", "demo")  # RSA keys and root rotations, as real accounts have

    def setUp(self):
        super().setUp()
        self.login()

    def sh(self, script):
        """What anybody can do without airlock."""
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=self.home,
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_lockbox_gets_from_the_cloud_to_a_device_folder(self):
        self.list_says("not fetched")
        self.fetch()
        self.list_says("fetched")
        written = self.write()
        self.verify(written["path"])
        self.assertEqual(self.inspect(written["path"])["raw_bytes"], written["raw_bytes"])
        self.apply(written["path"])

    def list_says(self, state):
        rows = {row["name"]: row for row in self.ok("list")["lockboxes"]}
        self.assertEqual({name: row["state"] for name, row in rows.items()},
                         {"pump-7": state, "press-line": "expired", "valve-9": "revoked"})
        self.assertEqual((rows["pump-7"]["packages"], rows["pump-7"]["bytes"]),
                         (3, sum(PACKAGES.values())))

    def fetch(self):
        [fetched] = self.ok("fetch", "pump-7")["fetched"]
        self.assertEqual((fetched["lockbox"], fetched["version"], fetched["packages"], fetched["bytes"]),
                         ("pump-7", 1, 3, sum(PACKAGES.values())))
        self.assertFalse(fetched["first_contact"])
        self.assertRegex(fetched["valid_until"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assert_kept("pump-7")

    def write(self):
        [written] = self.ok("write", "pump-7", self.stick)["written"]
        self.assertEqual(written["path"], str(self.bundle()))
        self.assertEqual(names(self.stick / "airlock"),
                         ["README.txt", self.bundle().name, self.bundle().name + ".001"])
        stored = sum(len(tree(self.stick)[f"airlock/{self.bundle().name}{end}"]) for end in ("", ".001"))
        self.assertEqual(written["stored_bytes"], stored)
        self.assertLess(stored, written["raw_bytes"])
        return written

    def verify(self, path):
        for found in (self.ok("verify", path), self.ok("verify", self.stick)["items"][0]):
            self.assertTrue(found["valid"])
            self.assertEqual((found["verdict"], found["problems"]), ("install", []))
            self.assertEqual(found["lockbox"], "pump-7")
            self.assertRegex(found["correlation_id"], r"^urn:tdx-ota:lockbox:pump-7:1:[0-9a-f]{12}$")
            self.assertTrue(all(role["good"] for role in found["roles"]))
            self.assertTrue(found["assumed"])
        self.assertEqual(self.ok("verify", path, "--hwid", "verdin-imx8mm")["verdict"], "install")
        nothing = self.airlock("verify", path, "--hwid", "another-board", "--json")
        self.assertEqual((nothing.code, nothing.answer["verdict"]), (4, "nothing"))

    def inspect(self, path):
        [item] = self.ok("inspect", path)["items"]
        self.assertEqual({target["name"]: target["length"] for target in item["targets"]}, PACKAGES)
        self.assertEqual(len(item["signers"]), 1)
        return item

    def apply(self, path):
        (self.home / "device").mkdir()
        applied = self.ok("apply", path, "--to", self.home / "device" / "update")
        self.assertEqual((applied["lockbox"], applied["version"]), ("pump-7", 1))
        self.assertEqual(applied["files"], len(names(self.home / "device" / "update")))
        self.ok("verify", self.home / "device" / "update")
        self.assert_installable(self.home / "device" / "update")

    def assert_installable(self, update):
        held = tree(update)
        self.assertEqual({name: len(held["images/" + name]) for name in PACKAGES}, PACKAGES)
        lockbox = json.loads(held["metadata/director/pump-7.json"])["signed"]
        for name, target in lockbox["targets"].items():
            self.assertEqual(hashlib.sha256(held["images/" + name]).hexdigest(),
                             target["hashes"]["sha256"])
        self.assertIn("metadata/director/offline-snapshot.json", held)
        self.assertIn("metadata/image-repo/tdx-containers.json", held)
        self.assertEqual({name.split("/")[0] for name in held}, {"metadata", "images"})

    def test_the_plain_export_and_the_applied_bundle_are_the_same_bytes(self):
        self.ok("fetch", "pump-7")
        self.ok("write", "pump-7", self.stick)
        [plain] = self.ok("write", "pump-7", self.stick, "--as", "plain")["written"]
        self.assertEqual(plain["path"], str(self.stick / "update"))
        self.ok("apply", self.bundle(), "--to", self.home / "update")
        self.assertEqual(tree(self.home / "update"), tree(self.stick / "update"))
        self.assert_installable(self.stick / "update")
        self.assertEqual(len(self.ok("verify", self.stick)["items"]), 2)

    def test_anybody_can_unpack_a_bundle_with_zstd_and_tar(self):
        self.ok("prepare", "pump-7", self.stick)
        self.ok("apply", self.bundle(), "--to", self.home / "update")
        self.sh(f"mkdir by-hand && cd by-hand && cat {self.bundle()} {self.bundle()}.0* | zstd -dc | tar x"
                " && sha256sum --check --strict LOCKBOX.sha256")
        by_hand = tree(self.home / "by-hand")
        manifest = json.loads(by_hand.pop("LOCKBOX.json"))
        del by_hand["LOCKBOX.sha256"]
        self.assertEqual(by_hand, tree(self.home / "update"))
        self.assertEqual((manifest["lockbox"], manifest["version"], manifest["features"]), ("pump-7", 1, []))

    def test_a_single_bundle_is_the_volumes_in_a_row(self):
        self.ok("fetch", "pump-7")
        self.ok("write", "pump-7", self.home / "one.lockbox", "--single")
        self.ok("verify", self.home / "one.lockbox")
        self.ok("apply", self.home / "one.lockbox", "--to", self.home / "update")
        self.assert_installable(self.home / "update")
        self.sh("mkdir by-hand && tar -C by-hand -I zstd -xf one.lockbox"
                " && cd by-hand && sha256sum --check --strict LOCKBOX.sha256")

    def test_volumes_end_before_the_size_that_is_asked_for(self):
        self.ok("prepare", "pump-7", self.home / "x.lockbox", "--volume-size", "1M")
        volumes = sorted(p for p in self.home.glob("x.lockbox.0*"))
        self.assertGreater(len(volumes), 1)
        for volume in volumes:
            self.assertLessEqual(volume.stat().st_size, 1 << 20)
        self.ok("verify", self.home / "x.lockbox")
        volumes[0].rename(self.home / "kept")
        self.refuses(3, "volume-missing", "apply", self.home / "x.lockbox", "--to", self.home / "d",
                     says=volumes[0].name)
        shutil.copy(volumes[1], volumes[0])
        self.refuses(3, "volume-foreign", "apply", self.home / "x.lockbox", "--to", self.home / "d",
                     says=volumes[0].name)

    def test_writing_the_same_again_gives_the_same_bytes(self):
        self.ok("prepare", "pump-7", self.stick)
        before = tree(self.stick)
        self.ok("write", "pump-7", self.stick)
        self.assertEqual(tree(self.stick), before)

    def test_prepare_is_fetch_and_write(self):
        [written] = self.ok("prepare", "pump-7", self.stick)["written"]
        self.assertEqual((written["lockbox"], written["path"]), ("pump-7", str(self.bundle())))
        self.assert_kept("pump-7")
        self.ok("prepare", "pump-7", self.stick, "--as", "plain")
        self.assert_installable(self.stick / "update")

    def test_a_second_fetch_transfers_no_package(self):
        self.ok("fetch", "pump-7")
        self.assertEqual(len(self.cloud.targets_asked_for()), 3)
        self.cloud.clear_log()
        self.ok("fetch", "pump-7")
        self.assertEqual(self.cloud.targets_asked_for(), [])

    def test_a_technician_without_a_login_carries_on_what_somebody_else_fetched(self):
        self.ok("prepare", "pump-7", self.home / "carried.lockbox")
        roots = self.home / "trust"
        for repo in ("director", "repo"):
            (roots / repo).mkdir(parents=True)
            pinned = self.state / "trust" / "default" / repo / "root.json"
            (roots / repo / "root.json").write_bytes(pinned.read_bytes())
        elsewhere = {"XDG_CACHE_HOME": str(self.home / "c"), "XDG_STATE_HOME": str(self.home / "s"),
                     "XDG_CONFIG_HOME": str(self.home / "k")}
        self.ok("write", self.home / "carried.lockbox", self.stick, "--as", "plain", "--trust", roots,
                env=elsewhere)
        self.assert_installable(self.stick / "update")

    def test_people_read_the_same_facts_without_json(self):
        for words, expected in (
                (["list"], "pump-7"), (["fetch", "pump-7"], "pump-7 version 1 fetched and verified"),
                (["write", "pump-7", self.stick], "read back and right"),
                (["verify", self.stick], "a device would install it"),
                (["inspect", self.stick], "pump-recipes-2026.11, 8.0 MiB, for pump-recipes"),
                (["apply", None, "--to", self.home / "update"], "pump-7 version 1 unpacked to")):
            outcome = self.airlock(*(self.bundle() if word is None else word for word in words))
            self.assertEqual(outcome.code, 0, str(outcome))
            self.assertIn(expected, outcome.stdout)

    def test_progress_for_programs_is_one_json_object_per_line(self):
        outcome = self.airlock("prepare", "pump-7", self.stick, "--progress=json")
        self.assertEqual(outcome.code, 0, str(outcome))
        events = [json.loads(line) for line in outcome.stderr.splitlines() if line.startswith("{")]
        self.assertEqual([e["phase"] for e in events if e["event"] == "end"][0], "fetch")
        last = [e for e in events if e["phase"] == "fetch"][-1]
        self.assertEqual((last["done"], last["total"]), (sum(PACKAGES.values()),) * 2)

    def test_several_lockboxes_at_once_and_one_of_them_fails(self):
        outcome = self.airlock("fetch", "pump-7", "press-line", "--json")
        self.assertEqual(outcome.code, 7, str(outcome))
        self.assertEqual([f["lockbox"] for f in outcome.answer["fetched"]], ["pump-7"])
        self.assertIn("lockbox 'press-line'", outcome.stderr)
        self.assert_kept("pump-7")
        self.assert_nothing_kept("press-line")

    def test_a_new_version_is_announced_by_list_and_replaces_the_plain_export(self):
        self.cloud.tell("lockbox", "define", "conveyor", *PACKAGES)
        self.addCleanup(self.cloud.tell, "lockbox", "delete", "conveyor")
        self.ok("prepare", "conveyor", self.stick, "--as", "plain")
        self.cloud.tell("lockbox", "define", "conveyor", "pump-controller-2.4.1")
        rows = {row["name"]: row for row in self.ok("list")["lockboxes"]}
        self.assertEqual((rows["conveyor"]["state"], rows["conveyor"]["held_version"]),
                         ("newer in the cloud", 1))
        self.ok("prepare", "conveyor", self.stick, "--as", "plain")
        self.assertEqual([name for name in names(self.stick) if "/images/" in name],
                         ["update/images/pump-controller-2.4.1"])


if __name__ == "__main__":
    scenario.main()
