#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Full disks, write protection, and destinations that are not what they should be.

The media are small file systems in memory, mounted in a mount namespace of this test's own.
"""

import os
import subprocess
import sys

import scenario
from scenario import Scenario, names, tree

LOGS = ("update-logs.db", "update-logs.db-journal", "update-logs.db-wal")


def enter_namespace():
    """Starts this program again where it may mount: as root in a namespace, else as root of one."""
    if "AIRLOCK_MAY_MOUNT" not in os.environ:
        as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        os.environ["AIRLOCK_MAY_MOUNT"] = "yes"
        os.execvp("unshare", ["unshare", *as_root, "--mount", "--propagation", "unchanged",
                              sys.executable, "-B", *sys.argv])


class Mounting(Scenario):
    def setUp(self):
        super().setUp()
        self.login()

    def mount(self, folder, size):
        folder.mkdir(parents=True, exist_ok=True)
        self.sh("mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder)
        self.addCleanup(self.sh, "umount", folder)

    def remount(self, folder, options):
        # Without --options-mode the owner is named again, which a namespace of a user's own refuses.
        self.sh("mount", "--options-mode", "ignore", "-t", "tmpfs", "-o", f"remount,{options}", "none", folder)

    def sh(self, *words):
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, f"this machine lets no test mount: {done.stderr}")


class Medium(Mounting):
    def assert_nothing_final(self):
        temporary = [name for name in names(self.stick)
                     if name != "airlock/README.txt" and ".part" not in name]
        self.assertEqual(temporary, [], "something stands under a final name")

    # Full.

    def test_a_full_stick_and_then_a_larger_one(self):
        self.ok("fetch", "pump-7")
        for words, size in ((["write", "pump-7", self.stick], "1M"),
                            (["write", "pump-7", self.stick, "--as", "plain"], "4M")):
            with self.subTest(words=words):
                self.mount(self.stick, size)
                self.refuses(6, "no-space", *words, says=str(self.stick))
                self.assert_nothing_final()
                self.remount(self.stick, "size=64M")
                self.ok(*words)
                self.ok("verify", self.stick)
                self.assertEqual([name for name in names(self.stick) if ".part" in name], [])

    def test_a_full_stick_keeps_the_bundle_that_is_on_it(self):
        self.mount(self.stick, "2M")
        self.ok("prepare", "pump-7", self.stick)
        before = tree(self.stick)
        self.refuses(6, "no-space", "write", "pump-7", self.stick, "--as", "plain")
        self.assertEqual({name: c for name, c in tree(self.stick).items() if ".part" not in name}, before)
        self.ok("verify", self.stick)

    def test_a_full_device_folder(self):
        self.ok("prepare", "pump-7", self.home / "x.lockbox")
        self.mount(self.stick, "4M")
        self.refuses(6, "no-space", "apply", self.home / "x.lockbox", "--to", self.stick / "update")
        self.assertFalse((self.stick / "update").exists())
        self.remount(self.stick, "size=64M")
        self.ok("apply", self.home / "x.lockbox", "--to", self.stick / "update")

    def test_a_full_cache_goes_on_where_it_stopped(self):
        cache = self.home / "small"
        self.mount(cache, "5M")
        self.refuses(6, "no-space", "--store", cache, "fetch", "pump-7")
        self.assertFalse((cache / "lockboxes").exists())
        self.remount(cache, "size=64M")
        self.cloud.clear_log()
        self.ok("--store", cache, "fetch", "pump-7")
        self.assertTrue([entry for entry in self.cloud.targets_asked_for() if entry["range"]])

    # Protected.

    def test_a_stick_that_is_write_protected(self):
        self.ok("prepare", "pump-7", self.home / "x.lockbox")
        self.mount(self.stick, "64M")
        self.remount(self.stick, "ro")
        for words in (["write", "pump-7", self.stick], ["write", "pump-7", self.stick, "--as", "plain"],
                      ["apply", self.home / "x.lockbox", "--to", self.stick / "update"],
                      ["write", "pump-7", self.stick / "y.lockbox"]):
            with self.subTest(words=words):
                self.refuses(6, "read-only", *words, says=str(self.stick))
        self.remount(self.stick, "rw")
        self.assert_stick_is_empty()

    def test_a_cache_that_is_write_protected(self):
        cache = self.home / "protected"
        self.mount(cache, "64M")
        self.ok("--store", cache, "fetch", "pump-7")
        self.remount(cache, "ro")
        self.ok("--store", cache, "write", "pump-7", self.stick)
        self.cloud.tell("lockbox", "define", "late", "press-controller-1.9.0")
        self.addCleanup(self.cloud.tell, "lockbox", "delete", "late")
        self.refuses(6, "read-only", "--store", cache, "fetch", "late")
        self.remount(cache, "rw")

    # Not what it should be.

    def test_a_destination_that_is_not_there(self):
        self.ok("fetch", "pump-7")
        missing = self.home / "not-mounted"
        for words in (["write", "pump-7", missing], ["write", "pump-7", missing, "--as", "plain"],
                      ["write", "pump-7", missing / "x.lockbox"], ["prepare", "pump-7", missing]):
            with self.subTest(words=words):
                outcome = self.refuses(2, "no-such-path", *words, says=str(missing))
                self.assertIn("hint: mount the stick first", outcome.stderr)
        self.assertFalse(missing.exists())

    def test_a_destination_that_is_a_file(self):
        self.ok("fetch", "pump-7")
        file = self.home / "file"
        file.write_text("mine")
        for words in (["write", "pump-7", file], ["write", "pump-7", file, "--as", "plain"],
                      ["write", "pump-7", file / "x.lockbox"]):
            with self.subTest(words=words):
                self.refuses(2, "no-such-path", *words, says=[str(file), "Not a directory"])
        self.assertEqual(file.read_text(), "mine")

    def test_an_update_folder_that_is_no_lockbox_directory_is_left_alone(self):
        self.ok("fetch", "pump-7")
        (self.stick / "update").mkdir()
        (self.stick / "update" / "holiday.jpg").write_text("mine")
        self.refuses(2, "already-exists", "write", "pump-7", self.stick, "--as", "plain", says="update")
        self.assertEqual(tree(self.stick), {"update/holiday.jpg": b"mine"})

    def test_an_empty_update_folder_is_replaced(self):
        (self.stick / "update").mkdir()
        self.ok("prepare", "pump-7", self.stick, "--as", "plain")
        self.ok("verify", self.stick)

    def test_something_else_under_the_final_name_is_left_alone(self):
        self.ok("fetch", "pump-7")
        (self.home / "elsewhere").mkdir()
        for make in (lambda path: path.write_text("mine"),
                     lambda path: path.symlink_to(self.home / "elsewhere")):
            make(self.stick / "update")
            self.refuses(2, "already-exists", "write", "pump-7", self.stick, "--as", "plain", says="update")
            (self.stick / "update").unlink()
        self.assertEqual(names(self.home / "elsewhere"), [])

    def test_a_link_planted_as_the_airlock_folder_is_not_followed(self):
        self.ok("fetch", "pump-7")
        (self.home / "elsewhere").mkdir()
        (self.stick / "airlock").symlink_to(self.home / "elsewhere")
        self.refuses(2, "already-exists", "write", "pump-7", self.stick, says="airlock")
        self.assertEqual(names(self.home / "elsewhere"), [])

    def test_a_link_planted_as_the_update_folder_is_one_item_that_is_refused(self):
        self.ok("prepare", "pump-7", self.stick)
        self.ok("write", "pump-7", self.home, "--as", "plain")
        (self.stick / "update").symlink_to(self.home / "update")
        found = self.airlock("verify", self.stick, "--json")
        self.assertEqual((found.code, [item["verdict"] for item in found.answer["items"]]),
                         (3, ["install", "refuse"]))

    def test_the_devices_log_is_carried_into_the_new_folder(self):
        self.ok("prepare", "pump-7", self.stick, "--as", "plain")
        for name in LOGS:
            (self.stick / "update" / name).write_bytes(name.encode() * 1000)
        self.cloud.tell("lockbox", "define", "next", "pump-controller-2.4.1")
        self.addCleanup(self.cloud.tell, "lockbox", "delete", "next")
        self.ok("prepare", "next", self.stick, "--as", "plain")
        held = tree(self.stick / "update")
        self.assertIn("metadata/director/next.json", held)
        for name in LOGS:
            self.assertEqual(held[name], name.encode() * 1000)
        self.ok("verify", self.stick)


if __name__ == "__main__":
    enter_namespace()
    scenario.main()
