#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The whole way back: three devices, two sticks, and after sync the cloud's notes and the ledger say exactly what came,
no more. Of the devices one installed and came home on both sticks, one failed, and one went online by itself; and
somebody forged a report."""

import json
import sys

import scenario
from courier import Courier

sys.path.insert(0, str(scenario.TESTS / "interop"))
import make_reports  # noqa: E402
from client import Device, Log, urn  # noqa: E402
from online import Online  # noqa: E402

LOCKBOX, HARDWARE = "autumn", "verdin-imx8mm"
PEOPLE = "Belongs to *line 4*.\n"


class Homecoming(Courier):
    def in_the_cloud(self, *devices):
        """Each was online once: its ECU is registered, by itself, at the gateway."""
        fleet = self.cloud.tell("fleet", "add", self.id())["id"]
        online = {}
        for device in devices:
            made = self.cloud.tell("device", "add", device.name, "--name", device.name.capitalize(), "--fleet", fleet,
                                   "--notes", PEOPLE)
            device.uuid = made["deviceUuid"]
            path = self.home / f"{device.name}.zip"
            self.cloud.tell("device", "credentials", device.uuid, path)
            online[device] = Online(path.read_bytes())
            path.unlink()
            self.assertEqual(online[device].register(device)[0], 201)
        return online

    def lockbox(self):
        """Its one package is what client.Device says that it runs."""
        content = self.home / "package"
        content.write_text("image-1")
        package = self.cloud.tell("package", "add", "autumn", "1", "--hwid", HARDWARE, "--file", content, "--id", "image-1")
        role = self.cloud.tell("lockbox", "define", LOCKBOX, package["target"])
        self.assertEqual(role["version"], 1)
        self.ok("fetch", LOCKBOX)
        bundle = self.home / "out"
        bundle.mkdir()
        self.ok("write", LOCKBOX, bundle)
        [head] = (bundle / "airlock").glob("*.lockbox")
        return self.ok("verify", head)["correlation_id"]

    def stick_with(self, name, *rows):
        folder = self.home / name
        with Log(folder / "update/update-logs.db") as log:
            for device, manifest in rows:
                log.add(device, manifest, lines=["\x1b[2Jbegin"])
        answer = self.ok("reports", "collect", folder)
        return answer["added"], answer["known"]

    def notes(self, device):
        [found] = [d for d in self.cloud.tell("device", "list") if d["deviceUuid"] == device.uuid]
        return found["notes"]

    def rows(self, device):
        """Counter, lockbox, version, outcome, result, on whose word."""
        return [tuple(cell.strip() for cell in line.split("|")[1:7]) for line in self.notes(device).splitlines()
                if line.endswith(" |") and not line.startswith("| report")]

    def enrol(self, device, name):
        file = self.home / f"{name}.key"
        file.write_text(device.public)
        self.ok("reports", "key", "add", name, file)

    def test_three_devices_and_two_sticks(self):
        pump, press, valve = Device("pump-7", "rsa"), Device("press-2"), Device("valve-4")
        online = self.in_the_cloud(pump, press, valve)
        correlation = self.lockbox()
        for device in (pump, press):
            self.enrol(device, device.name)
        said = {"lockbox": LOCKBOX, "version": 1, "correlation": correlation}
        installed = pump.manifest(counter=12, **said)
        failed = press.manifest(counter=5, code="INSTALL_FAILED", description="<b>no room</b>", **said)
        forged = json.loads(failed)
        forged["signed"]["installation_report"]["report"]["result"] = {"success": True, "code": "OK", "description": ""}

        # Two sticks come home; what both carry is one report.
        self.assertEqual(self.stick_with("stick-1", (pump, installed), (press, failed)), (2, 0))
        self.assertEqual(self.stick_with("stick-2", (pump, installed), (press, json.dumps(forged))), (1, 1))
        # The third device needs no courier.
        online[valve].see()
        self.assertEqual(online[valve].put(valve.manifest(counter=3, **said))[0], 200)

        first = self.ok("sync")
        self.assertEqual({d["device"]: d["changed"] for d in first["devices"]}, {"Pump-7": True, "Press-2": True})
        self.assertEqual((first["failed"], first["nameless"]), ([], 0))
        self.assertEqual(self.rows(pump), [("12", LOCKBOX, "1", "installed", "OK", "verified")])
        self.assertEqual(self.rows(press), [("5", LOCKBOX, "1", "failed", "INSTALL_FAILED", "verified")])
        self.assertEqual(self.notes(valve), PEOPLE)
        for device in (pump, press):
            self.assertTrue(self.notes(device).startswith(PEOPLE))
            self.assertNotIn("no room", self.notes(device))
        self.assertFalse(any(d["changed"] for d in self.ok("sync")["devices"]), "the same again writes nothing")

        ledger = self.ok("reports", "list")["reports"]
        self.assertEqual([(r["device"], r["counter"], r["outcome"], r["proof"]) for r in ledger], [
            ("pump-7", 12, "installed", "verified"), ("press-2", 5, "failed", "verified"),
            ("press-2", 5, "not known", "signature does not match")])
        shown = self.ok("reports", "show", ledger[0]["id"])
        self.assertEqual([s["stick"] for s in shown["sightings"]], [str(self.home / "stick-1"), str(self.home / "stick-2")])
        self.assertEqual(shown["revision"], "same")

        outcome = self.airlock("--json", "reports", "status", "--lockbox", LOCKBOX, "--fleet", self.id())
        self.assertEqual(outcome.code, 7, str(outcome))
        self.assertEqual({m["machine"]: (m["state"], m["state_from"]) for m in outcome.answer["machines"]}, {
            "Pump-7": ("done", "ledger"), "Press-2": ("failed", "ledger"), "Valve-4": ("done", "cloud")})
        self.assertIn("2 of 3 machines done (1 verified, 1 by the cloud alone); Press-2 failed",
                      self.airlock("reports", "status", "--lockbox", LOCKBOX, "--fleet", self.id()).stdout)

        # Another lockbox of that name and version is none of this.
        other = pump.manifest(counter=13, code="INSTALL_FAILED", lockbox=LOCKBOX, version=1, correlation=urn(LOCKBOX, 1))
        self.stick_with("stick-3", (pump, other))
        answer = self.airlock("--json", "reports", "status", "--lockbox", LOCKBOX, "--fleet", self.id()).answer
        self.assertEqual({m["machine"]: m["state"] for m in answer["machines"]}["Pump-7"], "done")

    def test_who_does_not_sign_with_an_ecu_is_found_by_a_persons_word(self):
        pump, press = Device("pump-8"), Device("press-8")
        self.in_the_cloud(pump, press)
        folder = self.home / "stick/airlock/reports/whoever"
        folder.mkdir(parents=True)
        said = make_reports.report(1, None, manifest=None, device="whoever", outcome="refused", error="rollback",
                                   lockbox={"name": LOCKBOX, "version": 1},
                                   ecus=[{"serial": press.serial, "hardware_id": HARDWARE, "key": None}])
        (folder / "1.json").write_bytes(make_reports.signed(said))
        self.ok("reports", "collect", self.stick)
        self.ok("reports", "note", "Pump-8", "replaced the <board>", "--lockbox", LOCKBOX, "--result", "installed")
        self.ok("reports", "note", "a pump", "somewhere")
        answer = self.ok("sync")
        self.assertEqual((self.rows(press), answer["nameless"]), ([], 2), "nobody said whose key the helper's is")
        self.assertEqual(self.rows(pump), [("", LOCKBOX, "", "installed", "", "technician-reported")])
        self.assertNotIn("board", self.notes(pump))
        self.ok("reports", "key", "add", "the helper of line 4", make_reports.PUBLIC, "--helper")
        answer = self.ok("sync")
        self.assertEqual(self.rows(press), [("1", LOCKBOX, "1", "refused", "OTHER", "verified helper")])
        self.assertEqual((answer["nameless"], len(self.rows(pump))), (1, 1))
        self.assertFalse(any(d["changed"] for d in self.ok("sync")["devices"]))


if __name__ == "__main__":
    scenario.main()
