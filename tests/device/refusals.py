#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What a device would not take comes home as refused, once, and between its other reports."""

import shutil
from pathlib import Path

from rehearsal_device import Device, DeviceOnTheWay
import scenario


class Refusals(DeviceOnTheWay):
    def kept(self):
        """What each of the device's own reports says, by its number."""
        self.report()
        names = sorted((int(p.stem) for p in (self.stick / "airlock/reports/pump-7").iterdir()))
        return [self.on_stick(f"reports/pump-7/{n}.json") for n in names]

    def outcomes(self):
        return [(r["outcome"], r["source"], r["error"]) for r in self.kept()]

    def test_a_refused_bundle_comes_home_as_refused(self):
        self.passes(3, "expired-role", "--at", "2099-01-01")
        [refused] = self.kept()
        self.assertEqual((refused["outcome"], refused["source"], refused["error"], refused["lockbox"]),
                         ("refused", "helper", "expired-role", {"name": "line", "version": self.version}))
        self.assertIn("expired on", refused["message"])
        self.assertEqual((refused["signers_checked"], refused["previous"], refused["manifest"]), (False, None, None))
        self.ok("reports", "key", "add", "Pumpe-7", self.key, "--helper")
        self.assertEqual(self.ok("reports", "collect", self.stick)["problems"], [])
        [reading] = self.ok("reports", "list")["reports"]
        self.assertEqual((reading["device"], reading["outcome"], reading["code"], reading["proof"], reading["lockbox"]),
                         ("Pumpe-7", "refused", "expired-role", "verified", "line"))
        self.assertRegex(self.airlock("reports", "list").stdout, r"Pumpe-7.*refused.*expired-role")

    def test_what_strangers_signed_is_told_once_and_without_a_name(self):
        """Anybody can call his bundle as he likes."""
        self.device.trust("ab" * 32)
        self.define("line", "large-2")
        self.prepare("line")
        self.passes(3, "bundle-signer")
        [refused] = self.kept()
        self.assertEqual((refused["error"], refused["lockbox"], refused["signers_checked"]), ("bundle-signer", None, True))
        self.assertIn("keys signed the bundle", refused["message"])

    def test_many_refusals_push_nothing_else_out(self):
        self.takes()
        self.client.look()
        self.report()
        self.cloud.tell("package", "add", "small", "1", "--hwid", "large-mcu", "--random", "1K")
        for _ in range(10):
            for package in ("small-1", "large-1"):
                self.define("line", package)
                self.prepare("line")
        for _ in range(2):
            self.passes(3, "expired-role", "--at", "2099-01-01")
            for bundle in sorted((self.stick / "airlock").glob("line-*"))[:16]:
                bundle.unlink()
        shutil.rmtree(self.stick / "airlock/reports")
        said = [outcome for outcome, _, _ in self.outcomes()]
        self.assertEqual((said.count("installed"), said.count("refused")), (1, 16))
        kept = list((self.device.update.parent / "reports").iterdir())
        self.assertGreater(len(kept), len(said))

    def test_the_same_refusal_again_is_no_new_report_and_another_one_is(self):
        self.device.trust("ab" * 32)
        for _ in range(2):
            self.passes(3, "bundle-signer")
            self.assertEqual(len(self.kept()), 1)
        self.device.trust()
        self.passes(3, "expired-role", "--at", "2099-01-01")
        self.device.trust("ab" * 32)
        self.passes(3, "bundle-signer")
        self.assertEqual([error for _, _, error in self.outcomes()], ["bundle-signer", "expired-role"])

    def test_refusals_stand_in_the_chain_and_repeat_nothing_of_what_the_client_said(self):
        kept = self.home / "kept"
        shutil.copytree(self.stick / "airlock", kept)
        self.define("line", "large-2")
        self.prepare("line")
        self.takes()
        self.client.look()
        self.report()
        shutil.rmtree(self.stick / "airlock")
        shutil.copytree(kept, self.stick / "airlock")
        for _ in range(2):
            self.passes(3, "rollback|stored-newer")
            installed, refused = self.kept()
        self.assertEqual((installed["outcome"], installed["lockbox"]["version"]), ("installed", self.version + 1))
        self.assertEqual((refused["outcome"], refused["lockbox"]["version"]), ("refused", self.version))
        self.assertEqual((refused["sequence"], refused["ecus"]), (2, installed["ecus"]))
        self.ok("reports", "key", "add", "Pumpe-7", self.key, "--helper")
        self.ok("reports", "collect", self.stick)
        chains = {r["outcome"]: r["chain"] for r in self.ok("reports", "list")["reports"] if r["kind"] == "helper"}
        self.assertEqual(chains, {"installed": "whole", "refused": "whole"})

    def test_damage_that_shows_while_it_is_unpacked(self):
        [volume] = (self.stick / "airlock").glob("*.001")
        content = bytearray(volume.read_bytes())
        content[len(content) // 2] ^= 1
        volume.write_bytes(content)
        found, _, stderr = self.run_device("apply", self.stick)
        self.assertEqual(found, 3, stderr)
        [(outcome, source, error)] = self.outcomes()
        self.assertEqual((outcome, source), ("refused", "helper"))
        self.assertIn(f"[{error}]", stderr)

    def test_what_was_refused_at_first_and_then_installed_is_both(self):
        self.device.trust("ab" * 32)
        self.passes(3, "bundle-signer")
        self.device.trust()
        self.takes()
        self.client.look()
        self.assertEqual(self.outcomes(), [("refused", "helper", "bundle-signer"), ("installed", "update-logs", None)])

    def test_of_a_lockbox_for_others_nothing_is_told(self):
        self.device = Device(self.home / "another", "verdin-imx8mm")
        self.device.write("/etc/hostname", "pump-7\n")
        self.provision(self.device)
        found, _, stderr = self.run_device("apply", self.stick, "--at", "2099-01-01")
        self.assertIn("[expired-role]", stderr)
        self.assertEqual(found, 3)
        self.assertEqual(self.run_device("key")[0], 0)
        self.assertEqual(self.outcomes(), [("nothing", "helper", None)])

    def test_a_device_without_a_name_says_that_nobody_will_hear_of_it(self):
        self.device.beneath("/etc/hostname").unlink()
        self.device.trust("ab" * 32)
        self.assertIn("without a report of what was refused: the device's name", self.passes(3, "bundle-signer"))

    def test_a_key_is_made_where_there_is_none(self):
        key = Path(self.device.update.parent / "device.key")
        key.unlink()
        self.device.trust("ab" * 32)
        self.passes(3, "bundle-signer")
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.outcomes(), [("refused", "helper", "bundle-signer")])


if __name__ == "__main__":
    scenario.main()
