#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A stick is put in, a device sees to it by itself: airlock-device visit, with a real ext4 on a loop device.

The program is the one that 'install' laid down, started as its unit starts it. It needs root, and a kernel with loop
devices: where these are missing, each test fails with what is missing. A real vfat is in vfat.py.
"""

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from rehearsal_client import RehearsalClient
from rehearsal_device import SOURCE, Device, DeviceScenario
import mock_stick
import scenario
from scenario import end, tree

os.environ["PATH"] += ":/usr/sbin:/sbin"
NEEDED = ("mkfs.ext4", "losetup", "mount", "busctl", "dbus-daemon")
PROGRAM = "/var/airlock/bin/airlock-device"
STICK_MB = 64
WAIT_S = 60
KILLS = 8
LED = "status"
CLIENT = ("org.uptane.Aktualizr", "/org/uptane/aktualizr")


class Visiting(DeviceScenario):
    def setUp(self):
        super().setUp()
        self.assertEqual([p for p in NEEDED if shutil.which(p) is None], [],
                         "this machine lacks programs; ./bootstrap install test brings them")
        self.assertEqual(os.geteuid(), 0, "only root can mount a loop device")
        folder = Path(tempfile.mkdtemp(prefix="airlock-device-"))
        self.addCleanup(shutil.rmtree, folder)
        self.device = Device(folder, "large-mcu")
        self.provision(self.device)
        self.device.configure(source="/var/rootdirs/media/STICK/update", enabled=False)
        self.device.write("/etc/hostname", "pump-7\n")
        self.device.write(f"/sys/class/leds/{LED}/trigger", "")
        self.device.beneath("/var").mkdir(exist_ok=True)
        self.client = RehearsalClient(self.device, "large-mcu", "pump-7")
        self.image = folder / "stick.img"
        code, stdout, stderr = self.run_device("install", program=self.device.bring_program())
        self.assertEqual(code, 0, stderr)
        self.key = re.search(r"(?m)^key +([0-9a-f]{64})$", stdout)[1]
        self.plug_in()

    # The stick.

    def plug_in(self):
        """Makes a file system of what airlock wrote to the folder, and gives it a node."""
        self.image.unlink(missing_ok=True)
        with self.image.open("wb") as file:
            file.truncate(STICK_MB << 20)
        subprocess.run(["mkfs.ext4", "-q", "-d", self.stick, self.image], check=True)
        self.node = self.attach()

    def attach(self):
        node = subprocess.run(["losetup", "--find", "--show", self.image], check=True, capture_output=True,
                              text=True).stdout.strip()
        self.addCleanup(subprocess.run, ["losetup", "--detach", node], stderr=subprocess.DEVNULL)
        return node

    @contextlib.contextmanager
    def mounted(self, options="rw"):
        point = self.home / "mounted"
        point.mkdir(exist_ok=True)
        subprocess.run(["mount", "-o", options, self.node, point], check=True)
        try:
            yield point
        finally:
            subprocess.run(["umount", point], check=True)

    def on_stick(self):
        with self.mounted("ro") as point:
            return tree(point)

    def bytes_of_stick(self):
        return hashlib.sha256(self.image.read_bytes()).hexdigest()

    # The visit.

    def begin(self, wait_s=WAIT_S):
        """As the unit starts it: with its capabilities, without new ones, and without a network."""
        unit = self.device.beneath("/etc/systemd/system/airlock-stick@.service").read_text()
        [kept] = re.findall(r"(?m)^CapabilityBoundingSet=(.*)$", unit)
        kept = "".join(f",+{name.removeprefix('CAP_').lower()}" for name in kept.split())
        process = self.device.start("visit", "--wait", wait_s, "--led", LED, self.node,
                                    program=self.device.beneath(PROGRAM),
                                    before=["unshare", "--net", "setpriv", "--no-new-privs", f"--bounding-set=-all{kept}"])
        self.addCleanup(end, process)
        return process

    def ends(self, process, code=0, error=None):
        found, stdout, stderr = self.finish_device(process)
        self.assertEqual(found, code, stdout + stderr)
        if error:
            self.assertRegex(stderr, rf"(?m)^airlock-device: .*\[{error}\]$")
        self.assertEqual(stdout.splitlines()[-1], f"{self.node} may be pulled")
        self.assertEqual(self.led()[-1], "default-on" if code == 0 else "none")
        return stdout, stderr

    def led(self):
        """All that was written to the LED's trigger: here it is a file, where it adds up."""
        return re.findall("timer|default-on|none", self.device.beneath(f"/sys/class/leds/{LED}/trigger").read_text())

    def unpacked(self):
        self.wait_until((self.device.update / "metadata").exists, "the directory is there")

    def visits(self, look=True):
        process = self.begin()
        if look:
            self.unpacked()
            self.assertEqual(self.client.look()[0], "install")
        return self.ends(process)

    def collected(self):
        with self.mounted("ro") as point:
            self.ok("reports", "collect", point)
        return [(r["lockbox"], r["version"], r["outcome"], r["proof"]) for r in self.ok("reports", "list")["reports"]
                if r["lockbox"]]

    # What happens.

    def test_the_whole_way(self):
        before = self.on_stick()
        self.device.fake_tool("/etc/airlock/hook", "")
        stdout, _ = self.visits()
        self.assertIn(f"line version {self.version} unpacked to {SOURCE}", stdout)
        self.assertIn(f"report 1 of pump-7: line version {self.version}: installed: OK", stdout)
        self.assertEqual(self.led(), ["timer", "default-on"])
        self.assertEqual(self.device.calls(), [f"hook {self.node} done"])
        after = self.on_stick()
        self.assertEqual(set(after) - set(before), {"airlock/reports/pump-7/1.json", "airlock/requests/pump-7.json"})
        self.assertEqual({path: after[path] for path in before}, before)
        self.ok("reports", "key", "add", "Pumpe-7", self.key, "--helper")
        self.assertIn(("line", self.version, "installed", "verified"), self.collected())
        with self.mounted("ro") as point:
            self.ok("verify", point, "--device", point / "airlock/requests/pump-7.json")

    def test_what_was_unpacked_belongs_to_root_alone(self):
        self.visits()
        for path in [self.device.update, *self.device.update.rglob("*")]:
            self.assertEqual((path.stat().st_uid, path.stat().st_mode & 0o022), (0, 0), path)

    def test_the_same_stick_again_brings_nothing_new(self):
        self.visits()
        _, stderr = self.visits(look=False)
        self.assertIn("nothing that this device lacks", stderr)
        self.assertEqual([p for p in self.on_stick() if "reports/" in p], ["airlock/reports/pump-7/1.json"])

    def test_a_stick_of_somebody_else_is_not_touched(self):
        shutil.rmtree(self.stick / "airlock")
        (self.stick / "photo.jpg").write_bytes(b"light")
        self.plug_in()
        before = self.bytes_of_stick()
        self.ends(self.begin(), 4, "nothing-to-install")
        self.assertEqual(self.bytes_of_stick(), before)
        self.assertFalse((self.device.update.parent / "reports").exists())

    def test_what_is_refused_is_reported_too(self):
        [volume] = (self.stick / "airlock").glob("*.001")
        content = bytearray(volume.read_bytes())
        content[len(content) // 2] ^= 1
        volume.write_bytes(content)
        self.plug_in()
        self.device.fake_tool("/etc/airlock/hook", "exit 1")
        _, stderr = self.ends(self.begin(), 3, "bundle-damaged")
        self.assertIn("[tool-failed]", stderr)
        self.assertEqual(self.device.calls(), [f"hook {self.node} bundle-damaged"])
        self.assertFalse(self.device.update.exists())
        self.assertIn("airlock/reports/pump-7/1.json", self.on_stick())

    def test_a_stick_that_cannot_be_written_leaves_the_report_for_the_next(self):
        subprocess.run(["blockdev", "--setro", self.node], check=True)
        process = self.begin()
        self.unpacked()
        self.client.look()
        self.ends(process, 6, "read-only")
        subprocess.run(["blockdev", "--setrw", self.node], check=True)
        self.visits(look=False)
        self.assertIn("airlock/reports/pump-7/1.json", self.on_stick())

    # How it is mounted.

    def mount_of(self, process):
        """The stick's folder as the process has it, once it unpacks; the process is stopped there."""
        part = self.device.update.parent / ".update.part"
        self.wait_until(lambda: part.exists() and any(part.iterdir()), "it unpacks")
        os.killpg(process.pid, signal.SIGSTOP)
        for link in Path(f"/proc/{process.pid}/fd").iterdir():
            if link.is_dir() and (link / "airlock").is_dir() and (link / "lost+found").is_dir():
                return link
        raise AssertionError("no descriptor leads to the stick")

    def test_nothing_can_be_written_or_run_from_it_and_nobody_else_sees_it(self):
        (self.stick / "run").write_text("#!/bin/sh\n")
        (self.stick / "run").chmod(0o755)
        os.mknod(self.stick / "null", 0o666 | 0o020000, os.makedev(1, 3))
        self.plug_in()
        process = self.begin()
        folder = self.mount_of(process)
        self.assertNotIn(self.node, Path("/proc/self/mounts").read_text())
        with self.assertRaisesRegex(OSError, "Read-only"):
            (folder / "new").write_text("")
        with self.assertRaisesRegex(OSError, "Permission denied"):
            subprocess.run([folder / "run"])
        with self.assertRaisesRegex(OSError, "Permission denied"):
            (folder / "null").read_bytes()
        del folder
        os.killpg(process.pid, signal.SIGCONT)
        self.unpacked()
        self.client.look()
        self.ends(process)

    def test_the_automounter_of_the_device_may_have_it_too(self):
        with self.mounted("rw") as point:
            self.visits()
            self.assertTrue((point / "airlock/reports/pump-7/1.json").exists())

    # Pulled, killed, started again.

    def forget(self):
        """A device that never saw the stick."""
        for path in ("/var/airlock/reports", "/var/airlock/update", "/var/sota/sql.db"):
            path = self.device.beneath(path)
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def test_a_stick_that_is_pulled_while_it_is_read_leaves_nothing(self):
        process = self.begin(wait_s=1)
        self.mount_of(process)
        self.image.write_bytes(b"")  # every read fails from now on
        subprocess.run(["sh", "-c", "echo 3 >/proc/sys/vm/drop_caches"], check=True)
        os.killpg(process.pid, signal.SIGCONT)
        self.finish_device(process)
        self.assertIn(tree(self.device.update), ({}, self.expected))
        subprocess.run(["losetup", "--detach", self.node], check=True)
        self.plug_in()
        self.visits(look=not self.client.database.exists())
        self.assertIn("airlock/reports/pump-7/1.json", self.on_stick())

    def test_systemd_ends_it_when_the_stick_is_pulled_and_the_led_goes_dark(self):
        process = self.begin()
        self.unpacked()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(), 128 + signal.SIGTERM)
        self.assertEqual(self.led(), ["timer", "none"])
        self.client.look()
        stdout, _ = self.visits(look=False)
        self.assertIn("installed: OK", stdout)

    def test_kills_leave_a_stick_that_checks_and_the_next_visit_ends_it(self):
        begun = time.monotonic()
        self.visits()
        took = time.monotonic() - begun
        for i in range(KILLS):
            self.forget()
            self.plug_in()
            process = self.begin()
            time.sleep(took * (i + 0.5) / KILLS)
            if self.device.update.exists():
                self.client.look()
            process.kill()
            process.communicate()
            self.assertNotIn(self.node, Path("/proc/self/mounts").read_text())
            self.visits(look=not self.client.database.exists())
            self.assertIn("airlock/reports/pump-7/1.json", self.on_stick())
            checked = subprocess.run(["e2fsck", "-fn", self.node], capture_output=True, text=True)
            self.assertEqual(checked.returncode, 0, checked.stdout)

    def test_after_a_restart_of_the_device_it_finishes_the_report(self):
        process = self.begin()
        self.unpacked()
        process.kill()
        process.communicate()
        shutil.rmtree(self.device.beneath("/run"), ignore_errors=True)
        self.client.look(code="OK")
        stdout, _ = self.visits(look=False)
        self.assertIn(f"line version {self.version}: installed: OK", stdout)

    def test_two_sticks_take_turns(self):
        first = self.begin()
        self.unpacked()
        shutil.copy(self.image, self.home / "second.img")
        self.image = self.home / "second.img"
        nodes = self.node, self.attach()
        self.node = nodes[1]
        second = self.begin()
        time.sleep(1)
        self.assertIsNone(second.poll(), "it does not wait")
        self.client.look()
        for process in (first, second):
            code, stdout, stderr = self.finish_device(process)
            self.assertEqual(code, 0, stdout + stderr)
        for self.node in nodes:
            self.assertIn("airlock/reports/pump-7/1.json", self.on_stick())

    # The client on the bus.

    @contextlib.contextmanager
    def bus(self, body=""):
        """A bus of its own with python-dbusmock's stand-in for the client, whose OfflineUpdate is the Python `body`. The
        device's busctl is the real one. Yields what the client was told, as a function."""
        with mock_stick.system_bus():
            os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = address = mock_stick.ENV["DBUS_SYSTEM_BUS_ADDRESS"]
            log = self.home / "client.log"
            mock = subprocess.Popen(["/usr/bin/python3", "-m", "dbusmock", "--logfile", log, *CLIENT, CLIENT[0]],
                                    env=os.environ | {"DBUS_SESSION_BUS_ADDRESS": address})
            try:
                add = ["busctl", "--system", "call", *CLIENT, "org.freedesktop.DBus.Mock", "AddMethod", "sssss",
                       CLIENT[0], "OfflineUpdate", "s", "", body]
                self.wait_until(lambda: subprocess.run(add, stderr=subprocess.DEVNULL).returncode == 0,
                                "the client is on the bus")
                busctl = self.device.beneath("/usr/bin/busctl")
                busctl.parent.mkdir(parents=True, exist_ok=True)
                busctl.symlink_to(shutil.which("busctl"))
                yield lambda: re.findall(r' OfflineUpdate "(.*)"', log.read_text())
            finally:
                mock.terminate()
                mock.wait()
                del os.environ["DBUS_SYSTEM_BUS_ADDRESS"]

    def poll_elsewhere(self):
        self.device.write("/etc/sota/conf.d/95-mine.toml",
                          '[uptane]\noffline_updates_source = "/var/rootdirs/media/STICK/update"\n')

    def test_a_client_that_does_not_poll_there_is_told(self):
        self.poll_elsewhere()
        self.ends(self.begin(), 4, "not-looked-for")
        with self.bus() as calls:
            self.visits()
            self.assertEqual(calls(), [SOURCE])

    def test_a_client_that_did_not_see_it_appear_is_told(self):
        with self.bus() as calls:
            process = self.begin()
            self.unpacked()
            self.assertEqual(calls(), [], "it polls")
            process.kill()
            process.communicate()
            process = self.begin()
            self.wait_until(calls, "it is told")
            self.client.look()
            self.ends(process)
            self.assertEqual(calls(), [SOURCE])
            self.visits(look=False)
            self.assertEqual(calls(), [SOURCE], "it has logged the install")

    def test_a_client_that_is_at_work_is_waited_for(self):
        with self.bus("raise dbus.exceptions.DBusException('not idle', name='org.uptane.Error')") as calls:
            process = self.begin()
            self.unpacked()
            process.kill()
            process.communicate()
            process = self.begin()
            self.wait_until(calls, "it is told")
            time.sleep(1)
            self.client.look()
            _, stderr = self.ends(process)
            self.assertIn("did not take the call", stderr)
            self.forget()
            self.poll_elsewhere()
            self.ends(self.begin(), 1, "tool-failed")

    # What it refuses to look at.

    def test_it_starts_only_from_the_devices_disk_and_on_a_stick(self):
        elsewhere = self.device.beneath("/media")
        elsewhere.mkdir()
        mounts = ["unshare", "--mount", "sh", "-ec",
                  f'mount -t tmpfs none "{elsewhere}"; cp "{self.device.beneath(PROGRAM)}" "{elsewhere}/it"; exec "$@"', "sh"]
        for node, program, before, code, error in (
                (self.node, elsewhere / "it", mounts, 2, "not-own-disk"),
                (self.image, self.device.beneath(PROGRAM), (), 2, "not-a-stick"),
                ("/dev/none", self.device.beneath(PROGRAM), (), 2, "no-such-path")):
            found, _, stderr = self.run_device("visit", node, program=program, before=before)
            self.assertEqual(found, code, stderr)
            self.assertIn(f"[{error}]", stderr)

    def test_a_disk_that_the_device_runs_from_is_left_alone(self):
        point = self.device.beneath("/var")
        shutil.copytree(point, self.stick / "var")
        self.plug_in()
        mounts = ["unshare", "--mount", "sh", "-ec",
                  f'mount "{self.node}" "{self.home}/stick"; mount --bind "{self.home}/stick/var" "{point}"; exec "$@"', "sh"]
        found, _, stderr = self.run_device("visit", self.node, program=self.device.beneath(PROGRAM), before=mounts)
        self.assertEqual(found, 2, stderr)
        self.assertIn("[system-disk]", stderr)

    def test_a_stick_without_a_file_system(self):
        with self.image.open("wb") as file:
            file.truncate(STICK_MB << 20)
        _, stderr = self.ends(self.begin(), 6, "medium-io")
        self.assertIn("vfat, exfat, ext4", stderr)


if __name__ == "__main__":
    scenario.main()
