# SPDX-License-Identifier: Apache-2.0
"""The rehearsal device: what airlock-device finds on a Torizon device, in a folder.

The client's configuration lies where Torizon OS has it, and so do the first roots of a device that was
provisioned offline. Whoever tests what the client says writes its log (tests/client).

DeviceScenario: a cloud, a stick with one bundle, and such a device that the bundle is for.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "cli"))
import rehearsal_client  # noqa: E402
from scenario import CONTROLS, SANITIZERS, TIMEOUT_S, Scenario, tree  # noqa: E402

AIRLOCK_DEVICE = os.environ["AIRLOCK_DEVICE"]
SOURCE = "/var/airlock/update"
LARGE = 6 << 20


class Device:
    def __init__(self, root, hardware, others=()):
        self.root, self.others = root, list(others)
        self.update = self.beneath(SOURCE)
        self.write("/usr/lib/sota/conf.d/40-hardware-id.toml",
                   f'[provision]\nprimary_ecu_hardware_id = "{hardware}"\n')
        self.write("/usr/lib/sota/conf.d/60-secondaries.toml",
                   '[uptane]\nsecondary_config_file = "/usr/lib/sota/secondaries.json"\n')
        self.write("/usr/lib/sota/secondaries.json",
                   json.dumps({"rehearsal": [{"ecu_hardware_id": name} for name in others]}))
        self.configure()

    def beneath(self, path):
        return self.root / path.lstrip("/")

    def write(self, path, text):
        file = self.beneath(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def configure(self, source=SOURCE, enabled=True, packages="none"):
        self.write("/etc/sota/conf.d/80-client.toml",
                   f'[pacman]\ntype = "{packages}"\n\n[uptane]\n'
                   f'enable_offline_updates = {str(enabled).lower()} # as a person writes it\n'
                   f"offline_updates_source = '{source}'\n")

    def provision(self, director_root, image_root):
        """The first roots, as files."""
        for repo, root in (("director", director_root), ("repo", image_root)):
            folder = self.beneath(f"/var/sota/import/{repo}")
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(root, folder / "root.json")

    def forget(self):
        """As before the client's first start."""
        shutil.rmtree(self.update, ignore_errors=True)
        self.beneath("/var/sota/sql.db").unlink(missing_ok=True)

    def trust(self, *keys):
        self.write("/etc/airlock/signers", "".join(f"{key} packer-{i}\n" for i, key in enumerate(keys)))

    def start(self, *words, before=(), program=AIRLOCK_DEVICE):
        return subprocess.Popen([*before, program, *map(str, words), "--root", self.root],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                start_new_session=True)

    def bring_program(self):
        """airlock-device as a person copies it to the device's disk; returns where it is."""
        return shutil.copy(AIRLOCK_DEVICE, self.beneath("/airlock-device"))

    def fake_tool(self, path, script):
        """A program of the device that notes how it was called, one line a call, and goes on with the script."""
        self.write(path, f"#!/bin/sh\necho \"$(basename $0) $*\" >>{self.beneath('/calls')}\n{script}\n")
        self.beneath(path).chmod(0o755)

    def calls(self):
        file = self.beneath("/calls")
        return file.read_text().splitlines() if file.exists() else []


class DeviceScenario(Scenario):
    cloud_options = ("--seed", "demo")  # root rotations, as real accounts have

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for version in ("1", "2"):
            cls.cloud.tell("package", "add", "large", version, "--hwid", "large-mcu", "--random", str(LARGE))

    def setUp(self):
        super().setUp()
        self.login()
        self.define("line", "large-1")
        self.addCleanup(self.cloud.tell, "lockbox", "delete", "line")
        self.expected = self.plain()
        self.version = json.loads(self.expected["metadata/director/line.json"])["signed"]["version"]
        self.prepare("line")
        self.device = Device(self.home / "root", "large-mcu")
        self.provision(self.device)

    def define(self, lockbox, *packages):
        self.cloud.tell("lockbox", "define", lockbox, *packages)
        self.ok("fetch", lockbox)

    def prepare(self, lockbox):
        [written] = self.ok("write", lockbox, self.stick)["written"]
        return Path(written["path"])

    def plain(self, lockbox="line"):
        """The files that a device should get, by the other export."""
        folder = self.home / "plain"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self.ok("write", lockbox, folder, "--as", "plain")
        return tree(folder / "update")

    def provision(self, device):
        roots = self.home / "plain/update/metadata"
        device.provision(roots / "director/1.root.json", roots / "image-repo/1.root.json")

    # Running.

    def finish_device(self, process):
        stdout, stderr = (text.decode(errors="replace") for text in process.communicate(timeout=TIMEOUT_S))
        self.assertNotRegex(stderr, SANITIZERS)
        self.assertIsNone(CONTROLS.search((stdout + stderr).encode()), stdout + stderr)
        return process.returncode, stdout, stderr

    def run_device(self, *words, **how):
        return self.finish_device(self.device.start(*words, **how))

    def takes(self, *words):
        code, stdout, stderr = self.run_device("apply", self.stick, *words)
        self.assertEqual(code, 0, stdout + stderr)
        return stdout, stderr

    def passes(self, code, error, *words, before=()):
        """That exit code, that error, and nothing under the final name but what was there."""
        there = tree(self.device.update)
        found, stdout, stderr = self.run_device("apply", self.stick, *words, before=before)
        self.assertEqual((found, stdout), (code, ""), stderr)
        self.assertRegex(stderr, rf"(?m)^airlock-device: .*\[{error}\]$")
        self.assertEqual(tree(self.device.update), there)
        return stderr

    def assert_has(self, files):
        self.assertEqual(tree(self.device.update), files)
        kept = {"lock", "update", "device.key", "reports"}  # the latter two of what was refused
        left = {p.name for p in self.device.update.parent.iterdir()} - kept
        self.assertEqual(left, set())


class DeviceOnTheWay(DeviceScenario):
    """A device with a name, a key and a client, which reports to the stick."""

    def setUp(self):
        super().setUp()
        self.device.write("/etc/hostname", "pump-7\n")
        self.client = rehearsal_client.RehearsalClient(self.device, "large-mcu", "pump-7")
        code, stdout, stderr = self.run_device("key")
        self.assertEqual(code, 0, stderr)
        self.key, self.fingerprint = stdout.splitlines()

    def report(self, *words, code=0):
        found, stdout, stderr = self.run_device("report", self.stick, *words)
        self.assertEqual(found, code, stdout + stderr)
        return stdout if code == 0 else stderr

    def on_stick(self, path):
        return json.loads((self.stick / "airlock" / path).read_text())["signed"]
