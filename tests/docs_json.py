#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Holds docs/json.md against what airlock prints, command by command, with the rehearsal cloud behind it.

    docs_json.py AIRLOCK

Every field that is printed must stand in its table with its type, every field of a table must be printed at least
once, and the examples may hold no other. Prints each place where they differ; exit 1 when there is one.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent / folder) for folder in ("cli", "client", "interop")]
import client  # noqa: E402, what devices leave behind
import make_reports  # noqa: E402
import mock_stick  # noqa: E402, beside the scenarios
import online  # noqa: E402, a device that is

HERE = Path(__file__).parent
AIRLOCK = Path(sys.argv[1]).resolve()
LATE = "2030-01-01T00:00:00Z"


class Page:
    """The tables and examples of docs/json.md, by heading."""

    def __init__(self, text):
        self.fields, self.examples = {}, {}
        for section in re.split(r"^## ", text, flags=re.M)[1:]:
            heading, body = section.split("\n", 1)
            rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", body, flags=re.M)
            self.fields[heading] = {path: set(types.split(" or ")) for path, types in rows}
            self.examples[heading] = [json.loads(e) for e in re.findall(r"```json\n(.*?)```", body, flags=re.S)]


def paths_of(value, path=""):
    """(path, type) of everything in a JSON value that is no object and no list."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths_of(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from paths_of(inner, path + "[]")
    else:
        kinds = {bool: "bool", int: "number", float: "number", str: "string", type(None): "null"}
        yield path, kinds[type(value)]


class Comparison:
    def __init__(self):
        self.bad = False

    def complain(self, text):
        print(f"docs/json.md: {text}")
        self.bad = True

    def hold(self, heading, fields, answers, whole=True):
        """`whole`: every documented field must be in one of the answers."""
        seen = {}
        for answer in answers:
            for path, kind in paths_of(answer):
                seen.setdefault(path, set()).add(kind)
        for path, kinds in seen.items():
            if path not in fields:
                self.complain(f"{heading}: `{path}` is not in the table")
            elif not kinds <= fields[path]:
                self.complain(f"{heading}: `{path}` is {' or '.join(sorted(kinds))}")
        for path in fields.keys() - seen.keys() if whole else ():
            self.complain(f"{heading}: `{path}` was not printed by any command")


class Rehearsal:
    """A folder with a cloud, a home, a stick, and the answers of airlock to commands in it."""

    def __init__(self, folder):
        self.folder = folder
        self.control("start", "cloud", "--seed", "demo")
        self.env = dict(line.split("=", 1) for line in (folder / "cloud/cloud.env").read_text().split())
        for name in ("home", "stick", "device"):
            (folder / name).mkdir()

    def close(self):
        self.control("stop", "cloud")

    def control(self, *words):
        subprocess.run([HERE / "cloud/rehearsal", *words], cwd=self.folder, check=True, stdout=subprocess.DEVNULL)

    def run(self, *words, secret="wrong", under=()):
        home = {"HOME": "home", "PATH": os.environ["PATH"], "AIRLOCK_CLIENT_ID": self.env["REHEARSAL_CLIENT_ID"],
                "AIRLOCK_CLIENT_SECRET": secret, "NO_PROXY": "localhost"}
        return subprocess.run([*under, AIRLOCK, *words], cwd=self.folder, env=home | mock_stick.ENV, capture_output=True, text=True)

    def ask(self, *words, code=0, **more):
        done = self.run("--json", *words, **more)
        if done.returncode != code:
            sys.exit(f"airlock {' '.join(words)}: exit code {done.returncode}, not {code}\n{done.stderr}")
        return json.loads(done.stdout)

    def login(self, **more):
        api = ["--api-client", "--api-url", self.env["REHEARSAL_API_URL"],
               "--api-token-url", self.env["REHEARSAL_TOKEN_URL"]]
        return self.ask("login", "--cacert", self.env["REHEARSAL_CA"], "--credentials",
                        self.env["REHEARSAL_CREDENTIALS"], *api, **more)


def answers(r):
    """Answers of every command, by heading, where needed in several kinds."""
    said = {"error": [r.ask("verify", "nowhere", code=2), r.login(code=5)]}
    said["login"] = [r.login(secret=r.env["REHEARSAL_CLIENT_SECRET"])]
    said["list"] = [r.ask("list")]
    said["fetch"] = [r.ask("fetch", "pump-7"), r.ask("fetch", "pump-7", "no-such", code=7)]
    said["write"] = [r.ask("write", "pump-7", "stick"), r.ask("write", "pump-7", "stick", "--as", "plain"),
                     r.ask("prepare", "pump-7", "no-such", "stick", code=7)]
    head = str(next((r.folder / "stick/airlock").glob("*.lockbox")))
    said["apply"] = [r.ask("apply", head, "--to", "device/update")]
    (r.folder / "broken.lockbox").write_bytes(b"this is no bundle")
    said["inspect"] = [r.ask("inspect", "stick", "--at", LATE), r.ask("inspect", "broken.lockbox", code=3)]
    said["verify"] = [r.ask("verify", head), r.ask("verify", "stick/update", "--at", LATE, code=3),
                      r.ask("verify", "broken.lockbox", "--needed-until", LATE, code=3)]
    said["inspect"].append(r.ask("inspect", differential(r)))
    said["verify"].append(r.ask("verify", differential(r)))
    said["verify, stick"] = [r.ask("verify", "stick")]
    said["check"] = [r.ask("check", "stick"), r.ask("check", "broken.lockbox", code=3)]
    said["list"].append(r.ask("list", "stick"))
    said["list"].append(r.ask("list", "broken.lockbox"))
    said["diff"] = diffs(r)
    said["write"].append(r.ask("write", "pump-7", "stick", "--share"))
    (r.folder / "small").mkdir()
    said["write"].append(r.ask("write", "pump-7", "small", under=on_small_medium()))
    (r.folder / "spare").mkdir()
    said["write"].append(r.ask("write", "pump-7", "./small", "./spare", "--as", "plain", code=7, under=on_small_medium()))
    profiles = [r.ask("trust", "show")]
    for file in (r.folder / "home").rglob("memory.json"):
        file.unlink()
    profiles.append(r.ask("trust", "show"))
    said["trust show"] = profiles
    said["trust export"] = [r.ask("trust", "export", "import")]
    said["key show"] = [r.ask("key", "show", "--state", "no-key"), r.ask("key", "trust", "workshop", "ab" * 32)]
    said["key export"] = [r.ask("key", "export")]
    said["sign"] = [r.ask("sign", head)]
    said["repack"] = [r.ask("repack", head, "new.lockbox")]
    said["repack"].append(r.ask("repack", "new.lockbox", "newer.lockbox"))
    said["remove"] = [r.ask("remove", "new.lockbox"), r.ask("remove", "new.lockbox", "newer.lockbox", code=7)]
    said["inspect"].append(r.ask("inspect", head))
    said["inspect"].append(r.ask("inspect", head, "--state", "no-key"))
    stick = mock_stick.plug_in(r.folder)
    said["sticks"] = [r.ask("sticks", under=stick)]
    with mock_stick.udisks():
        said["eject"] = [r.ask("eject", "/dev/sdb1", under=stick)]
    said |= reports(r)
    said["fetch"].append(r.ask("fetch", "pump-7", "--state", "new-state"))
    lines = r.run("--progress=json", "verify", "stick").stderr
    said["progress"] = [json.loads(line) for line in lines.splitlines()]
    return said


def on_small_medium():
    """The words before a command for which the folder `small` is a medium of 4 MiB."""
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *as_root, "--mount", "sh", "-c", 'mount -t tmpfs -o size=4M none small && exec "$@"', "sh"]


def syncs(r, pump):
    """Of a device that the cloud does not know, then knows, then with notes that somebody changed."""
    component = {"id": pump.serial, "hardwareId": "verdin-imx8mm", "primary": True}
    (r.folder / "created").mkdir()
    said = [r.ask("sync", "--create", "created", "--dry-run")]
    r.control("ctl", "cloud", "device", "add", "pump-seven", "--components", json.dumps([component]))
    said.append(r.ask("sync"))
    [written] = [device for device in said[1]["devices"] if device["changed"]]
    r.control("ctl", "cloud", "device", "set", written["uuid"], "--notes", written["notes"].replace("collected", "found"))
    said.append(r.ask("sync", code=7))
    r.control("ctl", "cloud", "device", "set", written["uuid"], "--notes", "")
    return said + relays(r, pump, written["uuid"]) + creates(r)


def relays(r, pump, uuid):
    """Of a ZIP that is none, and of a device whose report gets lost, and arrives."""
    (r.folder / "zips").mkdir()
    (r.folder / "zips/none.zip").write_bytes(b"")
    r.control("ctl", "cloud", "device", "credentials", uuid, "zips/pump.zip")
    online.Online((r.folder / "zips/pump.zip").read_bytes()).register(pump)
    r.control("ctl", "cloud", "fault", "add", "^PUT dgw/", "reset")
    said = [r.ask("sync", "--relay", "zips", "--yes", uuid, code=7)]
    r.control("ctl", "cloud", "fault", "clear")
    return said + [r.ask("sync", "--relay", "zips", "--again", uuid, code=7)]


def creates(r):
    """Of an ECU that the cloud does not know, for which a device is made."""
    valve = client.Device("valve-9")
    with client.Log(r.folder / "more/update-logs.db") as log:
        log.add(valve, valve.manifest())
    r.ask("reports", "collect", "more")
    r.ask("reports", "key", "add", "valve-9", valve.public)
    return [r.ask("sync", "--create", "created", "--yes", "valve-9")]


def statuses(r):
    """With the cloud, and without it: of a fleet, of all, of a note that says no version, and of no lockbox at all."""
    r.control("ctl", "cloud", "device", "add", "pump-9", "--name", "Pump nine")
    r.ask("reports", "note", "Pump nine", "green light", "--lockbox", "pump-7", "--result", "installed")
    said = [r.ask("reports", "status", "--lockbox", "pump-7", "--fleet", "hall-3", code=4),
            r.ask("reports", "status", "--lockbox", "pump-7", code=4)]
    return said + [r.ask("reports", "status", "--lockbox", "none", "--profile", "nobody", code=4)]


def reports(r):
    """Of a stick with a log of two devices, of which one is known, a report of the helper, and what is none."""
    pump, press = client.Device("pump-7"), client.Device("press-line")
    folder = r.folder / "returned"
    with client.Log(folder / "update-logs.db") as log:
        log.add(pump, pump.manifest(), lines=["begin"])
        row = log.add(press, press.manifest(report=False))
        log.add("valve-9", None, name=None)
        log.db.execute("INSERT INTO logs(install_id, timestamp) VALUES(?, NULL)", (row,))
    (folder / "old").mkdir()
    (folder / "old/update-logs.db").write_bytes(b"")
    (folder / "airlock/reports/pump-7").mkdir(parents=True)
    (folder / "airlock/reports/pump-7/1.json").write_bytes(
        make_reports.signed(make_reports.report(1, None, manifest=None)))
    said = {"reports collect": [r.ask("reports", "collect", "returned", code=7)]}
    (r.folder / "empty.jsonl").write_text("")
    said["reports import"] = [r.ask("reports", "import", "empty.jsonl")]
    said["reports note"] = [r.ask("reports", "note", "pump-9", "green light")]
    said["reports key list"] = [r.ask("reports", "key", "add", "pump-7", pump.public), r.ask("reports", "key", "list")]
    shown = r.ask("reports", "list")
    said["reports list"] = [shown]
    said["sync"] = syncs(r, pump)
    said["reports show"] = [r.ask("reports", "show", str(report["id"])) for report in shown["reports"]]
    said["reports status"] = statuses(r)
    said["sync --install"] = [r.ask("sync", "--install"), r.ask("sync", "--uninstall")]
    return said


def differential(r):
    """A lockbox directory that says that something was left out."""
    folder = r.folder / "differential"
    if not folder.exists():
        shutil.copytree(r.folder / "stick/update", folder)
        (folder / "metadata/airlock").mkdir()
        needs = {"schema": 1, "ostree_commits": ["c" * 64], "left_out": {"objects": 1, "sha256": "d" * 64}}
        (folder / "metadata/airlock/needs.json").write_text(json.dumps(needs))
    return "differential"


def diffs(r):
    """Between the fetched pump-7 and one that lacks a package, and one with a container image more."""
    image = r.folder / "with-image/images" / f"{'a' * 64}.images"
    shutil.copytree(r.folder / "stick/update", r.folder / "with-image")
    image.mkdir()
    (image / f"{'b' * 64}.tar").write_bytes(b"an image")
    sides = [r.ask("diff", "pump-7", "stick/update"), r.ask("diff", "pump-7", "with-image"),
             r.ask("diff", "with-image", "pump-7")]
    names = [package["to"]["name"] for package in sides[0]["packages"]]
    r.control("ctl", "cloud", "lockbox", "define", "pump-7", *names[1:])
    r.ask("fetch", "pump-7")
    return [*sides, r.ask("diff", "stick/update", "pump-7"), r.ask("diff", "pump-7", "stick/update")]


def beneath(prefix, fields):
    return {prefix + path: types for path, types in fields.items()}


def main():
    page = Page((HERE / "../docs/json.md").read_text())
    fields = page.fields
    schema = {"schema": {"number"}}
    item = {path.removeprefix("items[]."): types for path, types in fields["inspect"].items() if path != "schema"}
    fields |= {"verify": item | schema, "verify, stick": beneath("items[].", item) | schema}
    with tempfile.TemporaryDirectory() as folder:
        r = Rehearsal(Path(folder))
        try:
            said = answers(r)
        finally:
            r.close()
    c = Comparison()
    for heading, table in fields.items():
        whole = heading != "verify, stick"  # a stick without problems, so that it ends with 0
        c.hold(heading, table, said[heading], whole)
        c.hold(f"example of {heading}", table, page.examples.get(heading, []), False)
    sys.exit(c.bad)


main()
