#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""write --base: only those OSTree objects go along that the device lacks, and `ostree` agrees that it has the rest."""

import datetime
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import scenario
from ostree import Repository, object_path, ostree
from scenario import Scenario, names, tree

NEEDS = "metadata/airlock/needs.json"


class Differential(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = Path(tempfile.mkdtemp(prefix="airlock-differential-"))
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.repository = r = Repository(folder)
        (folder / "root" / "usr" / "image").write_bytes(b"a smaller one")
        cls.third = r.commit(folder / "root")
        cls.old, cls.new = r.objects(r.first), r.objects(r.second)
        cls.own = (cls.new - cls.old) | {object_path(f"{r.second}.commit")}
        for name, commit, hwid in (("os-a", r.first, "verdin"), ("os-b", r.second, "verdin"),
                                   ("os-c", cls.third, "apalis")):
            cls.cloud.tell("package", "add", name, "1", "--hwid", hwid, "--commit", commit)
        cls.cloud.tell("lockbox", "define", "old", "os-a-1")
        cls.cloud.tell("lockbox", "define", "new", "os-b-1", "pump-controller-2.4.1")
        cls.cloud.tell("lockbox", "define", "two", "os-a-1", "os-c-1")
        cls.cloud.tell("lockbox", "define", "none", "pump-controller-2.4.1")

    def setUp(self):
        super().setUp()
        self.cloud.tell("ostree", self.repository.path)
        self.cloud.tell("ostree", self.repository.path, "--feed")
        self.login()
        self.ok("fetch", "old", "new")

    def device(self, **installed):
        """The path of a state of a device that has this commit, or nothing."""
        ecu = {"hardware_id": "verdin", "primary": True, "installed": None}
        for name, commit in installed.items():
            ecu["installed"] = {"name": name, "length": 0, "sha256": commit}
        path = self.home / "device.json"
        path.write_text(json.dumps({"schema": 1, "ecus": [ecu, {"hardware_id": "pump-controller-mcu"}]}))
        return path

    def write(self, *options, name="new"):
        [written] = self.ok("write", name, self.stick, *options)["written"]
        return written

    def write_plain(self, base="old", name="new"):
        self.write("--as", "plain", "--base", base, name=name)
        return self.stick / "update"

    def objects_in(self, folder):
        return {name for name in names(folder / "images" / "ostree") if name.startswith("objects/")}

    def pull(self, folder, commit, held=None):
        """What a device does that has `held`: whether it works."""
        repo = Path(tempfile.mkdtemp(dir=self.home))
        ostree(repo, "init", "--mode=bare-user-only")
        if held:
            ostree(repo, "pull-local", str(self.repository.path), held)
        source = folder / "images" / "ostree"
        ostree(repo, "remote", "add", "--no-sign-verify", "--no-gpg-verify", "stick", f"file://{source}")
        worked = []
        for how in (["pull", "stick"], ["pull-local", "--untrusted", str(source)]):
            done = subprocess.run(["ostree", f"--repo={repo}", *how, commit], capture_output=True, timeout=60,
                                  check=False)
            worked.append(done.returncode == 0)
        self.assertEqual(worked[0], worked[1])
        if worked[0]:
            ostree(repo, "fsck")
        return worked[0]

    def verdict(self, path, *options):
        answer = self.airlock("--json", "verify", path, *options).answer
        return answer["verdict"], [p["id"] for p in answer["problems"]], answer

    # On one stick.

    def test_shared_bundles_hold_an_object_once(self):
        first = self.write(name="old")
        second = self.write("--share")
        self.assertGreater(second["shared_bytes"], 3_000_000)
        self.assertEqual([name.rsplit("/", 1)[-1] for name in second["shares_with"]],
                         [first["path"].rsplit("/", 1)[-1] + ".001"])
        self.assertLess(second["stored_bytes"], first["stored_bytes"] / 2)
        self.ok("write", second["path"], self.home, "--as", "plain")
        self.assertTrue(self.pull(self.home / "update", self.repository.second))

    # What is left out.

    def test_whatever_the_old_one_lies_in_the_same_is_left_out(self):
        self.write("--single", name="old")
        old = self.bundle()
        (self.home / "plain").mkdir()
        self.ok("write", "old", self.home / "plain", "--as", "plain")
        kept = []
        for base in ("old", old, self.home / "plain" / "update", self.device(a=self.repository.first)):
            written = self.write("--as", "plain", "--base", base)
            self.assertEqual(self.objects_in(self.stick / "update"), self.own, base)
            self.assertEqual(written["left_out_files"], len(self.new) - len(self.own))
            self.assertGreater(written["left_out_bytes"], 3_000_000)
            kept.append(tree(self.stick / "update"))
        self.assertEqual(kept, [kept[0]] * len(kept))

    def test_a_device_pulls_it_if_and_only_if_it_holds_the_old_one(self):
        folder = self.write_plain()
        self.assertTrue(self.pull(folder, self.repository.second, held=self.repository.first))
        self.assertFalse(self.pull(folder, self.repository.second))

    def test_an_old_one_that_was_differential_itself_serves_as_well(self):
        self.write("--as", "plain", "--base", "new", name="old")
        partial = self.home / "partial"
        shutil.copytree(self.stick / "update", partial)
        self.assertLess(self.objects_in(partial), self.old)
        folder = self.write_plain(base=partial)
        self.assertTrue(self.pull(folder, self.repository.second, held=self.repository.first))

    def test_an_old_one_that_has_ended_serves_as_well_and_a_forged_one_does_not(self):
        ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=40)
        at = [f"{ends + datetime.timedelta(days=day):%Y-%m-%dT%H:%M:%SZ}" for day in (0, 1)]
        self.cloud.tell("lockbox", "define", "brief", "os-a-1", "--expires", at[0])
        self.ok("fetch", "brief", "new")
        self.refuses(3, "expired-role", "--at", at[1], "write", "brief", self.stick)
        self.ok("--at", at[1], "write", "new", self.stick, "--as", "plain", "--base", "brief")
        self.assertEqual(self.objects_in(self.stick / "update"), self.own)
        (self.home / "plain").mkdir()
        self.ok("write", "old", self.home / "plain", "--as", "plain")
        role = self.home / "plain" / "update" / "metadata" / "director" / "old.json"
        role.write_bytes(role.read_bytes().replace(b"os-a-1", b"os-b-1"))
        self.refuses(3, "bad-signature", "write", "new", self.stick, "--base", self.home / "plain" / "update")

    def test_of_two_old_images_only_what_both_have_is_left_out(self):
        self.ok("fetch", "two")
        folder = self.write_plain(base="two")
        both = self.old & self.repository.objects(self.third)
        self.assertEqual(self.objects_in(folder), (self.new - both) | {object_path(f"{self.repository.second}.commit")})
        for held in (self.repository.first, self.third):
            self.assertTrue(self.pull(folder, self.repository.second, held=held))
            self.assertEqual(self.verdict(folder, "--device", self.device(a=held))[0], "install")

    def test_what_has_no_image_is_written_whole(self):
        self.ok("fetch", "none")
        [written] = self.ok("write", "none", self.stick, "--base", "old", "--as", "plain")["written"]
        self.assertEqual((written["left_out_files"], written["left_out_bytes"]), (0, 0))
        self.assertFalse((self.stick / "update" / NEEDS).exists())

    # The prerequisite.

    def test_verify_says_what_the_device_must_have_and_decides_for_one(self):
        self.write("--base", "old")
        for path in (self.write_plain(), self.bundle()):
            verdict, problems, answer = self.verdict(path)
            self.assertEqual((verdict, problems), ("install", []))
            self.assertEqual(answer["needs_ostree_commits"], [self.repository.first])
            self.assertTrue(any(self.repository.first in text for text in answer["assumed"]), answer["assumed"])
            verdict, problems, answer = self.verdict(path, "--device", self.device(a=self.repository.first))
            self.assertEqual((verdict, problems), ("install", []))
            self.assertFalse(any("OSTree" in text for text in answer["assumed"]), answer["assumed"])
            for device in (self.device(c=self.third), self.device()):
                verdict, problems, answer = self.verdict(path, "--device", device)
                self.assertEqual((verdict, problems), ("refuse", ["base-missing"]))
                self.assertTrue(answer["valid"])
                self.assertIn(self.repository.first, answer["problems"][0]["message"])
            has_it = self.verdict(path, "--device", self.device(**{"os-b-1": self.repository.second}))
            self.assertNotIn("base-missing", has_it[1])
            shown = self.airlock("inspect", path).stdout
            self.assertIn(f"needs        OSTree commit {self.repository.first}\n", shown)

    def test_it_goes_on_with_the_bundle(self):
        self.write("--base", "old")
        bundle = self.bundle()
        self.ok("apply", bundle, "--to", self.home / "applied")
        for how in ("plain", "bundle"):
            (self.home / how).mkdir()
            self.ok("write", bundle, self.home / how, "--as", how)
        applied = tree(self.home / "applied")
        self.assertEqual(applied, tree(self.home / "plain" / "update"))
        self.assertEqual(applied, tree(self.write_plain()))
        self.assertIn(NEEDS, applied)
        [copy] = (self.home / "bundle" / "airlock").glob("*.lockbox")
        self.assertEqual(self.verdict(copy)[2]["needs_ostree_commits"], [self.repository.first])
        self.assertTrue(self.pull(self.home / "applied", self.repository.second, held=self.repository.first))

    def test_an_object_that_the_stick_lost_is_not_excused(self):
        folder = self.write_plain()
        for name in sorted(self.own):
            path = folder / "images" / "ostree" / name
            content = path.read_bytes()
            path.unlink()
            verdict, problems, answer = self.verdict(folder)
            self.assertEqual((verdict, set(problems)), ("refuse", {"missing-target"}), name)
            self.assertTrue(any("left out" in p["message"] for p in answer["problems"]), answer["problems"])
            path.write_bytes(content)
        self.assertEqual(self.verdict(folder)[0], "install")

    def test_without_a_prerequisite_nothing_may_be_missing(self):
        folder = self.write_plain()
        needs = folder / NEEDS
        good = json.loads(needs.read_text())
        commit, left_out = good["ostree_commits"], good["left_out"]
        for text in ("", "{}", "[]", json.dumps(good | {"schema": 2}), json.dumps(good | {"ostree_commits": []}),
                     json.dumps(good | {"ostree_commits": ["ab"]}), json.dumps(good | {"ostree_commits": commit[0]}),
                     json.dumps(good | {"left_out": left_out | {"objects": left_out["objects"] + 1}}),
                     json.dumps(good | {"left_out": left_out | {"objects": 0}}),
                     json.dumps(good | {"left_out": left_out | {"sha256": "ab" * 32}}),
                     json.dumps(good) + " " * 20_000):
            needs.write_text(text)
            verdict, problems, _ = self.verdict(folder)
            self.assertEqual((verdict, set(problems)), ("refuse", {"missing-target"}), text)
        needs.unlink()
        self.assertEqual(self.verdict(folder)[0], "refuse")

    # What cannot be.

    def test_what_is_no_base(self):
        self.ok("fetch", "none")
        before = names(self.stick)
        self.refuses(2, "not-a-base", "write", "new", self.stick, "--base", "none", says="'none'")
        self.refuses(2, "not-a-base", "write", "new", self.stick, "--base", self.device())
        self.refuses(2, "not-a-base", "write", "new", self.stick, "--base", self.device(x="ab" * 32), says="ab" * 32)
        self.refuses(2, "not-fetched", "write", "new", self.stick, "--base", "older", says="'older'")
        self.refuses(2, "no-such-path", "write", "new", self.stick, "--base", "nowhere/x.lockbox")
        self.refuses(2, "not-a-lockbox", "write", "new", self.stick, "--base", self.stick)
        self.refuses(2, "usage", "write", "new", self.stick, "--base", "new")
        self.refuses(2, "usage", "write", "new", self.stick, "--base", "")
        self.cloud.clear_log()
        self.refuses(2, "no-such-path", "prepare", "new", self.stick, "--base", "nowhere/x.lockbox")
        self.assertEqual(self.cloud.log(), [])  # a mistyped one is told before anything is fetched
        self.assertEqual(names(self.stick), before)
        self.write(name="new")
        (self.home / "more").mkdir()
        self.refuses(2, "usage", "write", self.bundle(), self.home / "more", "--base", "old", says="as it is")

    def test_a_folder_whose_objects_lie_leaves_nothing_out_by_them(self):
        (self.home / "plain").mkdir()
        self.ok("write", "old", self.home / "plain", "--as", "plain")
        lying = self.home / "plain" / "update"
        for path in sorted((lying / "images" / "ostree" / "objects").rglob("*.dirtree")):
            path.write_bytes(path.read_bytes() + b"x")
        folder = self.write_plain(base=lying)
        self.assertEqual(self.objects_in(folder) - self.own, {name for name in self.new - self.own
                                                              if not name.endswith("dirmeta")})
        self.assertTrue(self.pull(folder, self.repository.second, held=self.repository.first))
        commit = lying / "images" / "ostree" / object_path(f"{self.repository.first}.commit")
        commit.write_bytes(commit.read_bytes() + b"x")
        self.refuses(2, "not-a-base", "write", "new", self.home, "--base", lying, says=self.repository.first)

    def test_prepare_takes_it_too(self):
        [written] = self.ok("prepare", "new", self.stick, "--as", "plain", "--base", "old")["written"]
        self.assertGreater(written["left_out_files"], 0)
        self.assertEqual(self.objects_in(self.stick / "update"), self.own)


if __name__ == "__main__":
    scenario.main()
