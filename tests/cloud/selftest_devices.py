# SPDX-License-Identifier: Apache-2.0
"""The device gateway: who gets through, and what the director makes of a manifest."""

import json
import ssl
import sys

from testclient import HERE, CloudTest

sys.path.insert(0, str(HERE.parent / "client"))
from client import Device, Ecu  # noqa: E402
from online import Online  # noqa: E402


class Gateway(CloudTest):
    def setUp(self):
        self.device = Device("pump", "rsa", secondaries=[Ecu()])
        self.online = Online(self.cloud.api("POST", "/devices", {"deviceId": self.id()}).body)

    def shown(self):
        return self.cloud.ctl("device", "show", self.online.uuid)

    def image(self):
        return {part["id"]: part["image"]["filepath"] for part in self.shown()["components"]}

    def refuses(self, code, manifest, status=400):
        answer = self.online.put(manifest)
        self.assertEqual((answer[0], json.loads(answer[1])["code"]), (status, code))

    def assign(self, image="image-2"):
        [target] = [ecu["signed"]["installed_image"] for serial, ecu in
                    self.device.vehicle(version=int(image[6:]))["ecu_version_manifests"].items()
                    if serial == self.device.serial]
        assignment = [{"correlationId": "urn:x", "inFlight": False, "targets": {
            self.device.serial: {"image": target, "createdAt": "2026-01-01T00:00:00Z"}}}]
        self.cloud.ctl("device", "set", self.online.uuid, "--assignment", json.dumps(assignment))

    def test_a_device_registers_its_ecus_and_its_manifest_becomes_what_is_shown(self):
        self.assertEqual(self.online.register(self.device)[0], 201)
        self.assertEqual(self.online.put(self.device.manifest(version=3)), (200, b"OK"))
        self.assertEqual(set(self.image().values()), {"image-3"})
        self.assertIsNone(self.shown().get("lastSeen"))

    def test_nobody_gets_through_without_a_certificate_of_this_cloud(self):
        stranger = Online(self.cloud.api("POST", "/devices", {"deviceId": f"{self.id()} 2"}).body)
        stranger.tls = ssl.create_default_context(cafile=self.cloud.folder / "dgw-ca.pem")
        self.assertEqual(stranger.see()[0], 400)
        with self.assertRaises(ssl.SSLError):
            stranger.tls = self.cloud.tls  # the servers' authority is not the gateway's
            stranger.see()

    def test_a_device_without_ecus_is_refused(self):
        self.refuses("device_missing_primary_ecu", self.device.manifest(), 404)

    def test_only_registered_keys_sign(self):
        self.online.register(self.device)
        self.refuses("signature_not_valid", Device("other", serial=self.device.serial).manifest())
        forged = json.loads(self.device.manifest())
        forged["signed"]["ecu_version_manifests"] |= {"another": forged["signed"]["ecu_version_manifests"].popitem()[1]}
        self.refuses("signature_not_valid", json.dumps(self.device.sign(forged["signed"])))
        known = self.device.secondaries.pop()
        self.device.secondaries.append(Ecu())
        self.refuses("signature_not_valid", self.device.manifest())
        self.device.secondaries = [known]
        self.assertEqual(self.online.put(self.device.manifest())[0], 200)

    def test_a_certificate_of_another_device_does_not_help(self):
        self.online.register(self.device)
        other = Online(self.cloud.api("POST", "/devices", {"deviceId": f"{self.id()} 2"}).body)
        other.register(Device("other"))
        self.assertEqual(other.put(self.device.manifest())[0], 400)

    def test_nobody_asks_how_old_a_manifest_is(self):
        self.online.register(self.device)
        old = self.device.manifest(counter=1, version=1)
        self.online.put(self.device.manifest(counter=2, version=2))
        self.online.put(old)
        self.assertEqual(self.image()[self.device.serial], "image-1")

    def test_a_report_that_fits_no_assignment_cancels_all(self):
        self.online.register(self.device)
        for manifest, left in ((self.device.manifest(version=2, report=False), []),
                               (self.device.manifest(version=1, report=False), ["urn:x"]),
                               (self.device.manifest(version=1), []),
                               (self.device.manifest(version=1, code="INSTALL_FAILED"), [])):
            self.assign()
            self.online.put(manifest)
            self.assertEqual([one["correlationId"] for one in self.shown()["assignment"]], left)

    def test_who_asks_for_the_root_is_seen(self):
        self.assertEqual(self.online.see()[0], 200)
        self.assertEqual(self.shown()["deviceStatus"], "UpToDate")
        self.assertIn("lastSeen", self.shown())

    def test_a_lost_answer_is_no_lost_request(self):
        self.online.register(self.device)
        self.cloud.ctl("fault", "add", "^PUT dgw/director/manifest", "lost")
        with self.assertRaises(ConnectionError):
            self.online.put(self.device.manifest(version=5))
        self.assertEqual(self.image()[self.device.serial], "image-5")

    def test_devices_come_into_fleets(self):
        fleet = self.cloud.ctl("fleet", "add", "hall-9")
        made = self.cloud.ctl("device", "add", f"{self.id()} 2", "--fleet", fleet["id"])
        members = self.cloud.api("GET", f"/fleets/{fleet['id']}/devices").json()["values"]
        self.assertEqual([member["deviceUuid"] for member in members], [made["deviceUuid"]])
        self.assertIn("hall-9", [one["name"] for one in self.cloud.ctl("fleet", "list")])
