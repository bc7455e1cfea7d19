#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A bundle with one byte changed, cut short, mixed up or from a stranger is refused, and nothing appears."""

import shutil
import subprocess

import scenario
from scenario import Scenario

TAGS = {"H": b"LBXHEAD1", "S": b"LBXSIGN1", "I": b"LBXINDX1"}


def regions(head, volume):
    """{region: (file's ending, first byte, byte after the last)}, as SPEC.md cuts a bundle."""
    starts = {name: head.index(tag) - 8 for name, tag in TAGS.items()}
    size = int.from_bytes(head[starts["I"] + 4:starts["I"] + 8], "little")
    metadata = starts["I"] + 8 + size
    return {"F0": ("", 0, starts["H"]), "H": ("", starts["H"], starts["S"]),
            "S": ("", starts["S"], starts["I"]), "I": ("", starts["I"], metadata),
            "M": ("", metadata, len(head)), "V": (".001", 0, 64), "P": (".001", 64, len(volume))}


class DamagedBundles(Scenario):
    def setUp(self):
        super().setUp()
        self.login()
        self.ok("prepare", "pump-7", self.stick)
        self.good = {"": self.bundle().read_bytes(),
                     ".001": self.bundle().with_name(self.bundle().name + ".001").read_bytes()}

    def put(self, parts):
        """The bundle x.lockbox in a folder of its own, of these bytes; a part that is None is not there."""
        shutil.rmtree(self.home / "damaged", ignore_errors=True)
        (self.home / "damaged").mkdir()
        for end, content in parts.items():
            if content is not None:
                (self.home / "damaged" / f"x.lockbox{end}").write_bytes(content)
        return self.home / "damaged" / "x.lockbox"

    def assert_refused(self, parts, *errors):
        """verify names one of the errors; so does apply, after which nothing has appeared."""
        path = self.put(parts)
        found = self.airlock("verify", path, "--json")
        self.assertEqual(found.code, 3, str(found))
        self.assertEqual((found.answer["valid"], found.answer["verdict"]), (False, "refuse"))
        self.assertIn(found.answer["problems"][0]["id"], errors, str(found))
        applied = self.airlock("apply", path, "--to", self.home / "update", "--json")
        self.assertEqual(applied.code, 3, str(applied))
        self.assertIn(applied.error, errors, str(applied))
        self.assertIn("x.lockbox", applied.stderr)
        self.assert_nothing_appeared()

    def assert_nothing_appeared(self):
        self.assertEqual([path.name for path in self.home.iterdir() if "update" in path.name], [])

    def test_one_changed_byte_in_any_region_is_found(self):
        for name, (end, start, stop) in regions(self.good[""], self.good[".001"]).items():
            step = max(1, (stop - start) // 3)
            for at in sorted({*range(start, stop, step), stop - 1}):
                with self.subTest(region=name, at=at):
                    changed = bytearray(self.good[end])
                    changed[at] ^= 0x01
                    self.assert_refused(self.good | {end: bytes(changed)}, "bundle-damaged",
                                        "bundle-signature", "bundle-truncated", "not-a-bundle",
                                        "bundle-version", "bundle-feature", "bundle-inconsistent",
                                        "bundle-limit", "volume-foreign")

    def test_a_bundle_cut_short_anywhere_is_found(self):
        for name, (end, start, stop) in regions(self.good[""], self.good[".001"]).items():
            for at in (start, (start + stop) // 2, stop - 1):
                with self.subTest(region=name, at=at):
                    self.assert_refused(self.good | {end: self.good[end][:at]}, "bundle-truncated",
                                        "bundle-damaged", "not-a-bundle")

    def test_trailing_bytes_are_found(self):
        # Bytes after a head can only be the payload of a bundle in one file: then it ends too early.
        self.assert_refused(self.good | {"": self.good[""] + b"\0"}, "bundle-truncated")
        self.assert_refused(self.good | {".001": self.good[".001"] + b"\0"}, "bundle-damaged")
        self.assert_refused({"": self.good[""] + self.good[".001"] + b"\0"}, "bundle-damaged")

    def test_a_missing_volume_is_named(self):
        self.assert_refused(self.good | {".001": None}, "volume-missing")

    def test_a_volume_of_another_bundle_is_named(self):
        self.cloud.tell("lockbox", "define", "other", "pump-controller-2.4.1")
        self.addCleanup(self.cloud.tell, "lockbox", "delete", "other")
        self.ok("prepare", "other", self.home / "other.lockbox")
        foreign = (self.home / "other.lockbox.001").read_bytes()
        self.assert_refused(self.good | {".001": foreign}, "volume-foreign")

    def test_a_single_bundle_with_a_changed_byte_is_found(self):
        self.ok("write", "pump-7", self.home / "one.lockbox", "--single")
        whole = (self.home / "one.lockbox").read_bytes()
        for at in (10, len(whole) // 2, len(whole) - 1):
            with self.subTest(at=at):
                changed = bytearray(whole)
                changed[at] ^= 0x80
                self.assert_refused({"": bytes(changed)}, "bundle-damaged", "bundle-signature",
                                    "not-a-bundle")

    def test_other_files_are_no_bundles(self):
        for content in (b"", b"x", b"PK\x03\x04" * 100, b"\x28\xb5\x2f\xfd" + b"\0" * 200):
            with self.subTest(content=content[:8]):
                self.assert_refused({"": content}, "not-a-bundle", "bundle-truncated", "bundle-damaged")

    def test_inspect_shows_nothing_of_a_bundle_that_is_not_authentic(self):
        end, start, _ = regions(self.good[""], self.good[".001"])["I"]
        changed = bytearray(self.good[end])
        changed[start + 40] ^= 0x01
        outcome = self.airlock("inspect", self.put(self.good | {end: bytes(changed)}), "--json")
        self.assertEqual(outcome.code, 3, str(outcome))
        self.assertEqual(outcome.answer["items"][0]["targets"], [])

    def test_a_damaged_bundle_does_not_harm_the_folder_that_is_there(self):
        self.ok("apply", self.bundle(), "--to", self.home / "update")
        before = scenario.tree(self.home / "update")
        changed = bytearray(self.good[".001"])
        changed[-1] ^= 0x01
        path = self.put(self.good | {".001": bytes(changed)})
        self.refuses(3, "bundle-damaged", "apply", path, "--to", self.home / "update")
        self.assertEqual(scenario.tree(self.home / "update"), before)
        self.assertFalse((self.home / ".update.part").exists())

    def test_a_required_signer_is_required(self):
        [signer] = self.ok("inspect", self.bundle())["items"][0]["signers"]
        dictated = signer["fingerprint"].lower().replace("-", " ")
        for name in (signer["public_key"], signer["fingerprint"], dictated):
            self.assertTrue(self.ok("verify", self.bundle(), "--require-signer", name)["valid"])
        elsewhere = {"XDG_STATE_HOME": str(self.home / "elsewhere")}
        self.ok("write", "pump-7", self.home / "strange.lockbox", env=elsewhere)
        found = self.airlock("verify", self.home / "strange.lockbox", "--require-signer",
                             signer["public_key"], "--json")
        self.assertEqual((found.code, found.answer["problems"][-1]["id"]), (3, "bundle-signer"))
        self.refuses(3, "bundle-signer", "verify", self.home / "strange.lockbox", "--require-signer",
                     signer["fingerprint"])
        self.ok("write", "pump-7", self.stick, "--as", "plain")
        for path, items in ((self.stick, 2), (self.stick / "update", 1)):
            found = self.airlock("verify", path, "--require-signer", signer["public_key"], "--json")
            unsigned = [item for item in found.answer.get("items", [found.answer]) if item["problems"]]
            self.assertEqual((found.code, len(found.answer.get("items", [0]))), (3, items))
            self.assertEqual([item["problems"][-1]["id"] for item in unsigned], ["bundle-signer"])

    def test_a_mistyped_signer_is_told_before_the_stick_is_read(self):
        [signer] = self.ok("inspect", self.bundle())["items"][0]["signers"]
        for slip in ("", "abc", signer["fingerprint"][:-1], signer["public_key"][:-2]):
            self.refuses(2, "usage", "verify", self.home / "none", "--require-signer", slip, says="--require-signer")

    def test_a_link_in_place_of_a_volume_is_not_followed(self):
        path = self.put(self.good | {".001": None})
        path.with_name("x.lockbox.001").symlink_to("/dev/zero")
        outcome = self.airlock("verify", path, "--json")
        self.assertEqual(outcome.code, 3, str(outcome))
        self.assertNotEqual(outcome.answer["problems"], [])

    def test_what_airlock_refuses_zstd_and_sha256sum_do_not_pass_either(self):
        """The open format's own check notices damage of the payload, too."""
        changed = bytearray(self.good[".001"])
        changed[len(changed) // 2] ^= 0x01
        path = self.put(self.good | {".001": bytes(changed)})
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c",
             f"mkdir out && cd out && cat {path} {path}.001 | zstd -dc | tar x "
             "&& sha256sum --check --strict LOCKBOX.sha256"],
            cwd=self.home, capture_output=True, timeout=60, check=False)
        self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    scenario.main()
