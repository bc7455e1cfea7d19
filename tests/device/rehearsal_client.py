# SPDX-License-Identifier: Apache-2.0
"""The update client of a rehearsal device: judges the directory that it polls, and logs what it installed.

It decides by the second reading of the device's client (tests/oracle), hashes the packages itself, and writes
update-logs.db as the client of 2026 does, and what it remembers to sql.db (tests/client): not a line of airlock's C is in
it. It takes packages that are files, and installs by remembering them. As the real one it logs nothing when it refuses.
"""

import hashlib
import json
import sys
from datetime import datetime, timezone
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "oracle"), str(TESTS / "client")]
import client  # noqa: E402
from client_database import ClientDatabase  # noqa: E402
from device_model import decide  # noqa: E402


class RehearsalClient:
    def __init__(self, device, hardware, name):
        self.device, self.hardware = device, hardware
        self.ecu = client.Device(name, seed=f"{device.root} {hardware}")
        self.others = [(client.Ecu(seed=f"{device.root} {other}"), other) for other in device.others]
        self.counter = 0
        self.database = device.beneath("/var/sota/sql.db")

    def remember(self):
        return ClientDatabase(self.database)

    def look(self, code="OK", logs=True, keeps_result=False):
        """One look at the directory: "install", "refuse" or "nothing", and why. logs: as the clients of 2026 do;
        keeps_result: the cloud has not been told yet."""
        update = self.device.update
        if not (update / "metadata").is_dir():
            return "nothing", "no directory"
        roots = {repo: (self.device.beneath(f"/var/sota/import/{folder}") / "root.json").read_bytes()
                 for repo, folder in (("director", "director"), ("image-repo", "repo"))}
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        with self.remember() as memory:
            memory.register([(self.ecu, self.hardware), *self.others])
            state = memory.state() | {"package_manager": "none"}
        verdict, why = decide(update / "metadata", roots, [self.hardware], now, state)
        if verdict != "install":
            return verdict, why
        lockbox = self.lockbox()
        for name, target in lockbox["targets"].items():
            if self.hardware in target["custom"]["hardwareIds"] and not self.is_whole(name, target):
                return "refuse", f"'{name}' is not what was signed"
        with self.remember() as memory:
            memory.store(update / "metadata")
            for name, target in lockbox["targets"].items():
                if code == "OK" and self.hardware in target["custom"]["hardwareIds"]:
                    memory.install(self.ecu.serial, name, target)
            if keeps_result:
                memory.keep_result(client.urn(lockbox["name"], lockbox["version"]), code)
        if logs:
            self.log(lockbox, code)
        return "install", ""

    def lockbox(self):
        names = [p.stem for p in (self.device.update / "metadata/director").glob("*.json")
                 if p.stem not in ("root", "offline-snapshot") and not p.stem.endswith(".root")]
        [name] = names
        role = json.loads((self.device.update / f"metadata/director/{name}.json").read_text())
        return role["signed"] | {"name": name}

    def is_whole(self, name, target):
        file = self.device.update / "images" / name
        return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == target["hashes"]["sha256"]

    def log(self, lockbox, code):
        self.counter += 1
        manifest = self.ecu.manifest(counter=self.counter, lockbox=lockbox["name"], version=lockbox["version"], code=code)
        with client.Log(self.device.update / "update-logs.db") as log:
            log.add(self.ecu, manifest, name=client.urn(lockbox["name"], lockbox["version"]),
                    version=len(lockbox["targets"]), counter=self.counter, lines=["begin", "end"])
