# SPDX-License-Identifier: Apache-2.0
"""What a stock client leaves behind, made without a line of airlock: manifests signed by Python's cryptography
library, and update-logs.db written by Python's SQLite.

    pump = Device("pump-7", "rsa")
    pump.manifest(counter=42)                    # bytes, as they stand in the database
    with Log(folder / "update-logs.db") as log:
        log.add(pump, pump.manifest(counter=42), lines=["begin", "end"])
"""

import base64
import copy
import hashlib
import json
import sqlite3

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SCHEMA = """
CREATE TABLE version(version);
INSERT INTO version VALUES(1);
CREATE TABLE installs(id INTEGER PRIMARY KEY AUTOINCREMENT, device_id TEXT NOT NULL, name TEXT, version INTEGER,
                      report_counter INTEGER, manifest TEXT);
CREATE TABLE logs(id INTEGER PRIMARY KEY AUTOINCREMENT, install_id INTEGER, timestamp INTEGER, service TEXT,
                  message TEXT);
CREATE TABLE reports(install_id INTEGER, report_id TEXT, timestamp INTEGER, type TEXT, version INTEGER, event TEXT,
                     PRIMARY KEY(install_id, report_id));
"""
START_US = 1764230400000000  # 2025-11-27T08:00:00Z


def canonical(value):
    """The client's form: what is outside ASCII as \\uXXXX."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def urn(lockbox, version):
    return f"urn:tdx-ota:lockbox:{lockbox}:{version}:0123456789ab"


class Ecu:
    """A key pair, and the serial that the client makes of it. seed: the same key in each run."""

    def __init__(self, kind="ed25519", serial=None, seed=None):
        self.kind = kind
        if kind == "rsa":
            self.private = rsa.generate_private_key(65537, 2048)
            pem = self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
            self.type, self.public = "RSA", pem
        else:
            self.private = ed25519.Ed25519PrivateKey.generate() if seed is None else \
                ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest())
            raw = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            self.type, self.public = "ED25519", raw.hex().upper()
        self.key_id = hashlib.sha256(json.dumps(self.public.rstrip("\n")).encode()).hexdigest()
        self.serial = serial or self.key_id

    def sign(self, what, key_id=None):
        message = canonical(what)
        if self.kind == "rsa":
            sig = self.private.sign(message, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
            method = "rsassa-pss"
        else:
            sig, method = self.private.sign(message), "ed25519"
        return {"signatures": [{"keyid": key_id or self.key_id, "method": method,
                                "sig": base64.b64encode(sig).decode()}], "signed": what}

    def version_manifest(self, image, counter):
        return self.sign({
            "ecu_serial": self.serial, "attacks_detected": "",
            "installed_image": {"filepath": image, "fileinfo": {
                "length": 0, "hashes": {"sha256": hashlib.sha256(image.encode()).hexdigest()}}},
            "timeserver_time": "1970-01-01T00:00:00Z", "previous_timeserver_time": "1970-01-01T00:00:00Z",
            "report_counter": str(counter)})


class Device(Ecu):
    """A primary ECU with its secondaries."""

    def __init__(self, name, kind="ed25519", serial=None, secondaries=(), seed=None):
        super().__init__(kind, serial, seed)
        self.name = name
        self.secondaries = list(secondaries)

    def vehicle(self, counter=1, lockbox="pump-7", version=1, code="OK", description="", report=True, correlation=None):
        """What is signed."""
        result = {"success": code in ("OK", "ALREADY_PROCESSED"), "code": code, "description": description}
        ecus = [self, *self.secondaries]
        what = {"primary_ecu_serial": self.serial, "ecu_version_manifests": {
            ecu.serial: ecu.version_manifest(f"image-{version}", counter) for ecu in ecus}}
        if report:
            what["installation_report"] = {
                "content_type": "application/vnd.com.here.otac.installationReport.v1", "report": {
                    "correlation_id": correlation or urn(lockbox, version), "raw_report": description, "result": result,
                    "items": [{"ecu": ecu.serial, "result": copy.deepcopy(result)} for ecu in ecus]}}
        return what

    def manifest(self, **what):
        return json.dumps(self.sign(self.vehicle(**what)))


class Log:
    """update-logs.db, as the clients of several devices write it in turn."""

    def __init__(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        new = not path.exists()
        self.db = sqlite3.connect(path)
        if new:
            self.db.executescript(SCHEMA)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.db.commit()
        self.db.close()

    def add(self, device, manifest, name=urn("pump-7", 1), version=1, counter=None, lines=()):
        """One install; manifest None: it is under way. Returns the row."""
        says = device if isinstance(device, str) else device.name
        row = self.db.execute(
            "INSERT INTO installs(device_id, name, version, report_counter, manifest) VALUES(?, ?, ?, ?, ?)",
            (says, name, version, counter, manifest)).lastrowid
        for i, line in enumerate(lines):
            self.db.execute("INSERT INTO logs(install_id, timestamp, service, message) VALUES(?, ?, ?, ?)",
                            (row, START_US + i * 1000000, "aktualizr-torizon", line))
        return row
