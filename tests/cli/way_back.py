#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The whole way back, by the device gateway: what devices did without a network stands in the ledger and in the cloud.

Four devices were online once and are in the field; two sticks come home. Pump 7 installed, and its report is on both
sticks; press 2 failed; valve 9 reports the truth, and somebody forged a failure of it; mixer 4 installed, and then
went online by itself, with more to tell.
"""

import hashlib
import json
import time

import scenario
from courier import Courier
from client import Device, Log
from online import Online


class WayBack(Courier):
    def setUp(self):
        super().setUp()
        self.zips = self.home / "zips"
        self.zips.mkdir()
        self.pump, self.press, self.valve, self.mixer = (
            self.field(name) for name in ("pump-7", "press-2", "valve-9", "mixer-4"))

    def field(self, name):
        """A device that registered its ECU in the factory; the operator kept its credentials."""
        device = Device(name)
        uuid = self.cloud.tell("device", "add", f"{name} {self.id()}", "--name", name)["deviceUuid"]
        file = self.zips / f"{name}.zip"
        self.cloud.tell("device", "credentials", uuid, file)
        device.online = Online(file.read_bytes())
        self.assertEqual(device.online.register(device)[0], 201)
        self.enrol(device, name)
        return device

    def stick_of(self, label, *manifests):
        stick = self.home / label
        with Log(stick / "update/update-logs.db") as log:
            for device, manifest in manifests:
                log.add(device, manifest)
        return stick

    def shown(self, device):
        return self.cloud.tell("device", "show", device.online.uuid)

    def rows(self, device):
        """(counter, outcome, code, on whose word) in the device's notes."""
        lines = [line.split("|")[1:-1] for line in self.shown(device)["notes"].splitlines() if line.endswith(" |")]
        cells = [[cell.strip() for cell in line] for line in lines if "report" not in line[0]]
        return [(row[0], row[3], row[4], row[5]) for row in cells]

    def test_three_reports_arrive_a_forged_one_does_not_and_nobody_is_rolled_back(self):
        pump = self.pump.manifest(counter=42, version=4)
        press = self.press.manifest(counter=7, version=3, code="INSTALL_FAILED", description="no space left")
        valve = self.valve.manifest(counter=9, version=4)
        mixer = self.mixer.manifest(counter=5, version=4)
        forged = json.loads(self.valve.manifest(counter=10, version=4))
        forged["signed"]["installation_report"]["report"]["result"]["success"] = False
        red = self.stick_of("RED", (self.pump, pump), (self.press, press), (self.mixer, mixer))
        blue = self.stick_of("BLUE", (self.pump, pump), (self.valve, valve), (self.valve, json.dumps(forged)))
        self.ok("reports", "collect", red)
        self.ok("reports", "collect", blue)
        time.sleep(1.1)  # the cloud tells whole seconds
        own = self.mixer.manifest(counter=6, version=5)
        self.mixer.online.see()
        self.assertEqual(self.mixer.online.put(own)[0], 200)

        names = ("pump-7", "press-2", "valve-9", "mixer-4")
        answer = self.ok("sync", "--relay", self.zips, *[word for name in names for word in ("--yes", name)])
        again = self.ok("sync", "--relay", self.zips)

        self.assert_ledger({("pump-7", 42, "installed", "verified"), ("press-2", 7, "failed", "verified"),
                            ("valve-9", 9, "installed", "verified"), ("mixer-4", 5, "installed", "verified"),
                            ("valve-9", 10, "not known", "signature does not match")})
        self.assertEqual({device.name: self.rows(device) for device in (self.pump, self.press, self.valve, self.mixer)},
                         {"pump-7": [("42", "installed", "OK", "verified")],
                          "press-2": [("7", "failed", "INSTALL_FAILED", "verified")],
                          "valve-9": [("9", "installed", "OK", "verified")],
                          "mixer-4": [("5", "installed", "OK", "verified")]})
        self.assertEqual({d["device"]: [r["outcome"] for r in d["reports"]] for d in answer["relays"]},
                         {"pump-7": ["accepted"], "press-2": ["accepted"], "valve-9": ["accepted"],
                          "mixer-4": ["overtaken"]})
        for device, arrived in ((self.pump, pump), (self.press, press), (self.valve, valve), (self.mixer, own)):
            self.assertEqual(self.shown(device)["manifests"], [hashlib.sha256(arrived.encode()).hexdigest()])
        self.assertEqual({device.name: self.shown(device)["components"][0]["image"]["filepath"]
                          for device in (self.pump, self.press, self.valve, self.mixer)},
                         {"pump-7": "image-4", "press-2": "image-3", "valve-9": "image-4", "mixer-4": "image-5"})
        self.assertEqual([d["changed"] for d in again["devices"]], [False] * 4)
        self.assertEqual([d["reports"] for d in again["relays"]], [[]] * 4)

    def assert_ledger(self, expected):
        reports = self.ok("reports", "list")["reports"]
        self.assertEqual({(r["device"], r["counter"], r["outcome"], r["proof"]) for r in reports}, expected)
        self.assertEqual(len(reports), len(expected), "a report is there twice")
        tried = {}
        for report in reports:
            shown = self.ok("reports", "show", report["id"])
            tried[report["device"], report["counter"]] = [(t["outcome"], t["status"], t["answer"]) for t in shown["relays"]]
            places = {seen["stick"].split("/")[-1] for seen in shown["sightings"]}
            self.assertEqual(places == {"RED", "BLUE"}, report["device"] == "pump-7", places)
        self.assertEqual(tried, {("pump-7", 42): [("accepted", 200, "OK")], ("press-2", 7): [("accepted", 200, "OK")],
                                 ("valve-9", 9): [("accepted", 200, "OK")], ("mixer-4", 5): [("overtaken", 0, "")],
                                 ("valve-9", 10): []})


if __name__ == "__main__":
    scenario.main()
