# SPDX-License-Identifier: Apache-2.0
"""Sticks with reports come home to a laptop that is logged in at both doors of the cloud."""

import sys

import scenario
from scenario import Scenario

sys.path.insert(0, str(scenario.TESTS / "client"))
from client import Log  # noqa: E402


class Courier(Scenario):
    def setUp(self):
        super().setUp()
        self.login()
        self.log = self.stick / "update/update-logs.db"

    def login(self):
        client = {"AIRLOCK_CLIENT_ID": self.cloud.env["REHEARSAL_CLIENT_ID"],
                  "AIRLOCK_CLIENT_SECRET": self.cloud.env["REHEARSAL_CLIENT_SECRET"]}
        self.ok("--cacert", self.cloud.ca, "login", "--credentials", self.cloud.credentials, "--api-client", "--api-url",
                self.cloud.env["REHEARSAL_API_URL"], "--api-token-url", self.cloud.env["REHEARSAL_TOKEN_URL"], env=client)

    def bring(self, *manifests, lines=(), at=None):
        """A stick with these reports comes home."""
        with Log(self.log) as log:
            for device, manifest in manifests:
                log.add(device, manifest, lines=lines)
        self.ok(*(["--at", at] if at else []), "reports", "collect", self.stick)
        self.log.unlink()

    def enrol(self, device, name):
        file = self.home / f"{name}.key"
        file.write_text(device.public)
        self.ok("reports", "key", "add", name, file)

    def sync(self, *options):
        return {d["serial"]: d for d in self.ok("sync", *options)["devices"]}
