#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A real systemd starts the unit that `airlock-device install` lays down, and the stick gets its report.

It is the manager of a user, who is root here, in a mount namespace of this file's own, where /etc, /var and /run are not
those of the computer. Six lines of the unit are changed for it: there is no device unit and no client to be after, the
stick is a loop device, the client is waited for one second, and what is said goes to a file. Its namespaces, capabilities
and filter of system calls hold as on a device; what cgroups limit (memory, tasks, devices) such a manager may leave out.
udev's part, that the unit is wanted when a stick is put in, is in install.py.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

AIRLOCK_DEVICE = os.environ["AIRLOCK_DEVICE"]
UNIT = Path("/etc/systemd/system/airlock-stick@.service")
RUNTIME, UNITS, SAID = Path("/run/airlock-user"), Path("/run/airlock-config/systemd/user"), Path("/run/said")
# The sanitizer looks for leaks with ptrace, which the unit denies.
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/root", "XDG_RUNTIME_DIR": str(RUNTIME),
               "XDG_CONFIG_HOME": "/run/airlock-config", "ASAN_OPTIONS": "detect_leaks=0"}
CHANGES = [("BindsTo=", None), ("After=", None), ("DeviceAllow=block-sd", "DeviceAllow=block-loop rw"),
           ("StandardOutput=", f"StandardOutput=append:{SAID}"), ("StandardError=", f"StandardError=append:{SAID}")]


def run(*words):
    return subprocess.run([str(w) for w in words], check=True, capture_output=True, text=True).stdout


def make_computer(folder):
    """A /run as systemd makes it at its start, an /etc to write in, and a /var on a disk of its own."""
    run("mount", "-t", "tmpfs", "none", "/run")
    nowhere = Path("/run/systemd/inaccessible")
    nowhere.mkdir(parents=True)
    (nowhere / "dir").mkdir()
    for name in ("reg", "sock", "chr", "blk"):
        (nowhere / name).touch()
    os.mkfifo(nowhere / "fifo")
    for path in ("/run/upper", "/run/work", RUNTIME, UNITS):
        Path(path).mkdir(parents=True, mode=0o700)
    run("mount", "-t", "overlay", "overlay", "-o", "lowerdir=/etc,upperdir=/run/upper,workdir=/run/work", "/etc")
    disk = folder / "var"
    with disk.open("wb") as file:
        file.truncate(256 << 20)
    run("mkfs.ext4", "-q", disk)
    run("mount", "-o", "loop", disk, "/var")
    Path("/var/tmp").mkdir(mode=0o1777)


def make_device():
    Path("/etc/hostname").write_text("pump-7\n")
    Path("/etc/sota/conf.d").mkdir(parents=True)
    Path("/etc/sota/conf.d/40-hardware.toml").write_text('[provision]\nprimary_ecu_hardware_id = "large-mcu"\n')
    for repo in ("director", "repo"):
        root = Path(f"/var/sota/import/{repo}/root.json")
        root.parent.mkdir(parents=True)
        root.write_text(json.dumps({"signed": {"_type": "Root", "version": 1}, "signatures": []}))
    run(AIRLOCK_DEVICE, "install")


def make_unit():
    lines = []
    for line in UNIT.read_text().splitlines():
        changed = [new for start, new in CHANGES if line.startswith(start)]
        lines += [new for new in changed if new] if changed else [line.replace("--wait 900", "--wait 1")]
    (UNITS / UNIT.name).write_text("\n".join(lines) + "\n")


class Started(unittest.TestCase):
    def setUp(self):
        folder = Path(tempfile.mkdtemp(prefix="airlock-started-"))
        self.addCleanup(shutil.rmtree, folder)
        make_computer(folder)
        self.addCleanup(run, "umount", "-l", "/var")
        make_device()
        make_unit()
        self.stick = folder / "stick"
        with self.stick.open("wb") as file:
            file.truncate(64 << 20)
        (folder / "content/airlock").mkdir(parents=True)
        run("mkfs.ext4", "-q", "-d", folder / "content", self.stick)
        self.node = run("losetup", "--find", "--show", self.stick).strip()
        self.addCleanup(run, "losetup", "--detach", self.node)

    def systemctl(self, *words):
        return subprocess.run(["systemctl", "--user", *words], env=ENVIRONMENT, capture_output=True, text=True)

    def start_manager(self):
        Path("/run/systemd/system").mkdir()  # systemd was booted
        manager = subprocess.Popen(["/lib/systemd/systemd", "--user"], env=ENVIRONMENT, stderr=subprocess.DEVNULL)
        self.addCleanup(manager.wait)
        self.addCleanup(manager.send_signal, signal.SIGTERM)
        for _ in range(600):
            if self.systemctl("is-system-running").stdout.strip() in ("running", "degraded"):
                return
            time.sleep(0.1)
        self.fail("systemd's manager for the user does not start")

    def test_the_unit_takes_a_stick_and_leaves_a_report(self):
        self.start_manager()
        unit = f"airlock-stick@{Path(self.node).name}.service"
        self.systemctl("start", unit)
        said = SAID.read_text() if SAID.exists() else ""
        self.assertEqual(self.systemctl("show", unit, "-p", "Result", "-p", "ExecMainStatus").stdout,
                         "Result=success\nExecMainStatus=0\n", said)
        self.assertIn(f"{self.node} may be pulled", said)
        there = Path("/run/stick")
        there.mkdir()
        run("mount", "-o", "ro", self.node, there)
        self.addCleanup(run, "umount", there)
        self.assertEqual(sorted(str(p.relative_to(there / "airlock")) for p in (there / "airlock").rglob("*.json")),
                         ["reports/pump-7/1.json", "requests/pump-7.json"])


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("only root has a /var, an /etc and loop devices to lend")
    if "AIRLOCK_OWN_MOUNTS" not in os.environ:
        os.environ["AIRLOCK_OWN_MOUNTS"] = "1"
        sys.exit(subprocess.run(["unshare", "--mount", sys.executable, "-B", *sys.argv]).returncode)
    unittest.main(verbosity=2)
