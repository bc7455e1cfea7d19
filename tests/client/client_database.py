# SPDX-License-Identifier: Apache-2.0
"""sql.db, in which the stock client keeps what it remembers: the tables of its schema 28 that hold anything here,
written as its storage writes them, and read by Python alone.

    with ClientDatabase(root / "var/sota/sql.db") as db:
        db.register([(device, "verdin-imx8mm"), (secondary, "docker-compose")])
        db.store(update / "metadata")
        db.install(device.serial, "verdin/torizon-6.8.0", {"length": 0, "hashes": {"sha256": …}, "custom": {…}})
        db.state()    # the same as a device's state (docs/device-state.md)
"""

import json
import sqlite3

IMAGE, DIRECTOR = 0, 1
ROOT, SNAPSHOT, TARGETS, OFFLINE_SNAPSHOT, LOCKBOX = 0, 1, 2, 5, 6

SCHEMA = """
CREATE TABLE version(version INTEGER);
INSERT INTO version(rowid, version) VALUES(1, 28);
CREATE TABLE device_info(unique_mark INTEGER PRIMARY KEY, device_id TEXT, is_registered INTEGER NOT NULL DEFAULT 0);
CREATE TABLE ecus(id INTEGER PRIMARY KEY, serial TEXT UNIQUE, hardware_id TEXT NOT NULL,
                  is_primary INTEGER NOT NULL DEFAULT 0);
CREATE TABLE secondary_ecus(serial TEXT PRIMARY KEY, sec_type TEXT, public_key_type TEXT, public_key TEXT, extra TEXT,
                            manifest TEXT);
CREATE TABLE installed_versions(id INTEGER PRIMARY KEY, ecu_serial TEXT NOT NULL, sha256 TEXT NOT NULL,
                                name TEXT NOT NULL, hashes TEXT NOT NULL, length INTEGER NOT NULL DEFAULT 0,
                                correlation_id TEXT NOT NULL DEFAULT '', is_current INTEGER NOT NULL DEFAULT 0,
                                is_pending INTEGER NOT NULL DEFAULT 0, was_installed INTEGER NOT NULL DEFAULT 0,
                                custom_meta TEXT NOT NULL DEFAULT '');
CREATE TABLE primary_keys(unique_mark INTEGER PRIMARY KEY, private TEXT, public TEXT);
CREATE TABLE tls_creds(ca_cert BLOB, ca_cert_format TEXT, client_cert BLOB, client_cert_format TEXT,
                       client_pkey BLOB, client_pkey_format TEXT);
CREATE TABLE meta(meta BLOB NOT NULL, repo INTEGER NOT NULL, meta_type INTEGER NOT NULL, version INTEGER NOT NULL,
                  UNIQUE(repo, meta_type, version));
CREATE TABLE delegations(meta BLOB NOT NULL, role_name TEXT NOT NULL, UNIQUE(role_name));
CREATE TABLE device_installation_result(unique_mark INTEGER PRIMARY KEY, success INTEGER NOT NULL DEFAULT 0,
                                        result_code TEXT NOT NULL DEFAULT '', description TEXT NOT NULL DEFAULT '',
                                        raw_report TEXT NOT NULL DEFAULT '', correlation_id TEXT NOT NULL DEFAULT '');
CREATE TABLE ecu_installation_results(ecu_serial TEXT NOT NULL PRIMARY KEY, success INTEGER NOT NULL DEFAULT 0,
                                      result_code TEXT NOT NULL DEFAULT '', description TEXT NOT NULL DEFAULT '');
CREATE TABLE ecu_report_counter(ecu_serial TEXT NOT NULL PRIMARY KEY, counter INTEGER NOT NULL DEFAULT 0);
"""
PRIVATE = "the private key of the device"  # a test looks for it where it must not be


class ClientDatabase:
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

    def register(self, ecus):
        """The primary first."""
        self.db.execute("DELETE FROM ecus")
        for i, (ecu, hardware_id) in enumerate(ecus):
            self.db.execute("INSERT INTO ecus VALUES(?, ?, ?, ?)", (i, ecu.serial, hardware_id, i == 0))
            if i == 0:
                self.db.execute("INSERT OR REPLACE INTO primary_keys VALUES(0, ?, ?)", (PRIVATE, ecu.public))
            else:
                kind = {"RSA": "RSA2048"}.get(ecu.type, ecu.type)
                self.db.execute("INSERT OR REPLACE INTO secondary_ecus(serial, sec_type, public_key_type, public_key) "
                                "VALUES(?, 'managed', ?, ?)", (ecu.serial, kind, ecu.public))

    def store(self, metadata):
        """The roles of a directory that proved good."""
        for repo, folder in ((DIRECTOR, "director"), (IMAGE, "image-repo")):
            for path in (metadata / folder).glob("*.root.json"):
                self.put(path, repo, ROOT, int(path.name.split(".")[0]))
        names = {"offline-snapshot": OFFLINE_SNAPSHOT}
        for path in (metadata / "director").glob("*.json"):
            if path.stem != "root" and not path.stem.endswith(".root"):
                self.put(path, DIRECTOR, names.get(path.stem, LOCKBOX), -1)
        for path in (metadata / "image-repo").glob("*.json"):
            if path.stem in ("snapshot", "targets"):
                self.put(path, IMAGE, SNAPSHOT if path.stem == "snapshot" else TARGETS, -1)
            elif path.stem not in ("root", "timestamp") and not path.stem.endswith(".root"):
                self.db.execute("INSERT OR REPLACE INTO delegations VALUES(?, ?)", (path.read_bytes(), path.stem))

    def put(self, path, repo, role, version):
        self.db.execute("DELETE FROM meta WHERE repo=? AND meta_type=? AND version=?", (repo, role, version))
        self.db.execute("INSERT INTO meta VALUES(?, ?, ?, ?)", (path.read_bytes(), repo, role, version))

    def install(self, serial, name, target, pending=False):
        if not pending:
            self.db.execute("UPDATE installed_versions SET is_current=0, is_pending=0 WHERE ecu_serial=?", (serial,))
        sha256 = target["hashes"]["sha256"]
        self.db.execute("INSERT INTO installed_versions(ecu_serial, sha256, name, hashes, length, is_current, is_pending, "
                        "was_installed, custom_meta) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        (serial, sha256, name, f"sha256;{sha256}", target["length"], not pending, pending, not pending,
                         json.dumps(target.get("custom", {}))))

    def keep_result(self, correlation, code):
        """Of the device: the code as the client's storage writes it, with its number."""
        number = {"OK": 0, "INSTALL_FAILED": 4, "DOWNLOAD_FAILED": 5, "NEED_COMPLETION": 21}[code]
        self.db.execute("INSERT OR REPLACE INTO device_installation_result VALUES(0, ?, ?, '', '', ?)",
                        (code == "OK", f'"{code}":{number}', correlation))

    # As a device's state.

    def state(self):
        state = {"schema": 1, "ecus": [self.ecu(*row) for row in self.db.execute(
            "SELECT serial, hardware_id, is_primary FROM ecus ORDER BY id")]}
        roots = {field: [json.loads(meta) for (meta,) in self.db.execute(
            "SELECT meta FROM meta WHERE repo=? AND meta_type=? ORDER BY version", (repo, ROOT))]
            for repo, field in ((DIRECTOR, "director"), (IMAGE, "image_repo"))}
        state["roots"] = {field: chain for field, chain in roots.items() if chain}
        state["stored"] = {"offline_snapshot": self.role(DIRECTOR, OFFLINE_SNAPSHOT),
                           "image_snapshot": self.role(IMAGE, SNAPSHOT), "image_targets": self.role(IMAGE, TARGETS),
                           "delegations": {name: json.loads(meta) for meta, name in
                                           self.db.execute("SELECT meta, role_name FROM delegations")}}
        state["pending_install"] = bool(self.db.execute("SELECT 1 FROM installed_versions WHERE is_pending=1").fetchall())
        return state

    def ecu(self, serial, hardware_id, is_primary):
        installed = None
        for name, length, sha256, custom in self.db.execute(
                "SELECT name, length, sha256, custom_meta FROM installed_versions WHERE ecu_serial=? AND is_current=1",
                (serial,)):
            installed = {"name": name, "length": length, "sha256": sha256}
            if "hardwareIds" in json.loads(custom or "{}"):
                installed["hardware_ids"] = json.loads(custom)["hardwareIds"]
        return {"hardware_id": hardware_id, "primary": bool(is_primary), "serial": serial, "installed": installed}

    def role(self, repo, role):
        for (meta,) in self.db.execute("SELECT meta FROM meta WHERE repo=? AND meta_type=?", (repo, role)):
            return json.loads(meta)
        return None
