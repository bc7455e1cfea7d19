#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""sync: what came home goes into the notes of the device that signed it, and nowhere else."""

import json

import scenario
from courier import Courier
from client import Device

PEOPLE = "Spare part in cabinet B. | Ask *Jörg*.\n"
BEGIN, END = "[begin of what airlock reports]", "[end of what airlock reports]"


class Sync(Courier):
    def setUp(self):
        super().setUp()
        self.pump = Device("pump-7", "rsa")
        self.press = Device("press-line")
        self.uuid = {}
        self.register(self.pump, "Pump seven", PEOPLE)
        self.register(self.press, "Press line", "")

    def register(self, device, name, notes):
        components = [{"id": device.serial, "hardwareId": "verdin-imx8mm", "primary": True,
                       "image": {"filepath": "x", "size": 1, "hash": {"sha256": "0" * 64}}}]
        made = self.cloud.tell("device", "add", f"{name} {self.id()}", "--name", name, "--components",
                               json.dumps(components), "--notes", notes)
        self.uuid[device] = made["deviceUuid"]

    def notes(self, device):
        [found] = [d for d in self.cloud.tell("device", "list") if d["deviceUuid"] == self.uuid[device]]
        return found["notes"]

    def rows(self, device):
        return [[cell.strip() for cell in line.split("|")[1:-1]] for line in self.notes(device).splitlines()
                if line.endswith(" |") and not line.startswith("| report")]

    def test_reports_come_into_the_notes_of_their_device(self):
        self.enrol(self.pump, "Pumpe 7")
        self.bring((self.pump, self.pump.manifest(counter=42)),
                   (self.press, self.press.manifest(counter=7, lockbox="press-line", version=3, code="INSTALL_FAILED",
                                                    description="<b>not for the cloud</b>")))
        said = self.sync()
        self.assertEqual((said[self.pump.serial]["device"], said[self.pump.serial]["changed"]), ("Pump seven", True))
        notes = self.notes(self.pump)
        self.assertTrue(notes.startswith(PEOPLE), notes)
        self.assertEqual((notes.count(BEGIN), notes.count(END)), (1, 1))
        [row] = self.rows(self.pump)
        self.assertEqual((row[0], row[3:6]), ("42", ["installed", "OK", "verified"]))
        [row] = self.rows(self.press)
        self.assertEqual(row[:6], ["7", "press-line", "3", "failed", "INSTALL_FAILED", "unverified"])
        self.assertNotIn("not for the cloud", self.notes(self.press))

    def test_the_same_again_writes_nothing(self):
        self.bring((self.pump, self.pump.manifest(counter=42)))
        self.sync()
        before = self.notes(self.pump)
        self.cloud.clear_log()
        self.assertFalse(self.sync()[self.pump.serial]["changed"])
        self.assertEqual(self.notes(self.pump), before)
        self.assertEqual([line for line in self.cloud.log() if "PUT" in json.dumps(line)], [])

    def test_a_dry_run_shows_it_and_writes_nothing(self):
        self.bring((self.pump, self.pump.manifest(counter=42)))
        said = self.sync("--dry-run")[self.pump.serial]
        self.assertTrue(said["changed"])
        self.assertIn("| 42 |", said["notes"])
        self.assertEqual(self.notes(self.pump), PEOPLE)
        outcome = self.airlock("sync", "--dry-run")
        self.assertIn("  + | 42 |", outcome.stdout)
        self.assertNotIn("Jörg", outcome.stdout)

    def test_what_people_write_meanwhile_stays(self):
        self.bring((self.pump, self.pump.manifest(counter=42)))
        self.sync()
        edited = "New first line.\n" + self.notes(self.pump) + "And a last one."
        self.cloud.tell("device", "set", self.uuid[self.pump], "--notes", edited)
        self.bring((self.pump, self.pump.manifest(counter=43, code="INSTALL_FAILED")))
        self.sync()
        notes = self.notes(self.pump)
        self.assertTrue(notes.startswith("New first line.\n" + PEOPLE) and notes.endswith("And a last one."), notes)
        self.assertEqual([row[0] for row in self.rows(self.pump)], ["42", "43"])

    def test_two_laptops_make_one_table(self):
        manifests = [self.pump.manifest(counter=n) for n in (41, 42, 43)]
        self.bring((self.pump, manifests[0]), (self.pump, manifests[1]))
        self.sync()
        self.env |= {"XDG_STATE_HOME": str(self.home / "other-state")}
        self.login()
        self.enrol(self.pump, "Pumpe 7")
        self.bring((self.pump, manifests[1]), (self.pump, manifests[2]))
        self.sync()
        self.assertEqual([(row[0], row[5]) for row in self.rows(self.pump)],
                         [("41", "unverified"), ("42", "verified"), ("43", "verified")])

    def test_a_changed_block_is_left_alone_and_the_others_go_on(self):
        self.bring((self.pump, self.pump.manifest(counter=42)), (self.press, self.press.manifest(counter=7)))
        self.sync()
        edited = self.notes(self.pump).replace("installed", "exploded")
        self.cloud.tell("device", "set", self.uuid[self.pump], "--notes", edited)
        self.bring((self.pump, self.pump.manifest(counter=43)), (self.press, self.press.manifest(counter=8)))
        outcome = self.airlock("--json", "sync")
        self.assertEqual(outcome.code, 7, str(outcome))
        self.assertEqual([(f["device"], f["id"]) for f in outcome.answer["failed"]], [("Pump seven", "notes-block")])
        self.assertEqual(self.notes(self.pump), edited)
        self.assertEqual(len(self.rows(self.press)), 2)

    def test_a_device_that_the_cloud_does_not_know_stays_in_the_ledger(self):
        stranger = Device("stranger")
        self.bring((stranger, stranger.manifest(counter=1)), (self.pump, self.pump.manifest(counter=42)))
        said = self.sync()
        self.assertEqual((said[stranger.serial]["device"], said[stranger.serial]["changed"]), (None, False))
        self.assertTrue(said[self.pump.serial]["changed"])
        self.assertIn("knows no device", self.airlock("sync").stdout)

    def test_a_forged_report_is_not_published(self):
        self.enrol(self.pump, "Pumpe 7")
        forged = json.loads(self.pump.manifest(counter=43, code="INSTALL_FAILED"))
        forged["signed"]["installation_report"]["report"]["result"]["success"] = True
        self.bring((self.pump, json.dumps(forged)))
        self.sync()
        self.assertEqual(self.notes(self.pump), PEOPLE)

    def test_a_stranger_who_names_the_serial_of_a_known_device_is_not_published(self):
        self.enrol(self.pump, "Pumpe 7")
        stranger = Device("pump-7", serial=self.pump.serial)
        self.bring((stranger, stranger.manifest(counter=99)))
        self.assertEqual([r["proof"] for r in self.ok("reports", "list")["reports"]], ["signed by an unknown key"])
        self.sync()
        self.assertEqual(self.notes(self.pump), PEOPLE)

    def test_one_device_that_refuses_does_not_hinder_the_next(self):
        self.bring((self.pump, self.pump.manifest()), (self.press, self.press.manifest()))
        self.fault(f"^PUT .*/devices/notes/{self.uuid[self.pump]}", "status", "code=403")
        outcome = self.airlock("--json", "sync")
        self.assertEqual((outcome.code, [f["id"] for f in outcome.answer["failed"]]), (7, ["not-allowed"]), str(outcome))
        self.assertEqual((self.notes(self.pump), len(self.rows(self.press))), (PEOPLE, 1))
        self.cloud.tell("fault", "clear")
        self.sync()
        self.assertEqual(len(self.rows(self.pump)), 1)

    def test_a_run_that_is_killed_after_it_wrote_writes_nothing_twice(self):
        self.bring((self.pump, self.pump.manifest()))
        self.fault("^PUT .*/devices/notes/", "delay", "seconds=5")
        process = self.start("sync")
        self.wait_until(lambda: BEGIN in self.notes(self.pump), "the notes are written")
        process.kill()
        process.wait()
        self.cloud.tell("fault", "clear")
        self.cloud.clear_log()
        self.assertFalse(self.sync()[self.pump.serial]["changed"])
        self.assertEqual([entry for entry in self.cloud.log() if entry["method"] == "PUT"], [])
        self.assertEqual(len(self.rows(self.pump)), 1)

    def test_what_a_device_calls_itself_counts_for_nothing(self):
        impostor = Device("pump-7", "rsa")
        self.bring((impostor, impostor.manifest(counter=99)))
        self.sync()
        self.assertEqual(self.notes(self.pump), PEOPLE)

    def test_nothing_to_publish_and_nobody_logged_in(self):
        self.assertEqual(self.ok("sync")["devices"], [])
        self.refuses(2, "no-profile", "--profile", "nobody", "sync")


if __name__ == "__main__":
    scenario.main()
