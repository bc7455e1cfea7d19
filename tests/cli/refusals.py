#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Every signed role broken in every way: fetch refuses, says which role and why, and keeps nothing."""

import shutil

import scenario
from scenario import Scenario, names, tree

# What is wrong with any role in the same way: {mode of the tamper: id of the error}.
ANY_ROLE = {
    "bad-expiry": "bad-role", "bom": "json-byte-order-mark", "borrowed-keyid": "bad-signature",
    "deep": "json-too-deep", "duplicate-key": "json-duplicate-key",
    "duplicate-signature": "duplicate-signature", "flip-signature": "bad-signature",
    "non-ascii": "non-ascii-role", "odd-method": "unsupported-key", "too-few": "threshold-not-met",
    "trailing": "json-trailing-bytes", "truncated": "bad-json", "unknown-key": "threshold-not-met",
    "wrong-type": "wrong-role-type",
}
SNAPSHOT_LIES = {"hash-lie": "wrong-hash", "length-lie": "wrong-length", "version-lie": "wrong-version"}
TARGET_LIES = {"target-hash": "target-mismatch", "target-length": "target-mismatch",
               "target-hardware": "target-mismatch"}
# The bytes of the first root are pinned, so whatever differs in what it signs is another root.
PINNED_ROOT = {mode: "root-changed" for mode in (
    "bad-expiry", "bom", "deep", "duplicate-key", "expired", "non-ascii", "rewrite", "trailing",
    "truncated", "version-up", "wrong-type")}
LATER_ROOT = ANY_ROLE | {"huge": "too-large", "version-up": "wrong-version"}


class Refusals(Scenario):
    def setUp(self):
        super().setUp()
        self.login()

    def assert_refused(self, role, table, *options, names_file, lockbox="pump-7"):
        for mode, error in table.items():
            with self.subTest(role=role, mode=mode):
                self.cloud.tell("tamper", "clear")
                self.cloud.tell("tamper", "add", role, mode, *options)
                self.refuses(3, error, "prepare", lockbox, self.stick,
                             says=[f"lockbox '{lockbox}'", names_file])
                self.assert_nothing_kept(lockbox)
                self.assertEqual(names(self.cache), [], "something of a refused lockbox was kept")
                self.assertEqual(self.cloud.targets_asked_for(), [])
                self.assert_stick_is_empty()

    def test_the_offline_snapshot(self):
        role, file = "director/offline-snapshot", "offline-snapshot.json"
        self.assert_refused(role, ANY_ROLE | {
            "expired": "expired-role", "huge": "too-large", "unlist": "not-in-snapshot",
            "missing": "missing-role"}, names_file=file)
        self.assert_refused(role, SNAPSHOT_LIES, "entry=pump-7.json", names_file="director/pump-7.json")

    def test_the_lockbox(self):
        role, file = "director/lockbox:pump-7", "pump-7.json"
        self.assert_refused(role, ANY_ROLE | {
            "expired": "expired-role", "huge": "too-large", "version-up": "wrong-version",
            "version-down": "bad-role"}, names_file=file)
        self.assert_refused(role, TARGET_LIES, names_file="bootloader/verdin-imx8mm-6.8.0")
        self.assert_refused(role, {"target-unknown": "target-conflict"}, names_file="stowaway-1.0")

    def test_the_image_repositorys_snapshot(self):
        role, file = "repo/snapshot", "image-repo/snapshot.json"
        self.assert_refused(role, ANY_ROLE | {
            "expired": "expired-role", "huge": "device-limit", "missing": "missing-role"},
            names_file=file)
        for entry in ("targets.json", "tdx-containers.json"):
            self.assert_refused(role, SNAPSHOT_LIES | {"unlist": "missing-role"}, f"entry={entry}",
                                names_file=f"image-repo/{entry}")

    def test_the_targets(self):
        role, file = "repo/targets", "image-repo/targets.json"
        self.assert_refused(role, ANY_ROLE | {
            "expired": "expired-role", "huge": "device-limit", "version-up": "wrong-version",
            "version-down": "wrong-version", "missing": "missing-role"}, names_file=file)
        self.assert_refused(role, TARGET_LIES | {"target-drop": "target-not-in-image-repo"},
                            names_file="bootloader/verdin-imx8mm-6.8.0")

    def test_a_delegation(self):
        role, file = "repo/delegation:tdx-containers", "image-repo/tdx-containers.json"
        self.assert_refused(role, ANY_ROLE | {
            "huge": "device-limit", "version-up": "wrong-version",
            "version-down": "wrong-version", "missing": "missing-role", "expired": "expired-role"},
            names_file=file)
        self.assert_refused(role, TARGET_LIES | {"target-drop": "target-not-in-image-repo"},
                            names_file="pump-recipes-2026.11")

    def test_the_first_roots_are_those_that_were_pinned(self):
        self.assert_refused("director/1.root", PINNED_ROOT, names_file="director/1.root.json")
        self.assert_refused("repo/1.root", PINNED_ROOT, names_file="image-repo/1.root.json")

    def test_a_root_in_the_middle_of_the_chain(self):
        self.assert_refused("director/2.root", LATER_ROOT | {
            "version-down": "wrong-version", "not-by-predecessor": "root-not-trusted",
            "missing": "root-gap"}, names_file="2.root.json")

    def test_the_newest_roots(self):
        expired = {"expired": "expired-role"}
        self.assert_refused("director/root", LATER_ROOT | expired, names_file="root.json")
        self.assert_refused("repo/root", LATER_ROOT | expired | {
            "not-by-predecessor": "root-not-trusted"}, names_file="2.root.json")

    def test_a_history_of_roots_that_is_rolled_back_or_rewritten(self):
        self.ok("fetch", "pump-7")
        before = tree(self.state)
        for role, file in (("director/root", "director/3.root.json"),
                           ("repo/root", "image-repo/2.root.json")):
            for mode, error in (("missing", "rollback"), ("rewrite", "root-changed")):
                with self.subTest(role=role, mode=mode):
                    self.cloud.tell("tamper", "clear")
                    self.cloud.tell("tamper", "add", role, mode)
                    self.refuses(3, error, "fetch", "pump-7", says=file)
        self.assertEqual(tree(self.state), before, "a refused history changed what is trusted")

    def test_a_record_that_is_there_survives_a_refusal(self):
        self.ok("fetch", "pump-7")
        before = self.record("pump-7").read_bytes()
        self.cloud.tell("tamper", "add", "director/lockbox:pump-7", "flip-signature")
        self.refuses(3, "bad-signature", "fetch", "pump-7")
        self.assertEqual(self.record("pump-7").read_bytes(), before)
        self.assert_kept("pump-7")

    def test_unknown_expired_and_revoked_lockboxes(self):
        for lockbox, code, error in (("none", 5, "no-such-lockbox"), ("press-line", 3, "expired-role"),
                                     ("valve-9", 4, "nothing-to-install"), ("../no-folder", 5, "no-such-lockbox"),
                                     ("root", 5, "no-such-lockbox"), ("", 5, "no-such-lockbox")):
            with self.subTest(lockbox=lockbox):
                self.refuses(code, error, "prepare", lockbox, self.stick, says=f"lockbox '{lockbox}'")
                self.assertEqual(names(self.cache), [])
                self.assert_stick_is_empty()
        self.assertEqual(self.ok("--at", "2026-01-01", "fetch", "press-line")["fetched"][0]["lockbox"],
                         "press-line")

    def test_a_lockbox_that_ends_before_it_is_needed_is_not_written(self):
        self.ok("fetch", "pump-7")
        self.refuses(3, "expires-too-soon", "write", "pump-7", self.stick,
                     "--needed-until", "2099-01-01T00:00:00Z", says=["pump-7", "2099-01-01"])
        self.refuses(3, "expired-role", "--at", "2099-01-01T00:00:00Z", "write", "pump-7", self.stick)
        self.assert_stick_is_empty()


class Packages(Scenario):
    """Roles that are right, around names and bytes that are not."""

    def setUp(self):
        super().setUp()
        self.login()

    def refuses_names(self, *ids, error="unsafe-name", says):
        for number, name in enumerate(ids):
            self.cloud.tell("package", "add", f"evil{number}", "1", "--hwid", f"hardware-{number}",
                            "--random", "5", "--id", name)
        self.cloud.tell("lockbox", "define", "evil", *ids)
        with self.subTest(ids=ids):
            self.refuses(3, error, "prepare", "evil", self.stick, says=["lockbox 'evil'", says])
            self.assertEqual(names(self.cache), [])
            self.assert_stick_is_empty()

    def test_names_that_could_be_turned_against_a_file_system(self):
        for name, shown in (
                ("../../etc/passwd", "climbs"), ("x/../y", "climbs"), ("..", "climbs"), ("./x", "climbs"),
                ("/etc/passwd", "absolute"), ("a\\b", "FAT"), ("a:b", "FAT"), ("CON", "reserved"),
                ("con.txt", "reserved"), ("images/lpt1", "reserved"), ("a//b", "empty part"),
                ("folder/", "empty part"), ("x\x1b[2Jy", "x\\x1b[2Jy"), ("line\nbreak", "control"),
                ("dot.", "dot or a blank"), ("blank ", "dot or a blank"), ("x" * 300, "255 bytes"),
                ("/".join(["y" * 200] * 6), "1024 bytes"), ("a;reboot", "shell"), ("$HOME", "shell"),
                ("a/--checkpoint=1", "begins"), ("~/x", "begins"), ("FIRMWA~1.BIN", "alias"),
                ("ostree/config", "OSTree"), ("a" * 64 + ".images/x.tar", "containers")):
            self.refuses_names(name, says=shown)

    def test_a_name_too_long_for_a_bundle_still_fits_a_folder(self):
        name = "x" * 230
        self.cloud.tell("lockbox", "define", name, "pump-controller-2.4.1")
        self.ok("fetch", name)
        outcome = self.refuses(3, "unsafe-name", "write", name, self.stick, says="longer than file systems hold")
        self.assertIn("--as plain", outcome.stderr)
        self.ok("write", name, self.stick, "--as", "plain")
        self.ok("write", name, self.stick / "short.lockbox")
        self.ok("verify", self.stick)

    def test_names_that_fold_into_one_or_stand_in_each_others_way(self):
        self.refuses_names("Firmware", "firmware", says="'firmware'")
        self.refuses_names("folder", "folder/file", says="'folder/file'")

    def test_bytes_that_are_not_the_signed_ones(self):
        for number, (how, at, error) in enumerate((
                ("--flip", 50_000, "wrong-hash"), ("--truncate", 50_000, "wrong-length"),
                ("--append", 10, "wrong-length"))):
            name, lockbox = f"spoiled-{number}", f"spoiled-box-{number}"
            self.cloud.tell("package", "add", name, "1", "--hwid", "hardware", "--random", "100K")
            self.cloud.tell("lockbox", "define", lockbox, f"{name}-1")
            self.cloud.tell("package", "corrupt", f"{name}-1", how, at)
            with self.subTest(how=how):
                self.refuses(3, error, "prepare", lockbox, self.stick, says=[lockbox, f"{name}-1"])
                self.assert_nothing_kept(lockbox)
                self.assert_stick_is_empty()
                shutil.rmtree(self.cache)

    def test_one_spoiled_package_does_not_cost_the_others(self):
        self.cloud.tell("package", "add", "rotten", "1", "--hwid", "hardware", "--random", "100K")
        self.cloud.tell("package", "corrupt", "rotten-1", "--flip", 7)
        self.cloud.tell("lockbox", "define", "mixed", "rotten-1", "pump-controller-2.4.1")
        self.refuses(3, "wrong-hash", "fetch", "mixed", says="rotten-1")
        self.cloud.clear_log()
        self.ok("fetch", "pump-7")
        self.assertEqual(len(self.cloud.targets_asked_for()), 2, "a good package was fetched twice")


if __name__ == "__main__":
    scenario.main()
