#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""sync --create: a device in the cloud for an ECU with verified reports, after a person's word, with its credentials
kept."""

import json
import zipfile

import scenario
from courier import Courier
from client import Device
from online import Online
from prompt import Terminal


class Create(Courier):
    def setUp(self):
        super().setUp()
        self.zips = self.home / "zips"
        self.zips.mkdir()
        self.pump = Device("pump-7", "rsa")
        self.enrol(self.pump, "Pumpe 7")
        self.bring((self.pump, self.pump.manifest(counter=42)))
        self.file = self.zips / f"{self.pump.serial}.zip"

    def made(self, device=None):
        """The devices of the cloud that were made for this ECU."""
        return [d for d in self.cloud.tell("device", "list") if d["deviceId"] == (device or self.pump).serial]

    def create(self, *options, yes=("Pumpe 7",), failed=()):
        words = [word for name in yes for word in ("--yes", name)]
        outcome = self.airlock("--json", "sync", "--create", self.zips, *words, *options)
        self.assertEqual(outcome.code, 7 if failed else 0, str(outcome))
        self.assertEqual([f["id"] for f in outcome.answer["failed"]], list(failed), str(outcome))
        return outcome.answer

    def assert_nothing_is_made(self):
        self.assertEqual((self.made(), scenario.names(self.zips)), ([], []))

    def test_a_device_is_made_and_its_credentials_kept(self):
        answer = self.create()
        [device] = self.made()
        [said] = answer["created"]
        self.assertEqual((said["uuid"], said["serial"], said["name"], said["file"]),
                         (device["deviceUuid"], self.pump.serial, "Pumpe 7", self.file.name))
        self.assertEqual(device["deviceName"], "Pumpe 7")
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)
        with zipfile.ZipFile(self.file) as archive:
            self.assertIsNone(archive.testzip())
        self.assertEqual(Online(self.file.read_bytes()).uuid, device["deviceUuid"])
        self.assertIn("| 42 | pump-7 |", device["notes"])
        self.assertEqual([d["changed"] for d in answer["devices"]], [True])

    def test_the_same_again_makes_nothing(self):
        self.create()
        before = self.file.read_bytes()
        self.assertEqual(self.create()["created"], [])
        self.assertEqual(self.create(yes=())["created"], [])
        self.assertEqual((len(self.made()), self.file.read_bytes()), (1, before))

    def test_a_second_laptop_finds_it_and_makes_no_second_one(self):
        self.create()
        self.env |= {"XDG_STATE_HOME": str(self.home / "other-state")}
        self.login()
        self.enrol(self.pump, "Pumpe 7")
        self.bring((self.pump, self.pump.manifest(counter=43)))
        self.assertEqual(self.create()["created"], [])
        [device] = self.made()
        self.assertIn("| 43 | pump-7 |", device["notes"])

    def test_once_it_is_online_its_reports_can_be_relayed(self):
        self.create()
        self.assertEqual(self.airlock("--json", "sync", "--relay", self.zips, "--yes", "Pumpe 7").answer["failed"][0]["id"],
                         "other-device")
        Online(self.file.read_bytes()).register(self.pump)
        [relayed] = self.ok("sync", "--relay", self.zips, "--yes", "Pumpe 7")["relays"]
        self.assertEqual([r["outcome"] for r in relayed["reports"]], ["accepted"])

    def test_only_for_what_is_verified(self):
        press = Device("press")
        stranger = Device("pump-7", serial="somebody")
        self.bring((press, press.manifest()), (stranger, stranger.manifest()))
        answer = self.create()
        self.assertEqual([made["serial"] for made in answer["created"]], [self.pump.serial])
        self.assertEqual(self.made(press), [])

    def test_nothing_is_made_unasked(self):
        [said] = self.create(yes=(), failed=("not-agreed",))["created"]
        self.assertIsNone(said["uuid"])
        self.create(yes=("Pumpe 7", "Pumpe 8"), failed=("usage",))
        self.refuses(2, "usage", "sync", "--create", self.zips, "--relay", self.zips)
        self.assert_nothing_is_made()

    def test_at_a_terminal_a_person_sees_what_would_be_made(self):
        for answer, says, count in ((b"\n", "not made", 0), (b"yes\n", "made in the cloud as", 1)):
            terminal = Terminal(self, "sync", "--create", self.zips)
            terminal.wait_for(f"id    {self.pump.serial}".encode())
            terminal.wait_for(b"name  Pumpe 7")
            terminal.wait_for(f"{self.file.name}'".encode())
            terminal.wait_for(b"[yes/No] ")
            terminal.type(answer)
            code, stdout, stderr = terminal.finish()
            self.assertEqual((code, says in stdout, len(self.made())), (0, True, count), stdout + stderr)

    def test_a_dry_run_makes_nothing(self):
        [said] = self.create("--dry-run", yes=())["created"]
        self.assertEqual((said["serial"], said["uuid"]), (self.pump.serial, None))
        self.assertIn("would be made", self.airlock("sync", "--dry-run", "--create", self.zips).stdout)
        self.assert_nothing_is_made()

    def test_where_the_credentials_cannot_be_kept_nothing_is_made(self):
        self.file.write_text("somebody's")
        self.create(failed=("already-exists",))
        self.assertEqual((self.made(), self.file.read_text()), ([], "somebody's"))
        self.file.unlink()
        self.zips.rmdir()
        self.create(failed=("no-such-path",))
        self.assertEqual(self.made(), [])

    def test_a_device_of_that_id_with_another_ecu_is_left_alone(self):
        component = {"id": "another", "hardwareId": "verdin-imx8mm", "primary": True}
        self.cloud.tell("device", "add", self.pump.serial, "--components", json.dumps([component]))
        self.create(failed=("already-exists",))
        self.assertEqual((len(self.made()), scenario.names(self.zips)), (1, []))

    def test_an_answer_that_got_lost_leaves_one_device_and_no_half_file(self):
        self.fault("^POST api/api/v2/devices", "lost")
        self.create(failed=("network",))
        self.cloud.tell("fault", "clear")
        self.assertEqual((len(self.made()), scenario.names(self.zips)), (1, []))
        self.assertEqual(self.create()["created"], [])
        [device] = self.made()
        self.assertIn("| 42 | pump-7 |", device["notes"])

    def answer_with(self, match, content):
        file = self.home / "answer"
        file.write_bytes(content)
        self.fault(match, "answer", f"file={file}")

    def test_what_is_no_archive_is_not_kept(self):
        for content in (b"junk", b""):
            self.answer_with("^POST api/api/v2/devices", content)
            self.create(failed=("bad-credentials",))
            outcome = self.airlock("sync", "--create", self.zips, "--yes", "Pumpe 7")
            self.assertIn("delete it in the cloud", outcome.stderr)
            self.assertEqual(scenario.names(self.zips), [])
            self.cloud.tell("fault", "clear")

    def test_the_credentials_of_another_device_are_not_its(self):
        uuid = self.cloud.tell("device", "add", f"another {self.id()}")["deviceUuid"]
        file = self.home / "another.zip"
        self.cloud.tell("device", "credentials", uuid, file)
        self.answer_with("^POST api/api/v2/devices", file.read_bytes())
        self.create(failed=("bad-answer",))
        self.cloud.tell("fault", "clear")
        self.assertEqual(scenario.names(self.zips), [])
        self.sync()
        self.assertEqual(self.cloud.tell("device", "show", uuid)["notes"], "")

    def test_what_the_cloud_says_of_another_device_is_no_answer(self):
        other = {"deviceUuid": "11111111-2222-3333-4444-555555555555", "deviceName": "x", "deviceId": self.pump.serial}
        self.answer_with("^GET api/api/v2/devices/[0-9a-f-]{36}$", json.dumps(other).encode())
        self.create(failed=("bad-answer",))
        self.assertEqual(scenario.names(self.zips), [self.file.name])

    def test_a_list_that_does_not_move_on_is_no_answer(self):
        device = {"deviceUuid": "11111111-2222-3333-4444-555555555555", "deviceName": "x"}
        for values in ([device], []):
            self.answer_with(r"^GET api/api/v2/devices\?", json.dumps({"values": values, "total": 9999}).encode())
            self.refuses(5, "bad-answer", "sync")
            self.cloud.tell("fault", "clear")

    def test_a_serial_that_is_no_name_of_a_file_is_refused(self):
        odd = Device("odd", serial="../odd")
        key = self.home / "odd.key"
        key.write_text(odd.public)
        self.ok("reports", "key", "add", "odd", key, "--serial", odd.serial)
        self.bring((odd, odd.manifest()))
        self.create(yes=("Pumpe 7", "odd"), failed=("unsafe-name",))
        self.assertEqual((self.made(odd), scenario.names(self.home / "zips")), ([], [self.file.name]))


if __name__ == "__main__":
    scenario.main()
