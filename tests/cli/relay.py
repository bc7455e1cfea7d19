#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""sync --relay: what a device signed reaches the device gateway as it was recorded, once, in its order, and only
where it can do no harm."""

import hashlib
import io
import json
import shutil
import time
import zipfile

import scenario
from courier import Courier
from client import Device, Ecu, urn
from online import Online
from prompt import Terminal

TOMORROW = "2099-01-01T00:00:00Z"


class Relay(Courier):
    def setUp(self):
        super().setUp()
        self.zips = self.home / "zips"
        self.zips.mkdir()
        self.pump = Device("pump-7", "rsa")
        self.online = self.make(self.pump, "Pump seven")
        self.enrol(self.pump, "Pumpe 7")

    def make(self, device, name, register=True):
        """A device of the account, whose credentials the operator kept; it came online in the factory."""
        uuid = self.cloud.tell("device", "add", f"{name} {self.id()}", "--name", name)["deviceUuid"]
        file = self.zips / f"{name.replace(' ', '-')}.zip"
        self.cloud.tell("device", "credentials", uuid, file)
        online = Online(file.read_bytes())
        if register:
            self.assertEqual(online.register(device)[0], 201)
        with zipfile.ZipFile(file) as archive:
            key = archive.read("pkey.pem").decode().splitlines()[1]
        self.cloud.secrets.append(key)
        self.addCleanup(self.cloud.secrets.remove, key)
        return online

    def shown(self, online=None):
        return self.cloud.tell("device", "show", (online or self.online).uuid)

    def assert_arrived(self, *manifests, online=None):
        """These, byte for byte, in this order, and nothing else."""
        self.assertEqual(self.shown(online)["manifests"], [hashlib.sha256(m.encode()).hexdigest() for m in manifests])

    def relay(self, *options, yes=("Pump seven",), code=0, failed=()):
        """{counter: outcome} of each device, and the ids of what failed."""
        words = [word for name in yes for word in ("--yes", name)]
        outcome = self.airlock("--json", "sync", "--relay", self.zips, *words, *options)
        self.assertEqual(outcome.code, 7 if failed else code, str(outcome))
        self.assertEqual([f["id"] for f in outcome.answer["failed"]], list(failed), str(outcome))
        return {r["counter"]: r["outcome"] for d in outcome.answer["relays"] for r in d["reports"]}

    def test_a_verified_report_arrives_as_it_was_recorded(self):
        manifest = self.pump.manifest(counter=42, version=3)
        self.bring((self.pump, manifest))
        self.cloud.clear_log()
        self.assertEqual(self.relay(), {42: "accepted"})
        self.assert_arrived(manifest)
        shown = self.shown()
        self.assertEqual(shown["components"][0]["image"]["filepath"], "image-3")
        self.assertNotIn("lastSeen", shown)
        asked = [(entry["method"], entry["path"], entry["certificate"]) for entry in self.cloud.log()
                 if entry["origin"] == "dgw"]
        self.assertEqual(asked, [("PUT", "/director/manifest", f"CN={self.online.uuid}")])
        paths = [entry["path"] for entry in self.cloud.log()]
        self.assertIn("/assignment", paths[paths.index("/director/manifest") - 1])

    def test_the_same_again_sends_nothing(self):
        manifest = self.pump.manifest(counter=42)
        self.bring((self.pump, manifest))
        self.relay()
        self.assertEqual(self.relay(), {})
        self.assertEqual(self.relay(yes=()), {})
        self.assert_arrived(manifest)
        self.assertIn("nothing to relay", self.airlock("sync", "--relay", self.zips).stdout)

    def test_counters_rise_whatever_order_the_sticks_came_in(self):
        m = {n: self.pump.manifest(counter=n, version=n) for n in (40, 41, 42, 43)}
        self.bring((self.pump, m[43]), (self.pump, m[41]))
        self.bring((self.pump, m[42]))
        self.assertEqual(self.relay(), {41: "accepted", 42: "accepted", 43: "accepted"})
        self.bring((self.pump, m[40]), (self.pump, self.pump.manifest(counter=43, version=7)))
        self.assertEqual(self.relay(), {})
        self.assert_arrived(m[41], m[42], m[43])
        [device] = self.ok("sync", "--relay", self.zips)["relays"]
        self.assertEqual(device["older"], 2)

    def test_only_what_is_verified_is_relayed(self):
        stranger = Device("pump-7", serial=self.pump.serial)
        forged = json.loads(self.pump.manifest(counter=43, code="INSTALL_FAILED"))
        forged["signed"]["installation_report"]["report"]["result"]["success"] = True
        press = Device("press")
        online = self.make(press, "Press line")
        self.bring((self.pump, json.dumps(forged)), (stranger, stranger.manifest(counter=44)), (self.pump, None),
                   (press, press.manifest(counter=5)))
        self.assertEqual(self.relay(yes=("Pump seven", "Press line")), {})
        self.assert_arrived()
        self.assert_arrived(online=online)

    def test_an_ecu_whose_part_is_anothers_holds_it_back(self):
        self.pump.secondaries = [Ecu()]
        self.online.register(self.pump)
        key = self.home / "mcu.key"
        key.write_text(self.pump.secondaries[0].public)
        self.ok("reports", "key", "add", "mcu", key)
        manifest = json.loads(self.pump.manifest(counter=42))
        part = manifest["signed"]["ecu_version_manifests"][self.pump.secondaries[0].serial]
        part["signed"]["installed_image"]["filepath"] = "another"
        self.bring((self.pump, json.dumps(self.pump.sign(manifest["signed"]))))
        self.assertEqual(self.relay(), {})

    def test_nobody_speaks_in_a_devices_name_unasked(self):
        press = Device("press")
        online = self.make(press, "Press line")
        self.enrol(press, "Presse")
        self.bring((self.pump, self.pump.manifest(counter=42)), (press, press.manifest(counter=5)))
        self.assertEqual(self.relay(yes=(), failed=("not-agreed", "not-agreed")), {42: "waiting", 5: "waiting"})
        self.assertEqual(self.relay(failed=("not-agreed",)), {42: "accepted", 5: "waiting"})
        self.assert_arrived(online=online)
        self.assertEqual(self.relay(yes=(online.uuid.upper(),)), {5: "accepted"})

    def test_at_a_terminal_a_person_is_asked(self):
        manifest = self.pump.manifest(counter=42)
        self.bring((self.pump, manifest))
        for answer, says in ((b"\n", "not sent"), (b"no\n", "not sent"), (b"yes\n", "accepted")):
            terminal = Terminal(self, "sync", "--relay", self.zips)
            terminal.wait_for(b"'Pump seven'")
            terminal.wait_for(b"[yes/No] ")
            terminal.type(answer)
            code, stdout, stderr = terminal.finish()
            self.assertEqual((code, says in stdout), (0, True), stdout + stderr)
        self.assert_arrived(manifest)

    def test_a_dry_run_sends_nothing_and_keeps_nothing(self):
        self.bring((self.pump, self.pump.manifest(counter=42)))
        self.assertEqual(self.relay("--dry-run", yes=()), {42: "waiting"})
        self.assertIn("would be sent", self.airlock("sync", "--dry-run", "--relay", self.zips).stdout)
        self.assert_arrived()
        self.online.see()
        self.assertEqual(self.relay("--dry-run", yes=()), {42: "overtaken"})
        self.assertEqual(self.relay(), {42: "overtaken"})

    def test_an_open_assignment_is_not_cancelled(self):
        manifest = self.pump.manifest(counter=42)
        self.bring((self.pump, manifest))
        assignment = [{"correlationId": urn("pump-7", 9), "targets": {}, "inFlight": False}]
        self.cloud.tell("device", "set", self.online.uuid, "--assignment", json.dumps(assignment))
        self.assertEqual(self.relay(failed=("open-assignment",)), {42: "waiting"})
        self.assertEqual(self.shown()["assignment"], assignment)
        self.assertEqual(self.relay("--dry-run", failed=("open-assignment",)), {42: "waiting"})
        self.assert_arrived()
        self.cloud.tell("device", "set", self.online.uuid, "--assignment", "[]")
        self.assertEqual(self.relay(), {42: "accepted"})
        self.assert_arrived(manifest)

    def test_the_cloud_is_asked_again_after_a_person_was(self):
        self.bring((self.pump, self.pump.manifest(counter=42)))
        terminal = Terminal(self, "sync", "--relay", self.zips)
        terminal.wait_for(b"[yes/No] ")
        assignment = [{"correlationId": urn("pump-7", 9), "targets": {}, "inFlight": False}]
        self.cloud.tell("device", "set", self.online.uuid, "--assignment", json.dumps(assignment))
        terminal.type(b"yes\n")
        code, stdout, stderr = terminal.finish()
        self.assertEqual((code, "not done" in stderr), (7, True), stdout + stderr)
        self.assertEqual(self.shown()["assignment"], assignment)
        self.assert_arrived()

    def test_a_device_that_came_online_by_itself_is_not_rolled_back(self):
        self.bring((self.pump, self.pump.manifest(counter=42, version=4)))
        time.sleep(1.1)  # the cloud tells whole seconds
        newer = self.pump.manifest(counter=44, version=5)
        self.online.see()
        self.online.put(newer)
        self.assertEqual(self.relay(), {42: "overtaken"})
        self.assert_arrived(newer)
        self.assertEqual(self.relay(), {})
        self.bring((self.pump, self.pump.manifest(counter=45, version=6)), at=TOMORROW)
        self.assertEqual(self.relay(), {45: "accepted"})

    def test_a_device_that_came_online_after_the_install_is_not_rolled_back(self):
        """It was collected later, but the device's own log begins before."""
        self.online.see()
        self.bring((self.pump, self.pump.manifest(counter=42)), lines=["begin", "end"], at=TOMORROW)
        self.assertEqual(self.relay(), {42: "overtaken"})
        self.assert_arrived()

    def test_a_cloud_that_takes_a_report_for_the_device_is_not_believed(self):
        """Then we ourselves are why it was seen."""
        self.cloud.tell("set", "manifest-is-seen", "yes")
        self.addCleanup(self.cloud.tell, "set", "manifest-is-seen", "no")
        m = {n: self.pump.manifest(counter=n, version=n) for n in (41, 42, 43)}
        self.bring(*((self.pump, m[n]) for n in m))
        time.sleep(1.1)  # the cloud tells whole seconds
        self.fault("^PUT dgw/director/manifest", "status", "code=403", times=1, skip=2)
        self.assertEqual(self.relay(failed=("relay-refused",)), {41: "accepted", 42: "accepted", 43: "refused"})
        time.sleep(1.1)
        self.assertEqual(self.relay(), {43: "accepted"})
        self.assert_arrived(m[41], m[42], m[43])
        shown = [r["relays"] for r in (self.ok("reports", "show", n) for n in (1, 2, 3))]
        self.assertEqual([[t["outcome"] for t in tried] for tried in shown], [["accepted"], ["accepted"], ["refused", "accepted"]])
        self.bring((self.pump, self.pump.manifest(counter=44, version=44)))
        time.sleep(1.1)
        self.online.see()
        self.assertEqual(self.relay(), {44: "overtaken"})

    def test_what_another_laptop_brought_is_not_rolled_back(self):
        old, new = self.pump.manifest(counter=42), self.pump.manifest(counter=43)
        other = {"XDG_STATE_HOME": str(self.home / "other-state"), "XDG_CONFIG_HOME": str(self.config.parent)}
        mine, self.env = self.env, self.env | other
        self.enrol(self.pump, "Pumpe 7")
        self.bring((self.pump, new))
        self.assertEqual(self.relay(), {43: "accepted"})
        self.env = mine
        self.bring((self.pump, old))
        self.assertEqual(self.relay(), {})
        self.assert_arrived(new)

    def test_an_answer_that_got_lost_is_told_and_nothing_is_sent_twice(self):
        manifest, newer = (self.pump.manifest(counter=n) for n in (42, 43))
        self.bring((self.pump, manifest))
        self.fault("^PUT dgw/director/manifest", "lost")
        self.assertEqual(self.relay(failed=("relay-unknown",)), {42: "not known"})
        self.cloud.tell("fault", "clear")
        self.assertEqual(self.relay(), {42: "not known"})
        self.assert_arrived(manifest)
        self.assertEqual(self.relay("--again", "Pump seven", yes=()), {42: "accepted"})
        self.assert_arrived(manifest, manifest)
        self.assertEqual(self.relay("--again", "Pump seven", yes=()), {})
        self.bring((self.pump, newer))
        self.assertEqual(self.relay(), {43: "accepted"})

    def test_a_later_report_goes_out_after_one_that_may_have_arrived(self):
        first, later = (self.pump.manifest(counter=n) for n in (42, 43))
        self.bring((self.pump, first), (self.pump, later))
        self.fault("^PUT dgw/director/manifest", "reset", times=1)
        self.assertEqual(self.relay(failed=("relay-unknown",)), {42: "not known", 43: "waiting"})
        self.assertEqual(self.relay(), {42: "not known", 43: "accepted"})
        self.assertEqual(self.relay("--again", "Pump seven"), {})
        self.assert_arrived(later)

    def test_a_server_that_fails_may_have_acted(self):
        self.bring((self.pump, self.pump.manifest(counter=42)))
        self.fault("^PUT dgw/director/manifest", "status", "code=502")
        self.cloud.clear_log()
        self.assertEqual(self.relay(failed=("relay-unknown",)), {42: "not known"})
        self.assertEqual(len([entry for entry in self.cloud.log() if entry["origin"] == "dgw"]), 1)

    def test_a_run_that_is_killed_after_it_sent_sends_nothing_twice(self):
        manifest = self.pump.manifest(counter=42)
        self.bring((self.pump, manifest))
        self.fault("^PUT dgw/director/manifest", "delay", "seconds=5")
        process = self.start("sync", "--relay", self.zips, "--yes", "Pump seven")
        self.wait_until(lambda: self.shown()["manifests"], "the report arrives")
        process.kill()
        process.wait()
        self.cloud.tell("fault", "clear")
        self.assertEqual(self.relay(), {42: "not known"})
        self.assert_arrived(manifest)

    def test_an_answer_that_is_too_large_hides_no_status(self):
        manifest = self.pump.manifest(counter=42)
        self.bring((self.pump, manifest))
        self.fault("^PUT dgw/director/manifest", "longer", "by=1048576")
        self.assertEqual(self.relay(), {42: "accepted"})
        self.assert_arrived(manifest)

    def test_who_answers_for_the_gateway_is_told(self):
        self.bring((self.pump, self.pump.manifest(counter=42)))
        outcome = self.airlock("sync", "--relay", self.zips, "--yes", "Pump seven", "--gateway",
                               self.cloud.env["REHEARSAL_API_URL"])
        self.assertIn("root.crt", outcome.stderr)

    def test_a_gateway_that_cannot_be_reached_got_nothing(self):
        manifest = self.pump.manifest(counter=42)
        self.bring((self.pump, manifest))
        self.assertEqual(self.relay("--gateway", "https://localhost:1", failed=("network",)), {42: "not sent"})
        self.assertEqual(self.relay("--gateway", self.cloud.env["REHEARSAL_API_URL"], failed=("tls",)), {42: "not sent"})
        self.assertEqual(self.relay("--gateway", "http://localhost:1", failed=("bad-config",)), {42: "waiting"})
        self.assertEqual(self.relay("--gateway", f"{self.cloud.env['REHEARSAL_DEVICE_GATEWAY_URL']}/"), {42: "accepted"})
        self.assert_arrived(manifest)

    def test_an_ecu_that_is_not_registered_is_refused_and_may_be_tried_again(self):
        manifest = Device("pump-7", secondaries=[Ecu()])
        self.pump.secondaries = manifest.secondaries
        manifest = self.pump.manifest(counter=42)
        self.bring((self.pump, manifest))
        self.assertEqual(self.relay(failed=("relay-refused",)), {42: "refused"})
        outcome = self.airlock("sync", "--relay", self.zips, "--yes", "Pump seven")
        self.assertIn("signature_not_valid", outcome.stderr)
        self.online.register(self.pump)
        self.assertEqual(self.relay(), {42: "accepted"})
        self.assert_arrived(manifest)

    def test_a_device_with_another_ecu_is_another_device(self):
        self.bring((self.pump, self.pump.manifest(counter=42)))
        self.sync()
        self.online.register(Device("replaced"))
        self.assertEqual(self.relay(failed=("other-device",)), {42: "waiting"})
        self.assert_arrived()

    def test_a_certificate_of_another_cloud_is_refused(self):
        self.bring((self.pump, self.pump.manifest(counter=42)))
        file = self.zips / "Pump-seven.zip"
        good = file.read_bytes()
        foreign = self.zip_with(good, foreign_key_pair(self.online.uuid))
        file.write_bytes(foreign)
        self.assertEqual(self.relay(failed=("relay-refused",)), {42: "refused"})
        self.assert_arrived()
        file.write_bytes(good)
        self.assertEqual(self.relay(), {42: "accepted"})

    @staticmethod
    def zip_with(archive, files):
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w") as new:
            for name in old.namelist():
                new.writestr(name, files.get(name, old.read(name)))
        return out.getvalue()

    def test_archives_that_are_none_hinder_no_other(self):
        self.bring((self.pump, self.pump.manifest(counter=42)))
        good = (self.zips / "Pump-seven.zip").read_bytes()
        other = {"info.json": b'{"deviceUuid": "11111111-2222-3333-4444-555555555555"}'}
        (self.zips / "a.zip").write_bytes(b"not a ZIP")
        (self.zips / "b.zip").write_bytes(self.zip_with(good, other))
        (self.zips / "c.zip").symlink_to("/etc/passwd")
        (self.zips / "d.ZIP").write_bytes(b"\0" * ((1 << 20) + 1))
        (self.zips / "notes.txt").write_text("not one either")
        self.make(Device("elsewhere"), "Elsewhere")
        self.assertEqual(self.relay(failed=("bad-credentials", "bad-credentials", "unsafe-name", "too-large")),
                         {42: "accepted"})

    def test_two_archives_of_one_device_are_one_too_many(self):
        self.bring((self.pump, self.pump.manifest(counter=42)))
        shutil.copy(self.zips / "Pump-seven.zip", self.zips / "z.zip")
        self.assertEqual(self.relay(yes=(), failed=("bad-credentials", "bad-credentials")), {})
        self.assert_arrived()

    def test_a_name_that_fits_nothing_sends_nothing(self):
        self.bring((self.pump, self.pump.manifest(counter=42)))
        self.assertEqual(self.relay(yes=("Pump seven", "Pump eight"), failed=("usage",)), {42: "waiting"})
        outcome = self.airlock("sync", "--relay", self.home / "nowhere")
        self.assertEqual((outcome.code, "its notes" in outcome.stdout), (7, True), str(outcome))
        self.assertIn("nowhere", outcome.stderr)
        for words in (("--yes", "x"), ("--again", "x"), ("--gateway", "https://x")):
            self.refuses(2, "usage", "sync", *words)
        self.assert_arrived()

    def test_a_folder_without_archives_says_so(self):
        outcome = self.airlock("sync", "--relay", self.stick)
        self.assertEqual(outcome.code, 0)
        self.assertIn("holds no ZIP", outcome.stdout)


def foreign_key_pair(uuid):
    from certificates import Authority
    key, certificate = Authority("Somebody else").certify(uuid)
    return {"pkey.pem": key, "client.pem": certificate}


if __name__ == "__main__":
    scenario.main()
