#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""airlock-device apply: a stick from the cloud is put into a device, which takes what is for it and no more."""

import os
import shutil
import time
from pathlib import Path

from rehearsal_device import SOURCE, Device, DeviceScenario
import scenario
from scenario import end, tree

KILLS = 12


class Applying(DeviceScenario):
    # What is taken.

    def test_the_files_are_those_of_the_plain_export(self):
        stdout, stderr = self.takes()
        self.assertEqual(stdout, f"line version {self.version} unpacked to {SOURCE}\n")
        self.assertIn("no signer keys in /etc/airlock/signers", stderr)
        self.assert_has(self.expected)

    def test_the_same_stick_again_changes_nothing(self):
        self.takes()
        before = self.device.update.stat()
        stdout, _ = self.takes()
        self.assertEqual(stdout, f"line version {self.version} is already in {SOURCE}\n")
        self.assertEqual(self.device.update.stat().st_ino, before.st_ino)
        self.assert_has(self.expected)

    def test_the_newest_version_takes_the_place_and_the_clients_log_moves_on(self):
        self.takes()
        for name in ("update-logs.db", "update-logs.db-journal"):
            (self.device.update / name).write_bytes(name.encode())
        self.define("line", "large-2")
        newer = self.plain()
        self.prepare("line")
        stdout, _ = self.takes()
        self.assertIn(f"line version {self.version + 1} unpacked", stdout)
        self.assert_has(newer | {name: name.encode() for name in ("update-logs.db", "update-logs.db-journal")})

    def test_of_two_lockboxes_the_one_that_is_named(self):
        self.define("other-line", "large-2")
        self.addCleanup(self.cloud.tell, "lockbox", "delete", "other-line")
        self.prepare("other-line")
        self.assertIn("--lockbox", self.passes(3, "several-lockboxes"))
        stdout, _ = self.takes("--lockbox", "line")
        self.assertIn(f"line version {self.version} unpacked", stdout)
        self.passes(4, "nothing-to-install", "--lockbox", "third-line")

    def test_an_ecu_behind_the_primary_is_found_in_the_clients_list(self):
        self.device = Device(self.home / "another", "verdin-imx8mm", others=["some-mcu", "large-mcu"])
        self.provision(self.device)
        self.takes()
        self.assert_has(self.expected)

    # Who is believed.

    def test_with_signer_keys_only_their_bundles_are_taken(self):
        own = self.ok("key", "show")["own"]["public_key"]
        self.device.trust("ab" * 32)
        self.assertIn("1 keys signed", self.passes(3, "bundle-signer"))
        self.device.trust("ab" * 32, own)
        _, stderr = self.takes()
        self.assertEqual(stderr, "")

    def test_a_list_of_signers_that_cannot_be_read_stops_everything(self):
        for text in ("not a key\n", "ab" * 31 + " short\n", "ab" * 32 + "cd long\n"):
            self.device.write("/etc/airlock/signers", "# who packs\n\n" + text)
            self.assertIn("line 3", self.passes(2, "bad-config"))

    def test_a_link_in_place_of_the_list_of_signers_is_not_followed(self):
        self.device.write("/etc/airlock/real", "")
        self.device.beneath("/etc/airlock/signers").symlink_to("real")
        code, _, stderr = self.run_device("apply", self.stick)
        self.assertNotEqual(code, 0, stderr)

    def test_a_first_root_is_never_taken_from_the_stick(self):
        shutil.rmtree(self.device.beneath("/var/sota/import/repo"))
        self.assertIn("never taken from a stick", self.passes(3, "root-not-trusted"))

    def test_another_accounts_lockbox_is_refused(self):
        director = self.device.beneath("/var/sota/import/director/root.json")
        director.write_bytes(self.device.beneath("/var/sota/import/repo/root.json").read_bytes())
        found, _, stderr = self.run_device("apply", self.stick)
        self.assertEqual(found, 3, stderr)
        self.assertFalse(self.device.update.exists())

    def test_a_lockbox_that_has_ended_is_refused(self):
        self.passes(3, "expired-role", "--at", "2099-01-01")

    # What is not for this device.

    def test_other_hardware_gets_nothing(self):
        self.device = Device(self.home / "another", "verdin-imx8mm")
        self.provision(self.device)
        self.assertRegex(self.passes(4, "nothing-to-install"), r"(?m)^line-v\d+-.*\[nothing-to-install\]$")

    def test_a_stick_that_may_not_be_read(self):
        """As root the part that reads it is nobody; anybody else is himself."""
        (self.stick / "airlock").chmod(0o700 if os.geteuid() == 0 else 0)
        self.addCleanup((self.stick / "airlock").chmod, 0o755)
        self.assertIn("umask=022", self.passes(6, "medium-io"))

    def test_a_stick_without_bundles(self):
        shutil.rmtree(self.stick / "airlock")
        self.assertIn("no folder 'airlock'", self.passes(4, "nothing-to-install"))
        (self.stick / "airlock").mkdir()
        self.passes(4, "nothing-to-install")

    def test_a_client_that_looks_elsewhere_is_named_before_anything_is_read(self):
        for how in ({"source": "/var/rootdirs/media/STICK/update"}, {"enabled": False}):
            self.device.configure(**how)
            self.assertIn("restart the client", self.passes(4, "not-looked-for"))

    def test_of_two_files_of_one_name_that_in_etc_counts(self):
        self.device.write("/etc/sota/conf.d/40-hardware-id.toml", "[provision]\n# nothing is said here\n")
        self.assertIn("no hardware id", self.passes(2, "bad-config"))
        self.device.write("/etc/sota/conf.d/41-mine.toml", '[provision]\nprimary_ecu_hardware_id = "large-mcu"\n')
        self.takes()

    def test_a_value_that_cannot_be_read_is_named(self):
        self.device.write("/etc/sota/conf.d/99-odd.toml", '[uptane]\nother = [1,\n2]\noffline_updates_source = """x"""\n')
        self.assertIn("'99-odd.toml', line 4", self.passes(2, "bad-config"))

    # Room, damage, kills.

    def test_too_little_room_is_told_before_anything_is_unpacked(self):
        place = self.device.update.parent
        place.mkdir(parents=True)
        as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        small = ["unshare", *as_root, "--mount", "sh", "-ec",
                 f'mount -t tmpfs -o size=4m none "{place}"; exec "$@"', "sh"]
        self.assertRegex(self.passes(3, "device-space", before=small), r"takes 6\.\d MiB .* and 4\.0 MiB are free")

    def test_damage_leaves_what_was_there(self):
        self.takes()
        self.define("line", "large-2")
        volume = Path(f"{self.prepare('line')}.001")
        content = bytearray(volume.read_bytes())
        content[len(content) // 2] ^= 1
        volume.write_bytes(content)
        found, _, stderr = self.run_device("apply", self.stick)
        self.assertEqual(found, 3, stderr)
        self.assert_has(self.expected)

    def copy_of(self, root, name):
        folder = self.home / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(root, folder)
        self.device = Device(folder, "large-mcu")

    def kill_when(self, moment):
        """Starts it, and kills it at the moment; returns what the client would find then."""
        process = self.device.start("apply", self.stick)
        self.addCleanup(end, process)
        moment()
        process.kill()
        process.communicate()
        return tree(self.device.update)

    def appears(self, name):
        return lambda: self.wait_until((self.device.update.parent / name).exists, f"'{name}' is there")

    def test_a_kill_at_any_moment_leaves_nothing_or_all_and_the_next_run_ends_it(self):
        root = self.device.root
        self.copy_of(root, "timed")
        begun = time.monotonic()
        self.takes()
        took = time.monotonic() - begun
        moments = [lambda i=i: time.sleep(took * (i + 0.5) / KILLS) for i in range(KILLS)]
        for i, moment in enumerate([*moments, self.appears("lock"), self.appears(".update.part")]):
            self.copy_of(root, "killed")
            there = self.kill_when(moment)
            self.assertIn(there, ({}, self.expected), f"kill {i}")
            self.takes()
            self.assert_has(self.expected)

    def test_a_kill_while_the_older_one_gives_way_loses_neither_it_nor_its_log(self):
        self.takes()
        log = {"update-logs.db": b"installs"}
        (self.device.update / "update-logs.db").write_bytes(b"installs")
        root, older = self.device.root, self.expected | log
        self.define("line", "large-2")
        newer = self.plain()
        self.prepare("line")

        def comes_back():
            self.appears(".update.former")()
            self.appears("update")()
        for name, moment, expected in (("unpacking", self.appears(".update.part"), [older]),
                                       ("away", self.appears(".update.former"), [{}]),
                                       ("back", comes_back, [newer, newer | log])):
            self.copy_of(root, "killed")
            self.assertIn(self.kill_when(moment), expected, name)
            self.takes()
            self.assert_has(newer | log)

    # The command line.

    def test_a_wrong_command_line(self):
        for words in ((), ("apply",), ("apply", "a", "b"), ("unpack", self.stick), ("apply", self.stick, "--no"),
                      ("apply", self.stick, "--lockbox")):
            process = self.device.start(*words)
            code, stdout, stderr = self.finish_device(process)
            self.assertEqual((code, stdout), (2, ""), (words, stderr))
            self.assertIn("airlock-device --help", stderr)
        self.assertEqual(self.run_device("apply", self.stick, "--at", "soon")[0], 2)
        self.assertEqual(self.run_device("apply", self.home / "none")[0], 2)
        code, stdout, _ = self.run_device("--help")
        self.assertEqual((code, stdout.startswith("usage: airlock-device apply")), (0, True))
        self.assertRegex(self.run_device("--version")[1], r"^airlock-device \d")


if __name__ == "__main__":
    scenario.main()
