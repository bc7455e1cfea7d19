#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""airlock sticks and airlock eject, with a stick of umockdev and a mock of udisks2.

What is mounted is real: an ext4 in a loop device where this machine has them, else a file system in memory, in a
mount namespace of this test's own.
"""

import os
import subprocess
import sys
from pathlib import Path

import mock_stick
import scenario
from medium import enter_namespace
from scenario import Scenario

BUSY = ("raise dbus.exceptions.DBusException('target is busy', "
        "name='org.freedesktop.UDisks2.Error.DeviceBusy')")


class Sticks(Scenario):
    cloud_options = None

    def start(self, *words, env=None):
        """Every run sees the stick that the test plugged in."""
        command = [*self.stick_words, scenario.AIRLOCK, *map(str, words)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, cwd=self.home,
                                   env=self.env | mock_stick.ENV | (env or {}), start_new_session=True)
        self.addCleanup(scenario.end, process)
        return process

    def setUp(self):
        super().setUp()
        self.stick_words = mock_stick.plug_in(self.home)

    def mount(self, options="rw"):
        """Mounts something at self.stick; its device number, as the kernel writes it."""
        image = self.home / "image"
        image.write_bytes(bytes(8 << 20))
        subprocess.run(["mkfs.ext4", "-q", image], check=True)
        looped = subprocess.run(["mount", "-o", f"loop,{options}", image, self.stick], capture_output=True,
                                text=True, check=False)
        if looped.returncode:
            print(f"no loop mount here, so a file system in memory serves: {looped.stderr.strip()}", file=sys.stderr)
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=8M,{options}", "none", self.stick], check=True)
        self.addCleanup(subprocess.run, ["umount", "-q", self.stick], check=False)
        number = os.stat(self.stick).st_dev
        return f"{os.major(number)}:{os.minor(number)}"

    def only(self, *words):
        sticks = self.ok("sticks", *words)["sticks"]
        self.assertEqual(len(sticks), 1, sticks)
        return sticks[0]

    def test_a_stick_that_is_not_mounted(self):
        self.assertEqual(self.only(), {
            "device": "/dev/sdb1", "disk": "/dev/sdb", "inside": None, "model": "Rehearsal Stick", "bytes": 8 << 20,
            "label": "UPDATES", "file_system": "vfat", "mount_point": None, "cluster_bytes": 0, "free_clusters": 0,
            "file_limit": 0xffffffff, "tested_bytes": 0, "read_only": False, "system": False,
            "label_command": "sudo fatlabel /dev/sdb1 UPDATES",
            "format_command": "sudo mkfs.vfat -F 32 -n UPDATES /dev/sdb1"})

    def test_a_mounted_stick(self):
        self.stick_words = mock_stick.plug_in(self.home, self.mount(), file_system="ext4")
        stick, room = self.only(), os.statvfs(self.stick)
        self.assertEqual((stick["mount_point"], stick["cluster_bytes"], stick["free_clusters"], stick["file_limit"]),
                         (str(self.stick), room.f_frsize, room.f_bavail, 0))
        self.assertFalse(stick["read_only"])
        shown = self.airlock("sticks").stdout
        self.assertIn(f"({room.f_bavail} clusters of ", shown)
        self.assertIn("sudo umount /dev/sdb1 && sudo mkfs.vfat", shown)

    def test_a_stick_that_is_mounted_for_reading_only(self):
        self.stick_words = mock_stick.plug_in(self.home, self.mount("ro"))
        self.assertTrue(self.only()["read_only"])

    def test_a_stick_that_is_mounted_where_nobody_may_look(self):
        self.stick = self.home / "hidden" / "stick"
        self.stick.mkdir(parents=True)
        number = self.mount()
        subprocess.run(["mount", "-t", "tmpfs", "none", self.stick.parent], check=True)
        self.stick_words = mock_stick.plug_in(self.home, number)
        stick = self.only()
        subprocess.run(["umount", self.stick.parent], check=True)
        self.assertEqual((stick["mount_point"], stick["cluster_bytes"]), (str(self.stick), 0))

    def test_a_medium_without_partitions_or_file_system(self):
        self.stick_words = mock_stick.plug_in(self.home, divided=False)
        stick = self.only()
        self.assertEqual((stick["device"], stick["file_system"]), ("/dev/sdb", None))
        self.assertEqual(stick["format_command"], "sudo mkfs.vfat -F 32 -n TORIZON /dev/sdb")

    def test_a_hostile_label_reaches_neither_the_terminal_nor_the_commands(self):
        self.stick_words = mock_stick.plug_in(self.home, label="a\\x1b[2J;reboot")
        self.assertEqual(self.only()["format_command"], "sudo mkfs.vfat -F 32 -n TORIZON /dev/sdb1")
        self.assertIn(r"a\x1b[2J;reboot", self.airlock("sticks").stdout)

    def test_a_label_of_the_persons_choice(self):
        self.assertEqual(self.only("--label", "PUMPS")["label_command"], "sudo fatlabel /dev/sdb1 PUMPS")
        for wrong in ("", "TWELVE_BYTES", "a b", "$(reboot)", "-F"):
            with self.subTest(label=wrong):
                self.refuses(2, "usage", "sticks", f"--label={wrong}")

    def test_the_system_disk_is_left_alone(self):
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
        root = next(line.split()[2] for line in mounts if line.split()[4] == "/")
        self.stick_words = mock_stick.plug_in(self.home, root)
        stick = self.only()
        self.assertEqual((stick["system"], stick["format_command"], stick["label_command"]), (True, None, None))
        for name in ("/dev/sdb1", "/dev/sdb", "/"):
            self.refuses(2, "system-disk", "eject", name, says=name)

    def test_eject_unmounts_and_powers_off(self):
        self.stick_words = mock_stick.plug_in(self.home, self.mount())
        with mock_stick.udisks(f"__import__('subprocess').run(['umount', '{self.stick}'], check=True)") as calls:
            answer = self.ok("eject", self.stick)
            self.assertEqual(calls(), ["Unmount", "PowerOff"])
        self.assertEqual(answer, {"schema": 1, "disk": "/dev/sdb", "powered_off": True})
        self.assertFalse(os.path.ismount(self.stick))

    def test_eject_of_a_drive_that_cannot_be_powered_off(self):
        with mock_stick.udisks(can_power_off=False) as calls:
            self.assertFalse(self.ok("eject", "/dev/sdb")["powered_off"])
            self.assertEqual(calls(), [])

    def test_a_busy_stick_is_not_powered_off(self):
        self.stick_words = mock_stick.plug_in(self.home, self.mount())
        with mock_stick.udisks(BUSY) as calls:
            self.refuses(6, "stick-busy", "eject", self.stick, says="target is busy")
            self.assertEqual(calls(), ["Unmount"])

    def test_eject_without_udisks(self):
        self.stick_words = mock_stick.plug_in(self.home, self.mount())
        nobody = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.home}/no-bus"}
        outcome = self.refuses(6, "no-udisks", "eject", self.stick, env=nobody)
        self.assertIn("as root: umount /dev/sdb1", outcome.stderr)
        with mock_stick.system_bus():
            self.refuses(6, "no-udisks", "eject", self.stick)
        self.assertTrue(os.path.ismount(self.stick))

    def test_the_capacity_is_tested_and_nothing_stays(self):
        self.stick_words = mock_stick.plug_in(self.home, self.mount(), file_system="ext4")
        (self.stick / "photo").write_bytes(b"somebody's")
        before = os.statvfs(self.stick)
        stick = self.only("--test-capacity", self.stick)
        self.assertGreater(stick["tested_bytes"], before.f_bavail * before.f_frsize * 9 // 10)
        self.assertLessEqual(stick["tested_bytes"], before.f_bfree * before.f_frsize)
        self.assertEqual(os.statvfs(self.stick).f_bavail, before.f_bavail)
        self.assertEqual((self.stick / "photo").read_bytes(), b"somebody's")
        self.assertFalse([name for name in os.listdir(self.stick) if "capacity" in name])
        self.assertIn("written and read back", self.airlock("sticks", "--test-capacity", self.stick).stdout)

    def test_the_capacity_of_what_is_no_mounted_stick_is_not_tested(self):
        self.refuses(2, "usage", "sticks", "--test-capacity", "/dev/sdb1", says="not mounted")
        self.refuses(2, "not-a-stick", "sticks", "--test-capacity", self.home)
        self.stick_words = mock_stick.plug_in(self.home, self.mount("ro"), file_system="ext4")
        self.refuses(6, "read-only", "sticks", "--test-capacity", self.stick)

    def test_an_encrypted_stick_that_is_closed(self):
        self.stick_words = mock_stick.plug_in(self.home, file_system="crypto_LUKS")
        stick = self.only()
        self.assertEqual((stick["file_system"], stick["inside"], stick["system"], stick["label_command"]),
                         ("crypto_LUKS", None, False, None))

    def test_an_encrypted_stick_that_is_open_is_a_stick(self):
        self.stick_words = mock_stick.plug_in(self.home, file_system="crypto_LUKS", inside=self.mount())
        stick = self.only()
        self.assertEqual((stick["device"], stick["inside"], stick["system"], stick["mount_point"]),
                         ("/dev/sdb1", "/dev/dm-0", False, str(self.stick)))
        self.assertEqual((stick["file_system"], stick["label"]), ("vfat", "SECRET"))
        self.assertEqual(stick["label_command"], "sudo fatlabel /dev/dm-0 SECRET")
        self.assertEqual(stick["format_command"], "sudo umount /dev/dm-0 && udisksctl lock -b /dev/sdb1 && "
                                                  "sudo mkfs.vfat -F 32 -n SECRET /dev/sdb1")
        self.assertIn("/dev/dm-0", self.airlock("sticks").stdout)

    def test_eject_closes_an_encrypted_stick(self):
        self.stick_words = mock_stick.plug_in(self.home, file_system="crypto_LUKS", inside=self.mount())
        busy = f"assert not __import__('os').path.ismount('{self.stick}')"
        with mock_stick.udisks(f"__import__('subprocess').run(['umount', '{self.stick}'], check=True)", busy) as calls:
            self.ok("eject", self.stick)
            self.assertEqual(calls(), ["Unmount", "Lock", "PowerOff"])
        self.assertFalse(os.path.ismount(self.stick))

    def test_a_system_disk_stays_one_where_it_is_encrypted(self):
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
        root = next(line.split()[2] for line in mounts if line.split()[4] == "/")
        self.stick_words = mock_stick.plug_in(self.home, file_system="crypto_LUKS", inside=root)
        self.assertTrue(self.only()["system"])
        self.refuses(2, "system-disk", "eject", "/dev/sdb1", says="/dev/sdb1")

    def test_what_is_no_stick_is_not_ejected(self):
        for name in ("/dev/sdc", self.home, "nowhere"):
            self.refuses(2, "not-a-stick", "eject", name, says=str(name))


if __name__ == "__main__":
    enter_namespace()
    scenario.main()
